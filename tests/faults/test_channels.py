"""A relay that is away, refuses us or refuses many: the channel rests or the campaign pauses, and nothing is lost.

A real relay on a socket and the engine with a clock that is set: half an hour takes no time.
"""

from __future__ import annotations

import email
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.channels.channel import PERMANENT, Outcome
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.content.message import RenderedMessage
from commsengine.engine.engine import Engine
from commsengine.engine.sending.breaker import FAILURES, FIRST_WAIT
from commsengine.engine.sending.refusal_guard import FIRST
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.reports.status import status
from commsengine.store.store import Store
from tests import fresh
from tests.builders import someone, utc
from tests.engine.conftest import KICKOFF_MORNING, run
from tests.fakes import Clock, Mailbag, Scribe, a_channel
from tests.servers import SmtpSink, a_certificate
from tests.stories.relay import Relay

ADMIN, OWNER = "admin@example.com", "dana@example.com"
THREADS = 8


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh.a_store(tmp_path / "engine.db") as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock(utc(KICKOFF_MORNING))


@pytest.fixture
def relay() -> Iterator[SmtpSink]:
    with SmtpSink() as relay:
        yield relay


def an_engine(store: Store, clock: Clock, email: ChannelSetup) -> Engine:
    return Engine(
        store, {"email": email}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0,
        admin=ADMIN,
    )  # fmt: skip


def by(server: SmtpServer, threads: int = THREADS, **how: object) -> ChannelSetup:
    return ChannelSetup(lambda: EmailChannel(server, "dana@example.com", **how), threads)  # type: ignore[arg-type]


def plain(relay: SmtpSink) -> SmtpServer:
    return SmtpServer("127.0.0.1", relay.port, tls="off")


def states(store: Store) -> dict[str, int]:
    """The books, after seeing that they balance."""
    counts = store.counts.status(utc(KICKOFF_MORNING))[0].touches
    rows = [row.state for row in store.touches.list("crm")]
    assert counts == {state: rows.count(state) for state in counts}
    return {state: number for state, number in counts.items() if number}


def mail_to(relay: SmtpSink, address: str) -> list[str]:
    letters = [email.message_from_bytes(data) for data in relay.messages]
    return [str(letter["Subject"]) for letter in letters if letter["To"] == address]


def until_all_have_it(engine: Engine, clock: Clock, done: Callable[[], bool], minutes: int) -> None:
    for _ in range(minutes * 6):
        engine.tick()
        if done():
            return
        clock.forward(seconds=10)
    raise AssertionError("not done in time")


def test_a_dead_relay_is_tried_a_handful_of_times_and_rests_then_one_message_tries_it(
    store: Store, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(200)])
    with SmtpSink() as relay:
        relay.fail("connect", "421 4.3.2 shutting down", times=1000)
        with an_engine(store, clock, by(plain(relay))) as engine:
            engine.tick()
            assert FAILURES <= relay.connections < FAILURES + THREADS
            tried = relay.connections
            clock.forward(seconds=31)
            engine.tick()
            assert relay.connections == tried + 1
            assert engine.shut_channels()["email"][0] == clock.now + 2 * FIRST_WAIT
            assert states(store) == {}


def test_f11_grey_listing_delays_and_loses_nobody(store: Store, clock: Clock, relay: SmtpSink) -> None:
    people = 60
    run(store, [someone(n) for n in range(people)])
    relay.fail("rcpt", "450 4.2.0 grey-listed, come back in five minutes", times=people)
    with an_engine(store, clock, by(plain(relay), 2)) as engine:
        until_all_have_it(engine, clock, lambda: states(store) == {"sent": people}, minutes=20)
    assert sorted(relay.recipients) == sorted(someone(n).email for n in range(people))


def test_f12_one_refusal_is_one_failed_touch_and_pauses_nothing(store: Store, clock: Clock) -> None:
    run(store, [someone(n) for n in range(200)])
    bag = Mailbag()
    refused = {someone(3).email}
    with an_engine(store, clock, a_channel(bag, refusing(refused), threads=2)) as engine:
        engine.tick()
    assert states(store) == {"sent": 199, "failed": 1}
    assert status(store, clock.now)["campaigns"][0]["state"] == "running"


def refusing(addresses: set[str]) -> Callable[[RenderedMessage], Outcome | None]:
    return lambda m: Outcome(m.key, PERMANENT, "rcpt", "550 5.7.1 blocked") if m.to_email in addresses else None


