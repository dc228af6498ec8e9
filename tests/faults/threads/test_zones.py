"""Zones, clock changes and waiting: threads in which a local time was skipped, came twice, or was somebody else's.

Our rule: one pure decision from local wall time and a named zone. A time that does not exist is the first instant after
the gap, one that comes twice is the first of the two; the key holds the local date, so a second is impossible.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from commsengine.cadence.plan import Plan
from commsengine.store.store import Store
from tests.builders import ANA, BEN, MIA, a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag
from tests.faults.threads.engines import crowd, lives, once

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CHICAGO, BERLIN = "America/Chicago", "Europe/Berlin"


def campaign(every: str = "24h", times: int = 20, since: str = "kickoff", **changes: object) -> Plan:
    """Says one thing over and over and chases nobody; ``changes`` with ``days`` and ``kickoff`` said in short."""
    window = {"days": changes.pop("days", WEEK), "from": changes.pop("opens", "09:00"), "to": "24:00"}
    kickoff = str(changes.pop("kickoff", "2027-01-11"))
    return a_plan(
        a_message(ask="nothing", cadence={"every": every, "times": str(times)}, **{"from": since}),
        milestones={"kickoff": kickoff, "go_live": str(dt.date.fromisoformat(kickoff) + dt.timedelta(days=28))},
        send={"channels": ["email"], "holidays": "false", "window": window, "at_most": {"per_day": 1, "per_week": 7}},
        **changes,
    )


def told_at(store: Store, zone: str) -> list[str]:
    """When messages fell due, as the wall clock of that zone shows it."""
    return [f"{row.due_at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}" for row in store.touches.list("crm")]


# -- waiting --------------------------------------------------------------------------------------


def test_mautic_8802_a_limit_to_weekdays_sent_it_over_and_over(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a message limited to Sunday to Thursday was sent again by every run of the cron job.

    Here: a message that waits for an open day is decided anew each time, and its row exists one time.
    """
    clock.now = utc("2027-01-15 09:00")  # Friday
    run(store, crowd(1), campaign(kickoff="2027-01-15", days=("sun", "mon", "tue", "wed", "thu")))
    running = engine()
    for hours in [6] * 8 + [0.25] * 4:  # from Friday to Sunday, and then as cron does
        running.tick()
        store.loading.wipe_bookmarks(clock.now)
        clock.forward(hours=hours)
    assert (told_at(store, BERLIN), len(bag.arrived)) == (["Sun 17 Jan 09:00"], 1)


