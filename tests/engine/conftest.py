"""A real SQLite database with a campaign that is running, and an engine whose channels are fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from commsengine.answers.fresh_links import FreshLinks
from commsengine.answers.own_mail import OwnMail
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.engine.decisions import Decisions
from commsengine.engine.engine import Engine
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.reports.morning.morning_mail import morning_mail
from commsengine.reports.morning.morning_time import MorningBasis
from commsengine.store.store import Store
from tests import fresh
from tests.builders import a_plan, utc
from tests.fakes import Clock, Mailbag, Scribe, a_channel

KICKOFF_MORNING = "2027-01-11 09:00"
"""Monday; 10:00 in Berlin."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh.a_store(tmp_path / "engine.db") as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock(utc(KICKOFF_MORNING))


@pytest.fixture
def bag() -> Mailbag:
    return Mailbag()


def run(store: Store, people: list[Person], plan: Plan | None = None, started: str = "2027-01-04") -> Plan:
    """Puts these people and this plan on record, and starts it."""
    plan = plan or a_plan()
    store.people.save(people, by="dana", now=utc(started))
    store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=utc(started))
    store.campaigns.start(plan.campaign, by="dana", now=utc(started))
    return plan


MakeEngine = Callable[..., Engine]


@pytest.fixture
def engine(store: Store, clock: Clock, bag: Mailbag) -> Iterator[MakeEngine]:
    made: list[Engine] = []

    def make(start: bool = True, **channels: ChannelSetup | Any) -> Engine:
        ways = channels or {"email": a_channel(bag)}
        decisions = Decisions(store, Workspace(), frozenset(ways))
        make_link = FreshLinks(store, "https://comms.example.com", OwnMail(store, Scribe, list(ways))).make
        engine = Engine(
            store, ways, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0,
            morning_mail=morning_mail(MorningBasis(store, decisions, Scribe, list(ways), make_link), clock),
        )  # fmt: skip
        if start:
            engine.start()
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.stop()
