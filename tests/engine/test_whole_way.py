"""The engine with its real neighbours: templates, links, mail over SMTP on a socket, a database file."""

from __future__ import annotations

import datetime as dt
import email
import threading
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from commsengine.cadence.plan import Plan, Workspace
from commsengine.campaigns.control import stop
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.content.digest_facts import DigestFacts
from commsengine.content.render import Renderer
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.engine.dispatch import add_service_mail
from commsengine.engine.engine import Engine
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.links import Links
from commsengine.reports.status import resting
from commsengine.store.store import Store
from tests import fresh
from tests.builders import MIA, a_message, a_plan, someone, utc
from tests.engine.conftest import run
from tests.fakes import Clock
from tests.servers import CUT, SmtpSink
from tests.waiting import expect

LINKS = Links("http://127.0.0.1:8080", ["a-key-for-tests-only-0123456789abcdef"])
TEMPLATES = load_templates(shipped_folder(), None)


def renderer(plan: Plan, templates: Mapping[str, str]) -> Renderer:
    return Renderer(plan, templates or TEMPLATES, LINKS, Workspace())


@pytest.fixture
def relay() -> Iterator[SmtpSink]:
    with SmtpSink() as relay:
        yield relay


def an_engine(store: Store, clock: Clock, relay: SmtpSink, threads: int = 2) -> Engine:
    server = SmtpServer("127.0.0.1", relay.port, tls="off")
    setup = ChannelSetup(lambda: EmailChannel(server, "dana@example.com"), threads)
    return Engine(
        store, {"email": setup}, renderer, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0
    )


def date_of(letter: bytes) -> dt.datetime:
    return parsedate_to_datetime(email.message_from_bytes(letter)["Date"])


def test_a_letter_is_dated_when_it_is_sent(store: Store, clock: Clock, relay: SmtpSink) -> None:
    run(store, [someone(1)])
    relay.fail("dot", "451 4.7.1 Greylisted, try again later")
    with an_engine(store, clock, relay) as engine:
        clock.forward(minutes=20)  # it was due when the window opened
        engine.tick()
        first = clock.now
        clock.forward(hours=1)
        engine.tick()
    kept = [email.message_from_bytes(letter) for letter in relay.messages]
    assert len({letter["Message-ID"] for letter in kept}) == 1
    assert date_of(relay.messages[-1]) == clock.now > first


@pytest.mark.parametrize(("pipelining", "minutes"), [(False, [0, 5]), (True, [0, 0])])
def test_a_slow_relay_makes_no_letter_much_older_than_it_is(
    store: Store, clock: Clock, pipelining: bool, minutes: list[int]
) -> None:
    """In a pipeline a letter is laid out behind the end of the one before, and no sooner."""
    run(store, [someone(1), someone(2)])
    began = clock.now
    with SmtpSink(pipelining=pipelining) as relay, an_engine(store, clock, relay, threads=1) as engine:
        relay.on_message = lambda _: clock.forward(minutes=5)
        engine.tick()
    assert [date_of(letter) - began for letter in relay.messages] == [dt.timedelta(minutes=n) for n in minutes]


def test_service_mail_is_dated_when_it_is_sent(store: Store, clock: Clock, relay: SmtpSink) -> None:
    plan = run(store, [MIA])
    written = renderer(plan, {}).digest(MIA, DigestFacts("d1", clock.now))
    add_service_mail(store, written, category="digest", person_id=None, due_at=clock.now, now=clock.now)
    clock.forward(hours=3)
    with an_engine(store, clock, relay) as engine:
        engine.tick()
    (letter,) = [each for each in relay.messages if email.message_from_bytes(each)["X-Commsengine-Touch"] == "d1"]
    assert date_of(letter) == clock.now


@pytest.mark.both_databases
def test_each_gets_their_own_letter_with_its_key(store: Store, clock: Clock, relay: SmtpSink) -> None:
    run(store, [someone(1), someone(2), MIA], a_plan(a_message(sender="manager")))
    with an_engine(store, clock, relay) as engine:
        engine.tick()
    letters = {letter["To"]: letter for letter in map(email.message_from_bytes, relay.messages)}
    keys = {row.key: row.person_id for row in store.touches.list("crm")}
    assert len(letters) == 3
    assert {keys[letter["X-Commsengine-Touch"]] for letter in letters.values()} == {"p00001", "p00002", "mia"}


@pytest.mark.both_databases
def test_a_relay_that_breaks_off_after_the_dot_makes_one_flagged_copy(
    store: Store, clock: Clock, relay: SmtpSink
) -> None:
    run(store, [someone(1), someone(2)])
    relay.fail("dot", CUT)
    with an_engine(store, clock, relay, threads=1) as engine:
        engine.tick()
    rows = list(store.touches.list("crm"))
    assert {row.state for row in rows} == {"sent"}
    assert len(relay.messages) == 2 + sum(row.possible_duplicate for row in rows) == 3


def test_a_relay_that_is_away_costs_no_attempt(store: Store, clock: Clock, relay: SmtpSink) -> None:
    run(store, [someone(1)])
    relay.hang_up()
    relay.close()
    with an_engine(store, clock, relay, threads=1) as engine:
        engine.tick()
        assert list(engine.shut_channels()) == ["email"]
    assert list(store.touches.list("crm")) == []


@pytest.mark.both_databases
def test_a_pause_through_another_connection_stops_hundreds_of_letters(
    store: Store, clock: Clock, relay: SmtpSink, tmp_path: Path
) -> None:
    run(store, [someone(n) for n in range(400)])
    with an_engine(store, clock, relay, threads=4) as engine:
        sending = threading.Thread(target=engine.tick)
        sending.start()
        expect(lambda: len(relay.messages) >= 50)
        with fresh.opened(tmp_path / "engine.db") as other:
            [report] = stop(other, ["crm"], by="dana", clock=clock)
        arrived = len(relay.messages)
        sending.join()
        assert report.clean
        assert len(relay.messages) == arrived < 400
        store.campaigns.resume("crm", backlog="latest", by="dana", now=clock.now)
        engine.tick()
    assert len(relay.messages) == len(set(relay.recipients)) == 400


def test_at_its_instant(store: Store, clock: Clock, relay: SmtpSink) -> None:
    run(store, [someone(1)])
    with an_engine(store, clock, relay) as engine:
        clock.now = utc("2027-01-11 07:59")
        engine.tick()
        assert relay.messages == []
        clock.now = utc("2027-01-11 08:00")
        engine.tick()
    assert len(relay.messages) == 1


def test_a_channel_that_cannot_be_opened_says_why(store: Store, clock: Clock, relay: SmtpSink) -> None:
    run(store, [someone(1)])
    server = SmtpServer("127.0.0.1", relay.port, tls="off")
    setup = ChannelSetup(lambda: EmailChannel(server, "Change Team"))
    with Engine(
        store, {"email": setup}, renderer, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0
    ) as engine:
        engine.tick()
    (rest,) = resting(store, clock.now)
    assert rest["because"] == "COMMSENGINE_MAIL_FROM is not an e-mail address that mail can be sent to"