def test_mautic_1759_started_today_sent_at_once_though_it_should_wait_until_tomorrow(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a campaign that should write tomorrow morning wrote to everybody at the moment it was switched on.

    Here: starting a campaign sends nothing whose time has not come; the wait is part of the one decision.
    """
    run(store, crowd(5), campaign(times=1, since="kickoff 10:30 + 1d"), started="2027-01-11 08:55")
    running = engine()
    for moment, sent in (("2027-01-11 09:00", 0), ("2027-01-12 09:29", 0), ("2027-01-12 09:30", 5)):
        clock.now = utc(moment)
        running.tick()
        assert len(bag.arrived) == sent


@pytest.mark.usefixtures("machine_in_kolkata")
def test_mautic_2824_the_hour_was_that_of_the_wrong_zone(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: what was planned for an hour of the contact's day left at that hour of another zone.

    Here: each person is written to at nine by their own clock, wherever the machine stands.
    """
    clock.now = utc("2027-01-10 12:00")
    run(store, [ANA, BEN, MIA], once())
    lives(engine(), store, clock, "2027-01-13")
    due = {row.person_id: row.due_at for row in store.touches.list("crm")}
    assert due == {"ana": utc("2027-01-11 00:00"), "mia": utc("2027-01-11 08:00"), "ben": utc("2027-01-11 14:00")}
    assert len(bag.arrived) == 3


def test_forem_10940_every_two_days_but_the_job_ran_only_half_the_week(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a digest was queued every two days, the job that sends ran Wednesday to Saturday, and several came at once.

    Here: while nothing may be sent nothing piles up; two touches are two days apart, also after a closed stretch.
    """
    run(store, crowd(1), campaign(every="48h", days=WEEK[2:6]))
    lives(engine(), store, clock, "2027-01-31")
    assert told_at(store, BERLIN) == [
        "Wed 13 Jan 09:00", "Fri 15 Jan 09:00", "Wed 20 Jan 09:00", "Fri 22 Jan 09:00", "Wed 27 Jan 09:00",
        "Fri 29 Jan 09:00",
    ]  # fmt: skip
    assert len(bag.arrived) == 6


# -- clock changes --------------------------------------------------------------------------------


def test_apscheduler_766_the_next_time_was_the_same_time(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: the next run of a job was the very instant at which it was running, and it ran twice.

    Here: at one instant, however often it is looked at, there is one row; the next look is always later.
    """
    clock.now = utc("2027-01-11 08:00")
    run(store, crowd(4), campaign())
    for _ in range(3):
        engine().tick()
        wake = store.loading.next_wake()
        assert wake is not None
        assert wake > clock.now
        store.loading.wipe_bookmarks(clock.now)
    assert len(bag.arrived) == 4


def test_apscheduler_606_the_clock_change_skipped_a_day(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: around a clock change a daily job left out a day.

    Here: a daily message comes on every day at its local hour, through spring and autumn.
    """
    clock.now = utc("2027-03-26")
    run(store, crowd(1), campaign(kickoff="2027-03-26"))
    lives(engine(), store, clock, "2027-03-31")
    days = [f"{day} Mar 09:00" for day in ("Fri 26", "Sat 27", "Sun 28", "Mon 29", "Tue 30")]
    assert (told_at(store, BERLIN), len(bag.arrived)) == (days, 5)


def test_apscheduler_529_a_day_of_23_hours_was_taken_for_24(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: midnight from Friday over the clock change to Monday: a day too late, for each day was 24 hours long.

    Here: whole days keep the local time; after the short Sunday it is midnight again.
    """
    clock.now = utc("2027-03-12")
    plan = campaign(kickoff="2027-03-12", opens="00:00")
    run(store, [someone(1, time_zone=CHICAGO)], plan)
    lives(engine(), store, clock, "2027-03-17")
    days = [f"{day} Mar 00:00" for day in ("Fri 12", "Sat 13", "Sun 14", "Mon 15", "Tue 16")]
    assert (told_at(store, CHICAGO), len(bag.arrived)) == (days, 5)


def test_apscheduler_1059_it_gave_a_time_that_does_not_exist(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: on the day of the clock change the answer was half past two, which that day does not have.

    Here: it is the first instant after the gap, three o'clock, and there is one message on that day.
    """
    clock.now = utc("2027-03-27")
    run(store, crowd(1), campaign(kickoff="2027-03-27", opens="02:30"))
    lives(engine(), store, clock, "2027-03-28 12:00")
    assert (told_at(store, BERLIN), len(bag.arrived)) == (["Sat 27 Mar 02:30", "Sun 28 Mar 03:00"], 2)


def test_apscheduler_120_nobody_had_said_what_happens_to_the_hour_that_comes_twice(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: what a job does in the hour that comes twice was never laid down, and it ran in both.

    Here: it leaves at the first half past two, and not at the second, though the engine looks at every quarter hour.
    """
    clock.now = utc("2027-10-31")
    run(store, crowd(1), campaign(kickoff="2027-10-31", opens="02:30"))
    running, sent = engine(), []
    for _ in range(12):
        running.tick()
        store.loading.wipe_bookmarks(clock.now)
        sent.append(len(bag.arrived))
        clock.forward(minutes=15)
    assert sent == [0, 0] + [1] * 10  # from 00:30 UTC, which is 02:30 in summer time
