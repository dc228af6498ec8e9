"""Small phrases in plain words: dates in a person's language, how often something comes, subjects of one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from commsengine.cadence.plan import Cadence
from commsengine.content.slots import clean
from commsengine.translation import N_, _, counted

SUBJECT_LENGTH = 78
_ENGLISH = "EEEE, d MMMM y"

UNCLEAR = "unclear"
"""The explanation of a check: what was not clear is said again before anything else."""

FIRST = ("text", "why", "your_job")
"""The first touch: the author's own text, why it happens, what it means for the person."""

LATER = ("skills", "measures", "results", "why", "your_job", "text")
"""Later touches take one each, beginning with what has not been said yet."""

TITLES = {
    "why": N_("Why"),
    "your_job": N_("What changes for you"),
    "skills": N_("What you will learn"),
    "measures": N_("How we will see that it works"),
    "results": N_("What we expect from it"),
    "text": "",
    UNCLEAR: "",
}
"""What a template may put above each."""

VARIANTS = 4
"""How many ways a later touch opens; they alternate, so that even a message with one side never repeats its words."""


@lru_cache(maxsize=4096)
def day_text(day: dt.date, language: str) -> str:
    """``Monday, 15 March 2027``, or as the language writes it; English where the language is unknown."""
    locale = _locale(language)
    if locale is None or (locale.language == "en" and locale.territory is None):
        return format_date(day, _ENGLISH, locale="en")
    return format_date(day, "full", locale=locale)


@lru_cache(maxsize=256)
def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return None


def often(cadence: Cadence, *, on_trial: bool = False) -> str:
    """A cadence as a sentence; ``on_trial`` where chance gives some people another."""
    if cadence.every is None and on_trial:
        return _("It comes again and again while it is open.")
    if cadence.every is None:
        return _("It comes often while it is new, and rarely once it is remembered.")
    span = _span(cadence.every)
    if cadence.times == 1:
        return _("It comes once.")
    if cadence.times:
        return _("It comes every {span}, {times} times at most.", span=span, times=cadence.times)
    return _("It comes every {span} while it is open.", span=span)


def _span(minutes: int) -> str:
    weeks, days, hours = minutes // (7 * 24 * 60), minutes // (24 * 60), minutes // 60
    if minutes % (7 * 24 * 60) == 0:
        return _("week") if weeks == 1 else counted(weeks, "week", "weeks")
    if minutes % (24 * 60) == 0:
        return _("day") if days == 1 else counted(days, "day", "days")
    if minutes % 60 == 0:
        return counted(hours, "hour", "hours")
    return _("{minutes} minutes", minutes=minutes)


def header(text: str, limit: int = 0) -> str:
    """A value for a header: one line, nothing that a mail program would decode, cut at a word after ``limit``."""
    line = clean(text).replace("=?", "= ?")
    return shortened(line, limit) if limit else line


def shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    return cut[: cut.rfind(" ") if " " in cut[limit // 2 :] else len(cut)].rstrip(" ,;:-–.") + "…"


def angles(having: Collection[str], number: int) -> tuple[str, ...]:
    """The angles of the ``number``-th touch (from 1), of those that have a text."""
    if UNCLEAR in having:
        return (UNCLEAR,)
    first = tuple(angle for angle in FIRST if angle in having)
    later = tuple(angle for angle in LATER if angle in having)
    if number == 1:
        return first or later[:1]
    return (later[(number - 2) % len(later)],) if later else ()


def variant(number: int) -> int:
    """0 for the first touch, then 1, 2, 3, 0, 1, …"""
    return (number - 1) % VARIANTS
