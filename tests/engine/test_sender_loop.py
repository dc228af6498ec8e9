"""Many connections of one channel in one thread: pipelines, refusals in them, endings at any place, TLS."""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.engine.engine import Engine
from commsengine.engine.sending.sender_loop import MARK_LASTS
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.store.store import Store
from tests.builders import someone
from tests.engine.conftest import run
from tests.fakes import Clock, Scribe
from tests.servers import CUT, SmtpSink, a_certificate
from tests.waiting import expect


def an_engine(
    store: Store, clock: Clock, server: SmtpServer, connections: int, context: ssl.SSLContext | None = None
) -> Engine:
    setup = ChannelSetup(lambda: EmailChannel(server, "dana@example.com", context=context), connections)
    return Engine(store, {"email": setup}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0)


def plain(relay: SmtpSink) -> SmtpServer:
    return SmtpServer("127.0.0.1", relay.port, tls="off")


def states(store: Store) -> dict[str, int]:
    return dict(Counter(row.state for row in store.touches.list("crm")))


def addresses(people: int) -> list[str]:
    return [someone(number).email for number in range(people)]


def test_one_thread_drives_all_connections(store: Store, clock: Clock) -> None:
    run(store, [someone(n) for n in range(60)])
    names: set[str] = set()
    with SmtpSink() as relay, an_engine(store, clock, plain(relay), 12) as engine:
        relay.on_message = lambda _: names.update(thread.name for thread in threading.enumerate())
        engine.tick()
        assert (sorted(relay.recipients), relay.connections) == (addresses(60), 12)
    assert {name for name in names if name.startswith("email-")} <= {"email-loop", "email-beside"}
    assert states(store) == {"sent": 60}


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("phase", "reply"),
    [
        ("rcpt", "450 4.2.0 later"),
        ("data", "451 4.3.0 later"),
        ("rcpt", "421 4.3.2 shutting down"),
        ("data", "421 4.3.2 shutting down"),
        ("rcpt", CUT),
        ("data", CUT),
        ("body", CUT),
    ],
)
def test_a_refusal_or_an_ending_concerns_one_message(
    store: Store, clock: Clock, phase: str, reply: str, pipelining: bool
) -> None:
    run(store, [someone(n) for n in range(12)])
    with SmtpSink(pipelining=pipelining) as relay, an_engine(store, clock, plain(relay), 2) as engine:
        relay.on_message = lambda _: relay.fail(phase, reply) if len(relay.messages) == 3 else None
        engine.tick()
        assert states(store)["sent"] >= 11
        for _ in range(3):
            clock.forward(minutes=7)
            engine.tick()
    assert states(store) == {"sent": 12}
    assert (set(relay.recipients), len(relay.recipients)) == (set(addresses(12)), 12)


@pytest.mark.parametrize("reply", ["421 4.7.0 enough for one connection", CUT])
def test_what_is_offered_behind_the_last_message_of_a_connection_goes_by_a_new_one(
    store: Store, clock: Clock, reply: str
) -> None:
    run(store, [someone(n) for n in range(12)])
    began = clock.now
    with SmtpSink() as relay, an_engine(store, clock, plain(relay), 1) as engine:
        relay.on_message = lambda _: relay.fail("mail", reply) if len(relay.messages) % 3 == 0 else None
        engine.tick()
        assert clock.now == began, "somebody had to wait"
        assert relay.connections in (4, 5)  # with the last message, the relay may have ended the fourth
        assert (sorted(relay.recipients), states(store)) == (addresses(12), {"sent": 12})
    assert {row.attempts for row in store.touches.list("crm")} == {1}


def test_the_next_message_is_marked_while_the_relay_answers(store: Store, clock: Clock) -> None:
    run(store, [someone(n) for n in range(6)])
    with SmtpSink() as relay, an_engine(store, clock, plain(relay), 1) as engine:

        def wait_for_the_next(_: bytes) -> None:
            if len(relay.messages) == 3:
                expect(lambda: states(store)["sending"] == 2)

        relay.on_message = wait_for_the_next
        engine.tick()
    assert (sorted(relay.recipients), states(store)) == (addresses(6), {"sent": 6})


def test_a_pause_leaves_the_message_under_way_its_receipt(store: Store, clock: Clock) -> None:
    run(store, [someone(n) for n in range(6)])
    with SmtpSink() as relay, an_engine(store, clock, plain(relay), 1) as engine:
        relay.on_message = lambda _: store.campaigns.pause("crm", by="dana", now=clock.now)
        engine.tick()
        relay.on_message = bool
        assert states(store)["sent"] == len(relay.recipients) <= 2
        assert states(store).keys() <= {"sent", "retry"}
        store.campaigns.resume("crm", by="dana", now=clock.now, backlog="all")
        clock.forward(minutes=10)
        engine.tick()
    assert (sorted(relay.recipients), states(store)) == (addresses(6), {"sent": 6})


@pytest.mark.slow
def test_a_mark_is_good_for_seconds(store: Store, clock: Clock) -> None:
    """The relay takes its time with a message: the one behind it is taken back, and goes by another connection."""
    run(store, [someone(n) for n in range(6)])
    with SmtpSink() as relay, an_engine(store, clock, plain(relay), 1) as engine:
        relay.on_message = lambda _: time.sleep(MARK_LASTS + 1) if len(relay.messages) == 3 else None
        engine.tick()
        assert (sorted(relay.recipients), relay.connections) == (addresses(6), 2)
    assert {(row.state, row.attempts) for row in store.touches.list("crm")} == {("sent", 1)}


def test_pipelines_and_log_in_go_through_tls(store: Store, clock: Clock, tmp_path: Path) -> None:
    run(store, [someone(n) for n in range(30)])
    context, trusting = a_certificate(tmp_path)
    with SmtpSink(context=context, password="secret") as relay:
        server = SmtpServer("localhost", relay.port, user="dana", password="secret")
        with an_engine(store, clock, server, 3, trusting) as engine:
            engine.tick()
        assert (sorted(relay.recipients), relay.connections, len(relay.auth_lines)) == (addresses(30), 3, 3)
    assert states(store) == {"sent": 30}


def test_an_idle_connection_that_the_relay_closes_is_not_used_again(store: Store, clock: Clock) -> None:
    run(store, [someone(n) for n in range(4)])
    with SmtpSink() as relay, an_engine(store, clock, plain(relay), 2) as engine:
        engine.tick()
        relay.hang_up()
        store.people.save([someone(n) for n in range(4, 8)], by="dana", now=clock.now)
        engine.tick()
        assert (sorted(relay.recipients), relay.connections) == (addresses(8), 4)
    assert {row.attempts for row in store.touches.list("crm")} == {1}
