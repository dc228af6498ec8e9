"""Addresses not to be contacted, and channels that never reach a person. What is lifted is marked, never deleted."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, Connection, select, update

from commsengine.cadence.kinds_and_states import Carrier, Wish
from commsengine.store import bookkeeping
from commsengine.store.database import Database
from commsengine.store.person_rows import email_key, suppression_key
from commsengine.store.tables import person, suppression, unreachable

_STANDING = suppression.c.withdrawn_at.is_(None)
_FOUND_OUT = unreachable.c.withdrawn_at.is_(None)


class Reachability:
    """Suppressions by address, and what was found out by trying."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def suppress(self, email: str, reason: str, *, by: str, now: dt.datetime, channel: Wish = "") -> None:
        """Nothing goes to this address any more; ``channel`` narrows it to one. Twice changes nothing."""
        same = (_of(email), suppression.c.channel == channel, _STANDING)
        row = {"email_key": email_key(email), "channel": channel, "reason": reason, "at": now, "by": by}
        with self._database.write() as connection:
            if connection.execute(select(suppression.c.id).where(*same).limit(1)).first() is None:
                connection.execute(suppression.insert(), {**row, "withdrawn_at": None, "withdrawn_by": ""})
                _note(connection, "suppress", email, by=by, now=now)

    def unsuppress(self, email: str, *, by: str, now: dt.datetime) -> bool:
        """False if nothing stood against the address."""
        lift = update(suppression).where(_of(email), _STANDING).values(withdrawn_at=now, withdrawn_by=by)
        with self._database.write() as connection:
            if not connection.execute(lift.returning(suppression.c.id)).all():
                return False
            _note(connection, "unsuppress", email, by=by, now=now)
            return True

    def mark_unreachable(
        self, person_id: str, channel: Carrier, reason: str, *, now: dt.datetime, by: str = "channel"
    ) -> None:
        """This channel never reaches this person; stands until ``mark_reachable`` or a new address."""
        with self._database.write() as connection:
            record_unreachable(connection, person_id, channel, reason, by=by, now=now)

    def mark_reachable(self, person_id: str, channel: Carrier, *, by: str, now: dt.datetime) -> None:
        """Takes back what was found out about this channel."""
        theirs = (unreachable.c.person_id == person_id, unreachable.c.channel == channel, _FOUND_OUT)
        with self._database.write() as connection:
            connection.execute(update(unreachable).where(*theirs).values(withdrawn_at=now, withdrawn_by=by))
            bookkeeping.changed(connection, [person_id], now)


def record_unreachable(
    connection: Connection, person_id: str, channel: Carrier, reason: str, *, by: str, now: dt.datetime
) -> None:
    """Recording it twice changes nothing. Makes the person due now."""
    theirs = (unreachable.c.person_id == person_id, unreachable.c.channel == channel)
    known = select(unreachable.c.id).where(*theirs, _FOUND_OUT).limit(1)
    if connection.execute(known).first() is None:
        fact = {"person_id": person_id, "channel": channel, "reason": reason, "at": now, "by": by}
        connection.execute(unreachable.insert(), {**fact, "withdrawn_at": None, "withdrawn_by": ""})
    bookkeeping.changed(connection, [person_id], now)


def _of(email: str) -> ColumnElement[bool]:
    key = email_key(email)
    return suppression.c.email_key.in_((key, suppression_key(key)))


def _note(connection: Connection, action: str, email: str, *, by: str, now: dt.datetime) -> None:
    owner = connection.execute(select(person.c.id).where(person.c.email_key == email_key(email))).scalar()
    if owner is not None:
        bookkeeping.changed(connection, [owner], now)
    bookkeeping.note(connection, action, owner or suppression_key(email_key(email)), by=by, now=now)
