"""Go-live moves by three weeks: what ``apply`` says before anything changes, and what it has changed after."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.stories.campaign import IN_FORCE, days_from_now, today, write_for
from tests.stories.program import Program
from tests.stories.relay import Relay

PLAN = "schedules/crm.yaml"
MESSAGES = """\
messages:
  - id: the-day
    key_point: "We go live on {{{{ milestones.go_live }}}}."
    from: kickoff
    until: go_live
    cadence: {{every: 48h, times: 3}}
    follow_up: []
  - id: last-week
    key_point: Try it once before we start.
    from: go_live - 7d
    until: go_live
    cadence: {{every: 72h, times: 2}}
    ask: nothing
  - id: worse-first
    key_point: The first two weeks are slower; we planned for that.
    from: go_live
    until: freeze
    cadence: {{every: 96h, times: 5}}
    ask: nothing
"""
OLD, NEW = days_from_now(20), days_from_now(41)


@pytest.fixture
def told(program: Program, relay: Relay) -> Program:
    """Four people were told the old date today; a freeze stands on a day that does not move."""
    write_for(program, 4, messages=MESSAGES.format(), more=f"freeze: {days_from_now(48)}", go_live=OLD)
    for command in (*IN_FORCE, ("tick",)):
        program.here(*command)
    assert len(relay.arrived) == 4
    spelled = dt.date.fromisoformat(OLD)
    assert f"We go live on {spelled:%A}, {spelled.day} {spelled:%B %Y}." in relay.arrived[0].text
    return program


def moved(program: Program) -> None:
    program.change(PLAN, (f"go_live: {OLD}", f"go_live: {{date: {NEW}, because: The pilot lost calls.}}"))


def test_the_diff_tells_what_moves_what_goes_and_who_was_told(told: Program, relay: Relay) -> None:
    moved(told)
    diff = told.json("apply", PLAN, "--dry-run")
    assert [(each["name"], each["old"], each["new"], each["because"]) for each in diff["milestones"]] == [
        ("go_live", OLD, NEW, "The pilot lost calls.")
    ]
    # per person: 2 of the-day stay; 2 of last-week and 2 of worse-first move; its other 3 no longer fit
    assert {name: diff["touches"][name] for name in ("kept", "moved", "cancelled", "added")} == {
        "kept": 8, "moved": 16, "cancelled": 12, "added": 0,
    }  # fmt: skip
    assert [(each["email"], each["milestones"]) for each in diff["told"]] == [
        (f"p000{n}@example.com", ["go_live"]) for n in range(4)
    ]
    assert "The pilot lost calls." in diff["correction"]
    assert (diff["applied"], told.look("touches", "crm")["touches"][0]["state"]) == (False, "sent")
    assert len(relay.arrived) == 4


def test_the_same_in_words(told: Program) -> None:
    moved(told)
    said = told.done("apply", PLAN, "--dry-run")
    old, new = dt.date.fromisoformat(OLD), dt.date.fromisoformat(NEW)
    assert f"go_live: {old:%d %b %Y} → {new:%d %b %Y} (The pilot lost calls.)" in said
    assert "Messages and calls to come: 16 moved, 12 cancelled, 0 new, 8 as before." in said
    assert "Told the old date: 4 people" in said
    assert "Proposed correction to exactly those:" in said
    assert "goes on with this version" not in said


def test_applied_it_holds_and_nobody_is_told_twice(told: Program, relay: Relay) -> None:
    moved(told)
    assert "crm goes on with this version." in told.done("apply", PLAN, "--yes")
    told.here("tick")
    assert set(relay.copies.values()) == {1}
    to_come = told.look("simulate", PLAN)["touches"]
    week_before = (dt.date.fromisoformat(NEW) - dt.timedelta(days=7)).isoformat()
    assert {each["local_at"][:10] for each in to_come if each["message"] == "last-week"} >= {week_before}
    assert min(each["local_at"][:10] for each in to_come if each["message"] == "worse-first") == NEW
    again = told.look("apply", PLAN, "--dry-run")
    assert (again["milestones"], again["touches"]["moved"], again["touches"]["cancelled"]) == ([], 0, 0)
    assert today().isoformat() < week_before


@pytest.fixture
def told_to_some(program: Program, relay: Relay) -> Program:
    """Three people were told the old date today; the relay puts off a fourth, whose next attempt names the new one."""
    relay.put_off = {"p0003@example.com"}
    write_for(program, 4, messages=MESSAGES.format(), more=f"freeze: {days_from_now(48)}", go_live=OLD)
    program.change(PLAN, ("holidays: false", "holidays: false\n  at_most: {per_day: 2, per_week: 5}"))
    for command in (*IN_FORCE, ("tick",)):
        program.here(*command)
    relay.put_off = set()
    moved(program)
    return program


def test_the_correction_goes_once_to_exactly_those_who_were_told(told_to_some: Program, relay: Relay) -> None:
    program, message = told_to_some, f"moved-go_live-{NEW}"
    diff = program.json("apply", PLAN, "--yes", "--correct", "yes")
    assert (diff["to_correct"], diff["correction_sent"], len(diff["told"])) == (3, message, 3)
    assert {each["by_plan"] for each in diff["told"]} == {False}
    foreseen = [touch for touch in program.look("simulate", PLAN)["touches"] if touch["message"] == message]
    program.here("tick")
    got = [mail for mail in relay.arrived if "Correction" in mail.subject]
    assert sorted(address for mail in got for address in mail.recipients) == [f"p000{n}@example.com" for n in range(3)]
    assert sorted(touch["person"] for touch in foreseen) == [f"p000{n}@example.com" for n in range(3)]
    words = " ".join(got[0].text.split())
    assert "We told you go live would be on" in words
    assert "The pilot lost calls." in words
    again = program.json("apply", PLAN, "--yes", "--correct", "yes")
    assert (again["told"], again["correction_sent"]) == ([], "")
    program.here("tick")
    assert len([mail for mail in relay.arrived if "Correction" in mail.subject]) == 3


def test_without_a_word_no_correction_goes_and_it_can_be_sent_later(told_to_some: Program, relay: Relay) -> None:
    said = told_to_some.run("apply", PLAN, "--yes")
    assert f"commsengine apply {PLAN} --correct yes" in said.err
    told_to_some.here("tick")
    assert [mail for mail in relay.arrived if "Correction" in mail.subject] == []
    assert "The correction goes to 3 people" in told_to_some.here("apply", PLAN, "--yes", "--correct", "yes")


def test_moved_back_before_it_left_nobody_hears_of_it(told_to_some: Program, relay: Relay) -> None:
    told_to_some.here("apply", PLAN, "--yes", "--correct", "yes")
    told_to_some.change(PLAN, (f"date: {NEW}", f"date: {OLD}"))
    back = told_to_some.json("apply", PLAN, "--yes", "--correct", "yes")
    assert (back["told"], back["correction_sent"]) == ([], "")
    told_to_some.here("tick")
    assert [mail for mail in relay.arrived if "Correction" in mail.subject] == []
