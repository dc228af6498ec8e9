import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.calendar import Hours, days_there, instant, public_holidays, zone_of
from commsengine.cadence.people import Person
from commsengine.cadence.plan import WEEKDAYS, BlackOut, Plan
from commsengine.cadence.time_notation import Moment
from tests.builders import ANA, BEN, a_plan, utc
from tests.cadence.telling import BERLIN

MIDNIGHT, DAY = 0, 24 * 60


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def plan(holidays: bool = False, **window: Any) -> Plan:
    return a_plan(send={"channels": ["email"], "holidays": str(holidays), "window": window})


def hours(person: Person = BERLIN, *, holidays: bool = False, **window: Any) -> Hours:
    return Hours(plan(holidays, **window), person)


# -- clock changes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone_name", "local_day", "minutes", "expected"),
    [
        ("Europe/Berlin", "2027-03-28", 150, "2027-03-28 01:00"),  # 02:30 does not exist: 03:00 is the first instant
        ("Europe/Berlin", "2027-10-31", 150, "2027-10-31 00:30"),  # 02:30 exists twice: the first
        ("Australia/Lord_Howe", "2027-10-03", 135, "2027-10-02 15:30"),  # a gap of half an hour: 02:15 becomes 02:30
        ("Australia/Lord_Howe", "2027-04-04", 105, "2027-04-03 14:45"),  # 01:45 exists twice, half an hour apart
        ("Africa/Casablanca", "2027-03-14", 150, "2027-03-14 02:00"),  # Ramadan is over: 02:00 becomes 03:00
        ("Africa/Casablanca", "2027-02-07", 150, "2027-02-07 01:30"),  # Ramadan begins: 02:30 exists twice
        ("America/Santiago", "2027-09-05", 0, "2027-09-05 04:00"),  # a midnight that does not exist
        ("America/Santiago", "2027-04-03", DAY, "2027-04-04 04:00"),  # a day of 25 hours
    ],
)
def test_a_local_time_across_clock_changes(zone_name: str, local_day: str, minutes: int, expected: str) -> None:
    assert instant(zone_name, day(local_day), minutes) == utc(expected)


def test_whole_days_keep_the_local_time() -> None:
    assert hours().later(utc("2027-03-26 08:00"), 72 * 60) == utc("2027-03-29 07:00")
    assert hours().later(utc("2027-10-29 07:00"), 72 * 60) == utc("2027-11-01 08:00")


def test_hours_that_are_no_whole_days_are_hours() -> None:
    assert hours().later(utc("2027-03-27 08:00"), 30 * 60) == utc("2027-03-28 14:00")


def test_the_next_local_date_is_always_later() -> None:
    assert hours().next_day(utc("2027-03-27 22:59")) == utc("2027-03-27 23:00")
    assert hours().next_day(utc("2027-03-27 23:00")) == utc("2027-03-28 22:00")  # 23 hours


# -- windows --------------------------------------------------------------------------------------


def test_a_window_opens_and_closes_in_local_time() -> None:
    assert hours(ANA).window(day("2027-01-11")) == (utc("2027-01-11 00:00"), utc("2027-01-11 07:30"))
    assert hours(BEN).window(day("2027-01-11")) == (utc("2027-01-11 14:00"), utc("2027-01-11 21:30"))


def test_a_window_is_open_from_its_first_instant_up_to_without_its_last() -> None:
    window = utc("2027-01-11 08:00"), utc("2027-01-11 15:30")
    assert hours().open_window(window[0]) == window
    assert hours().open_window(window[1] - dt.timedelta(seconds=1)) == window
    assert hours().open_window(window[1]) is None


def test_a_window_to_24_lasts_to_the_end_of_the_day() -> None:
    late = hours(**{"from": "20:00", "to": "24:00"})
    assert late.window(day("2027-01-11")) == (utc("2027-01-11 19:00"), utc("2027-01-11 23:00"))
    assert late.open_window(utc("2027-01-11 23:00")) is None


def test_a_window_inside_a_gap_is_not_there_that_day() -> None:
    night = hours(days=["sun"], **{"from": "02:10", "to": "02:50"})
    assert night.window(day("2027-03-28")) is None
    assert night.next_open(utc("2027-03-27 12:00")) == utc("2027-04-04 00:10")


def test_the_next_open_instant_is_now_or_the_next_opening() -> None:
    assert hours().next_open(utc("2027-01-11 10:00")) == utc("2027-01-11 10:00")
    assert hours().next_open(utc("2027-01-15 15:30")) == utc("2027-01-18 08:00")


def test_nobody_waits_for_a_window_that_never_opens() -> None:
    assert hours(replace(BERLIN, days=frozenset())).next_open(utc("2027-01-11")) is None
    assert hours().next_open(utc("2027-01-16"), before=utc("2027-01-17 12:00")) is None


