"""A talk brings an objection: nothing more of that message goes to the person until the lead has answered it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from commsengine.cadence.forecast import Fact
from commsengine.cadence.history import OutreachOutcome, Touch
from commsengine.cadence.plan import Workspace
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.reports.followups import open_followups
from commsengine.reports.status import questions
from commsengine.reports.why import why
from commsengine.sandbox.rehearse import Rehearsal, Script, Story
from tests.builders import a_message, a_plan, someone, utc
from tests.replies import answer_question

PLAN = a_plan(
    a_message(cadence={"every": "48h", "times": "9"}),
    send={"channels": ["email"], "holidays": "false", "at_most": {"per_day": "1", "per_week": "5"}},
    follow_up=[
        {"after": "1 touch", "do": "personal", "by": "lead"},
        {"after": "2 working days", "do": "sponsor"},
    ],
)
OBJECTS, SILENT = someone(1, manager=""), someone(2, manager="")
UNTIL = utc("2027-01-27 10:00")
ANSWER = "It gets a field for oral agreements in March."


def suppose(touch: Touch) -> Sequence[Fact]:
    if touch.kind != "personal" or touch.person != OBJECTS.id:
        return ()
    at = touch.due_at + dt.timedelta(hours=3)
    return (OutreachOutcome(touch.campaign, touch.message, "objects", at),)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    people = [replace(each, channel="email") for each in (OBJECTS, SILENT)]
    templates = load_templates(shipped_folder(), None)
    script = Script(PLAN, people, Workspace(), templates, utc("2027-01-10 23:00"), UNTIL, lambda: suppose)
    with Rehearsal(script, tmp_path_factory.mktemp("objection")) as rehearsal:
        yield rehearsal


@pytest.fixture(scope="module")
def story(rehearsal: Rehearsal) -> Story:
    return rehearsal.run()


def test_the_repeats_stop_for_who_objected_and_for_no_one_else(story: Story) -> None:
    assert story.agrees
    kinds = [one[3] for one in story.touches if one[0] == OBJECTS.id]
    assert sorted(kinds) == ["message", "personal", "sponsor"]
    assert sum(one[3] == "message" for one in story.touches if one[0] == SILENT.id) > 3


def test_it_stands_among_the_questions_and_the_sponsor_may_be_proposed(rehearsal: Rehearsal, story: Story) -> None:
    assert story.agrees
    store = rehearsal.wiring.store
    (question,) = questions(store, UNTIL)
    assert (question["person"], question["objection"], question["overdue"]) == (OBJECTS.email, True, True)
    (message,) = why(store, rehearsal.wiring.decisions, OBJECTS.email, UNTIL)["campaigns"][0]["messages"]
    assert message["standing"] == "asked"
    assert [reason["waits_for"] for reason in message["reasons"]] == ["the answer to their objection"]
    proposals = [one for one in open_followups(store, UNTIL) if one.kind == "sponsor"]
    assert [one.person.id for one in proposals] == [OBJECTS.id]


def test_the_answer_goes_to_them_and_the_message_goes_on(rehearsal: Rehearsal, story: Story) -> None:
    """Runs last: it answers the objection."""
    assert story.agrees
    wiring, mailbox = rehearsal.wiring, rehearsal.sandbox.mailbox
    (question,) = questions(wiring.store, UNTIL)
    before = len(mailbox.arrived)
    answer_question(wiring.store, wiring.inbox, question["id"], ANSWER, "dana", rehearsal.clock.now())
    with wiring.engine() as engine:
        engine.tick()
    to_them = [mail for mail in mailbox.arrived[before:] if OBJECTS.email in mail.recipients]
    assert [mail.subject for mail in to_them if ANSWER in mail.text] == ["Answer to your objection"]
    assert any(mail.subject.startswith("Every customer conversation") for mail in to_them)
