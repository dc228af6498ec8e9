"""Engines over a real mail conversation, engines that die, and engines that live from one due moment to the next.

As a program (``python -m tests.faults.threads.engines URL PORT``) it is one tick of an engine, to be killed.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from collections.abc import Sequence

from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.campaigns.known_campaign import known
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.engine.decisions import Decisions
from commsengine.engine.engine import Engine
from commsengine.engine.heartbeat import LEASE
from commsengine.engine.owner_lock import Owner
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.store.records import Lease, Receipt
from commsengine.store.store import Store
from tests import outbox
from tests.builders import a_message, a_plan, someone, utc
from tests.fakes import Clock, Scribe
from tests.servers import SmtpSink

ALL_DAY = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "00:00", "to": "24:00"}


def crowd(count: int) -> list[Person]:
    return [someone(number) for number in range(count)]


def addresses(people: Sequence[Person]) -> list[str]:
    return sorted(person.email for person in people)


def once(**changes: object) -> Plan:
    """One message, one time, and nobody is chased: after it the campaign is over."""
    return a_plan(a_message(ask="nothing", cadence={"every": "24h", "times": "1"}), **changes)


def states(store: Store) -> dict[str, int]:
    """How many touches are in each state that any is in."""
    return dict(Counter(row.state for row in store.touches.list("crm")))


def campaign_is(store: Store) -> str:
    return known(store, "crm").state


def at_the_end(engine: Engine, store: Store, clock: Clock) -> str:
    """The state of the campaign once its last message is closed in every zone."""
    clock.now = utc("2027-04-02")
    engine.tick()
    return campaign_is(store)


def over_smtp(relay: SmtpSink, threads: int = 1, **times: float) -> ChannelSetup:
    """Mail as it really goes; ``times`` are those of ``EmailChannel``."""
    server = SmtpServer("127.0.0.1", relay.port, tls="off")
    return ChannelSetup(lambda: EmailChannel(server, "dana@example.com", **times), threads)  # type: ignore[arg-type]


def an_engine(store: Store, clock: Clock, setup: ChannelSetup) -> Engine:
    """For a database of its own; use it as a context."""
    return Engine(
        store, {"email": setup}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0
    )  # fmt: skip


def a_dead_one(number: str = "1", pid: int = 4_000_002) -> Owner:
    """An engine of this host and boot whose process is gone: nobody ever runs under such a number."""
    living = Owner.this_process()
    return Owner(living.host, pid, living.boot_id, f"dead-{number}")


def dies(store: Store, now: dt.datetime, *, sent: int = 0, sending: int = 0, owner: Owner | None = None) -> list[str]:
    """An engine claims all that is due, sends some of it, is in the middle of some more, and is gone.

    Returns the keys it had claimed: first those it sent, then those it was sending.
    """
    lease = Lease((owner or a_dead_one()).name, store.engine.next_fence(), now + LEASE)
    campaigns = store.campaigns.running()
    made = Decisions(store, Workspace(), frozenset({"email"})).of(store.loading.due(now), campaigns, now)
    touches = store.outbox.claim(
        [(one.decision, one.facts_seq) for one in made], lease,
        epochs={each.id: each.epoch for each in campaigns.running},
        versions={each.id: each.version for each in campaigns.running}, now=now,
    )  # fmt: skip
    keys = [touch.key for touch in touches]
    assert len(outbox.mark(store, keys[: sent + sending], lease, now)) == sent + sending
    receipts = [Receipt(key, "sent", now, "reply", "250 ok") for key in keys[:sent]]
    outbox.settle(store, receipts, lease, now)
    return keys


def lives(engine: Engine, store: Store, clock: Clock, until: str) -> None:
    """From one due moment to the next, as a running engine does; ``until`` is in UTC and not included."""
    while (wake := store.loading.next_wake()) is not None and max(wake, clock.now) < utc(until):
        clock.now = max(wake, clock.now)
        engine.tick()


def per_person(arrived: Sequence[str]) -> set[int]:
    """How many copies people have: ``{1}`` is one for each."""
    return set(Counter(arrived).values())


def one_tick(url: str, port: int) -> None:
    clock = Clock(utc("2027-01-11 09:00"))
    server = SmtpServer("127.0.0.1", port, tls="off")
    setup = ChannelSetup(lambda: EmailChannel(server, "dana@example.com"), threads=2)
    with Store.open(url) as store, an_engine(store, clock, setup) as engine:
        engine.tick()


if __name__ == "__main__":
    one_tick(sys.argv[1], int(sys.argv[2]))
