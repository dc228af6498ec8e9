"""Dates and cadences in words: a day as a language writes it, and how often something comes."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from commsengine.cadence.kinds_and_states import ENDINGS, Ending
from commsengine.cadence.plan import Cadence, Milestone
from commsengine.cadence.told import is_week, monday_of
from commsengine.translation import _, counted

_ENGLISH = "EEEE, d MMMM y"


@lru_cache(maxsize=4096)
def day_text(day: dt.date, language: str) -> str:
    """``Monday, 15 March 2027``, or as the language writes it; English where the language is unknown."""
    locale = _locale(language)
    if locale is None or (locale.language == "en" and locale.territory is None):
        return format_date(day, _ENGLISH, locale="en")
    return format_date(day, "full", locale=locale)


def milestone_text(milestone: Milestone, language: str) -> str:
    """The day, or until it is firm ``planned for the week of 15 March 2027``."""
    if milestone.firm:
        return day_text(milestone.date, language)
    return _("planned for the week of {day}", day=short_day_text(monday_of(milestone.date), language))


def told_text(date: str, language: str) -> str:
    """What a person has read, from how it is kept (``cadence/told.py``)."""
    return milestone_text(Milestone(date=dt.date.fromisoformat(date), firm=not is_week(date)), language)


@lru_cache(maxsize=4096)
def short_day_text(day: dt.date, language: str) -> str:
    """``15 March 2027``, or as the language writes it."""
    locale = _locale(language)
    if locale is None or (locale.language == "en" and locale.territory is None):
        return format_date(day, "d MMMM y", locale="en")
    return format_date(day, "long", locale=locale)


@lru_cache(maxsize=256)
def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return None


def ending_text(ending: Ending, day: dt.date | None, language: str) -> str:
    """``Done``, ``Promised for Monday, 15 March 2027`` or ``Not planned``."""
    return _("Promised for {day}", day=day_text(day, language)) if day else _(ENDINGS[ending])


def often(cadence: Cadence, *, on_trial: bool = False) -> str:
    """A cadence as a sentence; ``on_trial`` where chance gives some people another."""
    if cadence.every is None and on_trial:
        return _("You get this several times until it ends.")
    if cadence.every is None:
        return _("You get this often at first, then less and less.")
    span = _span(cadence.every)
    if cadence.times == 1:
        return _("This is sent once.")
    if cadence.times:
        return _("You get this every {span}, at most {times} times.", span=span, times=cadence.times)
    return _("You get this every {span} until it ends.", span=span)


def _span(minutes: int) -> str:
    weeks, days, hours = minutes // (7 * 24 * 60), minutes // (24 * 60), minutes // 60
    if minutes % (7 * 24 * 60) == 0:
        return _("week") if weeks == 1 else counted(weeks, "week", "weeks")
    if minutes % (24 * 60) == 0:
        return _("day") if days == 1 else counted(days, "day", "days")
    if minutes % 60 == 0:
        return counted(hours, "hour", "hours")
    return _("{minutes} minutes", minutes=minutes)
