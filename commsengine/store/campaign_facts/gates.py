"""Gates: the word of a lead that lets what follows a phase begin. It is given once, and stays."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import literal_column, select

from commsengine.store import bookkeeping
from commsengine.store.database import Database, columns_of, insert
from commsengine.store.records import GateWord
from commsengine.store.tables import gate

NAMES = select(literal_column("'gate'"), gate.c.campaign, gate.c.phase, gate.c.opened_at)
"""When each was opened."""


class Gates:
    """The gates that were opened, by campaign."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, campaign: str, phase: str, *, because: str, by: str, now: dt.datetime) -> bool:
        """Makes everybody due; false where it was open already."""
        row = {"campaign": campaign, "phase": phase, "opened_at": now, "by": by, "because": because}
        with self._database.write() as connection:
            new = insert(connection, gate).values(row).on_conflict_do_nothing()
            if connection.execute(new.returning(gate.c.phase)).first() is None:
                return False
            bookkeeping.wake_everybody(connection, now)
            bookkeeping.note(connection, "open gate", campaign, by=by, now=now, phase=phase)
            return True

    def of(self, campaign: str) -> dict[str, GateWord]:
        """By phase."""
        rows = self._database.rows(select(*columns_of(gate, GateWord)).where(gate.c.campaign == campaign))
        return {row.phase: GateWord(*row) for row in rows}
