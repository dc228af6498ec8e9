"""Cards that are to be drawn again: a row each, until what stands on record is what the card shows.

One at a time draws a card, whichever process it is in. What changes meanwhile raises the version, and who draws it
looks at that before the row goes: so the last picture is the newest.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from commsengine.store.database import Database, columns_of, insert
from commsengine.store.records import Redraw
from commsengine.store.tables import redraw

_COLUMNS = columns_of(redraw, Redraw)
_DRAWN = 0
"""The version of a card that shows what stands on record, and will not at its ``due_at``."""


class Redraws:
    """The cards by ``remote_id``. ``until`` is when a drawing counts as given up, if nothing is heard of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def want(self, remote_id: str, key: str, due_at: dt.datetime) -> None:
        """The card changes just now: if nothing more is heard of that, it is drawn at ``due_at``."""
        with self._database.write() as connection:
            _raise_version(connection, remote_id, key, due_at)

    def begin(self, remote_id: str, key: str, *, until: dt.datetime, now: dt.datetime) -> int | None:
        """The card has changed: the version to draw, ``None`` where another draws it, who then draws it once more."""
        with self._database.write() as connection:
            version = _raise_version(connection, remote_id, key, until)
            ours = update(redraw).where(redraw.c.remote_id == remote_id, _free(now)).values(drawing_until=until)
            return version if connection.execute(ours).rowcount else None

    def take(self, *, until: dt.datetime, now: dt.datetime) -> Redraw | None:
        """The card that has been due the longest, to be drawn now."""
        ripe = select(*_COLUMNS).where(redraw.c.due_at <= now, _free(now)).order_by(redraw.c.due_at).limit(1)
        if self._database.first(ripe) is None:  # without the lock that writing takes: mostly there is none
            return None
        with self._database.write() as connection:
            row = connection.execute(ripe.with_for_update(skip_locked=True)).first()
            if row is not None:
                ours = update(redraw).where(redraw.c.remote_id == row.remote_id)
                connection.execute(ours.values(drawing_until=until))
            return Redraw(*row) if row is not None else None

    def done(self, remote_id: str, version: int, again_at: dt.datetime | None = None) -> int:
        """The card shows this version: 0, or the newer one that it is to be drawn as.

        ``again_at`` is when what it shows is true no more: it is drawn then, unless it changes before.
        """
        this = (redraw.c.remote_id == remote_id, redraw.c.version == version)
        kept = update(redraw).where(*this).values(version=_DRAWN, due_at=again_at, drawing_until=None, tries=0)
        drawn = delete(redraw).where(*this) if again_at is None else kept
        newest = select(redraw.c.version).where(redraw.c.remote_id == remote_id)
        with self._database.write() as connection:
            return 0 if connection.execute(drawn).rowcount else int(connection.execute(newest).scalar() or 0)

    def put_off(self, remote_id: str, due_at: dt.datetime, *, failed: bool = True) -> None:
        later = {"due_at": due_at, "drawing_until": None, "tries": redraw.c.tries + int(failed)}
        with self._database.write() as connection:
            connection.execute(update(redraw).where(redraw.c.remote_id == remote_id).values(later))

    def drop(self, remote_id: str) -> None:
        """The card cannot be drawn any more."""
        with self._database.write() as connection:
            connection.execute(delete(redraw).where(redraw.c.remote_id == remote_id))

    def waiting(self) -> list[Redraw]:
        """The cards that do not show what stands on record, the longest due first."""
        changed = select(*_COLUMNS).where(redraw.c.version > _DRAWN).order_by(redraw.c.due_at)
        return [Redraw(*row) for row in self._database.rows(changed)]


def _raise_version(connection: Connection, remote_id: str, key: str, due_at: dt.datetime) -> int:
    new = insert(connection, redraw).values(remote_id=remote_id, key=key, version=1, due_at=due_at, tries=0)
    raised = {"version": redraw.c.version + 1, "due_at": due_at}
    wanted = new.on_conflict_do_update(index_elements=["remote_id"], set_=raised).returning(redraw.c.version)
    return int(connection.execute(wanted).scalar_one())


def _free(now: dt.datetime) -> ColumnElement[bool]:
    return or_(redraw.c.drawing_until.is_(None), redraw.c.drawing_until <= now)
