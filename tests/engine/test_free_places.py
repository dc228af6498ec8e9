"""No more people are taken than their channels have room for, and a crowd of one channel keeps back no other."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from commsengine.cadence.history import Campaigns
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Workspace
from commsengine.channels.channel import RETRY, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.decisions import Decided, Decisions
from commsengine.engine.engine import Engine
from commsengine.engine.free_places import LOOK_AGAIN
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.store.store import Store
from tests.builders import a_plan, someone
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel
from tests.waiting import PATIENCE

BOTH = a_plan(send={"channels": ["email", "slack"], "holidays": "false"})
CALLS = a_plan(follow_up=[{"after": "1 touch", "do": "personal", "by": "manager"}])


class Counted(Decisions):
    """Counts the decisions that are made."""

    made = 0

    def of(self, ids: Sequence[str], campaigns: Campaigns, now: dt.datetime) -> list[Decided]:
        self.made += len(ids)
        return super().of(ids, campaigns, now)


def counted(engine: Engine, store: Store, *channels: str) -> Counted:
    decisions = engine.decisions = Counted(store, Workspace(), frozenset(channels))
    return decisions


def crowd(slack: int, email: int) -> list[Person]:
    """The Slack people are first in the line."""
    return [someone(n, channel="slack" if n < slack else "email") for n in range(slack + email)]


def per_channel(bag: Mailbag) -> dict[str, int]:
    return {name: sum(message.channel == name for message in bag.arrived) for name in ("email", "slack")}


@pytest.mark.slow
def test_a_tick_decides_each_person_once(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    """Three times as many as the channel holds."""
    run(store, crowd(0, 3000), a_plan())
    running = engine(email=a_channel(bag, threads=4))
    decisions = counted(running, store, "email")
    running.tick()
    assert len(bag.to) == len(set(bag.to)) == 3000
    assert decisions.made <= 1.2 * 3000


@pytest.mark.slow
def test_a_crowd_of_one_channel_keeps_back_no_other_and_costs_one_decision_each(
    store: Store, engine: MakeEngine, bag: Mailbag
) -> None:
    run(store, crowd(slack=1200, email=100), BOTH)
    mail_is_out = threading.Event()

    def note(message: RenderedMessage) -> None:
        if per_channel(bag)["email"] == 99:
            mail_is_out.set()

    def wait(message: RenderedMessage) -> None:
        assert mail_is_out.wait(PATIENCE)

    running = engine(
        slack=a_channel(bag, name="slack", before_mark=wait, threads=2),
        email=a_channel(bag, before_mark=note),
    )
    decisions = counted(running, store, "email", "slack")
    running.tick()
    assert per_channel(bag) == {"email": 100, "slack": 1200}
    assert decisions.made <= 1300 + 200  # 1,000 find a place in Slack at once, 200 wait


def silent(down: list[bool], bag: Mailbag, name: str) -> ChannelSetup:
    """A channel that cannot be reached while ``down`` says so."""

    def script(message: RenderedMessage) -> Outcome | None:
        away = Outcome(message.key, RETRY, "connect", "refused", begun=False, channel_down=f"{name} does not answer")
        return away if down[0] else None

    return a_channel(bag, script, name=name)


@pytest.mark.slow
@pytest.mark.slow
def test_a_channel_that_is_down_for_long_costs_no_decision_at_each_of_its_openings(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, crowd(slack=200, email=100), BOTH)
    down, openings = [True], 0
    running = engine(slack=silent(down, bag, "slack"), email=a_channel(bag))
    decisions = counted(running, store, "email", "slack")
    for _ in range(120):
        tried = len(bag.tried)
        running.tick()
        openings += len(bag.tried) > tried
        clock.forward(seconds=30)
    assert (per_channel(bag), openings >= 5) == ({"email": 100, "slack": 0}, True)
    assert decisions.made <= 300 + 300 + 20 * openings
    down[0] = False
    for _ in range(30):
        running.tick()
        clock.forward(seconds=30)
    assert per_channel(bag) == {"email": 100, "slack": 200}


@pytest.mark.slow
@pytest.mark.slow
def test_who_has_no_place_is_not_decided_when_the_channel_asks_for_patience(
    store: Store, engine: MakeEngine, bag: Mailbag
) -> None:
    run(store, crowd(slack=0, email=1100), a_plan())
    busy = iter(range(1, 10_000))

    def patience(message: RenderedMessage) -> Outcome | None:
        later = Outcome(message.key, RETRY, "call", "429", begun=False, retry_after=20)
        return later if next(busy) % 500 == 0 else None

    running = engine(email=a_channel(bag, patience))
    decisions = counted(running, store, "email")
    report = running.tick()
    assert len(bag.to) == len(set(bag.to)) == 1100
    assert decisions.made == report.claimed  # what was claimed and given back is decided again, and no other


def test_a_new_fact_is_heeded_while_a_person_waits(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    people, down = crowd(slack=20, email=0), [True]
    run(store, people, BOTH)
    running = engine(slack=silent(down, bag, "slack"), email=a_channel(bag))
    decisions = counted(running, store, "email", "slack")
    running.tick()
    decided = decisions.made
    store.people.save([replace(people[7], phone="+49 30 99")], by="dana", now=clock.now)
    store.people.save([replace(people[8], left=clock.now.date())], by="dana", now=clock.now)
    running.tick()
    assert decisions.made == decided + 2
    down[0] = False
    for _ in range(10):
        clock.forward(minutes=1)
        running.tick()
    assert bag.to == sorted(person.email for person in people if person != people[8])


def test_who_waits_when_the_engine_ends_is_due_again_soon(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, crowd(slack=0, email=30), BOTH)
    first = engine(email=a_channel(bag, per_minute=2), slack=a_channel(bag, name="slack"))
    report = first.beat()
    assert (report.claimed, report.crowded) == (10, 20)
    first.stop()
    assert len(bag.arrived) < 30
    second = engine(email=a_channel(bag))
    clock.forward(seconds=LOOK_AGAIN.total_seconds())
    second.tick()
    assert len(bag.to) == len(set(bag.to)) == 30


@pytest.mark.slow
def test_while_every_channel_is_down_for_long_people_are_still_called(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    down, called = [False], 0
    run(store, crowd(slack=0, email=3), CALLS)
    running = engine(email=silent(down, bag, "email"))
    running.tick()
    down[0] = True
    for _ in range(14 * 4):
        clock.forward(hours=6)
        called += running.tick().by_hand
    assert (len(bag.arrived), called) == (3, 3)
