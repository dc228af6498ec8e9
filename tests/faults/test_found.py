"""What the model of faults has found, or would have: each as a short story that stays told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from commsengine.channels.channel import RETRY, UNCERTAIN, Outcome
from tests import fresh
from tests.faults.world import Flight, LittleEngine, Row, World, a_template


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, a_template(fresh.kind()))
    yield world
    world.close()


def engine(world: World) -> LittleEngine:
    return world.engines[0]


def under_way(world: World, key: str = "") -> Flight:
    """The first message that a tick claims, or this one."""
    engine(world).tick()
    flights = engine(world).flights
    return flights[key or min(flights)]


def sent(world: World, flight: Flight, verdict: str, *, arrives: bool = False, begun: bool = True) -> str:
    engine(world).mark(flight)
    assert flight.stage == "marked"
    if arrives:
        engine(world).hand_over(flight)
    engine(world).settle(flight, Outcome(flight.key, verdict, "reply", verdict, begun=begun))
    return flight.key


def later(world: World, **span: float) -> World:
    """The time goes by; what is under way besides is given back."""
    world.now += dt.timedelta(**span)
    world.store.outbox.release(now=world.now)
    engine(world).flights.clear()
    return world


def restored(world: World, copy: bytes) -> None:
    world.restore(copy)
    world.doing = "after"
    world.store.engine.release("all", by="dana", now=world.now)
    assert world.look() == []


def row(world: World, key: str) -> Row:
    world.look()
    return world.rows[key]


def test_after_a_restore_the_attempts_go_on_where_they_were(world: World) -> None:
    """Else two attempts have one number, and no receipt can ever be kept again."""
    key = sent(world, under_way(world), RETRY)
    later(world, minutes=6)
    sent(world, under_way(world, key), RETRY)
    copy = world.snapshot()
    later(world, minutes=10)
    sent(world, under_way(world, key), RETRY)
    restored(world, copy)
    assert row(world, key).attempts == 3
    later(world, minutes=20)
    sent(world, under_way(world, key), RETRY)
    assert row(world, key).attempts == 4


def test_a_restore_does_not_allow_more_attempts_than_there_are(world: World) -> None:
    copy = world.snapshot()
    key = sent(world, under_way(world), RETRY)
    for minutes in (6, 10, 25, 75):
        later(world, minutes=minutes)
        sent(world, under_way(world, key), RETRY)
        if minutes == 25:
            restored(world, copy)
    assert (row(world, key).state, world.entered[key]) == ("retry", 5)
    assert [each.words for each in world.store.refusals.open()] == [RETRY]


def test_a_second_copy_keeps_its_flag_through_a_restore(world: World) -> None:
    copy = world.snapshot()
    key = sent(world, under_way(world), UNCERTAIN, arrives=True)
    world.store.recovery.settle_uncertain(world.now)
    later(world, minutes=1)
    sent(world, under_way(world, key), "sent", arrives=True)
    assert world.witness[key] == 2
    restored(world, copy)
    assert (row(world, key).state, row(world, key).possible_duplicate) == ("sent", 1)


def test_a_copy_that_was_held_back_does_not_hide_the_one_before_it(world: World) -> None:
    """The last that the journal has of it is that nothing was offered; before that, one may have arrived."""
    copy = world.snapshot()
    key = sent(world, under_way(world), UNCERTAIN, arrives=True)
    world.store.recovery.settle_uncertain(world.now)
    later(world, minutes=1)
    sent(world, under_way(world, key), RETRY, begun=False)
    restored(world, copy)
    assert row(world, key).state == "uncertain"


def test_the_policy_sends_again_once_also_over_a_restore(world: World) -> None:
    copy = world.snapshot()
    key = sent(world, under_way(world), UNCERTAIN)
    world.store.recovery.settle_uncertain(world.now)
    later(world, minutes=1)
    sent(world, under_way(world, key), UNCERTAIN)
    restored(world, copy)
    assert world.store.recovery.settle_uncertain(world.now) == {"retry": 0, "held": 1}


def test_no_fence_is_given_out_twice(world: World) -> None:
    copy = world.snapshot()
    for _ in range(3):
        later(world, minutes=1)
        engine(world).tick()
    given_out = world.store.engine.fence()
    restored(world, copy)
    assert world.store.engine.next_fence() > given_out


def test_what_could_not_be_written_is_nothing_that_a_restored_database_must_know(world: World) -> None:
    """It has never left. Else the engine would hold at every start, for people whom it believes not to know."""
    copy = world.snapshot()
    flight = under_way(world)
    engine(world).told(flight, "")
    assert row(world, flight.key).state == "failed"
    restored(world, copy)
    engine(world).die()
    world.start_engine("one")
    assert world.look() == []


def test_the_receipt_of_a_sleeper_settles_nothing_that_another_has_claimed(world: World) -> None:
    """It slept after its mark until another engine took over, found the message missing, and sent it again."""
    sleeper = engine(world)
    flight = under_way(world)
    sleeper.mark(flight)
    world.now += dt.timedelta(minutes=25)
    world.start_engine("two")
    world.doing = "policy"
    world.store.recovery.settle_uncertain(world.now)
    other = world.engines[1]
    other.tick()
    other.mark(other.flights[flight.key])
    sleeper.told(flight, "permanent")
    assert world.look() == []
    assert row(world, flight.key).state == "sending"
