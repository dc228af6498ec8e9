"""The watched folder: a new people file is imported by the rules of ``people import``, or held.

1. The newest people file of the folder counts, once it has stood still for a while; what was looked at last, and
   whatever is older, is left alone. Nothing is moved or deleted.
2. A file with a wrong row, that brings leavers back or that changes many is held: nothing of it is taken.
3. A folder that cannot be read is said once, until it can be again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from commsengine.authoring.people.people_file import PeopleFile
from commsengine.errors import InputError
from commsengine.store.people_files.difference import FileReason
from commsengine.store.people_files.held import ArrivedFile
from commsengine.store.store import Store

STANDS_STILL = dt.timedelta(seconds=10)
"""A file that was written to more recently may still be growing; it counts earlier if it is the same at two looks."""

_PEOPLE_FILE = re.compile(r"(?!~\$|\.).+\.(csv|tsv|txt|xlsx|xlsm|xls|ods)", re.IGNORECASE)
UNREADABLE, UNUSABLE = FileReason("unreadable"), FileReason("unusable")

log = structlog.get_logger(__name__)


def digest_of(path: Path) -> str:
    """SHA-256 in hexadecimal. Raises ``OSError``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def people_files(folder: Path) -> list[Path]:
    """The files of a folder that are looked at. Raises ``OSError``."""
    return [each for each in folder.iterdir() if _PEOPLE_FILE.fullmatch(each.name) and each.is_file()]


@dataclass(frozen=True, slots=True)
class _Seen:
    path: Path
    size: int
    written_at: dt.datetime

    @classmethod
    def of(cls, path: Path) -> _Seen:
        found = path.stat()
        return cls(path, found.st_size, dt.datetime.fromtimestamp(found.st_mtime, dt.UTC))


class PeopleFeed:
    """``place`` is a folder or a file; ``complete``: whoever is missing from a file has left.

    ``tell`` is called when a file was held.
    """

    def __init__(
        self,
        place: Path,
        store: Store,
        read: Callable[[Path], PeopleFile],
        *,
        complete: bool = False,
        tell: Callable[[dt.datetime], object] = bool,
    ) -> None:
        self._place, self._store, self._read, self._complete, self._tell = place, store, read, complete, tell
        self._growing: _Seen | None = None
        self._done: _Seen | None = None

    def look(self, now: dt.datetime) -> None:
        """Takes or holds a new file, if there is one. Never raises for what is wrong with it."""
        held = [each.file for each in self._store.held_files.open() if each.file.source == "feed"]
        try:
            seen = self._newest()
            if seen is not None and seen != self._done and self._stands_still(seen, now):
                self._take(seen, now)
                self._done = seen
        except FileNotFoundError as gone:  # between two looks; the next one sees what is there then
            self._cannot_read(self._place, held, now) if gone.filename == str(self._place) else None
        except OSError as error:
            self._cannot_read(Path(str(error.filename or self._place)), held, now)
        else:
            self._forget(held, now)

    def _newest(self) -> _Seen | None:
        """Raises ``OSError`` where the place cannot be read."""
        if self._place.is_file():
            return _Seen.of(self._place)
        files = [_Seen.of(each) for each in people_files(self._place)]
        return max(files, key=lambda each: (each.written_at, each.path.name), default=None)

    def _stands_still(self, seen: _Seen, now: dt.datetime) -> bool:
        same, self._growing = seen == self._growing, seen
        return same or abs(now - seen.written_at) >= STANDS_STILL

    def _take(self, seen: _Seen, now: dt.datetime) -> None:
        """Raises ``OSError`` where the file cannot be read, or is not there any more."""
        everybody = ["--complete"] if self._complete else []
        command = shlex.join(["commsengine", "people", "import", str(seen.path), *everybody])
        file = ArrivedFile(str(seen.path), digest_of(seen.path), "feed", written_at=seen.written_at, command=command)
        last = self._store.held_files.last("feed")
        if last and (last.digest == file.digest or (last.written_at and last.written_at > seen.written_at)):
            return
        if reasons := self._reasons_or_import(seen.path, file, now):
            self._hold(file, reasons, now)
            log.warning("people_file_held", reasons=[each.kind for each in reasons])

    def _reasons_or_import(self, path: Path, file: ArrivedFile, now: dt.datetime) -> tuple[FileReason, ...]:
        try:
            read = self._read(path)
            found = self._store.people.difference(
                read.people, columns=read.columns, complete=self._complete, present=read.present
            )
        except InputError:
            return (UNUSABLE,)
        wrong = FileReason("rows", read.wrong_rows, read.read)
        reasons = (*((wrong,) if read.rejected else ()), *found.reasons)
        if not reasons and file.digest == digest_of(path):  # else it was written to meanwhile
            self._import(read, file, now)
        return reasons

    def _import(self, read: PeopleFile, file: ArrivedFile, now: dt.datetime) -> None:
        counts = self._store.people.save(
            read.people,
            by="engine",
            now=now,
            columns=read.columns,
            complete=self._complete,
            present=read.present,
            source={"file": Path(file.name).name, "sha256": file.digest},
        )
        self._store.held_files.taken(file, now=now)
        log.info("people_file_taken", added=counts.added, updated=counts.updated, left=counts.left)

    def _hold(self, file: ArrivedFile, reasons: Sequence[FileReason], now: dt.datetime) -> None:
        self._store.held_files.hold(file, reasons, now=now)
        self._tell(now)

    def _cannot_read(self, path: Path, held: Sequence[ArrivedFile], now: dt.datetime) -> None:
        if all(file.digest for file in held):
            self._hold(ArrivedFile(str(path), "", "feed"), [UNREADABLE], now)
            log.warning("people_feed_unreadable")

    def _forget(self, held: Sequence[ArrivedFile], now: dt.datetime) -> None:
        # what could not be read can be now; who has taken a held file away has decided
        for file in held:
            if not file.digest or not Path(file.name).exists():
                self._store.held_files.settle(file, by="engine", now=now)
