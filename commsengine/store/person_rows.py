"""A person as a row, and back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, or_

from commsengine.cadence.people import Person
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


def person_of(row: Row[Any] | Mapping[str, Any]) -> Person:
    """The person that a row of the person table holds."""
    read = row if isinstance(row, Mapping) else row._mapping
    return Person(
        **{name: read[name] for name in TEXTS},
        id=read["id"],
        wished_channel=read["wished_channel"],
        days=_days(read["days"]),
        leave=_leave(read["leave"]),
        left=read["left"],
        is_manager=read["is_manager"],
        since=read["since"],
        quiet=None if read["quiet_from"] is None else (read["quiet_from"], read["quiet_to"]),
        attributes=read["attributes"],
        revoked=read["revoked"],
    )


def email_key(email: str) -> str:
    """Addresses are the same when they differ in case only."""
    return email.strip().lower()


def suppression_key(key: str) -> str:
    """The address in a suppression, once it may no longer be known. Takes an ``email_key``."""
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def _days(written: str | None) -> frozenset[int] | None:
    return None if written is None else frozenset(int(day) for day in written.split(",") if day)


def _leave(written: Any) -> tuple[tuple[dt.date, dt.date], ...]:
    if not written:
        return ()
    spans = json.loads(written) if isinstance(written, str) else written
    return tuple((dt.date.fromisoformat(first), dt.date.fromisoformat(last)) for first, last in spans)
