"""The clock: changes of the hour, leap days, year ends, clocks that jump, and zones that get other rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from commsengine.cadence.calendar import zone
from commsengine.cadence.forecast import forecast, nobody
from commsengine.cadence.history import Campaign, Campaigns, History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag
from tests.faults.year import Trial, misses, trials

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
        *trials("Australia/Lord_Howe", 2028),
        *trials("Asia/Gaza", 2030)[:1],
        *trials("Antarctica/Troll", 2027),
        *trials("America/Santiago", 2027)[:1],  # a midnight that does not exist
    ],
    ids=lambda trial: f"{trial.zone}-{trial.year}-{trial.minute}",
)
def test_g6_a_daily_touch_inside_a_clock_change_comes_once_on_each_date(trial: Trial) -> None:
    assert misses(trial) == []


def play(engine: MakeEngine, store: Store, clock: Clock, until: str) -> None:
    """A running engine, woken whenever somebody is due."""
    running = engine()
    while True:
        running.tick()
        following = store.touches.next_wake()
        if following is None or following >= utc(until):
            return
        clock.now = max(clock.now, following)


def made(store: Store, *campaigns: str) -> list[Made]:
    rows = [row for campaign in campaigns or ("crm",) for row in store.touches.list(campaign)]
    return sorted((row.person_id or "", row.local_date or dt.date.min, row.due_at, row.reason) for row in rows)


def foretold(plan: Plan, people: Sequence[Person], start: str, until: str) -> list[Made]:
    campaigns = Campaigns((Campaign(plan, utc(start)),))
    told = [forecast(campaigns, person, History(), utc(start), utc(until), nobody) for person in people]
    return sorted((t.person, t.local_date, t.due_at, t.skip) for one in told for t in one.touches)


def test_g6_the_engine_does_across_clock_changes_what_the_forecast_says(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag
) -> None:
    zones = ("Europe/Berlin", "Asia/Gaza", "Antarctica/Troll", "Pacific/Chatham", "Australia/Lord_Howe")
    people = [someone(n, time_zone=zone) for n, zone in enumerate(zones)]
    plan = a_night_plan("2027-03-25 02:30", "2027-04-06", **{"from": "01:00", "to": "04:30"})
    run(store, people, plan, started="2027-03-22")
    clock.now = utc("2027-03-22")
    play(engine, store, clock, "2027-04-10")
    assert made(store) == foretold(plan, people, "2027-03-22", "2027-04-10")
    dates = [dt.date(2027, 3, 25) + dt.timedelta(days=n) for n in range(12)]
    assert [(person, date) for person, date, _, _ in made(store)] == [(p.id, date) for p in people for date in dates]
    assert len(bag.arrived) == len({message.key for message in bag.arrived}) == 60


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
