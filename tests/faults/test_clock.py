"""The clock: changes of the hour, leap days, year ends, clocks that jump, and zones that get other rules."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from commsengine.cadence.calendar import zone
from commsengine.cadence.forecast import forecast, no_answers
from commsengine.cadence.history import Campaign, Campaigns, History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.channels.channel import RETRY, UNCERTAIN, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.engine import Engine
from commsengine.engine.uncertain_sends import Resolution
from commsengine.reports.status import engine_state
from commsengine.resolvers.resolver import Sending, Sighting
from commsengine.runner import heartbeat, keep_time
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, Scribe, a_channel
from tests.faults.stepping import play
from tests.faults.year import Trial, misses, trials
from tests.replies import answered
from tests.store.scene import idle
from tests.waiting import PATIENCE, expect

DAILY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Made = tuple[str, dt.date, dt.datetime, str]


def a_night_plan(first: str, last: str, **window: str) -> Plan:
    """One touch a day in the night."""
    return a_plan(
        a_message(cadence={"every": "24h"}, ask="nothing", until=last, **{"from": first}),
        send={
            "channels": ["email"], "holidays": "false", "window": {"days": DAILY, **window},
            "at_most": {"per_day": 1, "per_week": 7},
        },
    )  # fmt: skip


# -- G6: one touch per person and local date ------------------------------------------------------


@pytest.mark.parametrize(
    "trial",
    [
        *trials("Europe/Berlin", 2027),
        *trials("Australia/Lord_Howe", 2028)[1:],
        *trials("Asia/Gaza", 2030)[:1],
        *trials("America/Santiago", 2027)[:1],  # a midnight that does not exist
    ],
    ids=lambda trial: f"{trial.zone}-{trial.year}-{trial.minute}",
)
def test_g6_a_daily_touch_inside_a_clock_change_comes_once_on_each_date(trial: Trial) -> None:
    assert misses(trial) == []


def made(store: Store, *campaigns: str) -> list[Made]:
    rows = [row for campaign in campaigns or ("crm",) for row in store.touches.list(campaign)]
    return sorted((row.person_id or "", row.local_date or dt.date.min, row.due_at, row.reason) for row in rows)


def foretold(plan: Plan, people: Sequence[Person], start: str, until: str) -> list[Made]:
    campaigns = Campaigns((Campaign(plan, utc(start)),))
    told = [forecast(campaigns, person, History(), utc(start), utc(until), no_answers) for person in people]
    return sorted((t.person, t.local_date, t.due_at, t.skip) for one in told for t in one.touches)


def test_g6_the_engine_does_across_clock_changes_what_the_forecast_says(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    zones = ("Europe/Berlin", "Asia/Gaza", "Antarctica/Troll")
    people = [someone(n, time_zone=zone) for n, zone in enumerate(zones)]
    plan = a_night_plan("2027-03-25 02:30", "2027-04-01", **{"from": "01:00", "to": "04:30"})
    run(store, people, plan, started="2027-03-22")
    clock.now = utc("2027-03-22")
    play(engine(), store, clock, "2027-04-10")
    assert made(store) == foretold(plan, people, "2027-03-22", "2027-04-10")
    dates = [dt.date(2027, 3, 25) + dt.timedelta(days=n) for n in range(7)]
    assert [(person, date) for person, date, _, _ in made(store)] == [(p.id, date) for p in people for date in dates]
    assert len(bag.arrived) == len({message.key for message in bag.arrived}) == 21


@pytest.mark.parametrize(
    ("first", "every", "dates"),
    [
        ("2028-02-29", "24h", ["2028-02-29", "2028-03-01", "2028-03-02"]),
        ("2028-02-28", "24h", ["2028-02-28", "2028-02-29", "2028-03-01"]),
        ("2027-02-28", "24h", ["2027-02-28", "2027-03-01", "2027-03-02"]),
        ("2028-02-15 + 14d", "48h", ["2028-02-29", "2028-03-02", "2028-03-04"]),
        ("2032-03-14 - 14d", "24h", ["2032-02-29", "2032-03-01", "2032-03-02"]),
        ("2027-12-18 + 14d", "24h", ["2028-01-01", "2028-01-02", "2028-01-03"]),
        ("2027-12-30", "24h", ["2027-12-30", "2027-12-31", "2028-01-01"]),
        ("2028-02-29 + 366d", "24h", ["2029-03-01", "2029-03-02", "2029-03-03"]),
        ("2027-03-25 + 2 working days", "24h", ["2027-03-29", "2027-03-30", "2027-03-31"]),  # Easter Monday works here
        ("2027-11-01 - 1 working day", "24h", ["2027-10-29", "2027-11-01", "2027-11-02"]),
    ],
)
def test_g6_days_are_counted_by_the_calendar_over_leap_days_year_ends_and_clock_changes(
    first: str, every: str, dates: list[str]
) -> None:
    plan = a_plan(
        a_message(**{"from": first}, until="2034-01-01", cadence={"every": every, "times": "3"}, ask="nothing"),
        send={
            "channels": ["email"], "holidays": "false", "window": {"days": DAILY},
            "at_most": {"per_day": 1, "per_week": 7},
        },
    )  # fmt: skip
    person = someone(1, days=frozenset(range(5)) if "working" in first else None)
    found = foretold(plan, [person], "2027-01-01", "2034-01-01")
    wall = [f"{due.astimezone(zone('Europe/Berlin')):%Y-%m-%d %H:%M}" for _, _, due, _ in found]
    assert wall == [f"{date} 09:00" for date in dates]


# -- F31: clocks that jump ------------------------------------------------------------------------


def sent_on(bag: Mailbag) -> list[tuple[str, dt.date]]:
    """Who got something for which date: each pair at most once, whatever the clock does."""
    pairs = sorted((message.to_email, message.date.date()) for message in bag.arrived)
    assert len(pairs) == len(set(pairs))
    return pairs


def dates(*days: int) -> list[dt.date]:
    return [dt.date(2027, 1, day) for day in days]


def every_day(**send: object) -> Plan:
    """A message on each weekday from Monday, 11 January, at nine in Berlin: eight o'clock in UTC."""
    return a_plan(
        a_message(cadence={"every": "24h"}, ask="nothing"),
        send={"channels": ["email"], "holidays": "false", "at_most": {"per_day": 1, "per_week": 7}, **send},
    )


