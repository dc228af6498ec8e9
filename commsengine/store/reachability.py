"""Addresses not to be contacted. Lifting a suppression marks it; nothing is deleted."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, Connection, or_, select, update

from commsengine.store import bookkeeping
from commsengine.store.erasure import suppression_key
from commsengine.store.person_rows import email_key
from commsengine.store.tables import person, suppression

_STANDING = suppression.c.withdrawn_at.is_(None)


def add(connection: Connection, email: str, reason: str, *, channel: str, by: str, now: dt.datetime) -> None:
    """Recording the same twice changes nothing."""
    same = (_of(email), suppression.c.channel == channel, _STANDING)
    if connection.execute(select(suppression.c.id).where(*same).limit(1)).first():
        return
    row = {"email_key": email_key(email), "channel": channel, "reason": reason, "at": now, "by": by}
    connection.execute(suppression.insert(), {**row, "withdrawn_at": None, "withdrawn_by": ""})
    _note(connection, "suppress", email, by=by, now=now)


def lift(connection: Connection, email: str, *, by: str, now: dt.datetime) -> bool:
    """False if nothing stood against the address."""
    lifted = update(suppression).where(_of(email), _STANDING).values(withdrawn_at=now, withdrawn_by=by)
    if not connection.execute(lifted.returning(suppression.c.id)).all():
        return False
    _note(connection, "unsuppress", email, by=by, now=now)
    return True


def reason_for(connection: Connection, email: str, channel: str) -> str | None:
    """Why nothing may go to this address over this channel; ``None`` if it may."""
    closed = or_(suppression.c.channel == "", suppression.c.channel == channel)
    standing = select(suppression.c.reason).where(_of(email), _STANDING, closed).order_by(suppression.c.id)
    row = connection.execute(standing.limit(1)).first()
    return str(row.reason) if row else None


def _of(email: str) -> ColumnElement[bool]:
    key = email_key(email)
    return suppression.c.email_key.in_((key, suppression_key(key)))


def _note(connection: Connection, action: str, email: str, *, by: str, now: dt.datetime) -> None:
    owner = connection.execute(select(person.c.id).where(person.c.email_key == email_key(email))).scalar()
    if owner is not None:
        bookkeeping.changed(connection, [owner], now)
    bookkeeping.note(connection, action, owner or suppression_key(email_key(email)), by=by, now=now)
