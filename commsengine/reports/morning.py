"""The morning in which a person gets what waits for them: at eight on each of their working days."""

from __future__ import annotations

import datetime as dt

from commsengine.cadence.calendar import Hours, instant
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.text import message_key

EIGHT = 8 * 60  # minutes after local midnight
NOON = 12 * 60
"""What could not be sent in the morning is not sent in the evening."""


def morning_of(plan: Plan, person: Person, now: dt.datetime) -> dt.date | None:
    """The person's local date, if it is the morning of a day on which they work."""
    hours = Hours(plan, person)
    day = hours.local_date(now)
    morning = instant(hours.zone, day, EIGHT) <= now < instant(hours.zone, day, NOON)
    return day if morning and hours.works(day) else None


def morning_key(category: str, about: str, email: str, day: dt.date) -> str:
    return message_key(category, about, email, day.isoformat())
