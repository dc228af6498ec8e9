from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.plan import Notice, Plan, Workspace
from commsengine.campaigns.apply import Diff, apply, compare
from commsengine.campaigns.diff import TouchDiff
from commsengine.campaigns.moved_dates import Moved
from commsengine.engine.decisions import Decisions
from commsengine.errors import InputError
from commsengine.reports.followups import open_followups
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock

DATED = a_message(
    id="date", key_point="We change over on {{ milestones.go_live }}.", cadence={"every": "72h", "times": "2"}
)
LATE = a_message(id="late", **{"from": "go_live - 7d", "until": "go_live + 7d"}, cadence={"every": "48h", "times": "2"})
LATER = {
    "go_live": {"date": "2027-04-05", "because": "Calls made offline were lost in the pilot."},
    "kickoff": "2027-01-11",
}


def diff(store: Store, plan: Plan, now: dt.datetime) -> Diff:
    return compare(store, Decisions(store, Workspace()), plan, store.people.population(), now)


def test_a_new_plan_shows_its_audience_and_is_paused(store: Store, clock: Clock) -> None:
    gone = replace(someone(3), left=clock.now.date())
    store.people.save([someone(1), someone(2), gone], by="dana", now=clock.now)
    new = diff(store, a_plan(), clock.now)
    assert (new.new, new.version, new.audience, new.messages_added) == (True, 1, 2, ("one-record",))
    assert apply(store, a_plan(), {}, "", diff=new, by="dana", now=clock.now) == 1
    record = store.campaigns.get("crm")
    assert record
    assert record.state == "paused"


def test_the_same_plan_changes_nothing(store: Store, clock: Clock) -> None:
    run(store, [someone(n) for n in range(3)])
    same = diff(store, a_plan(), clock.now)
    assert same.changes_nothing
    assert same.touches == TouchDiff(kept=same.touches.kept, exact=True, looked_at=3)


def test_a_moved_milestone_shows_what_moves_and_who_was_told_the_old_date(
    store: Store, engine: MakeEngine, clock: Clock
) -> None:
    run(store, [someone(1), someone(2, department="Support")], a_plan(DATED, LATE, follow_up=[]))
    clock.now = utc("2027-01-11 09:00")
    engine().tick()
    clock.now = utc("2027-01-20 09:00")
    moved = diff(store, a_plan(DATED, LATE, follow_up=[], milestones=LATER), clock.now)
    because = "Calls made offline were lost in the pilot."
    assert moved.milestones == (Moved("go_live", dt.date(2027, 3, 15), dt.date(2027, 4, 5), because),)
    assert (moved.touches.moved, moved.touches.cancelled, moved.touches.added) == (4, 0, 0)
    assert [(told.email, told.milestones) for told in moved.told] == [
        (someone(1).email, ("go_live",)),
        (someone(2).email, ("go_live",)),
    ]
    assert moved.correction == (
        'Go live of "One customer record" is now Monday, 5 April 2027, not Monday, 15 March 2027. ' + because
    )


def test_who_was_told_nothing_of_the_date_needs_no_correction(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1)])
    engine().tick()
    assert diff(store, a_plan(milestones=LATER), clock.now).told == ()


def test_messages_that_go_and_come_are_counted_as_touches(store: Store, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(DATED, LATE, follow_up=[]))
    changed = diff(store, a_plan(DATED, a_message(id="other"), follow_up=[]), clock.now)
    assert (changed.messages_added, changed.messages_removed) == (("other",), ("late",))
    assert (changed.touches.kept, changed.touches.cancelled, changed.touches.added) == (2, 2, 3)


def test_a_new_message_starts_its_clock_when_it_is_applied(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1)])
    clock.now = utc("2027-01-20 10:30")
    with_new = a_plan(a_message(), a_message(id="new"))
    change = diff(store, with_new, clock.now)
    assert change.introduced == {"new": clock.now}
    assert diff_again_keeps(store, with_new, change, clock) == {"new": clock.now}


def diff_again_keeps(store: Store, plan: Plan, change: Diff, clock: Clock) -> Any:
    apply(store, plan, {}, "", diff=change, by="dana", now=clock.now)
    return diff(store, plan, clock.now + dt.timedelta(days=3)).introduced


def test_calls_about_what_is_corrected_leave_the_list(store: Store, engine: MakeEngine, clock: Clock) -> None:
    wrong = a_message(cadence={"every": "24h", "times": "9"}, follow_up=[{"after": "1 touch", "do": "personal"}])
    run(store, [someone(1)], a_plan(wrong))
    running = engine()
    for day in (11, 12):
        clock.now = utc(f"2027-01-{day} 09:00")
        running.tick()
    assert [one.messages for one in open_followups(store, clock.now)] == [("one-record",)]
    put_right = a_plan(wrong, a_message(id="put-right", corrects="one-record", follow_up=[]))
    change = diff(store, put_right, clock.now)
    assert (change.corrected, change.touches.added) == ({"one-record": "put-right"}, 3)
    apply(store, put_right, {}, "", diff=change, by="dana", now=clock.now)
    assert open_followups(store, clock.now) == []
    assert store.counts.status(clock.now)[0].follow_ups_open == 0
    assert diff(store, put_right, clock.now).corrected == {}


def test_a_message_whose_opening_moves_into_the_past_starts_now(store: Store, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(a_message(**{"from": "go_live"})))
    assert diff(store, a_plan(a_message()), utc("2027-01-20")).introduced == {"one-record": utc("2027-01-20")}


def test_steps_that_people_have_had_keep_their_place(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1)])
    running = engine()
    for day in (11, 13, 15, 18, 20):
        clock.now = utc(f"2027-01-{day} 09:00")
        running.tick()
    other = a_plan(follow_up=[{"after": "2 touches", "do": "personal"}, {"after": "5 working days", "do": "sponsor"}])
    with pytest.raises(InputError, match="but people are on them: remind, personal became personal, sponsor"):
        diff(store, other, clock.now)
    longer = a_plan(
        follow_up=[
            *(rung.model_dump(mode="json") for rung in a_plan().follow_up),
            {"after": "1 touches", "do": "remind"},
        ]
    )
    assert diff(store, longer, clock.now).messages_changed == ()


def test_a_notice_survives_a_new_version_and_keeps_its_id(store: Store, clock: Clock) -> None:
    run(store, [someone(1)])
    content = a_message(id="now-1", cadence={"every": "24h", "times": "1"})
    store.notices.add("crm", Notice.model_validate(content), by="dana", now=clock.now)
    same = diff(store, a_plan(), clock.now)
    assert (same.changes_nothing, same.touches.cancelled) == (True, 0)
    with pytest.raises(InputError, match="has the id 'now-1' already"):
        diff(store, a_plan(a_message(), a_message(id="now-1")), clock.now)


def test_a_template_that_came_with_the_program_later_is_no_change(store: Store, clock: Clock) -> None:
    run(store, [someone(1)])
    decisions, plan, mine = Decisions(store, Workspace()), a_plan(), {"wiifm": "# Mine\n"}
    known = compare(store, decisions, plan, store.people.population(), clock.now, mine, {"wiifm": "# Mine\n"})
    assert known.changes_nothing
    own = compare(store, decisions, plan, store.people.population(), clock.now, mine, {"wiifm": "# Shipped\n"})
    assert [(each.path, each.old, each.new) for each in own.changes] == [
        ("message_templates/wiifm.md", "# Shipped\n", "# Mine\n")
    ]
