"""Dates as people and systems write them; day before month or after it is decided by the whole file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from commsengine.authoring.people.headings import bare
from commsengine.cadence.time_notation import parse_date
from commsengine.translation import _

Order = Literal["", "day first", "month first"]

_TIME = r"(?:[T ,]+\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:\.\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)?"
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _TIME)
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_NUMBERS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})" + _TIME)
_NAMED = re.compile(
    r"(?:[^\W\d]+\.?,? +)?(\d{1,2})(?:st|nd|rd|th|\.|º|er)?[ -]*(?:de |of )?([^\W\d]+)\.?[ ,-]*(?:de )?(\d{4}|\d{2})"
    + _TIME
)
_NAMED_FIRST = re.compile(r"(?:[^\W\d]+, )?([^\W\d]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})" + _TIME)
_SERIAL = re.compile(r"[2-7]\d{4}(\.\d+)?")
_EPOCH = dt.date(1899, 12, 30)


@dataclass
class DateForms:
    """What the dates of a column, or of all of them, say about their order."""

    day_first: bool = False
    month_first: bool = False

    def count(self, cell: str) -> None:
        if ("/" in cell or "-" in cell) and (found := _NUMBERS.fullmatch(cell)):
            self.day_first |= int(found[1]) > 12
            self.month_first |= int(found[3]) > 12

    @property
    def order(self) -> Order:
        if self.day_first == self.month_first:
            return ""
        return "day first" if self.day_first else "month first"


class DateError(ValueError):
    """A date that is none, or may be two; the cause and what to write instead."""

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.cause, self.fix = cause, fix


def written_date(text: str, order: Order = "") -> dt.date:
    """Raises ``DateError``."""
    if found := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return _day(text, *map(int, found.groups()[:3]))
    if found := _NUMBERS.fullmatch(text):
        return _of_numbers(text, found, "day first" if found[2] == "." else order)
    if _SERIAL.fullmatch(text):
        return _EPOCH + dt.timedelta(days=int(float(text)))
    if (found := _NAMED.fullmatch(text)) and (month := _months().get(bare(found[2]))):
        return _day(text, _year(found[3]), month, int(found[1]))
    if (found := _NAMED_FIRST.fullmatch(text)) and (month := _months().get(bare(found[1]))):
        return _day(text, _year(found[3]), month, int(found[2]))
    return _day_of_ours(text)


def _of_numbers(text: str, found: re.Match[str], order: Order) -> dt.date:
    first, second, year = int(found[1]), int(found[3]), _year(found[4])
    if first > 12 or order == "day first" or first == second:
        return _day(text, year, second, first)
    if second > 12 or order == "month first":
        return _day(text, year, first, second)
    one, other = _day(text, year, second, first), _day(text, year, first, second)
    cause = _(
        "'{written}' may be {one} or {other}, and no date of the file says which.", written=text, one=one, other=other
    )
    raise DateError(cause, _("Write dates as YYYY-MM-DD."))


def _day(text: str, year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        cause = _("'{written}' is not a day of the calendar.", written=text)
        raise DateError(cause, _("Check the month and the day (YYYY-MM-DD).")) from None


def _day_of_ours(text: str) -> dt.date:
    try:
        return parse_date(text)
    except ValueError as error:
        cause, _semicolon, fix = str(error).partition("; ")
        raise DateError(f"{cause}.", f"{fix[0].upper()}{fix[1:]}.") from None


def _year(text: str) -> int:
    return int(text) + (2000 if int(text) < 70 else 1900) * (len(text) == 2)


@cache
def _months() -> Mapping[str, int]:
    from babel import Locale  # noqa: PLC0415 - it is large, and few commands need it

    found: dict[str, int] = {}
    for language in ("en", "de", "fr", "es"):
        names = Locale(language).months
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in names[form][width].items():
                    found.setdefault(bare(name), number)
    return found | {"mrz": 3, "sept": 9, "okt": 10, "dez": 12, "mai": 5}


def is_date(text: str) -> bool:
    """Whether a cell is a date in one order or the other."""
    try:
        written_date(text, "day first")
    except DateError:
        return bool(_NUMBERS.fullmatch(text))
    return True
