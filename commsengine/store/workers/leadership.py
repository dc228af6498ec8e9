"""Who leads: of several schedulers one hands out work; another takes over when its lease, by the database's clock, is
over.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, select, text

from commsengine.store.database import Database, columns_of
from commsengine.store.records import Lead
from commsengine.store.tables import lead

LENGTH = dt.timedelta(seconds=30)
"""A scheduler that has not renewed its lease for so long has lost it."""

_TAKE = text("""
    INSERT INTO lead (name, owner, fence, until) VALUES ('scheduler', :owner, 1, clock_timestamp() + :length)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = clock_timestamp() + :length,
        fence = lead.fence + (lead.owner <> excluded.owner)::int
    WHERE lead.owner = excluded.owner OR lead.until < clock_timestamp()
    RETURNING fence
""")
_RESIGN = text("UPDATE lead SET until = clock_timestamp() WHERE owner = :owner")

_PATIENCE = text("SET LOCAL idle_in_transaction_session_timeout = '20s'")
"""A scheduler that is stopped within a transaction holds the row no longer than that."""


class Leadership:
    """The lease of the scheduler that leads. ``owner`` names a process, and is never used for another."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lead(self, owner: str) -> bool:
        """Takes the lease, or makes it longer; whether ``owner`` leads now."""
        with self._database.write() as connection:
            return leads(connection, owner)

    def resign(self, owner: str) -> None:
        with self._database.write() as connection:
            connection.execute(_RESIGN, {"owner": owner})

    def current(self) -> Lead | None:
        """The last lease, over or not; ``None`` if no scheduler ever led."""
        row = self._database.first(select(*columns_of(lead, Lead)))
        return Lead(*row) if row else None


def leads(connection: Connection, owner: str) -> bool:
    """As ``lead``, within a transaction: until its end no other takes over."""
    connection.execute(_PATIENCE)
    return connection.execute(_TAKE, {"owner": owner, "length": LENGTH}).first() is not None
