"""What holds of every decision by the clock on the person's wall, near clock changes and whenever it is asked."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.cadence.decide import decide
from commsengine.cadence.history import Campaign, Campaigns, History, Touch
from commsengine.cadence.plan import Plan
from tests.builders import a_message, a_plan, someone

QUARTER, HOUR, DAY = dt.timedelta(minutes=15), dt.timedelta(hours=1), dt.timedelta(days=1)
CHANGES = {
    "Europe/Berlin": ("2027-03-28", "2027-10-31"),
    "America/New_York": ("2027-03-14", "2027-11-07"),
    "America/Santiago": ("2027-04-04", "2027-09-05"),  # at midnight
    "Africa/Casablanca": ("2027-02-07", "2027-03-14"),
    "Asia/Gaza": ("2027-03-27", "2027-10-30"),
    "Australia/Lord_Howe": ("2027-04-04", "2027-10-03"),
    "Pacific/Chatham": ("2027-04-04", "2027-09-26"),
    "Antarctica/Troll": ("2027-03-28", "2027-10-31"),
    "Asia/Kathmandu": ("2027-12-31", "2028-02-29"),
}
WINDOWS = (("09:00", "16:30"), ("02:15", "03:45"), ("01:00", "02:30"), ("00:00", "24:00"), ("23:00", "24:00"))
DAILY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
World = tuple[Campaigns, str, list[dt.datetime]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A campaign around a clock change, the zone of its one person, and when the decisions are asked for."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    first = dt.date.fromisoformat(draw(st.sampled_from(CHANGES[zone]))) - 2 * DAY
    start, end = draw(st.sampled_from(WINDOWS))
    days = draw(st.sampled_from((DAILY, ("mon", "wed", "sat", "sun"))))
    messages = [
        a_message(
            id=f"m{n}", ask=draw(st.sampled_from(("nothing", "acknowledge"))), until=f"{first + 6 * DAY}",
            cadence={"every": draw(st.sampled_from(("24h", "30h", "48h")))},
            **{"from": f"{first} {draw(st.sampled_from(('00:00', '02:30', '03:15', '23:30')))}"},
        )
        for n in range(draw(st.integers(1, 2)))
    ]  # fmt: skip
    plan = a_plan(
        *messages,
        milestones={}, follow_up=[{"after": "2 touches", "do": "remind"}],
        send={
            "channels": ["email"], "holidays": "false", "max_late": draw(st.sampled_from(("15m", "4h", "48h"))),
            "at_most": {"per_day": draw(st.integers(1, 2)), "per_week": 9},
            "window": {"days": days, "from": start, "to": end},
        },
    )  # fmt: skip
    began = dt.datetime.combine(first - DAY, dt.time(), dt.UTC)
    asked = draw(st.sets(st.integers(0, 8 * 288), min_size=5, max_size=30))  # every five minutes
    asked |= draw(st.sets(st.integers(3 * 288 - 144, 4 * 288 + 144), max_size=40))  # and on the day itself
    return Campaigns((Campaign(plan, began),)), zone, [began + n * QUARTER / 3 for n in sorted(asked)]


def minute(wanted: int, date: dt.date, zone: str) -> dt.datetime:
    """The first instant of a date, of those a quarter apart, at which the wall shows that minute or a later one."""
    here = ZoneInfo(zone)
    at = dt.datetime.combine(date, dt.time(), dt.UTC) - 16 * HOUR
    while (wall := at.astimezone(here)).date() < date or (
        wall.date() == date and wall.hour * 60 + wall.minute < wanted
    ):
        at += QUARTER
    return at


def window_of(plan: Plan, now: dt.datetime, zone: str) -> tuple[dt.datetime, dt.datetime]:
    date, window = now.astimezone(ZoneInfo(zone)).date(), plan.send.window
    assert DAILY[date.weekday()] in window.days
    return minute(window.start, date, zone), minute(window.end, date, zone)


@settings(derandomize=True, database=None)
@given(worlds())
def test_whenever_it_is_asked_a_touch_is_within_its_window_its_message_and_once_a_date(world: World) -> None:
    campaigns, zone, asked = world
    plan, person, history = campaigns.running[0].plan, someone(1, time_zone=zone), History()
    made: list[Touch] = []
    for now in asked:
        for touch in decide(campaigns, person, history, now).touches:
            history = history.with_touch(touch, now)
            made.append(touch)
            if not touch.skip:
                opens, closes = window_of(plan, now, zone)
                assert opens <= now < closes
                assert touch.not_after == min(
                    closes, minute(0, plan.message(touch.message).closes.date or now.date(), zone)
                )
            assert touch.due_at <= now
            first = plan.message(touch.message).opens
            assert touch.due_at >= minute(first.time, first.date or now.date(), zone)
            assert touch.local_date == touch.due_at.astimezone(ZoneInfo(zone)).date()
    dates = [(touch.message, touch.local_date, touch.rung) for touch in made]
    assert len(dates) == len(set(dates))
