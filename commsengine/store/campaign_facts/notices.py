"""Messages that are in no plan file. Each stands in its campaign's plan from then on, whatever version comes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Connection, literal_column, select

from commsengine.cadence.plan import Notice
from commsengine.store import bookkeeping
from commsengine.store.database import Database
from commsengine.store.tables import notice

NAMES = select(literal_column("'notice'").label("what"), notice.c.campaign, notice.c.message.label("name"), notice.c.at)
"""Since when each stands: its clock never starts before."""


class Notices:
    """The notices, by campaign."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, campaign: str, new: Notice, *, by: str, now: dt.datetime) -> bool:
        """Makes everybody due. ``False``, and nothing happens, where the campaign has a notice of that id."""
        with self._database.write() as connection:
            return add(connection, campaign, new, by=by, now=now)


def add(connection: Connection, campaign: str, new: Notice, *, by: str, now: dt.datetime) -> bool:
    row = {"campaign": campaign, "message": new.id, "content": new.model_dump(mode="json"), "at": now, "by": by}
    known = select(notice.c.message).where(notice.c.campaign == campaign, notice.c.message == new.id)
    if connection.execute(known).first():
        return False
    connection.execute(notice.insert(), row)
    bookkeeping.wake_everybody(connection, now)
    bookkeeping.note(connection, "notice", campaign, by=by, now=now, message=new.id)
    return True


def of_campaign(connection: Connection, campaign: str, ids: Iterable[str]) -> tuple[Notice, ...]:
    """In the order of ``ids``."""
    rows = connection.execute(select(notice.c.message, notice.c.content).where(notice.c.campaign == campaign))
    known = {row.message: Notice.model_validate(row.content) for row in rows}
    return tuple(known[name] for name in ids)
