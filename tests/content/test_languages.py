"""No message is in two languages: a plan whose every text is marked, in a language whose every word is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from itertools import product
from typing import Any

import pytest

from commsengine.cadence.check_questions import answer_id
from commsengine.cadence.history import Briefing, PublicReply
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.cadence.told import Told
from commsengine.content.message import RenderedMessage
from commsengine.content.person_values import Signers
from commsengine.content.render import Renderer
from commsengine.translation import in_language
from tests.builders import BEN, a_message, a_plan, translated, utc
from tests.content.desk import a_renderer, a_touch
from tests.content.test_digest_facts import FACTS
from tests.pseudo import LANGUAGE, in_pseudo, untranslated, untranslated_html, value

CHECK = {"question": "Where?", "answers": ["Here", "There", "Nowhere"], "right": "There", "because": "It is."}
BOSS = Person(id="boss", email="boss@example.com", name=value("Boss"), language=LANGUAGE)
THEM = replace(BEN, name=value("Them"), language=LANGUAGE)
CAST = Signers(BOSS, BOSS, BOSS)
PLAN = a_plan(
    a_message(text=["First.", "Second."], wiifm={"sales": {"why": "Own reason."}}, sender="manager"),
    a_message(id="text", ask="input", input={"question": "What?"}, subject="Your word"),
    a_message(id="rank", ask="input", input={"question": "Which?", "kind": "rank", "choices": ["One", "Two"]}),
    a_message(id="check", ask="check", checks=[CHECK]),
    a_message(id="along", checks=[CHECK], check_every=1),
    a_message(id="commit", ask="commit", commit={"text": "I log calls.", "by": "go_live"}, managers_first=2),
    a_message(id="deed", repeat_until="done", outcome="log", link="https://x.example.com"),
    a_message(id="right", corrects="text", key_point="From {{ milestones.go_live }} on."),
    outcomes={"log": {"title": "Logs calls", "by": "go_live"}},
    milestones={"kickoff": "2027-01-11", "go_live": {"date": "2027-03-15", "because": "A pilot failed."}},
    wiifm={"sales": dict.fromkeys(("why", "your_job", "skills", "measures", "results"), "For sales.")},
    optional=True,
)  # fmt: skip
BOTH = translated(PLAN, LANGUAGE, "⟦{}⟧".format)
REPLY = PublicReply(1, "", value("said"), "done", None, ("sales",), utc("2027-01-11"), message="text")


@pytest.fixture(autouse=True)
def pseudo() -> Iterator[None]:
    with in_pseudo(), in_language("en"):
        yield


def words(message: RenderedMessage) -> str:
    blocks = [text for block in message.blocks for text in _said(block)]
    return " ".join([message.subject, unescape(message.text), *blocks])


def _said(block: Any) -> Iterator[str]:
    if isinstance(block, dict):
        yield from ([block["text"]] if isinstance(block.get("text"), str) else [])
        block = list(block.values())
    for inner in block if isinstance(block, list | tuple) else ():
        yield from _said(inner)


def strays(message: RenderedMessage) -> list[str]:
    found = untranslated(words(message)) + untranslated_html(message.html)
    return [word for word in found if "https://" not in word and "webcal://" not in word]


def touches() -> Iterator[Any]:
    kinds = (("message", ""), ("remind", ""), ("commitment", ""))
    for message, channel, (kind, _no), number in product(PLAN.messages, ("email", "slack"), kinds, (1, 2, 3)):
        if kind != "commitment" or message.asks_on:
            yield a_touch(message.id, number, channel=channel, kind=kind)
    for only in (True, False):
        yield a_touch("commit", kind="briefing", briefing=Briefing("sales", utc("2027-01-12"), only=only))
    yield a_touch("right", corrects=str(Told("text", {"go_live": "2027-03-01"})))
    yield a_touch("along", 2, unclear=0)


def test_every_word_of_a_message_is_in_the_persons_language() -> None:
    renderer = a_renderer(BOTH)
    for touch in touches():
        theirs = renderer.touch(touch, THEM, CAST, (REPLY,))
        assert strays(theirs) == [], touch
        assert "lang" not in theirs.html or f'lang="{LANGUAGE}"' in theirs.html


def test_for_others_no_word_of_it_is() -> None:
    renderer = a_renderer(BOTH)
    for touch in touches():
        message = renderer.touch(touch, replace(BEN, language="fr"), CAST, (REPLY,))
        assert "⟦" not in words(message) + message.html, touch


def without(name: str) -> Plan:
    texts = {key: text for key, text in BOTH.translations[LANGUAGE].items() if key != name}
    return BOTH.model_copy(update={"translations": {LANGUAGE: texts}})


@pytest.mark.parametrize("name", sorted(BOTH.translations[LANGUAGE]))
def test_a_message_with_a_text_missing_is_in_the_plans_language_as_a_whole(name: str) -> None:
    renderer = a_renderer(without(name))
    for touch in (each for each in touches() if each.number == 1 and each.channel == "email"):
        message = renderer.touch(touch, THEM, CAST, (REPLY,))
        assert strays(message) == [] or "⟦" not in words(message) + message.html, touch


def _pages(renderer: Renderer, person: Person) -> Iterator[tuple[str, dict[str, Any]]]:
    for message in PLAN.messages:
        yield message.id, renderer.page(message.id, "sales", 1, person, CAST, asks="recall" if message.checks else None)


def test_what_a_page_shows_is_in_one_language_and_what_was_right_stays_right() -> None:
    shown = dict(_pages(a_renderer(BOTH), THEM))
    assert shown["check"]["check"] == {
        "question": "⟦Where?⟧", "because": "⟦It is.⟧", "right": "⟦There⟧",
        "answers": ["⟦Here⟧", "⟦There⟧", "⟦Nowhere⟧"],
    }  # fmt: skip
    assert untranslated(str([each["key_point"] for each in shown.values()])) == []
    plain = dict(_pages(a_renderer(BOTH), replace(THEM, language="en")))
    assert "⟦" not in str(plain)


def test_a_button_names_the_answer_of_the_plan_whatever_it_says() -> None:
    card = a_renderer(BOTH).touch(a_touch("check", channel="slack", asks="recall"), THEM, CAST)
    elements = [element for block in card.blocks for element in block.get("elements", ())]
    named = {
        e["action_id"].partition("_")[2]: e["text"]["text"] for e in elements if "check_" in e.get("action_id", "")
    }
    assert named == {answer_id(answer): f"⟦{answer}⟧" for answer in CHECK["answers"]}


def test_the_dates_that_a_text_names_are_known_in_every_language() -> None:
    renderer = a_renderer(BOTH)
    named = {renderer.touch(a_touch("right"), person, CAST).named for person in (THEM, BEN)}
    assert named == {"go_live=2027-03-15"}


def test_what_tells_of_all_of_a_campaign_needs_all_of_it() -> None:
    facts = replace(FACTS, calls=(), questions=(), answers=(), held=(), figures=())
    with in_language(LANGUAGE):
        assert strays(a_renderer(BOTH).digest(BOSS, facts)) == []
    assert "⟦" not in words(a_renderer(without("messages.rank.input.choices.1")).digest(BOSS, facts))


def test_a_link_mail_needs_no_more_than_the_name_of_the_campaign() -> None:
    given = {"subject": "", "headline": "⟦h⟧", "text": "", "footer": "own_footer", "page": False}
    parts = {"wanted": without("messages.rank.key_point"), "not": without("title")}
    marked = {
        name: "⟦"
        in a_renderer(plan).service("link", "key", THEM, CAST, utc("2027-01-11"), **{**given, "headline": ""}).text
        for name, plan in parts.items()
    }
    assert marked == {"wanted": True, "not": False}


def test_who_is_to_call_reads_what_to_say_in_the_language_of_the_renderer_asked_for() -> None:
    talk = a_renderer(BOTH).in_language(LANGUAGE).talking_points("along", "sales", replace(BEN, name=value("x")), CAST)
    assert untranslated(talk.text) == []
    assert "⟦" not in a_renderer(BOTH).in_language("en").talking_points("along", "sales", THEM, CAST).text


def test_the_calendar_of_a_language_has_a_link_of_its_own() -> None:
    renderer = a_renderer(BOTH)
    urls = {renderer.in_language(code).calendar_url() for code in (LANGUAGE, "en", "fr")}
    assert len(urls) == 2
