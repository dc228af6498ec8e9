"""Cards, forms and words in Slack in the language of the person; what is answered is kept as the plan has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from commsengine.cadence.check_questions import answer_id
from commsengine.translation import in_language
from tests import slack_house
from tests.builders import ANA, a_message
from tests.pseudo import LANGUAGE, in_pseudo, untranslated
from tests.slack_house import Team
from tests.waiting import expect

open_team = slack_house.open_team

CHECK = {"question": "Where?", "answers": ["Here", "There", "Nowhere"], "right": "There", "because": "It is there."}
CHOICE = {"question": "Which?", "kind": "choice", "choices": ["One", "Two"]}


@pytest.fixture(autouse=True)
def pseudo() -> Iterator[None]:
    with in_pseudo(), in_language("en"):
        yield


def kept(team: Team) -> list[tuple[str, str]]:
    return [(answer.kind, answer.value) for answer in team.house.store.answers.of_person(ANA.id)]


def strays(shown: Any) -> list[str]:
    """The words in what Slack shows that are in no language of the person, but for names and times."""
    texts: list[str] = []

    def look(node: Any) -> None:
        if isinstance(node, dict):
            texts.extend([node["text"]] if isinstance(node.get("text"), str) else [])
            node = list(node.values())
        for inner in node if isinstance(node, list | tuple) else ():
            look(inner)

    look(shown)
    return [word for text in texts for word in untranslated(text) if word.isalpha() and word not in ("Ana", "Dana")]


def test_a_check_on_a_card_is_answered_in_their_words_and_kept_in_the_plans(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="check", checks=[CHECK]), language=LANGUAGE)
    post = team.sent()
    assert strays(post.blocks) == []
    assert team.slack.click(ANA.email, f"check_{answer_id('Here')}").status == 200
    assert kept(team) == [("check", "Here")]
    expect(lambda: team.redrawn(post, 1))
    assert "⟦It is there.⟧" in json.dumps(post.blocks, ensure_ascii=False)
    assert strays(post.blocks) == []


def test_a_form_is_in_their_language_and_its_choice_is_kept_as_the_plan_has_it(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="input", input=CHOICE), language=LANGUAGE)
    post = team.sent()
    assert team.slack.click(ANA.email, "answer").status == 200
    expect(lambda: team.slack.team.dialogs_of(ANA.email))
    (dialog,) = team.slack.team.dialogs_of(ANA.email)
    assert strays(dialog.view) == []
    assert "⟦Two⟧" in json.dumps(dialog.view, ensure_ascii=False)
    assert team.slack.submit(dialog, {"entry": "1"}).status == 200
    assert kept(team) == [("input", "Two")]
    expect(lambda: team.redrawn(post, 1))
    assert strays(post.blocks) == []


def test_what_is_said_back_and_the_home_tab_are_in_their_language(open_team: Callable[..., Team]) -> None:
    team = open_team(language=LANGUAGE)
    post = team.sent()
    said = team.say("Can I keep my notebook?", thread=post.ts)
    assert untranslated(said.text.replace("dana@example.com", "")) == []
    assert team.slack.open_home(ANA.email).status == 200
    expect(lambda: post.user.id in team.slack.team.homes)
    found = [
        word
        for word in strays(team.slack.team.homes[post.user.id]["blocks"])
        if word not in ("Can", "I", "keep", "my", "notebook")
    ]
    assert [word for word in found if len(word) > 3] == []
