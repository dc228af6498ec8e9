"""Rules about time: dates in a sensible order, windows that open, and numbers of touches that people can bear."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import islice

from commsengine.authoring.draft import FIRST_YEAR, LAST_YEAR, Draft, planned
from commsengine.authoring.people.clocks import by_another_clock
from commsengine.authoring.people.regions import without_region
from commsengine.authoring.people.time_zones import zone_fix
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.cadence.audience import members
from commsengine.cadence.calendar import DAY, instant, zone
from commsengine.cadence.people import END_OF_DAYS
from commsengine.cadence.plan import WEEKDAYS, Workspace
from commsengine.cadence.population import PeopleGroup, Population
from commsengine.cadence.time_notation import clock_text
from commsengine.errors import Problem
from commsengine.translation import N_, _, counted

MOST_TOUCHES = 10_000
DAY_MINUTES = 24 * 60
NIGHT_ENDS = 5 * 60
MOST_DAYS = 3 * 366
MOST_COUNTRIES = 5
MOST_SPAN = 366 * 24 * 60
"""Minutes: whatever repeats less than once a year is a slip of the pen."""


def years_are_plausible(draft: Draft) -> Iterator[Problem]:
    dated: list[tuple[YamlPath, dt.date]] = [(path, m.date) for path, m in draft.moments() if m.date is not None]
    dated += [(("milestones", name, "date"), m.date) for name, m in draft.plan.milestones.items()]
    for path, day in dated:
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            fix = _("Write one from {first} to {last}.", first=FIRST_YEAR, last=LAST_YEAR)
            yield draft.error(path, "bad_year", _("The year {year:04d} is probably a mistake.", year=day.year), fix)


def messages_end_after_they_begin(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        opens, closes = draft.instant(message.opens), draft.instant(message.closes)
        if opens and closes and closes <= opens:
            first, last = (f"{at:%Y-%m-%d %H:%M}".removesuffix(" 00:00") for at in (opens, closes))
            cause = _("'{message}' begins on {first} and ends on {last}.", message=message.id, first=first, last=last)
            fix = _("Write a later 'until' or an earlier 'from'.")
            yield draft.error((*path, "until"), "ends_before_start", cause, fix)


def commitments_follow_the_message(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        if message.commit is None or message.commit.by is None:
            continue
        opens, day = draft.instant(message.opens), draft.instant(message.commit.by)
        if opens and day and day <= opens:
            cause = N_("'{message}' begins on {first:%Y-%m-%d}, and its commitment is due on {day:%Y-%m-%d}.")
            cause = _(cause, message=message.id, first=opens, day=day)
            yield draft.error((*path, "commit", "by"), "commitment_too_early", cause, _("Write a later 'by'."))


def phases_follow_each_other(draft: Draft) -> Iterator[Problem]:
    before: tuple[str, dt.datetime] | None = None
    for name, phase in draft.plan.phases.items():
        ends = draft.instant(phase.until)
        if ends and before and ends <= before[1]:
            too_early = N_("The phase '{phase}' ends on {day}, not after '{earlier}' before it ({earlier_day}).")
            days = {"day": f"{ends:%Y-%m-%d}", "earlier_day": f"{before[1]:%Y-%m-%d}"}
            cause = _(too_early, phase=name, earlier=before[0], **days)
            fix = _("Write the phases in the order of time.")
            yield draft.error(("phases", name, "until"), "phase_order", cause, fix)
        before = (name, ends) if ends else before


def touches_are_bearable(draft: Draft) -> Iterator[Problem]:
    total = 0
    for path, message in draft.messages():
        every, count = message.cadence.every or 0, planned(draft, message) or 0
        if every > MOST_SPAN:
            cause = _("'{message}' would be sent once in {days} days.", message=message.id, days=every // 1440)
            yield draft.error((*path, "cadence", "every"), "bad_span", cause, _("Write a span of at most a year."))
        total += count
        if count > MOST_TOUCHES or (total > MOST_TOUCHES >= total - count):
            cause = _("One person would get {total:,} messages, more than {most:,}.", total=total, most=MOST_TOUCHES)
            fix = _("Write 'times', an earlier 'until' or a longer 'every'.")
            yield draft.error((*path, "cadence"), "too_many_touches", cause, fix)


def windows_open(draft: Draft, workspace: Workspace) -> Iterator[Problem]:
    for path, message in draft.messages():
        opens, closes = draft.instant(message.opens), draft.instant(message.closes)
        if opens and closes and opens < closes and not _a_day_open(draft, workspace, opens, closes):
            cause = _("No send window is open between 'from' and 'until' of '{message}'.", message=message.id)
            fix = _("Move one of them, or allow more days in 'send.window'.")
            yield draft.error((*path, "until"), "never_open", cause, fix)


def _a_day_open(draft: Draft, workspace: Workspace, opens: dt.datetime, closes: dt.datetime) -> bool:
    window = draft.plan.send.window
    day = opens.date()
    while day <= closes.date():
        begins = dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(minutes=window.start)
        ends = begins + dt.timedelta(minutes=window.end - window.start)
        out = any(black.first <= day <= black.last for black in workspace.black_out)
        if WEEKDAYS[day.weekday()] in window.days and not out and begins < closes and ends > opens:
            return True
        day += DAY
    return False


def budget_is_stricter(draft: Draft, workspace: Workspace) -> Iterator[Problem]:
    own, common = draft.plan.send.at_most, workspace.at_most
    for name, mine, most in (("per_day", own.per_day, common.per_day), ("per_week", own.per_week, common.per_week)):
        if mine > most:
            looser = N_("'{key}: {own}' is looser than workspace.yaml, which allows {most} over all campaigns.")
            cause = _(looser, key=name, own=mine, most=most)
            fix = _("Write '{key}: {most}' or less.", key=name, most=most)
            yield draft.error(("send", "at_most", name), "loose_budget", cause, fix)


def repeats_fit(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        times, fit = message.cadence.times, planned(draft, message)
        if times and fit is not None and 0 < fit < times:
            too_many = N_("Only {number} of the {times} repeats of '{message}' fit between 'from' and 'until'.")
            cause = _(too_many, number=fit, times=times, message=message.id)
            fix = _("Write fewer, or a later 'until'.")
            yield draft.advice((*path, "cadence", "times"), "repeats_do_not_fit", cause, fix)


def clock_changes(draft: Draft, zones: set[str]) -> Iterator[Problem]:
    for path, moment in draft.moments():
        if moment.time and (at := draft.instant(moment)):
            for name in sorted(zones):
                yield from _in_a_gap(draft, path, name, at.date(), moment.time)


def windows_in_gaps(draft: Draft, zones: set[str]) -> Iterator[Problem]:
    # In each zone, the first day on which the window opens or closes at a time that the clock change leaves out.
    window, first, last = draft.plan.send.window, *_span(draft)
    edges: list[tuple[YamlPath, int]] = [
        (("send", "window", "from"), window.start),
        (("send", "window", "to"), window.end),
    ]
    if first is None or last is None or min(window.start % DAY_MINUTES, window.end % DAY_MINUTES) >= NIGHT_ENDS:
        return  # clocks change at night: the window of an office never meets it
    days = [first + DAY * number for number in range((last - first).days + 1)]
    days = [day for day in days if WEEKDAYS[day.weekday()] in window.days]
    for name in sorted(zones):
        gaps = (gap for day in days for path, minutes in edges for gap in _in_a_gap(draft, path, name, day, minutes))
        yield from islice(gaps, 1)


def _span(draft: Draft) -> tuple[dt.date | None, dt.date | None]:
    opens = [at.date() for _path, message in draft.messages() if (at := draft.instant(message.opens))]
    closes = [at.date() for _path, message in draft.messages() if (at := draft.instant(message.closes))]
    if not opens or not closes or max(closes) - min(opens) > MOST_DAYS * DAY:
        return None, None
    return min(opens), max(closes)


def _in_a_gap(draft: Draft, path: YamlPath, name: str, day: dt.date, minutes: int) -> Iterator[Problem]:
    if zone_fix(name):
        return
    used = instant(name, day, minutes).astimezone(zone(name))
    if 0 < minutes < DAY_MINUTES and used.hour * 60 + used.minute != minutes:
        left_out = N_("{time} does not exist on {day} in {place}: clocks change; {used} is used.")
        cause = _(left_out, time=clock_text(minutes), day=day, place=name, used=f"{used:%H:%M}")
        yield draft.advice(path, "clock_change", cause, _("Write another time if that matters."))


def holidays_need_a_region(draft: Draft, people: Population) -> Iterator[Problem]:
    first, last = _span(draft)
    if not draft.plan.send.holidays or first is None or last is None:
        return
    audience = _working(draft, people)
    for found in without_region(audience, first, last):
        yield draft.advice(("send", "holidays"), "no_region", found.cause, found.fix)


def _working(draft: Draft, people: Population) -> list[PeopleGroup]:
    groups = people.groups(draft.plan)
    here = {person.id for person, _role in members(draft.plan, (group.first for group in groups), END_OF_DAYS)}
    return [group for group in groups if group.first.id in here]


def clocks_need_a_zone(draft: Draft, people: Population) -> Iterator[Problem]:
    here = draft.plan.send.time_zone
    audience = _working(draft, people)
    if zone_fix(here) or not (found := by_another_clock(audience, here)):
        return
    total = counted(sum(found.values()), "person without a time zone is", "people without a time zone are")
    countries = ", ".join([f"{country} ({count:,})" for country, count in found.items()][:MOST_COUNTRIES])
    window = draft.plan.send.window
    text = N_(
        "{people} in countries with another clock, such as {countries}: {first} to {last} is that of {zone} for them."
    )
    hours = {"first": clock_text(window.start), "last": clock_text(window.end)}
    cause = _(text, people=total, countries=countries, zone=here, **hours)
    yield draft.advice(
        ("send", "time_zone"), "no_time_zone", cause, _("Fill the column 'time_zone' of the people file.")
    )


PEOPLE_RULES = (holidays_need_a_region, clocks_need_a_zone)
RULES = (
    years_are_plausible,
    messages_end_after_they_begin,
    commitments_follow_the_message,
    phases_follow_each_other,
    touches_are_bearable,
)
