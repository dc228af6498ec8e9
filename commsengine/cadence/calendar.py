"""Local time made instants: milestones, working days, holidays and send windows of one person under one plan.

Two rules about clock changes hold everywhere. A local time that does not exist (spring) becomes the first instant after
the gap. A local time that exists twice (autumn) is the first of the two. Instants are aware and in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from copy import copy
from functools import lru_cache
from zoneinfo import ZoneInfo

from commsengine.cadence.people import ANYBODY, Person
from commsengine.cadence.plan import WEEKDAYS, BlackOut, Message, Notice, Plan, Window
from commsengine.cadence.time_notation import Moment

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
ASKED_WITHIN = 14 * DAY
"""So long after its day a commitment may still be asked about: the window or the budget may put the question off."""

MONDAY_TO_FRIDAY, SATURDAY_AND_SUNDAY = frozenset(range(5)), frozenset((5, 6))

FAR_DAYS = 800
"""How many days ahead a free day is looked for; beyond this the answer is "never"."""


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def zone_of(person: Person, plan: Plan) -> ZoneInfo:
    return zone(person.time_zone or plan.send.time_zone)


@lru_cache(maxsize=262_144)
def instant(zone_name: str, day: dt.date, minutes: int) -> dt.datetime:
    """The instant of a local wall time, ``minutes`` after midnight (0 to 1440)."""
    here = zone(zone_name)
    wall = dt.datetime.combine(day, dt.time()) + minutes * MINUTE
    found = wall.replace(tzinfo=here).astimezone(dt.UTC)
    if found.astimezone(here).replace(tzinfo=None) == wall:
        return found
    return _end_of_gap(here, wall)


def _end_of_gap(here: ZoneInfo, wall: dt.datetime) -> dt.datetime:
    """The clock change that swallowed ``wall``, found by halving: before it the local clock reads less."""
    before, after = (wall.replace(tzinfo=here, fold=fold).astimezone(dt.UTC) for fold in (1, 0))
    while after - before > dt.timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(here).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


@lru_cache(maxsize=262_144)
def local_date_in(zone_name: str, at: dt.datetime) -> dt.date:
    return at.astimezone(zone(zone_name)).date()


@lru_cache(maxsize=4096)
def public_holidays(country: str, region: str, year: int) -> frozenset[dt.date]:
    """Those of a country, and of a region where it has its own; empty for an unknown country."""
    import holidays  # imported here: it is large, and few commands need it

    country = country.upper()
    own = region.removeprefix(f"{country}-")  # DE-BY is the same as BY
    try:
        return frozenset(holidays.country_holidays(country, subdiv=own or None, years=year))
    except NotImplementedError:  # the library's error for a country or region that it does not know
        return frozenset() if not region else public_holidays(country, "", year)


@lru_cache(maxsize=512)
def weekend(country: str) -> frozenset[int]:
    """The weekdays that are free in a country, 0 is Monday; Saturday and Sunday where it is not known."""
    import holidays  # the same

    try:
        return frozenset(holidays.country_holidays(country.upper()).weekend)
    except NotImplementedError:  # the library's error for a country that it does not know
        return SATURDAY_AND_SUNDAY


@lru_cache(maxsize=4096)
def days_there(days: tuple[str, ...], country: str) -> frozenset[int]:
    """The days of a plan's window for people of a country, 0 is Monday.

    Monday to Friday means the working week: where other days are free, it is the week of that country. Of other days
    those that are free there are left out, unless the plan names Saturday or Sunday: then it is sent at weekends.
    """
    plain = _weekdays(days)
    free = weekend(country) if country and not plain & SATURDAY_AND_SUNDAY else frozenset[int]()
    if not free & plain:
        return plain
    return frozenset(range(7)) - free if plain == MONDAY_TO_FRIDAY else plain - free


class Hours:
    """When one person works and may be written to, under one plan.

    Working days are the person's own (part-time, public holidays and leave out); windows also leave black-out days out.
    """

    def __init__(self, plan: Plan, person: Person, black_out: tuple[BlackOut, ...] = ()) -> None:
        self.zone = person.time_zone or plan.send.time_zone
        self.person = person
        self._black_out = black_out
        window = plan.send.window
        there = days_there(window.days, person.country)
        self._days = there if person.days is None else person.days
        self._send_days = self._days & there
        self._from, self._to = _wished(window, person.quiet)
        self._country = person.country if plan.send.holidays else ""
        self._last_open: dict[dt.datetime, dt.datetime | None] = {}  # all messages of a campaign ask for the same few
        self._windows: dict[dt.date, tuple[dt.datetime, dt.datetime] | None] = {}

    @property
    def same_as(self) -> tuple[object, ...]:
        """People with the same send windows have the same value."""
        region = self.person.region if self._country else ""
        return (
            self.zone,
            self._send_days,
            self._from,
            self._to,
            self._country,
            region,
            self.person.leave,
            self._black_out,
        )

    @property
    def ever_open(self) -> bool:
        return bool(self._send_days)

    def local_date(self, at: dt.datetime) -> dt.date:
        return local_date_in(self.zone, at)

    def midnight(self, day: dt.date) -> dt.datetime:
        return instant(self.zone, day, 0)

    def works(self, day: dt.date) -> bool:
        return day.weekday() in self._days and self._present(day)

    def next_day(self, at: dt.datetime) -> dt.datetime:
        return max(self.midnight(self.local_date(at) + DAY), at + MINUTE)

    def _present(self, day: dt.date) -> bool:
        person = self.person
        for first, last in person.leave:
            if first <= day <= last:
                return False
        return not (self._country and day in public_holidays(self._country, person.region, day.year))

    def after_working_days(self, day: dt.date, count: int) -> dt.date:
        """The working day that lies ``count`` working days after (or, negative, before) ``day``."""
        step = DAY if count >= 0 else -DAY
        left = abs(count)
        for _ in range(FAR_DAYS):
            if not left:
                break
            day += step
            left -= self.works(day)
        return day

    def window(self, day: dt.date) -> tuple[dt.datetime, dt.datetime] | None:
        """When messages may leave on that local date: from the first instant, up to but without the second."""
        if day not in self._windows:
            self._windows[day] = self._window(day)
        return self._windows[day]

    def _window(self, day: dt.date) -> tuple[dt.datetime, dt.datetime] | None:
        if day.weekday() not in self._send_days or not self._present(day):
            return None
        for out in self._black_out:
            if out.first <= day <= out.last:
                return None
        opens, closes = instant(self.zone, day, self._from), instant(self.zone, day, self._to)
        return (opens, closes) if opens < closes else None

    def open_window(self, at: dt.datetime) -> tuple[dt.datetime, dt.datetime] | None:
        window = self.window(self.local_date(at))
        return window if window and window[0] <= at < window[1] else None

    def next_open(self, at: dt.datetime, before: dt.datetime | None = None) -> dt.datetime | None:
        """The first instant from ``at`` on at which messages may leave; ``None`` if there is none for two years.

        Days after ``before`` are not looked at.
        """
        day = self.local_date(at)
        far = day + FAR_DAYS * DAY
        last = far if before is None else min(far, self.local_date(before))
        while day <= last:
            window = self.window(day)
            if window and at < window[1]:
                return max(at, window[0])
            day += DAY
        return None

    def next_opening(self, at: dt.datetime, before: dt.datetime) -> dt.datetime | None:
        # a window that is open by then has opened before
        window = self.open_window(at)
        return self.next_open(at if window is None or window[0] == at else self.next_day(at), before)

    def last_open(self, before: dt.datetime) -> dt.datetime | None:
        if before not in self._last_open:
            self._last_open[before] = self._look_back(before)
        return self._last_open[before]

    def _look_back(self, before: dt.datetime) -> dt.datetime | None:
        day = self.local_date(before)
        for _ in range(FAR_DAYS):
            window = self.window(day)
            if window and window[0] < before:
                return window[0]
            day -= DAY
        return None

    def open_time(self, since: dt.datetime, until: dt.datetime, enough: dt.timedelta) -> dt.timedelta:
        """How long the windows were open between two instants; counting stops once it is more than ``enough``."""
        total = dt.timedelta()
        day, last = self.local_date(since), self.local_date(until)
        while day <= last and total <= enough:
            window = self.window(day)
            if window:
                total += max(dt.timedelta(), min(until, window[1]) - max(since, window[0]))
            day += DAY
        return total

    def later(self, at: dt.datetime, minutes: int) -> dt.datetime:
        """``minutes`` later. Whole days keep the local time across clock changes."""
        days, rest = divmod(minutes, 24 * 60)
        if rest:
            return at + minutes * MINUTE
        local = at.astimezone(zone(self.zone))
        wall = instant(self.zone, local.date() + days * DAY, local.hour * 60 + local.minute)
        return wall + dt.timedelta(seconds=local.second, microseconds=local.microsecond)

    def of(self, message: Message) -> Hours:
        """Those of one message: what is urgent may come at any hour of any day that is no leave of theirs."""
        return self._at_any_hour() if isinstance(message, Notice) and message.urgent else self

    def _at_any_hour(self) -> Hours:
        other = copy(self)
        other._send_days, other._from, other._to = frozenset(range(7)), 0, 24 * 60
        other._country, other._black_out = "", ()
        other._last_open, other._windows = {}, {}
        return other

    def opening(self, plan: Plan, message: Message) -> dt.datetime:
        said_at = message.said_at if isinstance(message, Notice) else None
        return said_at or self.instant_of(plan, message.opens)

    def closing(self, plan: Plan, message: Message) -> dt.datetime:
        """What is said on a day is for that day, as it is where the person lives."""
        said_at = message.said_at if isinstance(message, Notice) else None
        return self.midnight(self.local_date(said_at) + DAY) if said_at else self.instant_of(plan, message.closes)

    def instant_of(self, plan: Plan, moment: Moment) -> dt.datetime:
        """A moment of the plan for this person: without a time of day it is their local midnight."""
        day = plan.milestones[moment.milestone].date if moment.date is None else moment.date
        if moment.working:
            day = self.after_working_days(day, moment.offset)
        else:
            day += moment.offset * DAY
        return instant(self.zone, day, moment.time)


@lru_cache(maxsize=256)
def _weekdays(days: tuple[str, ...]) -> frozenset[int]:
    return frozenset(WEEKDAYS.index(day) for day in days)


def _wished(window: Window, wish: tuple[int, int] | None) -> tuple[int, int]:
    # a wish that leaves nothing of the plan's window is set aside
    if wish is None or not window.meets(wish):
        return window.start, window.end
    return max(window.start, wish[0]), min(window.end, wish[1])


def last_closing(plan: Plan, people: Iterable[Person] = ()) -> dt.datetime:
    """When the last message is closed for all these people; without people, in the plan's own zone."""
    hours = [Hours(plan, person) for person in {person.time_zone: person for person in people or (ANYBODY,)}.values()]
    return max(end for each in hours for message in plan.messages for end in _ends(each, plan, message))


def _ends(hours: Hours, plan: Plan, message: Message) -> Iterator[dt.datetime]:
    yield hours.closing(plan, message)
    if message.asks_on is not None:
        yield hours.instant_of(plan, message.asks_on) + ASKED_WITHIN
