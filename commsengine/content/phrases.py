"""Dates, times and cadences in words: as the language in use writes them, and how often something comes.

Each text about a day is for people; where a ``language`` is given, it is in that one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time

from commsengine.cadence.kinds_and_states import ENDINGS, Ending
from commsengine.cadence.plan import Cadence, Milestone, Plan
from commsengine.cadence.told import is_week, monday_of
from commsengine.translation import N_, _, counted, install, language_in_use

Style = Literal[
    "full", "long", "weekday", "short weekday", "brief", "brief with year", "month and day", "short month and day"
]

_MILESTONE = re.compile(r"\{\{\s*milestones\.([\w-]+)\s*\}\}")

_STYLES: dict[Style, tuple[str, str]] = {
    "full": ("EEEE, d MMMM y", "full"),
    "long": ("d MMMM y", "long"),
    "weekday": ("EEEE", "EEEE"),
    "short weekday": ("EEE", "EEE"),
    "brief": ("EEE d MMM", "MMMEd"),
    "brief with year": ("EEE d MMM y", "yMMMEd"),
    "month and day": ("d MMMM", "MMMMd"),
    "short month and day": ("d MMM", "MMMd"),
}
"""Each way to write a day: its pattern in plain English, and the format or skeleton for every other language."""
_FORMATS = ("full", "long", "EEEE", "EEE")


def day_text(day: dt.date, language: str = "") -> str:
    """``Monday, 15 March 2027``, or as the language writes it; English where the language is unknown."""
    return _written(day, language or language_in_use(), "full")


def short_day_text(day: dt.date, language: str = "") -> str:
    """``15 March 2027``"""
    return _written(day, language or language_in_use(), "long")


def weekday_text(day: dt.date, *, short: bool = False) -> str:
    """``Monday``, or ``short`` ``Mon``."""
    return _written(day, language_in_use(), "short weekday" if short else "weekday")


def brief_day_text(day: dt.date, *, year: bool = False) -> str:
    """``Mon 15 Mar``, with the ``year`` ``Mon 15 Mar 2027``."""
    return _written(day, language_in_use(), "brief with year" if year else "brief")


def month_day_text(day: dt.date, *, short: bool = False) -> str:
    """``15 March``, or ``short`` ``15 Mar``."""
    return _written(day, language_in_use(), "short month and day" if short else "month and day")


def time_text(at: dt.datetime | dt.time, *, seconds: bool = False) -> str:
    """``10:14`` of a time in the zone it is shown in; with ``seconds`` ``10:14:05``."""
    locale = _locale(language_in_use())
    if locale is None or _plain_english(locale):
        return format_time(at, "HH:mm:ss" if seconds else "HH:mm", locale="en")
    return format_time(at, "medium" if seconds else "short", locale=locale)


def moment_text(at: dt.datetime, day: str = "", *, seconds: bool = False) -> str:
    """``Mon 15 Mar 10:14``, or another ``day`` before the time."""
    return _("{day} {time}", day=day or brief_day_text(at), time=time_text(at, seconds=seconds))


@lru_cache(maxsize=4096)
def _written(day: dt.date, language: str, style: Style) -> str:
    locale, (english, theirs) = _locale(language), _STYLES[style]
    if locale is None or _plain_english(locale):
        return format_date(day, english, locale="en")
    if theirs in _FORMATS:
        return format_date(day, theirs, locale=locale)
    return format_skeleton(theirs, day, locale=locale)


def _plain_english(locale: Locale) -> bool:
    return locale.language == "en" and locale.territory is None


def milestone_text(milestone: Milestone, language: str) -> str:
    """The day, or until it is firm ``planned for the week of 15 March 2027``."""
    if milestone.firm:
        return day_text(milestone.date, language)
    return _("planned for the week of {day}", day=short_day_text(monday_of(milestone.date), language))


def with_dates(text: str, milestones: Mapping[str, Milestone]) -> str:
    """A text of a plan for its lead: with the days of milestones, and other placeholders as they are."""

    def day(found: re.Match[str]) -> str:
        milestone = milestones.get(found[1])
        return milestone_text(milestone, language_in_use()) if milestone else found[0]

    return _MILESTONE.sub(day, text)


def told_text(date: str, language: str) -> str:
    """What a person has read, from how it is kept (``cadence/told.py``)."""
    return milestone_text(Milestone(date=dt.date.fromisoformat(date), firm=not is_week(date)), language)


@lru_cache(maxsize=256)
def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return None


def install_words(environment: Any) -> None:
    """Gives the templates of pages the catalogs, and days and times as filters."""
    install(environment)
    days = (day_text, short_day_text, weekday_text, brief_day_text, month_day_text)
    words = (*days, time_text, moment_text)
    environment.filters |= {word.__name__: word for word in words}


def headed(title: str, text: str) -> str:
    """``One customer record: 2 open questions``."""
    return _("{title}: {text}", title=title, text=text)


def ending_text(ending: Ending, day: dt.date | None, language: str = "") -> str:
    """``Done``, ``Promised for Monday, 15 March 2027`` or ``Not planned``."""
    return _("Promised for {day}", day=day_text(day, language)) if day else _(ENDINGS[ending])


EXPLAIN = N_("Please explain it to me")
"""What a button asks; it is kept in English."""


def question_text(asked: str, plan: Plan, theirs: Plan) -> str:
    """What a person asked: in their words, or those of the button with its check as ``theirs`` says it.

    The check is kept in the words of ``plan``; ``theirs`` is the same plan in the language of the reader.
    """
    if not asked.startswith(EXPLAIN):
        return asked
    about = asked.removeprefix(EXPLAIN)
    said = {f" ({text})": f" ({theirs.texts.get(name, text)})" for name, text in plan.texts.items()}
    return _(EXPLAIN) + said.get(about, about)


def often(cadence: Cadence, *, on_trial: bool = False) -> str:
    """A cadence as a sentence; ``on_trial`` where chance gives some people another."""
    if cadence.every is None and on_trial:
        return _("You get this several times until it ends.")
    if cadence.every is None:
        return _("You get this often at first, then less and less.")
    if cadence.times == 1:
        return _("This is sent once.")
    return _every(cadence.every, cadence.times or 0)


_WEEK, _DAY, _HOUR = 7 * 24 * 60, 24 * 60, 60


def _every(minutes: int, times: int) -> str:
    # A whole sentence for each unit: languages bend the words of one.
    if minutes % _WEEK == 0:
        return _every_week(minutes // _WEEK, times)
    if minutes % _DAY == 0:
        return _every_day(minutes // _DAY, times)
    if minutes % _HOUR == 0:
        return _every_hour(minutes // _HOUR, times)
    if times:
        return _("You get this every {number} minutes, at most {times} times.", number=minutes, times=times)
    return _("You get this every {number} minutes until it ends.", number=minutes)


def _every_week(weeks: int, times: int) -> str:
    if not times:
        return counted(
            weeks, "You get this every week until it ends.", "You get this every {number} weeks until it ends."
        )
    return counted(
        weeks,
        "You get this every week, at most {times} times.",
        "You get this every {number} weeks, at most {times} times.",
        times=times,
    )


def _every_day(days: int, times: int) -> str:
    if not times:
        return counted(days, "You get this every day until it ends.", "You get this every {number} days until it ends.")
    return counted(
        days,
        "You get this every day, at most {times} times.",
        "You get this every {number} days, at most {times} times.",
        times=times,
    )


def _every_hour(hours: int, times: int) -> str:
    if not times:
        return counted(
            hours, "You get this every hour until it ends.", "You get this every {number} hours until it ends."
        )
    return counted(
        hours,
        "You get this every hour, at most {times} times.",
        "You get this every {number} hours, at most {times} times.",
        times=times,
    )
