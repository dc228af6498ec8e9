"""Links that work once, by the hash of their token: the token itself is in the mail alone."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection

from sqlalchemy import Connection, func, select, update

from commsengine.store.database import Database, columns_of
from commsengine.store.records import FreshLink
from commsengine.store.tables import fresh_link

_COLUMNS = columns_of(fresh_link, FreshLink)


class LinkTokens:
    """The links, by token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: str, link: FreshLink) -> None:
        row = {name: getattr(link, name) for name in FreshLink.__slots__} | {"token": hashed(token)}
        with self._database.write() as connection:
            connection.execute(fresh_link.insert(), row)

    def find(self, token: str) -> FreshLink | None:
        row = self._database.first(select(*_COLUMNS).where(fresh_link.c.token == hashed(token)))
        return FreshLink(*row) if row is not None else None

    def use(self, token: str, now: dt.datetime) -> FreshLink | None:
        """Uses the link up; ``None`` if it is used, too old or unknown. Of two at one time one gets it."""
        ours = (fresh_link.c.token == hashed(token), fresh_link.c.used_at.is_(None), fresh_link.c.expires_at > now)
        used = update(fresh_link).where(*ours).values(used_at=now).returning(*_COLUMNS)
        with self._database.write() as connection:
            row = connection.execute(used).first()
        return FreshLink(*row) if row is not None else None

    def asked_since(self, recipient: str, since: dt.datetime) -> int:
        """How many they were sent because they asked."""
        theirs = (fresh_link.c.recipient == recipient, fresh_link.c.made_at > since, fresh_link.c.by_itself)
        row = self._database.first(select(func.count()).select_from(fresh_link).where(*theirs))
        return int(row[0]) if row is not None else 0


def close(connection: Connection, recipients: Collection[str], now: dt.datetime) -> None:
    """The unused links of these people open nothing from now on."""
    theirs = (fresh_link.c.recipient.in_(recipients), fresh_link.c.used_at.is_(None), fresh_link.c.expires_at > now)
    connection.execute(update(fresh_link).where(*theirs).values(expires_at=now))


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
