"""A backup in the place of the database: looked at first, then put there whole, on hold until a person releases it.

1. The backup is read into a copy of its own; a damaged or newer one is refused, an older one is brought up to date.
2. What has left since it was made is put on record from the sent-journal, and a hold is written, both into the copy.
3. The database as it is now is set aside; then the copy takes its place in one transaction: the old one or the new one.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from commsengine.campaigns.effects import Coming, coming
from commsengine.engine.decisions import Decisions
from commsengine.engine.restored_database import catch_up, put_on_record, unknown
from commsengine.engine.state_folder import StateFolder
from commsengine.errors import CommsError
from commsengine.store.copies import sqlite_copies
from commsengine.store.database import sqlite_url
from commsengine.store.store import Store

AHEAD = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a backup holds. ``put_back`` messages left after it was made, ``strangers`` of them to people it lacks.

    ``made_at`` is its last sign of life; ``coming`` is what it would send within a day of its release. ``foreign``: it
    is of another database than the one it would replace.
    """

    made_at: dt.datetime | None
    people: int
    campaigns: Mapping[str, str]
    touches: int
    put_back: int
    strangers: int
    coming: Coming
    foreign: bool = False


class Restore:
    """``state`` opens the state folder of a database, ``decisions`` decides over a store."""

    def __init__(self, state: Callable[[str], StateFolder], decisions: Callable[[Store], Decisions]) -> None:
        self._state, self._decisions = state, decisions

    def verify(self, file: Path, database: Path, now: dt.datetime) -> Verified:
        """Changes nothing. Raises ``InputError`` for what is no backup of this program."""
        with self._prepared(file, database, now) as (_, seen):
            return seen

    def restore(
        self, file: Path, database: Path, aside: Path, now: dt.datetime, *, by: str, agree: Callable[[Verified], object]
    ) -> None:
        """Puts it in the place of ``database``, which is set ``aside`` first. The caller holds the engine's lock.

        ``agree`` is shown what the backup holds; what it raises ends it before anything is changed.
        """
        with self._prepared(file, database, now) as (store, seen):
            agree(seen)
            store.engine.hold(_reason(file, seen), by=by, now=now)
            with self._opened(store) as state:
                catch_up(store, state, database)
            sqlite_copies.set_aside(database, aside)
            sqlite_copies.replace(database, store.database)

    @contextmanager
    def _prepared(self, file: Path, database: Path, now: dt.datetime) -> Iterator[tuple[Store, Verified]]:
        sqlite_copies.check_whole(file)
        with tempfile.TemporaryDirectory(prefix="commsengine-") as folder:
            draft = Path(folder) / "restored.db"
            sqlite_copies.copy_file(file, draft)
            with Store.upgrade(sqlite_url(draft)) as store:
                foreign = _take_the_place_of(store, database)
                with self._opened(store) as state:
                    missing = unknown(store, state, database)
                counts = put_on_record(store, missing, now) if missing else (0, 0)
                yield store, replace(self._seen(store, counts, now), foreign=foreign)

    def _opened(self, store: Store) -> closing[StateFolder]:
        return closing(self._state(store.engine.database_id()))

    def _seen(self, store: Store, counts: tuple[int, int], now: dt.datetime) -> Verified:
        books = store.counts.status(now)
        last = store.engine.heartbeat()
        return Verified(
            last.beat_at if last else None,
            store.people.count(),
            {each.campaign: each.state for each in books},
            sum(sum(each.touches.values()) for each in books),
            *counts,
            coming(store, self._decisions(store), now, now + AHEAD),
        )


def _take_the_place_of(store: Store, database: Path) -> bool:
    """Gives the restored database the replaced one's name, so that both their journals are its own.

    Whether it is foreign: neither of the two was ever called what the other is.
    """
    try:
        with Store.open(sqlite_url(database)) as replaced:
            own, theirs = store.engine.database_id(), replaced.engine.database_id()
            before = replaced.engine.former_ids()
            foreign = own not in (theirs, *before) and theirs not in store.engine.former_ids()
            store.engine.become(theirs, before)
    except CommsError:  # it is not there, or damaged: the backup keeps its own name
        return False
    return foreign


def _reason(file: Path, seen: Verified) -> str:
    since = f", made after {seen.made_at:%Y-%m-%d %H:%M} UTC" if seen.made_at else ""
    again = f" {seen.put_back} messages that left since are on record again." if seen.put_back else ""
    return f"Restored from {file.name}{since}.{again}"
