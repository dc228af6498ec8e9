"""Where Postfix writes: a log file with its rotated forerunners, or the system's journal. Read only, from a time on."""

from __future__ import annotations

import bz2
import datetime as dt
import errno
import gzip
import lzma
import re
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

from commsengine.translation import _

READ_BACK = dt.timedelta(minutes=70)
"""How much more than needed is read: a transaction opens before its send is marked, and once a year an hour of local
time comes twice."""

_LONGEST_LINE = 16_384
_MONTHS = {name: n for n, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(b" "), 1)}
_COMPRESSED = (".gz", ".xz", ".bz2")
UNREADABLE = (OSError, EOFError, lzma.LZMAError, zlib.error)


class MailLogError(OSError):
    """The log cannot be read at present: says why."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """Reads the time at the start of a line: RFC 3339, or syslog's own, which is local and bears no year.

    The year is the last in which the line is no younger than the ``newest`` line of its file can be.
    """

    zone: dt.tzinfo
    newest: dt.datetime

    def read(self, line: bytes) -> dt.datetime | None:
        try:
            if line[:1].isdigit():
                return _aware(dt.datetime.fromisoformat(line.split(b" ", 1)[0].decode("ascii")))
            month, clock = _MONTHS[line[:3]], [int(part) for part in line[7:15].split(b":")]
            return self._in_a_year(month, int(line[4:6]), *clock)
        except (ValueError, KeyError, TypeError, OverflowError):
            return None

    def _in_a_year(self, month: int, day: int, hour: int, minute: int, second: int) -> dt.datetime | None:
        latest = self.newest + dt.timedelta(days=1)
        for year in range(latest.year, latest.year - 9, -1):  # nine: a 29th of February may be eight years back
            try:
                stamp = dt.datetime(year, month, day, hour, minute, second, tzinfo=self.zone).astimezone(dt.UTC)
            except ValueError:
                continue
            if stamp <= latest:
                return stamp
        return None


@dataclass(frozen=True, slots=True)
class Extract:
    """The lines from a time on, oldest first, each with the reader of its stamp.

    ``covers`` says that the log reaches back beyond that time; ``whole``, asked after reading, that nothing was rotated
    away meanwhile. Reading raises what is in ``UNREADABLE``.
    """

    covers: bool
    lines: Iterator[tuple[Stamps, bytes]]
    whole: Callable[[], bool] = lambda: True


class MailLog(Protocol):
    """A log that can be read from a time on. Raises what is in ``UNREADABLE``."""

    def since(self, time: dt.datetime) -> Extract: ...

    def last_lines(self) -> Iterator[tuple[Stamps, bytes]]: ...


class LogFiles:
    """A file and what it was before it was rotated: ``mail.log.1``, ``mail.log.2.gz``, ``mail.log-20261125``…

    ``zone`` is that of the machine, for stamps in local time.
    """

    def __init__(self, path: Path, zone: dt.tzinfo) -> None:
        self._path, self._zone = path, zone
        self._family = re.compile(re.escape(path.name) + r"([.-]\d{1,14})?(\.gz|\.xz|\.bz2)?")

    def since(self, time: dt.datetime) -> Extract:
        files = self._files()
        chosen = [file for file in files if file.newest < time][:1]  # proves that the others are not the beginning
        chosen += reversed([file for file in files if file.newest >= time])
        covers = any(file.begins_before(time) for file in chosen)
        return Extract(covers, _lines_since(time - READ_BACK, chosen), lambda: self._unchanged(chosen))

    def last_lines(self) -> Iterator[tuple[Stamps, bytes]]:
        for file in self._files():
            if file.size:
                with file.open() as stream:
                    if file.seekable:
                        stream.seek(max(0, file.size - 4 * _LONGEST_LINE))
                    yield from ((file.stamps, line) for line in _lines(stream))
                return

    def _files(self) -> list[_File]:
        """The youngest first. Raises ``OSError`` where the log itself is missing."""
        self._path.open("rb").close()
        names = sorted(path for path in self._path.parent.iterdir() if self._family.fullmatch(path.name))
        return sorted((_File.at(path, self._zone) for path in names), key=lambda file: file.newest, reverse=True)

    def _unchanged(self, files: Sequence[_File]) -> bool:
        there = {(file.path, file.inode): file.size for file in self._files()}
        return all(there.get((file.path, file.inode), -1) >= file.size for file in files)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    inode: int
    size: int
    stamps: Stamps

    @classmethod
    def at(cls, path: Path, zone: dt.tzinfo) -> _File:
        found = path.stat()
        return cls(path, found.st_ino, found.st_size, Stamps(zone, dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)))

    @property
    def newest(self) -> dt.datetime:
        return self.stamps.newest

    @property
    def seekable(self) -> bool:
        return self.path.suffix not in _COMPRESSED

    def open(self) -> IO[bytes]:
        if self.path.suffix == ".gz":
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        if self.path.suffix == ".xz":
            return lzma.open(self.path, "rb")
        return bz2.open(self.path, "rb") if self.path.suffix == ".bz2" else self.path.open("rb")

    def begins_before(self, time: dt.datetime) -> bool:
        try:
            with self.open() as stream:
                oldest = next((stamp for line in _lines(stream) if (stamp := self.stamps.read(line))), None)
        except UNREADABLE:
            return False
        return oldest is not None and oldest < time


def _lines_since(time: dt.datetime, files: Sequence[_File]) -> Iterator[tuple[Stamps, bytes]]:
    for file in files:
        with file.open() as stream:
            if file.seekable:
                _seek(stream, file, time)
            yield from ((file.stamps, line) for line in _lines(stream))


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.readline(_LONGEST_LINE), b"")


def _seek(stream: IO[bytes], file: _File, time: dt.datetime) -> None:
    # The lines of a log stand in the order of time, so the place can be found by halving.
    low, high = 0, file.size
    while high - low > 4 * _LONGEST_LINE:
        middle = (low + high) // 2
        stream.seek(middle)
        stream.readline(_LONGEST_LINE)
        stamp = next((stamp for _ in range(100) if (stamp := file.stamps.read(stream.readline(_LONGEST_LINE)))), None)
        low, high = (middle, high) if stamp is not None and stamp < time else (low, middle)
    stream.seek(low)  # in the midst of a line, which is then none


class SystemJournal:
    """What ``journalctl`` shows of Postfix's units. ``command`` is the program and its first options."""

    def __init__(self, command: Sequence[str] = ("journalctl",), *, timeout: float = 60.0) -> None:
        self._command, self._timeout = tuple(command), timeout

    def since(self, time: dt.datetime) -> Extract:
        # Anybody's line will do as a beginning: the journal forgets all units alike, the oldest first. Backwards, for
        # journalctl counts -n from the end of the journal, whatever --until says.
        before = self._asked("--reverse", "-n", "1", f"--until=@{time.timestamp():.0f}")
        covers = any(not line.startswith(b"--") for line in before)
        return Extract(covers, self._of_postfix(f"--since=@{(time - READ_BACK).timestamp():.0f}"))

    def last_lines(self) -> Iterator[tuple[Stamps, bytes]]:
        return self._of_postfix("-n", "100")

    def _of_postfix(self, *options: str) -> Iterator[tuple[Stamps, bytes]]:
        return ((_WITH_YEAR, line) for line in self._asked("-u", "postfix*", *options))

    def _asked(self, *options: str) -> Iterator[bytes]:
        # The answer may be long, so it lies in a file of no name.
        command = [*self._command, "-o", "short-iso", "--no-pager", "--quiet", *options]
        answer = tempfile.TemporaryFile()  # noqa: SIM115 - its reader closes it
        try:
            self._write(command, answer)
        except BaseException:
            answer.close()
            raise
        answer.seek(0)
        return _read_to_the_end(answer)

    def _write(self, command: Sequence[str], answer: IO[bytes]) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and no word of it comes from outside
                command, stdout=answer, stderr=subprocess.DEVNULL, timeout=self._timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise MailLogError(errno.ETIMEDOUT, _("{command} does not end", command=command[0])) from None
        if done.returncode:
            why = _("{command} ends with status {status}", command=command[0], status=done.returncode)
            raise MailLogError(errno.EIO, why)


def _read_to_the_end(stream: IO[bytes]) -> Iterator[bytes]:
    with stream:
        yield from _lines(stream)


_WITH_YEAR = Stamps(dt.UTC, dt.datetime(2000, 1, 1, tzinfo=dt.UTC))  # the journal's stamps are complete


def _aware(stamp: dt.datetime) -> dt.datetime | None:
    return stamp.astimezone(dt.UTC) if stamp.tzinfo else None
