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
    assert "Touches to come: 16 moved, 12 cancelled, 0 new, 8 as before." in said
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
