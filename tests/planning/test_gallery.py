"""Everything that a plan says, each touch of each role, with what is to be known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commsengine.authoring.check import check
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Workspace
from commsengine.cadence.population import ListedPeople
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.errors import InputError
from commsengine.planning.gallery import MOST, Gallery, Piece, Wanted, gallery
from commsengine.planning.plan_on_disk import CheckedPlan, checked
from commsengine.planning.preview import PreviewBasis, preview_people, touches_of
from commsengine.translation import in_language
from tests.builders import ANA, BEN, MIA, a_message, a_plan, translated
from tests.cli.conftest import plan as plan_file
from tests.pseudo import LANGUAGE, in_pseudo

TEMPLATES = load_templates(shipped_folder(), None)
BASIS = PreviewBasis(Workspace(), TEMPLATES, "http://127.0.0.1:8080", frozenset(), None)
SLACK_TOO = {"channels": ["slack", "email"], "holidays": "false"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "crm.yaml"
    found.write_text(plan_file(), encoding="utf-8")
    return found


def seen(
    file: Path, *messages: Any, people: Sequence[Person] = (ANA, BEN, MIA), wanted: Any = None, **more: Any
) -> Gallery:
    given = CheckedPlan(a_plan(*messages, **more), ListedPeople(tuple(people)))
    return gallery(BASIS, given, preview_people(given, email=None, role=None), file, (), wanted)


def of(shown: Gallery, message: str, role: str = "others") -> list[Piece]:
    return [piece for piece in shown.pieces if (piece.touch.message, piece.touch.role) == (message, role)]


def test_every_touch_of_every_role_is_a_piece(file: Path) -> None:
    shown = seen(file, a_message(), a_message(id="worse-first", ask="nothing"), send=SLACK_TOO)
    given = CheckedPlan(shown.plan, ListedPeople((ANA, BEN, MIA)))
    people = {piece.person.id: replace(piece.person, language="") for piece in shown.pieces}
    wanted = {
        (one.touch.message, one.touch.role, one.touch.kind, one.touch.number)
        for person in people.values()
        for one in touches_of(BASIS, given, person)
        if one.touch.kind != "sponsor"
    }
    pieces = [(each.touch.message, each.touch.role, each.touch.kind, each.touch.number) for each in shown.pieces]
    assert sorted(pieces) == sorted(wanted)
    assert {role for _message, role, _kind, _number in pieces} == {"sales", "others"}
    assert {kind for _message, _role, kind, _number in pieces} == {"message", "remind", "personal"}
    assert len({piece.stem for piece in shown.pieces}) == len(pieces)
    assert all(
        [one.channel for one in piece.shown] in (["slack", "email"], ["email", "slack"], []) for piece in shown.pieces
    )


def test_a_message_that_others_crowd_out_is_shown_with_the_reason(file: Path) -> None:
    loud = a_message(id="loud", priority="high", cadence={"every": "24h", "times": "100"}, ask="nothing")
    shown = seen(file, a_message(), loud, send={**SLACK_TOO, "at_most": {"per_day": 1, "per_week": 1}})
    quiet = of(shown, "one-record")
    assert [piece.touch.number for piece in quiet if piece.shown][:2] == [1, 2]
    assert {piece.unsent for piece in quiet} == {
        "As the plan stands, it is not sent to them: other messages take up the 1 a week."
    }
    assert {piece.unsent for piece in of(shown, "loud")} == {""}


def test_a_correction_is_shown_as_who_got_the_wrong_one_gets_it(file: Path) -> None:
    right = a_message(id="right", key_point="Calls too.", corrects="one-record")
    shown = seen(file, a_message(), right)
    assert shown.messages == ("right",)
    first = of(shown, "right")[0]
    assert first.letter is not None
    assert first.subject == "Correction: Calls too."
    assert "Every customer conversation" in first.letter.text
    assert first.unsent == ""


def test_what_becomes_of_a_commitment_and_the_briefing_are_shown(file: Path) -> None:
    promised = a_message(id="promise", to=["others"], ask="commit", commit={"text": "I log it.", "by": "kickoff + 14d"})
    first = a_message(id="named", to=["others"], managers_first="2 working days")
    shown = seen(file, promised, first)
    asked = [piece for piece in of(shown, "promise") if piece.touch.kind == "commitment"]
    assert [piece.subject for piece in asked] == ["Is it done? I log it."]
    briefing = [piece for piece in shown.pieces if piece.touch.kind == "briefing"]
    assert [(piece.person.id, piece.stem) for piece in briefing] == [("mia", "named/others/1-briefing")]


def test_more_repeats_than_there_are_texts_are_counted(file: Path) -> None:
    shown = seen(file, a_message(ask="nothing", cadence={"every": "48h", "times": "13"}))
    assert (len(shown.pieces), shown.more) == (2 * MOST, 2 * 3)


def test_it_is_narrowed_to_what_is_wanted(file: Path) -> None:
    messages = (a_message(), a_message(id="worse-first", ask="nothing"))
    assert seen(file, *messages, wanted=Wanted(message="worse-first")).messages == ("worse-first",)
    narrow = seen(file, *messages, wanted=Wanted(number=2, channel="slack"))
    assert {(piece.touch.number, *(one.channel for one in piece.shown)) for piece in narrow.pieces} == {(2, "slack")}
    with pytest.raises(InputError, match="no language 'fr'"):
        seen(file, *messages, wanted=Wanted(language="fr"))


def test_each_language_is_shown_where_the_plan_is_whole_in_it(file: Path) -> None:
    plan = translated(a_plan(a_message(), a_message(id="more", key_point="More.")), LANGUAGE, "⟦{}⟧".format)
    given = CheckedPlan(plan, ListedPeople((ANA, BEN, MIA)))
    people = preview_people(given, email=None, role=None)
    assert gallery(BASIS, given, people, file).languages == ("en",)  # there are no buttons in it yet
    with in_pseudo(), in_language("en"):
        shown = gallery(BASIS, given, people, file)
        both = {(piece.touch.message, piece.touch.role, piece.language) for piece in shown.pieces}
        assert len(both) == 2 * 2 * 2
        theirs = next(piece for piece in shown.pieces if piece.language == LANGUAGE)
        assert theirs.stem == f"one-record/sales/{LANGUAGE}/1"
        assert theirs.subject.startswith("⟦")
        only = gallery(BASIS, given, people, file, wanted=Wanted(language=LANGUAGE))
        assert only.languages == (LANGUAGE,)


def test_times_are_the_plans_and_lengths_are_counted(file: Path) -> None:
    shown = seen(file, a_message(), send={**SLACK_TOO, "time_zone": "Europe/Berlin"})
    first = of(shown, "one-record")[0]
    assert f"{first.at:%a %d %b %H:%M}" == "Mon 11 Jan 01:00"  # nine o'clock in Seoul
    assert f"{first.their_time:%H:%M}" == "09:00"
    assert (len(first.subject), first.card_words, first.too_long) == (52, 26, False)
    assert 60 < first.words < 200


def test_advice_stands_at_the_first_touch_of_its_message_or_role(tmp_path: Path) -> None:
    file = tmp_path / "crm.yaml"
    unseen = "    ask: acknowledge\n    input: {question: What?}\n"
    written = plan_file(**{"    cadence: {every: 48h, times: 5}\n": f"    cadence: {{every: 48h, times: 5}}\n{unseen}"})
    file.write_text(written, encoding="utf-8")
    result = check(file, root=tmp_path, people=ListedPeople((ANA, BEN, MIA)), templates=TEMPLATES)
    assert result.ok, result.problems
    given = checked(result)
    shown = gallery(BASIS, given, preview_people(given, email=None, role=None), file, result.problems)
    advised = [(piece.stem, [problem.code for problem in piece.advice]) for piece in shown.pieces if piece.advice]
    assert advised == [("one-record/sales/1", ["unasked"]), ("one-record/others/1", ["unasked"])]
    assert {problem.code for problem in shown.advice} == {problem.code for problem in result.problems} - {"unasked"}