@pytest.mark.parametrize(
    ("quiet", "window"),
    [((600, 720), (600, 720)), ((0, 600), (540, 600)), ((1000, 1200), (540, 990)), ((720, 600), (540, 990))],
)
def test_a_persons_wish_narrows_the_window_but_never_to_nothing(
    quiet: tuple[int, int], window: tuple[int, int]
) -> None:
    on = day("2027-01-11")
    expected = tuple(instant("Europe/Berlin", on, minutes) for minutes in window)
    assert hours(replace(BERLIN, quiet=quiet)).window(on) == expected


def test_black_out_days_close_the_window_but_are_working_days() -> None:
    out = BlackOut.model_validate("2027-01-12..2027-01-13")
    closed = Hours(plan(), BERLIN, (out,))
    assert closed.next_open(utc("2027-01-11 16:00")) == utc("2027-01-14 08:00")
    assert closed.works(day("2027-01-12"))


def test_open_time_counts_open_windows_only() -> None:
    enough = dt.timedelta(days=9)
    friday_to_monday = hours().open_time(utc("2027-01-15 15:00"), utc("2027-01-18 09:00"), enough)
    assert friday_to_monday == dt.timedelta(hours=1, minutes=30)


# -- days -----------------------------------------------------------------------------------------


def test_epiphany_is_a_holiday_in_bavaria_and_not_in_berlin() -> None:
    bavaria, berlin = (hours(replace(BERLIN, region=region), holidays=True) for region in ("BY", "BE"))
    assert bavaria.next_open(utc("2027-01-06")) == utc("2027-01-07 08:00")
    assert berlin.next_open(utc("2027-01-06")) == utc("2027-01-06 08:00")


def test_holidays_count_only_where_the_plan_says_so() -> None:
    assert hours(holidays=False).works(day("2027-01-01"))
    assert not hours(holidays=True).works(day("2027-01-01"))


def test_a_region_may_be_written_with_its_country() -> None:
    assert public_holidays("DE", "DE-BY", 2027) == public_holidays("DE", "BY", 2027)
    assert public_holidays("de", "by-nowhere", 2027) == public_holidays("DE", "", 2027)
    assert public_holidays("XX", "", 2027) == frozenset()


def test_part_time_days_and_leave_are_no_working_days() -> None:
    part_time = hours(replace(BERLIN, days=frozenset({0, 2}), leave=((day("2027-01-13"), day("2027-01-17")),)))
    assert [n for n in range(11, 25) if part_time.works(dt.date(2027, 1, n))] == [11, 18, 20]
    assert part_time.after_working_days(day("2027-01-11"), 2) == day("2027-01-20")


def test_working_days_count_backwards_too() -> None:
    assert hours().after_working_days(day("2027-01-18"), -2) == day("2027-01-14")
    assert hours().after_working_days(day("2027-01-16"), 0) == day("2027-01-16")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("go_live", "2027-03-14 23:00"),
        ("go_live - 7d", "2027-03-07 23:00"),
        ("go_live + 14d", "2027-03-28 22:00"),
        ("go_live 12:30 + 1d", "2027-03-16 11:30"),
        ("kickoff - 1 working day", "2027-01-07 23:00"),
        ("2027-07-01", "2027-06-30 22:00"),
    ],
)
def test_a_moment_is_the_persons_local_time(moment: str, expected: str) -> None:
    assert hours().instant_of(plan(), Moment.parse(moment)) == utc(expected)


def test_the_plans_zone_serves_whoever_has_none() -> None:
    nowhere = replace(BERLIN, time_zone="")
    assert str(zone_of(nowhere, plan())) == hours(nowhere).zone == "UTC"
    assert str(zone_of(BERLIN, plan())) == hours().zone == "Europe/Berlin"


# -- weekends by country ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "country", "there"),
    [
        ("mon tue wed thu fri", "DE", "mon tue wed thu fri"),
        ("mon tue wed thu fri", "AE", "mon tue wed thu fri"),  # Saturday and Sunday since 2022
        ("mon tue wed thu fri", "SA", "mon tue wed thu sun"),
        ("mon tue wed thu fri", "IL", "mon tue wed thu sun"),
        ("mon tue wed thu fri", "BN", "mon tue wed thu sat"),  # Friday and Sunday are free
        ("mon tue wed thu fri", "", "mon tue wed thu fri"),
        ("mon tue wed thu fri", "XX", "mon tue wed thu fri"),
        ("tue fri", "EG", "tue"),  # days that the plan names: none comes in
        ("fri", "SA", ""),
        ("mon tue wed thu fri sat sun", "SA", "mon tue wed thu fri sat sun"),  # a plan that is sent at weekends
    ],
)
def test_a_working_week_is_that_of_the_country(window: str, country: str, there: str) -> None:
    found = days_there(tuple(window.split()), country)
    assert " ".join(WEEKDAYS[each] for each in sorted(found)) == there


def test_own_days_are_within_the_week_of_the_country() -> None:
    sunday, friday = day("2027-01-17"), day("2027-01-15")
    own = hours(replace(BERLIN, country="SA", days=frozenset({4, 6})))
    assert (own.window(sunday) is None, own.window(friday) is None) == (False, True)
    assert own.works(friday)
    assert not hours(replace(BERLIN, country="SA", days=frozenset({4}))).ever_open
