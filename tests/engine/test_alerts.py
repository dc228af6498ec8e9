"""The admin hears of a hold and of a channel that is refused: over a real relay, once per event and day."""

from __future__ import annotations

import email
from collections.abc import Iterator
from email.message import Message as Letter

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.channels.channel import PERMANENT, RETRY, Outcome
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.content.message import RenderedMessage
from commsengine.engine.engine import Engine
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.reports.status import status
from commsengine.store.store import Store
from tests.builders import a_plan, someone
from tests.engine.conftest import run
from tests.fakes import Clock, Mailbag, Scribe, a_channel
from tests.servers import SmtpSink

ADMIN = "admin@example.com"


@pytest.fixture
def relay() -> Iterator[SmtpSink]:
    with SmtpSink() as relay:
        yield relay


def an_engine(store: Store, clock: Clock, relay: SmtpSink, admin: str = ADMIN, **others: ChannelSetup) -> Engine:
    server = SmtpServer("127.0.0.1", relay.port, tls="off")
    channels = {"email": ChannelSetup(lambda: EmailChannel(server, "dana@example.com")), **others}
    return Engine(
        store, channels, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0, admin=admin
    )


def refused(message: RenderedMessage) -> Outcome:
    because = "Slack refuses us: invalid_auth"
    return Outcome(message.key, RETRY, begun=False, channel_down=because, fault="us")


def to_admin(relay: SmtpSink) -> list[Letter]:
    letters = [email.message_from_bytes(data) for data in relay.messages]
    return [letter for letter in letters if letter["To"] == ADMIN]


def on_slack(store: Store) -> None:
    run(store, [someone(1, channel="slack")], a_plan(send={"channels": ["slack", "email"], "holidays": "false"}))


def test_a_hold_is_told_once_and_before_a_tick_ends(store: Store, clock: Clock, relay: SmtpSink) -> None:
    run(store, [someone(1)])
    store.engine.hold("The database was restored.", now=clock.now)
    for _ in range(2):
        with an_engine(store, clock, relay) as engine:
            assert engine.tick().hold == "The database was restored."
        clock.forward(days=1)
    (letter,) = to_admin(relay)
    assert letter["Subject"] == "Nothing is sent: the engine is on hold"
    assert "The database was restored." in letter.as_string()
    assert len(relay.messages) == 1


def test_a_second_hold_is_told_again(store: Store, clock: Clock, relay: SmtpSink) -> None:
    with an_engine(store, clock, relay) as engine:
        for reason in ("One.", "Two."):
            store.engine.hold(reason, now=clock.now)
            engine.tick()
            store.engine.release("all", by="dana", now=clock.now)
            clock.forward(minutes=10)
    assert ["One." in letter.as_string() for letter in to_admin(relay)] == [True, False]


def test_a_channel_that_is_refused_is_told_once_a_day_and_shown_to_everybody(
    store: Store, clock: Clock, relay: SmtpSink
) -> None:
    on_slack(store)
    with an_engine(store, clock, relay, slack=a_channel(Mailbag(), refused, name="slack")) as engine:
        for minutes in (0, 1, 2):
            clock.forward(minutes=minutes)
            engine.tick()
        assert [letter["Subject"] for letter in to_admin(relay)] == ["Nothing is sent by slack"]
        (rest,) = status(store, clock.now)["engine"]["resting"]
        assert (rest["channel"], rest["because"]) == ("slack", "Slack refuses us: invalid_auth")
        clock.forward(minutes=20)
        assert status(store, clock.now)["engine"]["resting"] == []


def test_a_failure_that_passes_by_itself_is_not_told(store: Store, clock: Clock, relay: SmtpSink) -> None:
    on_slack(store)
    down = lambda m: Outcome(m.key, RETRY, begun=False, channel_down="Slack does not answer")  # noqa: E731
    with an_engine(store, clock, relay, slack=a_channel(Mailbag(), down, name="slack")) as engine:
        engine.tick()
        assert list(engine.shut_channels()) == ["slack"]
    assert to_admin(relay) == []


def test_when_mail_itself_is_refused_the_admin_hears_of_it_afterwards(
    store: Store, clock: Clock, relay: SmtpSink
) -> None:
    run(store, [someone(1)])
    relay.fail("mail", "530 5.7.0 Authentication required")
    with an_engine(store, clock, relay) as engine:
        engine.tick()
        assert relay.messages == []
        clock.forward(minutes=1)
        engine.tick()
    assert [letter["Subject"] for letter in to_admin(relay)] == ["Nothing is sent by email"]


def test_without_an_admin_or_without_mail_nobody_is_told(store: Store, clock: Clock, relay: SmtpSink) -> None:
    store.engine.hold("The database was restored.", now=clock.now)
    with an_engine(store, clock, relay, admin="") as engine:
        engine.tick()
    only_slack = {"slack": a_channel(Mailbag(), lambda m: Outcome(m.key, PERMANENT), name="slack")}
    with Engine(store, only_slack, Scribe, workspace=Workspace(), clock=clock, admin=ADMIN) as engine:
        engine.tick()
    assert store.service_mail.due(clock.now) == []
