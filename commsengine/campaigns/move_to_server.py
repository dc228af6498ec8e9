"""From a SQLite file to PostgreSQL: id, fences and everything on record go with it; the file is on hold afterwards.

The hold is written before the copy is committed. Whatever breaks off in between, never may both of them send.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from commsengine.content.kept_words import KEPT, kept
from commsengine.engine.owner_lock import EngineLock
from commsengine.errors import InputError
from commsengine.store import bookkeeping
from commsengine.store.copies import transfer
from commsengine.store.database import Database
from commsengine.store.store import Store
from commsengine.translation import _

MOVED = KEPT["moved"].partition("{")[0]


def move_to_server(
    source: Store, target: Database, now: dt.datetime, *, by: str, progress: Callable[[float], object]
) -> None:
    """Raises ``InputError`` for a target that is used, or a source that has moved before or is in use.

    ``CommsError`` if the copy is not what was there; then the target is empty and the source is as it was.
    """
    assert source.path is not None  # noqa: S101 - a defect of ours
    place = target.url.set(drivername="postgresql").render_as_string(hide_password=True)
    with EngineLock(source.path):
        _refuse_moved(source)
        transfer.refuse_used(target)
        Store.create(target.url.render_as_string(hide_password=False)).close()
        with transfer.transferred(source.database, target, progress) as connection:
            bookkeeping.note(connection, "migrate-database", "engine", by=by, now=now, source=str(source.path))
            _hold(source, kept("moved", place=place), now, by=by)


def _refuse_moved(source: Store) -> None:
    hold = source.engine.open_hold()
    if hold is not None and hold.reason.startswith(MOVED):
        fix = _("Use that one; or, if nothing was ever sent from there: commsengine release, then try again.")
        raise InputError(_("{file}: {reason}", file=source.path, reason=hold.reason), fix)


def _hold(source: Store, reason: str, now: dt.datetime, *, by: str) -> None:
    # a hold that there was is in the copy; in the file the move is what counts
    source.engine.release("latest", by=by, now=now)
    source.engine.hold(reason, now=now, by=by)
