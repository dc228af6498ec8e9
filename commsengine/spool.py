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
MOST_KEYS = 20_000
LAST_BIT = (1 << 24) - 1
"""Two MiB of bits: of a million keys, one in seventeen that is new is looked up in vain."""

T = TypeVar("T")


def batches(items: Iterable[T], most: int = BATCH) -> Iterator[list[T]]:
    """Up to ``most`` of them at a time."""
    left = iter(items)
    while some := list(islice(left, most)):
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
    """A number for each of many keys.

    The newest keys, up to ``MOST_KEYS``, are in memory, and of each other one a bit that says where to look.
    """

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._stored: sqlite3.Connection | None = None
        self._bits = bytearray()

    def add(self, key: str, number: int) -> int | None:
        """The number that the key had before, which it keeps; ``None`` where it is new."""
        if (known := self.get(key)) is not None:
            return known
        self._newest[key] = number
        if len(self._newest) == MOST_KEYS:
            self._put_away()
        return None

    def get(self, key: str) -> int | None:
        if self._stored is None or key in self._newest:
            return self._newest.get(key)
        bit = hash(key) & LAST_BIT
        if not self._bits[bit >> 3] & 1 << (bit & 7):
            return None
        found = self._stored.execute("SELECT number FROM key WHERE name = ?", (key,)).fetchone()
        return found[0] if found else None

    def _put_away(self) -> None:
        if self._stored is None:
            self._stored = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # in a file as it grows
            weakref.finalize(self, self._stored.close)
            self._stored.execute("PRAGMA journal_mode=OFF")
            self._stored.execute("CREATE TABLE key (name TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID")
            self._stored.execute("BEGIN")
            self._bits = bytearray(LAST_BIT + 1 >> 3)
        for key in self._newest:
            bit = hash(key) & LAST_BIT
            self._bits[bit >> 3] |= 1 << (bit & 7)
        self._stored.executemany("INSERT INTO key VALUES (?, ?)", sorted(self._newest.items()))
        self._newest = {}

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None
