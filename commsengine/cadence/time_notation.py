"""The small written forms of a plan: moments (``go_live - 7d``), spans (``48h``), waits (``2 touches``), times of day,
weekdays, shares.

Every form is read from text and written back as the same text, so that a stored plan reads as its author wrote it.
A parser raises ``ValueError`` with a sentence that says what to write instead.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from commsengine.translation import N_, _

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(
    r"(?P<base>\d{4}-\d{2}-\d{2}|[A-Za-z_][\w-]*?)"
    r"(?:[ T](?P<time>\d{1,2}:\d{2}))?"
    r"(?:\s*(?P<sign>[+-])\s*(?P<n>\d{1,4})\s*(?P<unit>d|days?|w|weeks?|working days?))?"
)
_SPAN = re.compile(r"(?P<n>\d{1,5})\s*(?P<unit>m|minutes?|h|hours?|d|days?|w|weeks?)")
_WAIT = re.compile(r"(?P<n>\d{1,3})\s*(?P<unit>touch(?:es)?|working days?)")
_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s*%")
_NO_MOMENT = N_(
    "'{written}' is not a moment; write a milestone or a date, then an offset if wanted: go_live, "
    "2027-03-15, go_live - 7d, kickoff + 2 working days"
)
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}


def _wrong(text: str, written: object) -> ValueError:
    return ValueError(_(text, written=written))


def parse_date(text: object) -> dt.date:
    written = str(text).strip()
    if isinstance(text, dt.date) and not isinstance(text, dt.datetime):
        return text
    if not _DATE.fullmatch(written):
        raise _wrong(N_("'{written}' is not a date; write it as YYYY-MM-DD, for example 2027-03-15"), written)
    try:
        return dt.date.fromisoformat(written)
    except ValueError:
        no_day = N_("'{written}' is not a day of the calendar; check the month and the day (YYYY-MM-DD)")
        raise _wrong(no_day, written) from None


def parse_clock(text: object) -> int:
    """A time of day ``HH:MM`` as minutes after midnight, 0 to 1440 (``24:00`` is the end of the day)."""
    written = str(text).strip()
    found = re.fullmatch(r"(\d{2}):(\d{2})", written)
    if not found:
        raise _wrong(N_("'{written}' is not a time of day; write HH:MM with a colon, for example \"09:30\""), written)
    minutes = int(found[1]) * 60 + int(found[2])
    if int(found[2]) > 59 or minutes > 24 * 60:
        raise _wrong(N_("'{written}' is not a time of day; hours run from 00 to 24, minutes from 00 to 59"), written)
    return minutes


def clock_text(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the plan: a milestone or a date, a local time of day (minutes), an offset in days or working days."""

    milestone: str = ""
    date: dt.date | None = None
    time: int = 0
    offset: int = 0
    working: bool = False

    @classmethod
    def parse(cls, text: object) -> Moment:
        if isinstance(text, Moment):
            return text
        written = str(text).strip()
        found = _MOMENT.fullmatch(written)
        if not found:
            raise _wrong(_NO_MOMENT, written)
        base, unit = found["base"], found["unit"] or ""
        offset = int(found["n"] or 0) * (7 if unit.startswith("week") or unit == "w" else 1)
        dated = bool(_DATE.fullmatch(base))
        return cls(
            milestone="" if dated else base,
            date=parse_date(base) if dated else None,
            time=parse_clock(found["time"].zfill(5)) if found["time"] else 0,
            offset=-offset if found["sign"] == "-" else offset,
            working=unit.startswith("working") and offset != 0,
        )

    def __str__(self) -> str:
        base = self.milestone or (self.date.isoformat() if self.date else "")
        time = f" {clock_text(self.time)}" if self.time else ""
        unit = " working days" if self.working else "d"
        offset = f" {'-' if self.offset < 0 else '+'} {abs(self.offset)}{unit}" if self.offset else ""
        return base + time + offset


@dataclass(frozen=True, slots=True)
class Wait:
    """What a rung waits for: so many touches without an answer, or so many of the person's working days."""

    count: int
    unit: str  # "touches" or "working days"

    @classmethod
    def parse(cls, text: object) -> Wait:
        if isinstance(text, Wait):
            return text
        found = _WAIT.fullmatch(str(text).strip())
        if not found or int(found["n"]) < 1:
            raise _wrong(N_("'{written}' is not a wait; write '2 touches' or '5 working days'"), text)
        return cls(int(found["n"]), "touches" if found["unit"].startswith("touch") else "working days")

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"


def parse_span(text: object) -> int:
    """A span of time such as ``48h``, ``4h``, ``30m``, ``3 days`` or ``2 weeks``, in minutes."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    found = _SPAN.fullmatch(str(text).strip())
    if not found:
        raise _wrong(N_("'{written}' is not a span of time; write a number and a unit: 48h, 3 days, 2 weeks"), text)
    return int(found["n"]) * _MINUTES[found["unit"][0]]


def span_text(minutes: int) -> str:
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def _working_days(text: object) -> int:
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    found = _WAIT.fullmatch(str(text).strip())
    if not found or found["unit"].startswith("touch") or int(found["n"]) < 1:
        raise _wrong(N_("'{written}' is not a number of working days; write for example '2 working days'"), text)
    return int(found["n"])


_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS = {written: index for index, name in enumerate(_WEEK) for written in (name, name[:3])}


def weekdays_in(text: str, names: Mapping[str, int] = WEEKDAYS) -> frozenset[int]:
    """The days, 0 is Monday, of ``mon-fri`` or ``mon tue, thu``; a stretch may go over Sunday (``sun-thu``)."""
    days = set[int]()
    for part in re.split(r"[,;/\s]+", text.lower().strip()):
        first, dash, last = part.partition("-")
        if first not in names or (dash and last not in names):
            no_day = N_("'{written}' is not a weekday; write the days, such as 'mon tue wed' or 'mon-thu'")
            raise _wrong(no_day, part or text)
        start, end = names[first], names[last or first]
        days |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return frozenset(days)


def _a_part_of_one(written: object) -> object:
    found = _PERCENT.fullmatch(written.strip()) if isinstance(written, str) else None
    return float(found[1].replace(",", ".")) / 100 if found else written


def _schema(description: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, "examples": [example]})


def _text(write: Any) -> PlainSerializer:
    return PlainSerializer(write, return_type=str)


MomentText = Annotated[
    Moment,
    BeforeValidator(Moment.parse),
    _text(str),
    _schema("a milestone or a date, with an offset if wanted", "go_live - 7d"),
]
WaitText = Annotated[Wait, BeforeValidator(Wait.parse), _text(str), _schema("touches or working days", "2 touches")]
Span = Annotated[int, BeforeValidator(parse_span), _text(span_text), _schema("a span of time", "48h")]
Clock = Annotated[int, BeforeValidator(parse_clock), _text(clock_text), _schema("HH:MM", "09:00")]
Day = Annotated[dt.date, BeforeValidator(parse_date), _text(str), _schema("YYYY-MM-DD", "2027-03-15")]
Share = Annotated[float, BeforeValidator(_a_part_of_one, json_schema_input_type=float | str)]
"""A part of 1, which may be written in percent: ``50%`` is 0.5."""
WorkingDays = Annotated[
    int,
    BeforeValidator(_working_days),
    _text(lambda days: f"{days} working days"),
    _schema("working days", "5 working days"),
]
