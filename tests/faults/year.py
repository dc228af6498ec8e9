"""A year of daily touches at the very minute that a clock change takes away or doubles, and what they have to be.

What they have to be is read off the clock on the wall, a quarter of an hour after the other, and asks nothing of the
package: the first time on a date at which the wall shows the minute, or a later one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from commsengine.cadence.forecast import forecast, no_answers
from commsengine.cadence.history import Campaign, Campaigns, History, Touch
from commsengine.cadence.plan import Plan
from commsengine.cadence.time_notation import clock_text
from tests.builders import a_message, a_plan, someone

ZONES = (
    "Australia/Lord_Howe",  # half an hour
    "Africa/Casablanca",  # by Ramadan, each year on other days
    "Asia/Gaza",  # by Ramadan and by summer: up to four changes a year
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # and half an hour off
    "Pacific/Chatham",  # 45 minutes off, and changes at 02:45
    "Antarctica/Troll",  # two hours
    "America/Sao_Paulo",  # these have no change any more
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Asia/Tehran",
)

QUARTER, DAY, WEEK = dt.timedelta(minutes=15), dt.timedelta(days=1), dt.timedelta(days=7)
HALF_PAST_TWO = 150


@dataclass(frozen=True)
class Trial:
    """One touch a day, from New Year to a week after the next, each at ``minute`` of the local day."""

    zone: str
    year: int
    minute: int

    @property
    def dates(self) -> list[dt.date]:
        first = dt.date(self.year, 1, 1)
        return [first + n * DAY for n in range((dt.date(self.year + 1, 1, 8) - first).days)]

    def plan(self) -> Plan:
        """Open from a quarter before that minute for two hours and three quarters: longer than any change."""
        window = {
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "from": clock_text(max(0, self.minute - 15)), "to": clock_text(min(24 * 60, self.minute + 150)),
        }  # fmt: skip
        return a_plan(
            a_message(
                cadence={"every": "24h"}, ask="nothing", until=f"{self.dates[-1] + DAY}",
                **{"from": f"{self.dates[0]} {clock_text(self.minute)}"},
            ),
            send={
                "channels": ["email"], "holidays": "false", "window": window, "at_most": {"per_day": 1, "per_week": 7},
            },
        )  # fmt: skip


def trials(zone: str, year: int) -> list[Trial]:
    """One for each minute of the day that lies in the middle of what a change of that year skips or repeats."""
    minutes = {_inside(before, after) for before, after in changes(zone, year)}
    return [Trial(zone, year, minute) for minute in sorted(minutes or {HALF_PAST_TWO})]


def changes(zone: str, year: int) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """What the wall shows right before and at each change."""
    here, end = ZoneInfo(zone), dt.datetime(year + 1, 1, 1, tzinfo=dt.UTC)
    at = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    while at < end:
        soon = at + DAY
        if at.astimezone(here).utcoffset() != soon.astimezone(here).utcoffset():
            while (at + QUARTER).astimezone(here).utcoffset() == at.astimezone(here).utcoffset():
                at += QUARTER
            change = at + QUARTER
            yield (change - dt.timedelta(seconds=1)).astimezone(here), change.astimezone(here)
        at = soon


def _inside(before: dt.datetime, after: dt.datetime) -> int:
    """The middle of the gap or of the overlap, on the quarter."""
    wall = before.replace(tzinfo=None) + dt.timedelta(seconds=1)
    low, high = sorted((wall, after.replace(tzinfo=None)))
    middle = low + (high - low) / 2
    return (middle.hour * 60 + middle.minute) // 15 * 15


def wall_clock(trial: Trial) -> list[dt.datetime]:
    """The instant of each date's touch. What came later because of a gap stays at that later time."""
    here, minute, found = ZoneInfo(trial.zone), trial.minute, []
    for date in trial.dates:
        at = dt.datetime.combine(date, dt.time(), dt.UTC) + dt.timedelta(minutes=minute)
        at -= at.astimezone(here).utcoffset() or dt.timedelta()
        at -= 16 * QUARTER
        while (wall := at.astimezone(here)).date() < date or wall.hour * 60 + wall.minute < minute:
            at += QUARTER
        minute = wall.hour * 60 + wall.minute
        found.append(at)
    return found


def foreseen(trial: Trial) -> Sequence[Touch]:
    """What the package makes of it, by asking for the decisions of a year."""
    first = dt.datetime.combine(trial.dates[0], dt.time(), dt.UTC)
    campaigns = Campaigns((Campaign(trial.plan(), first - WEEK),))
    person = someone(1, time_zone=trial.zone)
    return forecast(campaigns, person, History(), first - WEEK, first + 400 * DAY, no_answers).touches


def misses(trial: Trial) -> list[str]:
    """How the touches differ from one for each date at the instant the wall says; empty is well."""
    touches = foreseen(trial)
    found = [f"{touch.local_date} skipped: {touch.skip}" for touch in touches if touch.skip]
    dates = [touch.local_date for touch in touches]
    if dates != trial.dates:
        twice = sorted({date.isoformat() for date in dates if dates.count(date) > 1})
        never = sorted({date.isoformat() for date in set(trial.dates) - set(dates)})
        found.append(f"twice: {twice}, never: {never}")
    expected = dict(zip(trial.dates, wall_clock(trial), strict=True))
    found += [
        f"{touch.local_date} at {touch.due_at:%H:%M} UTC instead of {expected[touch.local_date]:%H:%M}"
        for touch in touches
        if expected.get(touch.local_date) not in (None, touch.due_at)
    ]
    return found
