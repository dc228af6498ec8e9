"""People files that came without a person beside them: taken, or held until somebody decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, select, update

from commsengine.cadence.kinds_and_states import FileSource
from commsengine.store import bookkeeping
from commsengine.store.database import Database
from commsengine.store.people_files.difference import FileReason
from commsengine.store.tables import people_file


@dataclass(frozen=True, slots=True)
class ArrivedFile:
    """A file, its SHA-256 (empty where it cannot be read), and where it came from.

    ``written_at`` is the instant that the file itself bears; ``campaign`` is that of a roster. ``command`` takes it,
    with a word; empty for a file that cannot be read.
    """

    name: str
    digest: str
    source: FileSource
    campaign: str = ""
    written_at: dt.datetime | None = None
    command: str = ""


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file of which nothing is taken before somebody decides."""

    id: int
    file: ArrivedFile
    reasons: tuple[FileReason, ...]
    held_at: dt.datetime


class HeldFiles:
    """Nothing here says who is in a file: reasons are numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self, file: ArrivedFile, reasons: Iterable[FileReason], *, now: dt.datetime) -> None:
        """In place of what is held of the same source: there is one feed, and one roster of a campaign.

        One that cannot be read comes beside it.
        """
        told = [{name: value for name, value in asdict(each).items() if name != "some"} for each in reasons]
        with self._database.write() as connection:
            if file.digest:
                connection.execute(_settled(file, "engine", now))
            connection.execute(people_file.insert(), {**asdict(file), "reasons": told, "held_at": now, **_OPEN})
            bookkeeping.note(connection, "hold file", file.name, by="engine", now=now, digest=file.digest, why=told)

    def settle(self, file: ArrivedFile, *, by: str, now: dt.datetime, because: str = "") -> None:
        """It was decided about, or is gone."""
        mine = _settled(file, by, now, because).where(people_file.c.digest == file.digest)
        with self._database.write() as connection:
            connection.execute(mine)

    def taken(self, file: ArrivedFile, *, now: dt.datetime) -> None:
        """The engine took it by itself; what was held of its source before is settled by that."""
        own = {"reasons": [], "held_at": now, "settled_at": now, "settled_by": "engine", "because": ""}
        with self._database.write() as connection:
            connection.execute(_settled(file, "engine", now))
            connection.execute(people_file.insert(), {**asdict(file), **own})

    def settle_digest(self, digest: str, *, by: str, now: dt.datetime, because: str) -> None:
        """Somebody imported a file with this content by hand."""
        mine = update(people_file).where(people_file.c.digest == digest, people_file.c.settled_at.is_(None))
        with self._database.write() as connection:
            connection.execute(mine.values(settled_at=now, settled_by=by, because=because))

    def settle_campaign(self, campaign: str, *, by: str, now: dt.datetime, because: str) -> None:
        """Its roster was applied."""
        with self._database.write() as connection:
            connection.execute(_settled(ArrivedFile("", "", "roster", campaign), by, now, because))

    def open(self) -> Sequence[HeldFile]:
        """The oldest first."""
        rows = self._database.rows(
            select(people_file).where(people_file.c.settled_at.is_(None)).order_by(people_file.c.id)
        )
        return [HeldFile(row.id, _file(row), _reasons(row.reasons), row.held_at) for row in rows]

    def last(self, source: FileSource) -> ArrivedFile | None:
        """The last file of a source that could be read: taken, held or settled."""
        theirs = select(people_file).where(people_file.c.source == source, people_file.c.digest != "")
        row = self._database.first(theirs.order_by(people_file.c.id.desc()).limit(1))
        return _file(row) if row else None


_OPEN = {"settled_by": "", "because": ""}


def _settled(file: ArrivedFile, by: str, now: dt.datetime, because: str = "") -> Any:
    held = update(people_file).where(people_file.c.settled_at.is_(None))
    mine = held.where(people_file.c.source == file.source, people_file.c.campaign == file.campaign)
    return mine.values(settled_at=now, settled_by=by, because=because)


def _file(row: Row[Any]) -> ArrivedFile:
    return ArrivedFile(row.name, row.digest, row.source, row.campaign, row.written_at, row.command)


def _reasons(told: Iterable[dict[str, Any]]) -> tuple[FileReason, ...]:
    return tuple(FileReason(**each) for each in told)
