"""More than should be in memory at once, in temporary files that no other program sees: a sequence, and keys."""

from __future__ import annotations

import pickle
import sqlite3
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import IO, TypeVar, overload

BATCH = 1000

T = TypeVar("T")


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Up to ``BATCH`` of them at a time."""
    left = iter(items)
    while some := list(islice(left, BATCH)):
        yield some


class Spool(Sequence[T]):
    """A sequence that is read from its first item to the last as often as wanted.

    The newest items, up to ``BATCH``, are in memory: a short one never touches the disk.
    """

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._file: IO[bytes] | None = None
        self._places: list[int] = []
        self._newest: list[T] = []
        for item in items:
            self.append(item)

    def append(self, item: T) -> None:
        self._newest.append(item)
        if len(self._newest) == BATCH:
            self._put_away()

    def _put_away(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="commsengine-")  # noqa: SIM115 - as long as we live
            weakref.finalize(self, self._file.close)
        self._places.append(self._file.seek(0, 2))
        pickle.dump(self._newest, self._file, pickle.HIGHEST_PROTOCOL)
        self._newest = []

    def _batch(self, number: int) -> list[T]:
        if self._file is None or number == len(self._places):
            return self._newest
        self._file.seek(self._places[number])
        found: list[T] = pickle.load(self._file)  # noqa: S301 - our own file, which has no name
        return found

    def __len__(self) -> int:
        return len(self._places) * BATCH + len(self._newest)

    def __iter__(self) -> Iterator[T]:
        for number in range(len(self._places) + 1):
            yield from self._batch(number)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        if isinstance(place, slice):
            return tuple(islice(self, *place.indices(len(self))))
        at = range(len(self))[place]
        return self._batch(at // BATCH)[at % BATCH]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Spool({list(self[:3])}{', …' if len(self) > 3 else ''})"


class KeyIndex:
    """A number for each of many keys."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # in a file as it grows
        weakref.finalize(self, self._database.close)
        for line in (
            "PRAGMA journal_mode=OFF",
            "CREATE TABLE key (name TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID",
        ):
            self._database.execute(line)
        self._database.execute("BEGIN")

    def add(self, key: str, number: int) -> int | None:
        """The number that the key had before, which it keeps; ``None`` where it is new."""
        added = self._database.execute("INSERT OR IGNORE INTO key VALUES (?, ?)", (key, number))
        return None if added.rowcount else self.get(key)

    def get(self, key: str) -> int | None:
        found = self._database.execute("SELECT number FROM key WHERE name = ?", (key,)).fetchone()
        return found[0] if found else None

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None
