"""The engine was down for three days: it asks, and what it announces is what then happens, person by person."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.campaigns.effects import Effects, release_effects
from commsengine.engine.decisions import Decisions
from commsengine.engine.engine import Engine
from commsengine.engine.owner_lock import Owner
from commsengine.store.records import Lease, TouchRecord
from commsengine.store.store import Store
from tests import outbox
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag
from tests.faults.stepping import play

DOWN, BACK = "2027-01-10 20:00", "2027-01-13 14:10"
"""From Sunday evening to Wednesday afternoon: in Berlin all windows of three days, in Seoul they are closed again."""

FIVE = ("kickoff", "kickoff 14:00", "kickoff + 1d", "kickoff 14:00 + 1d", "kickoff + 2d")
NEWEST = f"m{len(FIVE)}"
ZONES = ("Europe/Berlin", "Asia/Seoul", "America/New_York")


def five_overdue(per_day: int = 2, **changes: object) -> Plan:
    messages = [
        a_message(id=f"m{n}", ask="nothing", cadence={"every": "240h", "times": "1"}, **{"from": at})
        for n, at in enumerate(FIVE, 1)
    ]
    at_most = {"per_day": per_day, "per_week": 10}
    return a_plan(*messages, send={"channels": ["email"], "holidays": "false", "at_most": at_most}, **changes)


def colleagues(count: int) -> list[Person]:
    return [someone(n, time_zone=ZONES[n % len(ZONES)]) for n in range(count)]


def rows_of(store: Store) -> dict[str, list[TouchRecord]]:
    found: dict[str, list[TouchRecord]] = {}
    for row in store.touches.list("crm"):
        found.setdefault(row.person_id or "", []).append(row)
    return found


def announced(seen: Effects) -> tuple[int, Mapping[str, int]]:
    return seen.now_due, seen.skipped


def happened(rows: Mapping[str, Sequence[TouchRecord]]) -> tuple[int, Mapping[str, int]]:
    every = [row for those in rows.values() for row in those]
    return sum(row.state == "sent" for row in every), Counter(row.reason for row in every if row.state == "skipped")


def down_for_three_days(store: Store, clock: Clock, people: Sequence[Person], plan: Plan | None = None) -> None:
    run(store, list(people), plan or five_overdue())
    store.engine.beat("the one before", pid=1, host="here", interval=10.0, now=utc(DOWN))
    clock.now = utc(BACK)


def test_f32_after_three_days_the_brake_asks_and_the_latest_is_one_each(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    people = colleagues(102)
    down_for_three_days(store, clock, people)
    running = engine()
    assert running.tick().hold.startswith(f"Nothing was sent since {DOWN} UTC, and more than 100 messages fell due")
    assert (bag.arrived, rows_of(store)) == ([], {})
    released_as_announced(store, running, clock, people, "latest")
    assert max(Counter(bag.to).values()) == 1


@pytest.mark.parametrize("backlog", ["all", "none"])
def test_f32_a_release_of_all_or_none_does_what_it_announced(
    store: Store, engine: MakeEngine, clock: Clock, backlog: str
) -> None:
    people = colleagues(9)
    down_for_three_days(store, clock, people)
    store.engine.hold("as the brake would", now=clock.now)
    released_as_announced(store, engine(), clock, people, backlog)


def released_as_announced(store: Store, running: Engine, clock: Clock, people: Sequence[Person], backlog: str) -> None:
    seen = release_effects(store, running.decisions, backlog, clock.now)
    store.engine.release(backlog, by="dana", now=clock.now)
    running.tick()
    rows = rows_of(store)
    assert announced(seen) == happened(rows)
    at_once = {
        person.id: sorted(row.message for row in rows.get(person.id, []) if row.state == "sent") for person in people
    }
    assert seen.later == sum(not messages for messages in at_once.values())
    expected = {"latest": [NEWEST], "all": ["m1", "m2"], "none": []}[backlog]
    for person in people:
        assert at_once[person.id] == (expected if person.time_zone != "Asia/Seoul" else []), person.time_zone


@pytest.mark.parametrize(
    ("backlog", "expected"),
    [
        ("latest", {"merged": ["m1", "m2", "m3", "m4"], "": ["m5"]}),
        ("all", {"": ["m1", "m2", "m3", "m4", "m5"]}),
        ("none", {"backlog": ["m1", "m2", "m3", "m4", "m5"]}),
    ],
)
def test_f32_in_the_end_everybody_has_what_the_backlog_rule_leaves_of_five(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag, backlog: str, expected: dict[str, list[str]]
) -> None:
    people = colleagues(3)
    down_for_three_days(store, clock, people)
    store.engine.hold("as the brake would", now=clock.now)
    running = engine()
    running.tick()
    store.engine.release(backlog, by="dana", now=clock.now)
    play(running, store, clock, "2027-01-20")
    rows = rows_of(store)
    for person in people:
        by_reason: dict[str, list[str]] = {}
        for row in sorted(rows[person.id], key=lambda row: (row.due_at, row.message)):
            by_reason.setdefault(row.reason, []).append(row.message)
        assert by_reason == expected
        sent = Counter(row.local_date for row in rows[person.id] if row.state == "sent")
        assert max(sent.values(), default=0) <= 2
    assert len(bag.arrived) == len({message.key for message in bag.arrived})


def test_f32_too_few_for_the_brake_get_what_is_not_late_yet_and_the_others_say_that_they_are(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    """Four hours of open window since it was due: in New York Tuesday's last and Wednesday's first are within them."""
    people = colleagues(3)
    down_for_three_days(store, clock, people, five_overdue(per_day=1))
    running = engine()
    assert running.tick().hold == ""
    play(running, store, clock, "2027-01-20")
    late = {person: {row.message for row in rows if row.reason == "late"} for person, rows in rows_of(store).items()}
    everything = {"m1", "m2", "m3", "m4", "m5"}
    assert late == {people[0].id: everything, people[1].id: everything, people[2].id: {"m1", "m2", "m3"}}
    assert sorted((message.to_email, message.subject) for message in bag.arrived) == [
        (people[2].email, "m4"), (people[2].email, "m5"),
    ]  # fmt: skip


FRIDAY = a_plan(a_message(ask="nothing", cadence={"every": "24h", "times": "1"}, **{"from": "2027-01-15 16:20"}))
"""Due ten minutes before the window of that Friday closes in Berlin."""


def test_f32_a_crash_on_friday_afternoon_does_not_drain_on_saturday(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    """One had not been claimed, one had been, one was at its final dot: all wait for Monday, each goes once."""
    people = [someone(n) for n in range(3)]
    run(store, people, FRIDAY)
    clock.now = utc("2027-01-15 15:21")
    gone = Owner(Owner.this_process().host, 4_000_002, "an earlier boot", "x").name
    campaigns = store.campaigns.running()
    decided = Decisions(store, Workspace()).of([people[1].id, people[2].id], campaigns, clock.now)
    lease = Lease(gone, store.engine.next_fence(), clock.now + dt.timedelta(minutes=10))
    claimed = store.outbox.claim(
        [(one.decision, one.facts_seq) for one in decided], lease,
        epochs={"crm": campaigns.running[0].epoch}, versions={"crm": 1}, now=clock.now,
    )  # fmt: skip
    outbox.mark(store, [claimed[1].key], lease, clock.now)
    store.engine.beat(gone, pid=4_000_002, host="here", interval=10.0, now=clock.now)

    clock.now = utc("2027-01-16 09:00")
    running = engine()
    assert (running.tick().sent, bag.arrived) == (0, [])
    play(running, store, clock, "2027-01-20")
    rows = list(store.touches.list("crm"))
    assert [row.sent_at for row in rows] == [utc("2027-01-18 08:00")] * 3
    assert {row.person_id for row in rows if row.possible_duplicate} == {people[2].id}
    assert bag.to == [person.email for person in people]
