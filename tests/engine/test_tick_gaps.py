"""Ticks that somebody else calls, and channels that rest: who could not be reached meanwhile is late for neither."""

from __future__ import annotations

import datetime as dt
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.engine.decisions import Decisions
from commsengine.engine.engine import BeatReport, Engine
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, Scribe, a_channel
from tests.servers import SmtpSink

CROWD = [someone(n) for n in range(101)]
"""Enough for the brake."""

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
WEEKDAYS = range(5)


class Cron:
    """Calls a new engine each time, as ``tick`` does."""

    def __init__(self, store: Store, bag: Mailbag, clock: Clock) -> None:
        self._store, self._bag, self._clock = store, bag, clock

    def call(self, at: dt.datetime) -> BeatReport:
        self._clock.now = at
        with Engine(
            self._store, {"email": a_channel(self._bag)}, Scribe, workspace=Workspace(), clock=self._clock,
            sleep=self._clock.sleep,
        ) as engine:  # fmt: skip
            return engine.tick()

    def calls(self, first: str, until: str, every: dt.timedelta = DAY, days: range = range(7)) -> list[BeatReport]:
        at, reports = utc(first), []
        while at < utc(until):
            reports += [self.call(at)] if at.weekday() in days else []
            at += every
        return reports


@pytest.fixture
def cron(store: Store, bag: Mailbag, clock: Clock) -> Cron:
    return Cron(store, bag, clock)


def made(store: Store) -> Counter[tuple[str, str]]:
    return Counter((row.state, row.reason) for row in store.touches.list("crm"))


# -- cron -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hour", "days"), [("08:30", range(7)), ("13:00", WEEKDAYS), ("15:15", WEEKDAYS)])
def test_a_tick_once_a_day_reaches_everybody(store: Store, cron: Cron, hour: str, days: range) -> None:
    """Windows are open from 08:00 to 15:30 UTC. The second call ever and that after a weekend hold nothing."""
    run(store, CROWD, a_plan(follow_up=[]))
    reports = cron.calls(f"2027-01-08 {hour}", "2027-01-16", days=days)
    assert {report.hold for report in reports} == {""}
    assert made(store) == {("sent", ""): 3 * len(CROWD)}
    assert {row.due_at.hour for row in store.touches.list("crm")} == {8}


@pytest.mark.parametrize("first", ["2027-01-11 12:30", "2027-01-13 15:00"])
def test_the_first_tick_ever_makes_nobody_late(store: Store, cron: Cron, first: str) -> None:
    """The campaign was started days before, and nothing has beaten yet."""
    run(store, CROWD, a_plan(follow_up=[]))
    assert (cron.call(utc(first)).hold, made(store)["sent", ""]) == ("", len(CROWD))


def test_a_tick_when_every_window_is_closed_skips_nobody_and_says_so(store: Store, cron: Cron, bag: Mailbag) -> None:
    run(store, CROWD, a_plan(follow_up=[]))
    reports = cron.calls("2027-01-08 17:00", "2027-01-16")
    older = {("skipped", "superseded"): 2 * len(CROWD)}  # than what is due since Friday
    assert (bag.arrived, made(store)) == ([], older)
    assert [report.waiting for report in reports] == [0, 0, 0, *[len(CROWD)] * 5]
    cron.call(utc("2027-01-17 11:00"))
    assert cron.call(utc("2027-01-18 07:50")).waiting == len(CROWD)
    cron.call(utc("2027-01-18 12:00"))
    assert made(store) == {("sent", ""): len(CROWD), **{why: n + len(CROWD) for why, n in older.items()}}


def test_the_nights_between_working_hours_are_learned_like_any_rhythm(store: Store, cron: Cron) -> None:
    """Called from 08:00 to 14:00 UTC, for people in Seoul, where the windows are closed by then."""
    run(store, [someone(n, time_zone="Asia/Seoul") for n in range(101)], a_plan(follow_up=[]))
    for day in range(5, 20):
        if utc(f"2027-01-{day:02}").weekday() in WEEKDAYS:
            reports = cron.calls(f"2027-01-{day:02} 08:00", f"2027-01-{day:02} 15:00", 2 * HOUR)
    assert (reports[0].hold, reports[0].waiting) == ("", len(CROWD))
    assert made(store).keys() == {("skipped", "superseded")}


def test_a_day_left_out_is_the_brakes(store: Store, cron: Cron, bag: Mailbag) -> None:
    run(store, CROWD, a_plan(a_message(cadence={"every": "24h", "times": "9"}), follow_up=[]))
    cron.calls("2027-01-08 13:00", "2027-01-13")
    assert len(bag.arrived) == 2 * len(CROWD)
    assert cron.call(utc("2027-01-17 13:00")).hold.startswith("Nothing was sent since 2027-01-12 13:00 UTC")


def test_one_outage_makes_nobody_patient(store: Store, cron: Cron, bag: Mailbag) -> None:
    run(store, CROWD, a_plan(follow_up=[]))
    cron.calls("2027-01-08 08:00", "2027-01-08 09:00", 5 * dt.timedelta(minutes=1))
    cron.calls("2027-01-10 12:00", "2027-01-10 13:00", 5 * dt.timedelta(minutes=1))  # two days later nothing was due
    assert cron.call(utc("2027-01-11 08:30")).hold.startswith("Nothing was sent since 2027-01-10 12:55 UTC")
    assert bag.arrived == []


