"""What comes of a new version for people: who gets a message sooner, later, for the first time, no more."""

from __future__ import annotations

from typing import Any

import pytest

from commsengine.cadence.plan import Plan, Workspace
from commsengine.cadence.population import ListedPeople
from commsengine.campaigns.apply import Diff, compare
from commsengine.campaigns.diff import Consequence, RoleMove
from commsengine.engine.decisions import Decisions
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock

WINDOW = {"channels": ["email"], "holidays": "false", "window": {"to": "11:00"}}
LATE_WINDOW = {**WINDOW, "window": {"from": "13:00", "to": "18:00"}}
LISTED = {"people": "people.csv", "roles": {"sales": {"department": ["Sales"]}, "others": {"rest": "true"}}}


def diff(store: Store, plan: Plan, clock: Clock, people: Any = None) -> Diff:
    return compare(
        store,
        Decisions(store, Workspace()),
        plan,
        ListedPeople(tuple(people)) if people else store.people.population(),
        clock.now,
    )


def only(change: Diff) -> Consequence:
    (consequence,) = change.consequences
    return consequence


def test_a_later_window_is_later_for_everybody_and_asks_nothing(store: Store, clock: Clock) -> None:
    run(store, [someone(1), someone(2)], a_plan(send=WINDOW, follow_up=[]))
    change = diff(store, a_plan(send=LATE_WINDOW, follow_up=[]), clock)
    seen = only(change)
    assert (seen.people, seen.later, seen.sooner, seen.new, seen.gone) == (2, 2, 0, 0, 0)
    assert (seen.before, seen.messages, change.foreseen.sooner_for, change.asks) == (6, 6, 0, 0)
    assert (seen.first_before, seen.first_at) == (utc("2027-01-11 08:00"), utc("2027-01-11 12:00"))
    assert change.foreseen.first_change == utc("2027-01-11 08:00")


def test_an_earlier_window_asks_for_all_who_get_it_sooner(store: Store, clock: Clock) -> None:
    run(store, [someone(1), someone(2)], a_plan(send=LATE_WINDOW, follow_up=[]))
    change = diff(store, a_plan(send=WINDOW, follow_up=[]), clock)
    assert (only(change).sooner, change.asks) == (2, 2)


def test_more_repeats_ask_and_fewer_do_not(store: Store, clock: Clock) -> None:
    often, once = ({"cadence": {"every": "48h", "times": str(times)}} for times in (3, 1))
    run(store, [someone(1)], a_plan(a_message(**once), follow_up=[]))
    more = diff(store, a_plan(a_message(**often), follow_up=[]), clock)
    assert (only(more).before, only(more).messages, more.asks) == (1, 3, 1)
    assert (only(more).people, only(more).more, only(more).new, only(more).sooner) == (1, 1, 0, 0)
    assert only(more).first_before == only(more).first_at
    store.campaigns.save_version(a_plan(a_message(**often), follow_up=[]), {}, "", introduced={}, by="d", now=clock.now)
    fewer = diff(store, a_plan(a_message(**once), follow_up=[]), clock)
    assert (only(fewer).fewer, fewer.asks) == (1, 0)


def test_a_paused_campaign_asks_when_it_is_resumed(store: Store, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(follow_up=[]))
    store.campaigns.pause("crm", by="dana", now=clock.now)
    change = diff(store, a_plan(a_message(), a_message(id="new"), follow_up=[]), clock)
    assert (change.foreseen.sooner_for, change.asks) == (1, 0)


def test_texts_change_no_date_and_ask_nothing(store: Store, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(follow_up=[]))
    change = diff(store, a_plan(a_message(key_point="Every call is logged."), follow_up=[]), clock)
    assert [each.path for each in change.changes] == ["messages.one-record.key_point"]
    assert (change.consequences, change.asks, change.changes_nothing) == ((), 0, False)


def test_calls_that_fall_away_are_told(store: Store, engine: MakeEngine, clock: Clock) -> None:
    chased = a_message(cadence={"every": "24h", "times": "9"}, follow_up=[{"after": "1 touch", "do": "personal"}])
    run(store, [someone(1)], a_plan(chased))
    foreseen = only(diff(store, a_plan(a_message(cadence=chased["cadence"], follow_up=[])), clock))
    assert (foreseen.follow_ups_before, foreseen.follow_ups) == (1, 0)
    running = engine()
    for day in (11, 12):
        clock.now = utc(f"2027-01-{day} 09:00")
        running.tick()
    without = a_plan(a_message(id="other", follow_up=[]))
    assert diff(store, without, clock).foreseen.follow_ups_closed == 1
    assert diff(store, a_plan(chased), clock).foreseen.follow_ups_closed == 0


def test_people_who_change_role_are_counted_by_their_roles(store: Store, clock: Clock) -> None:
    people = [
        someone(1),
        someone(2, department="Support"),
        someone(3, department="Legal"),
        someone(4, department="Legal"),
    ]
    sales = {"sales": {"department": ["Sales"]}, "service": {"department": ["Support"]}}
    run(store, people, a_plan(audience={"roles": sales}, wiifm={}))
    moved = {"sales": {"department": ["Support"]}, "legal": {"department": ["Legal"]}}
    change = diff(store, a_plan(audience={"roles": moved}, wiifm={}), clock)
    assert change.roles == (RoleMove("", "legal", 2), RoleMove("sales", "", 1), RoleMove("service", "sales", 1))
    seen = only(change)
    assert (seen.new, seen.gone, change.asks, change.audience) == (2, 1, 2, 3)


def test_a_roster_is_compared_as_its_file_has_it(store: Store, clock: Clock) -> None:
    listed = a_plan(audience=LISTED, follow_up=[])
    run(store, [someone(1), someone(2)], listed)
    store.people.set_roster("crm", [someone(1).id, someone(2).id], clock.now)
    same = diff(store, listed, clock, [someone(1), someone(2)])
    assert (same.changes_nothing, same.consequences, same.touches.kept) == (True, (), 6)
    other = diff(store, listed, clock, [someone(1), someone(3)])
    assert other.roles == (RoleMove("", "sales", 1), RoleMove("sales", "", 1))
    assert not other.changes_nothing
    assert (only(other).new, only(other).gone, other.asks) == (1, 1, 1)
    assert (other.touches.added, other.touches.cancelled, other.touches.kept) == (3, 3, 3)


@pytest.mark.slow
def test_a_large_directory_is_estimated(store: Store, clock: Clock) -> None:
    run(store, [someone(number) for number in range(2001)], a_plan(send=WINDOW, follow_up=[]))
    change = diff(store, a_plan(send=LATE_WINDOW, follow_up=[]), clock)
    assert (change.touches.exact, change.touches.looked_at, only(change).later) == (False, 1001, 2001)
