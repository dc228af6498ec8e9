"""Who did what a campaign is for, and when. The first word on it wins; nothing says that somebody did not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from commsengine.cadence.plan import OutcomeId
from commsengine.errors import CommsError
from commsengine.store import bookkeeping
from commsengine.store.database import Database, insert, rows_with
from commsengine.store.tables import deed, person, signed_call
from commsengine.translation import N_

KEPT = dt.timedelta(hours=1)
"""How long a signed call is remembered: far longer than its signature holds."""

_DONE = (
    select(deed.c.person_id, person.c.email, person.c.name, deed.c.outcome, deed.c.at, deed.c.source)
    .join(person, person.c.id == deed.c.person_id)
    .order_by(deed.c.at, deed.c.id)
)


class ReplayedCallError(CommsError):
    """A signed call that was taken in before."""


@dataclass(frozen=True, slots=True)
class NewDeed:
    """``ref`` is what the system that tells it calls it, if it does."""

    person_id: str
    outcome: OutcomeId
    at: dt.datetime
    ref: str = ""


@dataclass(frozen=True, slots=True)
class DoneBy:
    """A deed on record. ``source`` is file, lead or system; an erased person has neither address nor name."""

    person_id: str
    person: str
    name: str
    outcome: OutcomeId
    at: dt.datetime
    source: str


class Deeds:
    """The deeds, by campaign."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        campaign: str,
        new: Sequence[NewDeed],
        *,
        source: str,
        by: str,
        now: dt.datetime,
        signature: str = "",
    ) -> int:
        """Adds those that are not on record, all or none, and makes their people due. Returns how many that were.

        Raises ``ReplayedCallError`` for a ``signature`` that was taken in before.
        """
        with self._database.write() as connection:
            if signature:
                _take_in(connection, signature, now)
            known = _known_refs(connection, campaign, [one.ref for one in new if one.ref])
            added = [one for one in new if one.ref not in known and _add(connection, campaign, one, source, by, now)]
            bookkeeping.changed(connection, (one.person_id for one in added), now)
            if added:
                bookkeeping.note(connection, "facts", campaign, by=by, now=now, number=len(added), source=source)
        return len(added)

    def of_campaign(self, campaign: str) -> list[DoneBy]:
        """Oldest first."""
        return [DoneBy(*row) for row in self._database.rows(_DONE.where(deed.c.campaign == campaign))]


def _add(connection: Connection, campaign: str, one: NewDeed, source: str, by: str, now: dt.datetime) -> bool:
    row: dict[str, Any] = {"person_id": one.person_id, "campaign": campaign, "outcome": one.outcome, "at": one.at}
    row |= {"ref": one.ref, "source": source, "recorded_at": now, "by": by}
    added = insert(connection, deed).values(row).on_conflict_do_nothing().returning(deed.c.id)
    return connection.execute(added).first() is not None


def _known_refs(connection: Connection, campaign: str, refs: Sequence[str]) -> set[str]:
    told = select(deed.c.ref).where(deed.c.campaign == campaign)
    return {row.ref for row in rows_with(connection, told, deed.c.ref, refs)}


def _take_in(connection: Connection, signature: str, now: dt.datetime) -> None:
    connection.execute(delete(signed_call).where(signed_call.c.at < now - KEPT))
    call = insert(connection, signed_call).values(signature=signature, at=now).on_conflict_do_nothing()
    if connection.execute(call.returning(signed_call.c.signature)).first() is None:
        raise ReplayedCallError(N_("This call was taken in before."))