def test_a_few_that_an_outage_made_late_are_skipped_as_ever(store: Store, cron: Cron) -> None:
    run(store, [someone(1)], a_plan(follow_up=[]))
    cron.calls("2027-01-11 06:00", "2027-01-11 07:00", 5 * dt.timedelta(minutes=1))
    assert cron.call(utc("2027-01-11 13:00")).late == 1
    assert made(store) == {("skipped", "late"): 1}


def test_a_tick_once_a_week_makes_nobody_late_once_that_is_learned(store: Store, cron: Cron) -> None:
    plan = a_plan(messages=[a_message(cadence={"every": "48h", "times": "20"}, until="2027-03-31")], follow_up=[])
    run(store, [someone(1)], plan)
    mondays = cron.calls("2027-01-11 12:00", "2027-02-20", dt.timedelta(days=7))
    assert [report.late for report in mondays[2:]] == [0] * len(mondays[2:])
    assert sum(report.sent for report in mondays) >= len(mondays) - 1


def test_who_asks_between_two_ticks_is_told_what_the_next_one_does(store: Store, cron: Cron) -> None:
    run(store, [someone(1)], a_plan(follow_up=[]))
    cron.calls("2027-01-08 15:00", "2027-01-11")
    decisions, now = Decisions(store, Workspace()), utc("2027-01-11 14:59")
    (asked,) = decisions.of([someone(1).id], decisions.campaigns(now), now)
    assert [touch.skip for touch in asked.decision.touches] == [""]
    assert cron.call(utc("2027-01-11 15:00")).sent == 1


def test_an_engine_that_takes_over_from_cron_skips_nobody(
    store: Store, cron: Cron, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    run(store, CROWD, a_plan(follow_up=[]))
    cron.calls("2027-01-08 13:00", "2027-01-11")
    clock.now = utc("2027-01-11 12:40")
    engine().tick()
    assert len(bag.arrived) == len(CROWD)


def test_a_tick_that_takes_long_keeps_what_it_has_learned(store: Store, bag: Mailbag, clock: Clock) -> None:
    run(store, [someone(1)])
    store.engine.beat("before", pid=1, host="here", interval=86400.0, now=clock.now - DAY)
    with Engine(store, {"email": a_channel(bag)}, Scribe, workspace=Workspace(), clock=clock) as tick:
        for _ in range(2):
            tick.beat()
            clock.forward(seconds=31)
    beat = store.engine.heartbeat()
    assert beat
    assert beat.interval == 86400.0


# -- a channel that rests -------------------------------------------------------------------------


class Refusing(SmtpSink):
    """A relay that greets nobody, as long as it is out of order."""

    out_of_order = True

    def serve(self, connection: socket.socket) -> None:
        if self.out_of_order:
            connection.sendall(b"421 4.3.2 Service not available, closing transmission channel\r\n")
        else:
            super().serve(connection)


@pytest.fixture
def relay() -> Iterator[Refusing]:
    with Refusing() as relay:
        yield relay


def by(relay: Refusing) -> ChannelSetup:
    server = SmtpServer("127.0.0.1", relay.port, "off")
    return ChannelSetup(lambda: EmailChannel(server, "dana@example.com"), 1)


def beat_through(engine: Engine, clock: Clock, until: dt.datetime) -> None:
    """As ``run`` does, but a beat for each time that a shut channel is tried again is enough."""
    while clock.now < until:
        engine.tick()
        clock.forward(minutes=11)


@pytest.mark.parametrize(
    ("mended", "sent_on"),
    [
        pytest.param("2027-01-11 13:30", 11, id="5 hours"),
        pytest.param("2027-01-12 05:00", 12, id="20 hours", marks=pytest.mark.slow),
        pytest.param("2027-01-12 10:15", 12, id="26 hours"),
    ],
)
@pytest.mark.slow
def test_nobody_is_late_for_a_relay_that_was_out_of_order(
    store: Store, engine: MakeEngine, clock: Clock, relay: Refusing, mended: str, sent_on: int
) -> None:
    run(store, [someone(n) for n in range(30)], a_plan(follow_up=[]))
    clock.now = utc("2027-01-11 07:50")
    running = engine(email=by(relay))
    beat_through(running, clock, utc(mended))
    assert (relay.messages, made(store)) == ([], {})
    relay.out_of_order = False
    beat_through(running, clock, utc(mended) + 6 * HOUR)
    assert made(store) == {("sent", ""): 30}
    rows = store.touches.list("crm")
    assert {(row.due_at, row.sent_at.day) for row in rows if row.sent_at} == {(utc("2027-01-11 08:00"), sent_on)}
    assert all(8 <= row.sent_at.hour + row.sent_at.minute / 60 < 15.5 for row in rows if row.sent_at)


def test_that_a_channel_rested_outlives_the_engine(store: Store, clock: Clock, relay: Refusing, bag: Mailbag) -> None:
    run(store, [someone(1)], a_plan(follow_up=[]))
    clock.now = utc("2027-01-11 07:50")
    how: dict[str, Any] = {"workspace": Workspace(), "clock": clock, "sleep": clock.sleep, "interval": 10.0}
    with Engine(store, {"email": by(relay)}, Scribe, **how) as first:
        beat_through(first, clock, utc("2027-01-11 13:00"))
    with Engine(store, {"email": a_channel(bag)}, Scribe, **how) as second:
        second.tick()
    assert made(store) == {("sent", ""): 1}
