"""The morning in which a person gets what waits for them: at eight on each of their working days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from commsengine.cadence.calendar import Hours, instant
from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.content.render import RendererFor
from commsengine.engine.decisions import Decisions
from commsengine.errors import CommsError
from commsengine.store.store import Store
from commsengine.text import message_key

EIGHT = 8 * 60  # minutes after local midnight
NOON = 12 * 60
"""What could not be sent in the morning is not sent in the evening."""

QUARTER = 15 * 60  # seconds

log = structlog.get_logger(__name__)


class MakeLink(Protocol):
    """Makes the address of a page that opens once for who gets the mail, as ``FreshLinks.make`` does."""

    def __call__(
        self,
        purpose: Literal["calls", "review"],
        about: str,
        now: dt.datetime,
        /,
        *,
        campaign: str,
        person: str = "",
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class MorningBasis:
    """What the mail of the morning is written from; ``channels`` are those that the engine has."""

    store: Store
    decisions: Decisions
    renderer: RendererFor
    channels: Sequence[ChannelName]
    make_link: MakeLink


def morning_of(plan: Plan, person: Person, now: dt.datetime) -> dt.date | None:
    """The person's local date, if it is the morning of a day on which they work."""
    hours = Hours(plan, person)
    day = hours.local_date(now)
    morning = instant(hours.zone, day, EIGHT) <= now < instant(hours.zone, day, NOON)
    return day if morning and hours.works(day) else None


def morning_key(category: str, about: str, email: str, day: dt.date) -> str:
    return message_key(category, about, email, day.isoformat())


def quarter_of(now: dt.datetime) -> int:
    """Counts quarters of an hour: in every zone eight o'clock begins one, so that one look in each is enough."""
    return int(now.timestamp() // QUARTER)


def tried(event: str, campaign: str, write: Callable[[], int]) -> int:
    # what cannot be written is logged: it must not stop the engine, nor the mail of others
    try:
        return write()
    except CommsError as failure:
        log.error(event, campaign=campaign, error=type(failure).__name__)
        return 0
