from __future__ import annotations

import datetime as dt
from dataclasses import replace

from commsengine.cadence.plan import Workspace
from commsengine.engine.decisions import Decisions
from commsengine.engine.owner_lock import Owner
from commsengine.engine.startup import Reconciled, brake, overdue, reconcile
from commsengine.store.records import Lease
from commsengine.store.store import Store
from tests import outbox
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag

ME = Owner("here", 4_000_001, "boot-1", "abc")
NOBODY = Owner("here", 4_000_002, "boot-1", "def")
"""Process numbers beyond what the kernel gives out: nobody ever runs under them."""


def claimed_by(store: Store, owner: Owner, count: int, now: dt.datetime, *, marked: int = 0) -> list[str]:
    """What an engine leaves that claims, marks some of it and then dies."""
    run(store, [someone(n) for n in range(count)])
    campaigns = store.campaigns.running()
    made = Decisions(store, Workspace()).of([someone(n).id for n in range(count)], campaigns, now)
    lease = Lease(owner.name, store.engine.next_fence(), now + dt.timedelta(minutes=10))
    touches = store.outbox.claim(
        [(one.decision, one.facts_seq) for one in made], lease,
        epochs={"crm": campaigns.running[0].epoch}, versions={"crm": 1}, now=now,
    )  # fmt: skip
    outbox.mark(store, [touch.key for touch in touches[:marked]], lease, now)
    return [touch.key for touch in touches]


def test_claims_of_a_dead_process_are_given_back_and_what_was_leaving_is_flagged(store: Store, clock: Clock) -> None:
    claimed_by(store, NOBODY, 5, clock.now, marked=2)
    assert reconcile(store, ME, clock.now) == Reconciled(released=3, uncertain=2)
    assert {row.state for row in store.touches.list("crm")} == {"uncertain"}


def test_after_a_kill_nobody_misses_it_and_second_copies_are_flagged(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    dead = replace(NOBODY, host=Owner.this_process().host)
    keys = claimed_by(store, dead, 5, clock.now, marked=2)
    engine().tick()
    flagged = {row.key for row in store.touches.list("crm") if row.possible_duplicate}
    assert bag.to == [someone(n).email for n in range(5)]
    assert flagged == set(keys[:2])


def test_a_living_engine_keeps_its_claims(store: Store, clock: Clock) -> None:
    claimed_by(store, Owner.this_process(), 3, clock.now)
    assert reconcile(store, replace(ME, host=Owner.this_process().host), clock.now) == Reconciled()


def test_of_another_host_only_a_long_silence_counts(store: Store, clock: Clock) -> None:
    claimed_by(store, replace(NOBODY, host="elsewhere"), 3, clock.now)
    assert reconcile(store, ME, clock.now) == Reconciled()
    assert reconcile(store, ME, clock.now + dt.timedelta(minutes=21)).released == 3


def test_who_is_proved_dead() -> None:
    living = Owner.this_process()
    assert living.proves_dead(replace(living, pid=4_000_002, number="x").name)
    assert living.proves_dead(replace(living, boot_id="another", number="x").name)
    assert living.proves_dead(replace(living, number="a former process of our number").name)
    assert not living.proves_dead(living.name)
    assert not living.proves_dead(replace(living, host="elsewhere", pid=4_000_002).name)
    assert not living.proves_dead(replace(living, pid=1, number="x").name)
    assert not living.proves_dead("somebody who signs otherwise")


def silent_since(store: Store, at: dt.datetime, interval: float = 10.0) -> None:
    store.engine.beat("x", pid=1, host="here", interval=interval, now=at)


def test_after_a_long_silence_a_large_backlog_puts_the_engine_on_hold(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(101)])
    silent_since(store, utc("2027-01-10 20:00"))
    report = engine().tick()
    assert report.hold == "Nothing was sent since 2027-01-10 20:00 UTC, and more than 100 messages fell due meanwhile."
    assert bag.arrived == []
    store.engine.release("latest", by="dana", now=clock.now)
    engine().tick()
    assert len(bag.arrived) == 101


def test_a_small_backlog_a_short_silence_or_a_slow_rhythm_hold_nothing(store: Store, clock: Clock) -> None:
    decisions = Decisions(store, Workspace())
    run(store, [someone(n) for n in range(101)])
    silent_since(store, clock.now - dt.timedelta(minutes=14))
    assert brake(store, decisions, clock.now) == ""
    silent_since(store, clock.now - dt.timedelta(minutes=14), interval=3600)
    assert brake(store, decisions, clock.now + dt.timedelta(minutes=100)) == ""
    store.people.save([replace(someone(0), left=dt.date(2027, 1, 5))], by="dana", now=utc("2027-01-05"))
    silent_since(store, utc("2027-01-10 20:00"))
    assert brake(store, decisions, clock.now) == ""


def test_talks_that_fell_due_are_no_backlog(store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag) -> None:
    talk = {"after": "1 touches", "do": "personal", "by": "manager"}
    message = a_message(cadence={"every": "24h", "times": "1"})
    run(store, [someone(n) for n in range(3)], a_plan(message, follow_up=[talk]))
    engine().tick()
    assert len(bag.arrived) == 3
    later, decisions = clock.now + dt.timedelta(days=3), Decisions(store, Workspace())
    campaigns = decisions.campaigns(later)
    due = decisions.of([someone(n).id for n in range(3)], campaigns, later)
    assert {touch.channel for one in due for touch in one.decision.touches} == {"personal"}
    assert overdue(store, decisions, later, enough=100) == 0


def test_what_has_just_fallen_due_is_no_backlog(store: Store) -> None:
    run(store, [someone(n) for n in range(150)])
    silent_since(store, utc("2027-01-08 20:00"))
    assert brake(store, Decisions(store, Workspace()), utc("2027-01-11 08:01")) == ""


def test_an_engine_that_was_put_to_sleep_looks_at_its_backlog_before_it_goes_on(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(101)])
    clock.now = utc("2027-01-11 07:50")
    running = engine()
    running.tick()
    clock.now = utc("2027-01-11 10:00")
    assert running.tick().hold.startswith("Nothing was sent since 2027-01-11 07:50 UTC")
    assert bag.arrived == []
