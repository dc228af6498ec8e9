"""The sent-journal: what has left, kept outside the database, so that a restored database can be recognised.

The database is written first, so a journal that knows more than it has met an older copy. Only what was marked and did
not leave after all is written here first: its row goes with the commit.

1. Each claim is announced with its fence: a journal that cannot be written stops the engine before it sends.
2. A touch is written down between its durable mark and the point of no return, and again when its outcome is known.
3. A line is a JSON array: ``["sending", fence, key, at, …]`` with what it takes to make the row again, or
   ``[state, fence, key, at]``. It names no person: the key is made of the person's id, so only the directory leads
   from a key to its person.
4. One file a month; those older than thirteen months are removed.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from commsengine.cadence.kinds_and_states import ReceiptState
from commsengine.errors import DiskError
from commsengine.store.records import Commit, Marked
from commsengine.translation import _

CLAIM: Literal["claim"] = "claim"
BLOCK = 1 << 20
"""Bytes read at a time, from the end backwards."""

_DETAILS = attrgetter(*(field.name for field in fields(Marked) if field.name != "key"))
_quoted = encode_basestring_ascii
_ENCODER = json.JSONEncoder(separators=(",", ":"))


JournalState = ReceiptState | Literal["sending"]


@dataclass(frozen=True, slots=True)
class Entry:
    """The last that is known of a touch: its ``state`` is sending, sent, failed, retry, uncertain or released.

    ``tries`` are the fence and the state of every try in which something was offered, this one included. A try that
    came to nothing says nothing about the one before it, so it is the last only where there is no other.
    """

    state: JournalState
    fence: int
    at: dt.datetime
    marked: Marked | None
    tries: tuple[tuple[int, JournalState], ...] = ()


class Journal:
    """Safe to share between threads. ``durable`` is false for what may be lost with the power."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder, self._durable = folder, durable
        self._file = -1
        self._month = ""
        self._lock = threading.Lock()

    def announce(self, fence: int, now: dt.datetime) -> None:
        """A claim is about to be made. Raises ``DiskError`` when the journal cannot be written."""
        self._append([_line(CLAIM, fence, "", now.isoformat())], now)

    def write(self, commits: Mapping[int, Commit], now: dt.datetime) -> None:
        """By fence, touches that may leave and those with a known outcome. Raises ``DiskError``."""
        at = now.isoformat()
        lines: list[str] = []
        for fence, commit in commits.items():
            lines += [_line(state, fence, key, at) for key, state in commit.settled.items()]
            lines += [_line("sending", fence, each.key, at, _details(_DETAILS(each))) for each in commit.marked]
        if lines:
            self._append(lines, now)

    def last_fence(self) -> int:
        """The greatest fence near the end, 0 in an empty journal. Fences only grow."""
        return max(map(_last_fence, self._pages()), default=0)

    def since(self, floor: int) -> dict[str, Entry]:
        """By key, the last that is known of every touch with a claim of the fence ``floor`` or a later one."""
        known: dict[str, dict[int, tuple[JournalState, str]]] = {}
        details: dict[str, Marked] = {}
        for state, fence, key, at, *more in reversed([line for line in self._lines_back(floor) if line[1] >= floor]):
            if state == CLAIM:
                continue
            if more:
                details[key] = _marked(key, more)
            tries = known.setdefault(key, {})
            if state != "sending" or fence not in tries:  # an outcome stands, also if a clock went back to another page
                tries[fence] = state, at
        return {key: _entry(tries, details.get(key)) for key, tries in known.items()}

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    # -- writing ----------------------------------------------------------------------------------

    def _append(self, lines: Sequence[str], now: dt.datetime) -> None:
        data = "".join(lines).encode()
        try:
            with self._lock:
                self._turn_page(f"{now:%Y-%m}")
                self._write_whole(data)
        except OSError as error:
            with self._lock:
                self.close()
            cause = _("The sent-journal in {folder} cannot be written: {why}.", folder=self.folder, why=error.strerror)
            fix = _("Make room, or give this user the right to write there. Nothing is sent before that.")
            raise DiskError(cause, fix) from error

    def _write_whole(self, data: bytes) -> None:
        if os.write(self._file, data) != len(data):
            raise OSError(28, "no space left")
        if self._durable:
            os.fdatasync(self._file)

    def _turn_page(self, month: str) -> None:
        if self._file >= 0 and self._month == month:
            return
        self.close()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"sent-{month}.jsonl"
        broken_off = _broken_off(path)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._month = month
        if broken_off:
            self._write_whole(b"\n")
        for old in self._pages()[:-13]:
            old.unlink(missing_ok=True)

    # -- reading ----------------------------------------------------------------------------------

    def _pages(self) -> list[Path]:
        return sorted(self.folder.glob("sent-*.jsonl"))

    def _lines_back(self, floor: int) -> Iterator[list[Any]]:
        """The lines, newest first, up to a block in which every fence is below ``floor``."""
        for page in sorted(self._pages(), key=_last_fence, reverse=True):  # a wrong clock makes a page of a wrong month
            for block in _blocks_back(page):
                lines = [line for line in map(_parsed, reversed(block)) if line]
                yield from lines
                if lines and all(line[1] < floor for line in lines):
                    return


def _last_fence(page: Path) -> int:
    for block in _blocks_back(page):
        if fences := [line[1] for line in map(_parsed, block) if line]:
            return int(max(fences))
    return 0


def _entry(tries: Mapping[int, tuple[JournalState, str]], marked: Marked | None) -> Entry:
    begun = {fence: outcome for fence, outcome in sorted(tries.items()) if outcome[0] != "released"}
    last = max(begun or tries)
    state, at = tries[last]
    each = tuple((fence, outcome[0]) for fence, outcome in begun.items())
    return Entry(state, last, dt.datetime.fromisoformat(at), marked, each)


def _line(state: JournalState | Literal["claim"], fence: int, key: str, at: str, details: str = "") -> str:
    return f'["{state}",{fence},{_quoted(key)},"{at}"{details}]\n'


@lru_cache(maxsize=1000)
def _details(values: tuple[Any, ...]) -> str:
    # hundreds of touches that leave together differ in their keys only
    plain = (value.isoformat() if isinstance(value, dt.date) else value for value in values)
    return "".join(f",{_ENCODER.encode(value)}" for value in plain)


def _marked(key: str, values: Sequence[Any]) -> Marked:
    given = dict(zip((field.name for field in fields(Marked)), (key, *values), strict=True))
    date = given["local_date"]
    given["local_date"] = dt.date.fromisoformat(date) if date else None
    given["due_at"] = dt.datetime.fromisoformat(given["due_at"])
    return Marked(**given)


def _parsed(line: bytes) -> list[Any] | None:
    # a line that broke off is none: what it would have said has not left
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, list) and len(found) >= 4 and isinstance(found[1], int) else None


def _broken_off(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return False
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _blocks_back(path: Path) -> Iterator[list[bytes]]:
    """Whole lines, a block at a time, the last block first; within a block in the order of the file."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        rest = b""
        while end:
            start = max(0, end - BLOCK)
            file.seek(start)
            lines = (file.read(end - start) + rest).split(b"\n")
            rest = lines.pop(0) if start else b""
            yield lines
            end = start
