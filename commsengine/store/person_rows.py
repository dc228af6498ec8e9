"""A person as a row, and back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, or_

from commsengine.cadence.people import Person, person_of_values
from commsengine.store.tables import person

TEXTS = (
    *("email", "name", "department", "job", "manager", "country", "region"),
    *("time_zone", "language", "phone", "channel", "slack_id"),
)
IMPORTED = (*TEXTS, "days", "leave", "left", "attributes")
SELECTING = ("department", "job", "country", "region", "attributes")
"""The columns that say who somebody is: when one changes, the clock of every message starts again for them."""


def is_here(day: dt.date) -> ColumnElement[bool]:
    """The condition that a person has not left on that day: ``Person.has_left``, asked of the database."""
    return or_(person.c.left.is_(None), person.c.left > day)


def values_of(person: Person) -> dict[str, Any]:
    """The imported columns of a person, in the form in which they are stored."""
    values: dict[str, Any] = {name: getattr(person, name) for name in TEXTS}
    values["days"] = None if person.days is None else ",".join(map(str, sorted(person.days)))
    values["leave"] = [[first.isoformat(), last.isoformat()] for first, last in person.leave]
    values["left"] = person.left
    values["attributes"] = dict(person.attributes)
    return values


PERSON = (
    *("id", "email", "name", "department", "job", "manager", "country", "region", "time_zone", "days", "language"),
    *("phone", "channel", "slack_id", "leave", "left", "is_manager", "since", "quiet_from", "quiet_to"),
    *("wished_channel", "attributes", "revoked"),
)
"""The columns of a person, in the order in which ``person_with`` takes their values."""

_DAYS, _QUIET = PERSON.index("days"), PERSON.index("quiet_from")
_LEAVE, _ATTRIBUTES = PERSON.index("leave"), PERSON.index("attributes")


def person_of(row: Row[Any] | Mapping[str, Any]) -> Person:
    """The person that a row of the person table holds."""
    read = row if isinstance(row, Mapping) else row._mapping
    return person_with([read[name] for name in PERSON])


def person_with(values: Sequence[Any]) -> Person:
    """The person of these values; what is JSON in the table may come as text."""
    read = list(values)
    read[_ATTRIBUTES] = _parsed(read[_ATTRIBUTES])
    read[_QUIET : _QUIET + 2] = [None if read[_QUIET] is None else (read[_QUIET], read[_QUIET + 1])]
    read[_LEAVE] = _leave(read[_LEAVE])
    read[_DAYS] = _days(read[_DAYS])
    return person_of_values(read)


def email_key(email: str) -> str:
    """Addresses are the same when they differ in case only."""
    return email.strip().lower()


def suppression_key(key: str) -> str:
    """The address in a suppression, once it may no longer be known. Takes an ``email_key``."""
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _days(written: str | None) -> frozenset[int] | None:
    return None if written is None else frozenset(int(day) for day in written.split(",") if day)


def _leave(written: Any) -> tuple[tuple[dt.date, dt.date], ...]:
    if not written or written == "[]":
        return ()
    return tuple((dt.date.fromisoformat(first), dt.date.fromisoformat(last)) for first, last in _parsed(written))


def _parsed(written: Any) -> Any:
    return _loads(written) if isinstance(written, str) else written


_loads = lru_cache(maxsize=4096)(json.loads)
"""People of one department and site often have the same attributes; what is parsed is never changed."""