def test_f13_a_third_refused_pauses_the_campaign_within_the_first_500_and_tells_owner_and_admin(
    store: Store, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(240)])
    with Relay() as relay:
        relay.unknown = {someone(n).email for n in range(0, 240, 3)}
        with an_engine(store, clock, by(SmtpServer("127.0.0.1", relay.port, tls="off"), 2)) as engine:
            for _ in range(3):
                engine.tick()
                clock.forward(minutes=1)
    told = status(store, clock.now)["campaigns"][0]
    assert (told["state"], told["paused"]["by"]) == ("paused", "engine")
    assert "of the first 20 messages 'one-record' were refused for good" in told["paused"]["reason"]
    assert len(relay.copies.keys() - {OWNER, ADMIN}) < 40 < FIRST
    for concerned in (OWNER, ADMIN):
        (mail,) = relay.of(concerned)
        assert mail.subject == "One customer record is paused: too many messages are refused"
        assert "× no such mailbox" in mail.text
        assert "commsengine resume crm" in mail.text
        assert "p0" not in mail.text


def test_f13_resume_begins_the_count_anew_and_a_second_wave_pauses_again(store: Store, clock: Clock) -> None:
    run(store, [someone(n) for n in range(120)])
    bag, refused = Mailbag(), {someone(n).email for n in range(0, 60, 3)}
    for refusals in (7, 14):  # of twenty each time; a new engine has only the record to count from
        with an_engine(store, clock, a_channel(bag, refusing(refused))) as engine:
            engine.tick()
        told = status(store, clock.now)["campaigns"][0]
        assert told["state"] == "paused"
        assert told["paused"]["reason"].startswith("7 of the first 20 ")
        assert states(store)["failed"] == refusals
        clock.forward(minutes=1)
        store.campaigns.resume("crm", backlog="all", by="dana", now=clock.now)
        clock.forward(minutes=1)
    refused.clear()
    with an_engine(store, clock, a_channel(bag, refusing(refused))) as engine:
        engine.tick()
    assert status(store, clock.now)["campaigns"][0]["state"] == "running"
    assert states(store) == {"sent": 106, "failed": 14}


def test_f13_many_short_runs_add_up(store: Store, clock: Clock) -> None:
    """Ten a tick and a new process each time: no single run sees twenty."""
    bag, refused = Mailbag(), {someone(n).email for n in range(0, 100, 4)}
    setup = a_channel(bag, refusing(refused))
    for n in range(0, 100, 10):
        people = [someone(k) for k in range(n, n + 10)]
        if n == 0:
            run(store, people)
        else:
            store.people.save(people, by="dana", now=clock.now)
        with an_engine(store, clock, setup) as engine:
            engine.tick()
        clock.forward(minutes=1)
    told = status(store, clock.now)["campaigns"][0]
    assert (told["state"], states(store)) == ("paused", {"sent": 15, "failed": 5})


def test_f14_a_password_refused_in_mid_run_shuts_the_channel_at_once_and_the_admin_hears(
    store: Store, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(60)])
    with SmtpSink(password="right") as relay:
        server = SmtpServer("127.0.0.1", relay.port, tls="off", user="dana", password="right")

        def revoked(_: bytes) -> None:
            if len(relay.messages) == 20:
                relay.fail("auth", "535 5.7.8 revoked", times=100)
                relay.hang_up()

        relay.on_message = revoked
        with an_engine(store, clock, by(server, 2)) as engine:
            engine.tick()
            (until, because) = engine.shut_channels()["email"]
            assert because == f"127.0.0.1:{relay.port} refuses our log-in: 535 5.7.8 revoked"
            assert len(relay.auth_lines) <= 6  # two that were right, one each that was not, and what was just opening
            assert set(states(store)) <= {"sent", "uncertain", "retry"}
            assert status(store, clock.now)["engine"]["resting"][0]["channel"] == "email"
            relay._faults.clear()
            relay.on_message = lambda _: None
            until_all_have_it(engine, clock, lambda: states(store).get("sent") == 60, minutes=15)
            assert until <= clock.now
    assert mail_to(relay, ADMIN) == ["Nothing is sent by email"]


@pytest.mark.parametrize("fault", ["no starttls", "a certificate of another name"])
def test_f15_without_encryption_nothing_leaves_no_password_is_shown_and_the_admin_hears(
    store: Store, clock: Clock, tmp_path: Path, fault: str
) -> None:
    run(store, [someone(n) for n in range(30)])
    named = "localhost" if fault == "no starttls" else "other.example"
    context, trusting = a_certificate(tmp_path, named)
    with SmtpSink(context=context, password="secret", starttls=fault != "no starttls") as relay:
        server = SmtpServer("localhost", relay.port, user="dana", password="secret")
        with an_engine(store, clock, by(server, context=trusting)) as engine:
            engine.tick()
            (_, because) = engine.shut_channels()["email"]
        assert because.startswith(
            f"localhost:{relay.port} does not offer what we need"
            if fault == "no starttls"
            else f"the certificate of localhost:{relay.port} cannot be trusted"
        )
        assert (relay.messages, relay.auth_lines, states(store)) == ([], [], {})
        assert relay.connections <= THREADS
        (alert,) = store.service_mail.due(clock.now)
        assert alert.payload
        assert because in alert.payload["text"]