def test_f31_three_days_ahead_with_a_large_backlog_holds_and_the_right_time_goes_on_as_if_nothing_had_been(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    people = [someone(n) for n in range(101)]
    run(store, people, every_day())
    running = engine()
    running.tick()
    assert len(bag.arrived) == 101
    right, clock.now = clock.now, clock.now + dt.timedelta(days=3)
    assert running.tick().hold.startswith("Nothing was sent since 2027-01-11 09:00 UTC, and more than 100 messages")
    assert len(bag.arrived) == 101
    clock.now = right + dt.timedelta(minutes=5)
    running.tick()
    store.engine.release("latest", by="dana", now=clock.now)
    play(running, store, clock, "2027-01-12 12:00")
    assert sent_on(bag) == [(person.email, date) for person in people for date in dates(11, 12)]
    assert {row.state for row in store.touches.list("crm")} == {"sent"}


def test_f31_three_days_ahead_with_a_small_backlog_sends_one_each_and_says_why_the_others_are_skipped(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    run(store, [someone(1), someone(2)], every_day())
    running = engine()
    running.tick()
    clock.forward(days=3)
    running.tick()
    assert [date for _, date in sent_on(bag)] == dates(11, 14, 11, 14)
    skipped = [(row.local_date, row.reason) for row in store.touches.list("crm") if row.state == "skipped"]
    assert skipped == [(date, "late") for date in dates(12, 12, 13, 13)]
    clock.now -= dt.timedelta(days=3)
    play(running, store, clock, "2027-01-15 12:00")
    assert [date for _, date in sent_on(bag)] == dates(11, 14, 15, 11, 14, 15)


def test_f31_a_clock_set_ahead_while_a_message_leaves_brings_no_second_copy(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    """What is at its final dot has a lease that is long over by the new time; it is still ours."""
    run(store, [someone(n) for n in range(3)], every_day())
    ahead = utc("2027-01-12 05:00")

    def jump(message: RenderedMessage) -> None:
        """The clock jumps between the mark and the answer, and the engine beats before the answer comes."""
        del message
        if clock.now < ahead:
            clock.now = ahead
            expect(lambda: store.engine.heartbeats()[0].beat_at == ahead)

    running = engine(email=a_channel(bag, jump))
    play(running, store, clock, "2027-01-12 12:00")
    assert (someone(0).email, dt.date(2027, 1, 11)) in sent_on(bag)
    assert [row.attempts for row in store.touches.of_person("p00000")] == [1, 1]
    assert not any(row.possible_duplicate for row in store.touches.list("crm"))


@pytest.mark.parametrize("back", [{"hours": 2}, {"days": 3}], ids=["2h", "3d"])
def test_f31_a_clock_set_back_repeats_nothing_and_keeps_nobody_waiting(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag, back: dict[str, int]
) -> None:
    """At the wrong time nobody is due, but bookmarks are made: by a touch that waits and by somebody who joins."""
    run(store, [someone(1)], every_day(), started="2027-01-01")
    right = utc("2027-01-11 07:30")
    clock.now = right + dt.timedelta(**back)
    running = engine()
    running.tick()
    store.people.save([someone(2)], by="dana", now=utc("2027-01-05"))
    store.questions.ask("p00001", "crm", "one-record", "k", "Why?", evidence="link", now=clock.now)
    answered(store, 1, "Because.", now=clock.now)
    before = len(bag.arrived)
    clock.now = right
    running.tick()
    assert len(bag.arrived) == before
    play(running, store, clock, "2027-01-11 08:30")
    assert (someone(2).email, dt.date(2027, 1, 11)) in sent_on(bag)
    play(running, store, clock, "2027-01-18 12:00")
    got = {email: [date for to, date in sent_on(bag) if to == email] for email in bag.to}
    assert got[someone(2).email] == dates(11, 12, 13, 14, 15, 18)
    assert got[someone(1).email][-2:] == dates(15, 18)


LATE_ON_WEDNESDAY = a_plan(
    a_message(ask="nothing", cadence={"every": "24h", "times": "1"}, **{"from": "2027-01-13 16:25"})
)
"""Due five minutes before the window of that Wednesday closes."""


@pytest.mark.parametrize("restarted", [False, True], ids=["while it runs", "between two runs"])
def test_f31_what_seemed_too_late_for_today_leaves_today_once_the_clock_is_set_back(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag, restarted: bool
) -> None:
    run(store, [someone(1)], LATE_ON_WEDNESDAY)
    clock.now = utc("2027-01-13 16:00")
    running = engine()
    running.tick()
    assert (bag.arrived, store.loading.next_wake()) == ([], utc("2027-01-14 08:00"))
    if restarted:
        running.stop()
    clock.now = utc("2027-01-13 14:00")
    play(engine() if restarted else running, store, clock, "2027-01-15")
    assert [row.sent_at for row in store.touches.list("crm")] == [utc("2027-01-13 15:25")]


def test_f31_a_fact_written_while_the_clock_was_ahead_puts_nothing_off(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    run(store, [someone(1)])
    clock.now = utc("2027-01-11 07:00")
    running = engine()
    running.tick()
    store.reachability.mark_unreachable("p00001", "slack", "not on Slack", now=utc("2027-01-14 07:00"))
    play(running, store, clock, "2027-01-11 12:00")
    assert [row.sent_at for row in store.touches.list("crm")] == [utc("2027-01-11 08:00")]


def test_f31_a_channel_that_rests_is_tried_again_once_the_clock_is_set_back(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    run(store, [someone(1), someone(2)])
    outcomes = iter(
        [Outcome("", RETRY, "connect", "refused", begun=False, channel_down="the relay refuses us", fault="us")]
    )

    def down_once(message: RenderedMessage) -> Outcome | None:
        found = next(outcomes, None)
        return found and found._replace(key=message.key)

    clock.now = utc("2027-01-11 12:00")
    running = engine(email=a_channel(bag, down_once))
    running.tick()
    assert running.shut_channels()
    clock.now = utc("2027-01-11 10:00")
    running.tick()
    touched = [to for to in bag.to if to != "dana@example.com"]  # the digest says what rested
    assert (len(touched), running.shut_channels()) == (2, {})


@dataclass(frozen=True)
class Witness:
    """Asked a second after the break, it says of everything that it arrived, or that it did not."""

    found: bool
    name: str = "witness"
    settle: float = 1.0

    def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
        return {sending.key: Sighting(self.found, "in the log") for sending in sendings}


@pytest.mark.parametrize(("found", "becomes"), [(True, "sent"), (False, "uncertain")])
def test_f31_after_the_clock_was_set_back_an_uncertain_send_is_looked_for_and_no_absence_believed(
    store: Store, clock: Clock, bag: Mailbag, found: bool, becomes: str
) -> None:
    """It was marked by a clock that was ahead: whoever looks from that time on looks too late."""
    run(store, [someone(1)])
    lost = a_channel(bag, lambda m: Outcome(m.key, UNCERTAIN, "dot", "timed out"))
    clock.now = utc("2027-01-11 12:00")
    with Engine(
        store, {"email": lost}, Scribe, workspace=Workspace(), clock=clock, sleep=lambda seconds: None, interval=10.0,
        resolution=Resolution(store, {"email": [Witness(found)]}, PATIENCE),
    ) as running:  # fmt: skip
        running.beat()
        expect(lambda: bool(store.touches.open_rows("crm", states=("uncertain",))))
        for seconds in (0, 2):
            clock.now = utc("2027-01-11 10:00") + dt.timedelta(seconds=seconds)
            running.beat()
        expect(lambda: running.beat() and [row.state for row in store.touches.list("crm")] == [becomes])
        assert len(bag.tried) == 1


def test_f31_a_retry_waits_no_longer_than_the_clock_went_back(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    run(store, [someone(1)])
    outcomes = iter(["451 try later"])

    def busy_once(message: RenderedMessage) -> Outcome | None:
        reply = next(outcomes, "")
        return Outcome(message.key, RETRY, "rcpt", reply) if reply else None

    running = engine(email=a_channel(bag, busy_once))
    running.tick()
    clock.forward(hours=-2)
    play(running, store, clock, "2027-01-11 12:00")
    row = next(iter(store.touches.list("crm")))
    assert (row.state, row.attempts, row.possible_duplicate) == ("sent", 2, False)
    assert utc("2027-01-11 09:00") < (row.sent_at or utc("2027-01-01")) < utc("2027-01-11 09:02")


def test_f31_a_clock_far_ahead_ends_no_campaign_while_the_engine_holds(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    run(store, [someone(n) for n in range(101)])
    clock.now = utc("2027-01-11 07:00")
    running = engine()
    running.tick()
    clock.forward(days=100)
    assert running.tick().hold
    assert [record.state for record in store.campaigns.all()] == ["running"]


def test_f31_the_beat_goes_on_at_once_after_the_clock_was_set_back(
    store: Store, engine: MakeEngine, clock: Clock
) -> None:
    """The scheduler waits for a time of day. After a clock was set back, its next beat is as far off as that."""
    beats: list[dt.datetime] = []
    scheduler = heartbeat(engine(), 0.1, lambda: beats.append(clock.now))
    scheduler.start()
    try:
        expect(lambda: len(beats) > 1)
        now = dt.datetime.now(dt.UTC)
        for job in scheduler.get_jobs():
            job.modify(next_run_time=now + dt.timedelta(days=3))
        time.sleep(0.3)
        before = len(beats)
        keep_time(scheduler, now, 0.1)
        expect(lambda: len(beats) > before + 1)
        assert all(job.next_run_time < now + dt.timedelta(days=1, hours=1) for job in scheduler.get_jobs())
    finally:
        scheduler.shutdown()


def test_f31_a_beat_from_the_future_does_not_say_that_the_engine_runs(store: Store) -> None:
    store.engine.beat("x", pid=1, host="here", interval=10.0, now=utc("2027-01-14"))
    assert engine_state(store, utc("2027-01-11"))["state"] == "stopped"


def test_f31_the_first_tick_of_a_day_decides_everybody_where_cron_calls_it(
    store: Store, clock: Clock, bag: Mailbag
) -> None:
    """Where nothing runs at night, nothing sweeps at night: a wrong bookmark must not stand for ever."""
    run(store, [someone(1)])

    def tick_of_cron(at: str) -> int:
        clock.now = utc(at)
        channels = {"email": a_channel(bag)}
        with Engine(store, channels, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep) as engine:
            return engine.tick().sent

    assert tick_of_cron("2027-01-10 23:50") == 0
    idle(store)
    assert tick_of_cron("2027-01-10 23:55") == 0
    assert tick_of_cron("2027-01-11 08:00") == 1
    idle(store)
    assert [tick_of_cron(f"2027-01-{day} 08:00") for day in (12, 13)] == [0, 1]
