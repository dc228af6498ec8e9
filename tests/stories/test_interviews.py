"""Twelve peers are asked for an interview: two answer, ten are called by the lead, the sponsor hears nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from commsengine.authoring.people.people_file import load_people
from commsengine.authoring.plan_file import review_plan
from commsengine.cadence.forecast import Fact
from commsengine.cadence.history import Answer, Touch
from commsengine.cadence.plan import Workspace
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.reports.followups import followups, record_outcome
from commsengine.sandbox.rehearse import Rehearsal, Script, Story
from tests.builders import utc

SCHEDULES = shipped_folder("schedules")
DRAFT = review_plan(SCHEDULES / "process-interviews.yaml", root=SCHEDULES).draft
assert DRAFT is not None
PLAN = DRAFT.plan
PEERS = load_people(SCHEDULES / "peers.csv").people
TWO = {"iris.holm@example.com", "luca.morandi@example.com"}
LEAD, SPONSOR = "lena.hoffmann@example.com", "viktor.stein@example.com"
HOUR = dt.timedelta(hours=1)


def two_answer(touch: Touch) -> Sequence[Fact]:
    """Two of them answer an hour after their second e-mail, the others never."""
    answers = {person.id for person in PEERS if person.email in TWO}
    if touch.person not in answers or touch.number != 2 or touch.kind != "message":
        return ()
    return (Answer(touch.campaign, touch.message, "input", touch.due_at + HOUR, "link"),)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    script = Script(
        PLAN, PEERS, Workspace(), load_templates(shipped_folder(), None),
        utc("2027-01-17 23:00"), utc("2027-02-27"), lambda: two_answer,
    )  # fmt: skip
    with Rehearsal(script, tmp_path_factory.mktemp("interviews")) as rehearsal:
        yield rehearsal


@pytest.fixture(scope="module")
def story(rehearsal: Rehearsal) -> Story:
    return rehearsal.run()


def test_everybody_gets_two_letters_and_two_answer(rehearsal: Rehearsal, story: Story) -> None:
    got = Counter(mail.recipients[0] for mail in rehearsal.sandbox.mailbox.arrived if mail.key in keys(rehearsal))
    assert got == dict.fromkeys((person.email for person in PEERS), 2)
    assert story.answers == {"input": 2}
    assert story.agrees


def keys(rehearsal: Rehearsal) -> set[str]:
    return {row.key for row in rehearsal.wiring.store.touches.list(PLAN.campaign)}


def test_the_lead_calls_the_other_ten_with_something_to_say(story: Story) -> None:
    assert {call.person.email for call in story.calls} == {person.email for person in PEERS} - TWO
    assert len(story.calls) == 10
    for call in story.calls:
        role = PLAN.wiifm[call.person.department.lower()]
        assert (call.kind, call.carrier, call.rung) == ("personal", LEAD, 1)
        assert call.person.phone
        assert call.tried == ("e-mail on 18 January", "e-mail on 20 January")
        assert role.why in plain(call.talking_points)
        assert f"What it brings {call.person.first_name} as {call.person.job}" in call.talking_points
        assert role.your_job in plain(call.talking_points)
        assert role.results in plain(call.talking_points)
        assert "Say that their knowledge is needed" in call.talking_points
        assert "When may I come by, and what should I not miss?" in call.talking_points
        assert "the sponsor" not in call.talking_points.lower()


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_sponsor_hears_nothing(rehearsal: Rehearsal, story: Story) -> None:
    assert all(SPONSOR not in mail.recipients for mail in rehearsal.sandbox.mailbox.arrived)
    assert rehearsal.sandbox.slack.posts == []
    assert {kind for _, _, _, kind, *_ in story.touches} == {"message", "personal"}
    heard = {mail.recipients[0] for mail in rehearsal.sandbox.mailbox.arrived}
    assert heard <= {person.email for person in PEERS} | {LEAD}


def test_even_a_no_brings_no_proposal_to_ask_the_sponsor(rehearsal: Rehearsal, story: Story) -> None:
    wiring, now = rehearsal.wiring, rehearsal.clock.now()
    for number, call in enumerate(story.calls):
        record_outcome(wiring.store, call.id, "objects" if number % 2 else "understood", by=LEAD, now=now)
    with wiring.engine() as engine:
        engine.tick()
    assert followups(wiring.store, wiring.decisions, wiring.renderer, now) == []
    assert SPONSOR not in {mail.recipients[0] for mail in rehearsal.sandbox.mailbox.arrived}
