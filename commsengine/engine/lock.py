"""One engine process per SQLite file: a lock that dies with its process, and a note of who holds it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from commsengine.errors import DiskError, HeldError


class EngineLock:
    """Held as a context. Entering raises ``HeldError`` naming pid and host of the process that has it."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".engine.lock")
        self._file: FileIO | None = None

    def __enter__(self) -> Self:
        try:
            file = open(self.path, "a+b", buffering=0, opener=_privately)
        except OSError as problem:
            raise DiskError(
                f"{self.path} cannot be made: {problem.strerror}.", "Make room, or give the right to."
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = holder_of(self.path)
            file.close()
            raise HeldError(
                f"Another engine sends from this database: {holder}.", "Stop that one first, or let it do the work."
            ) from None
        with contextlib.suppress(OSError):  # a full disk: the lock holds without its note
            file.truncate(0)
            file.write(f"pid {os.getpid()} on {platform.node()}\n".encode())
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The file stays: removing it would let two processes hold two locks of the same name."""
        if self._file:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def holder_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() or "a process that has not written its name yet"
