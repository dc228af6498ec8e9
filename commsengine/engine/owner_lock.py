"""Who sends: the owner of a claim (one process of one boot of one host), and the lock that lets one process send."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import uuid
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Self

from commsengine.errors import DiskError, OtherEngineError
from commsengine.translation import _

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_ours: set[str] = set()


@dataclass(frozen=True, slots=True)
class Owner:
    """An engine process. Its ``name`` stands beside each of its claims and says where to look for it."""

    host: str
    pid: int
    boot_id: str
    number: str

    @classmethod
    def this_process(cls) -> Owner:
        owner = cls(platform.node(), os.getpid(), _boot_id(), uuid.uuid4().hex[:12])
        _ours.add(owner.name)
        return owner

    @classmethod
    def parse(cls, name: str) -> Owner | None:
        host, pid, boot_id, number = (name.rsplit("/", 3) + [""] * 4)[:4]
        return cls(host, int(pid), boot_id, number) if pid.isdigit() and number else None

    @property
    def name(self) -> str:
        return f"{self.host}/{self.pid}/{self.boot_id}/{self.number}"

    def proves_dead(self, name: str) -> bool:
        """Whether the owner of that name certainly runs no more: of this host, and its boot or its process is gone.

        Of another host nothing is known, so it counts as alive.
        """
        other = Owner.parse(name)
        if other is None or name in _ours or other.host != self.host:
            return False
        return other.boot_id != self.boot_id or other.pid == self.pid or not _alive(other.pid)


class EngineLock:
    """Held as a context. Entering raises ``HeldError`` naming pid and host of the process that has it."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".engine.lock")
        self._file: FileIO | None = None

    def __enter__(self) -> Self:
        try:
            file = open(self.path, "a+b", buffering=0, opener=_privately)
        except OSError as problem:
            cause = _("{path} cannot be made: {why}.", path=self.path, why=problem.strerror)
            raise DiskError(cause, _("Make room, or give the right to.")) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = holder_of(self.path)
            file.close()
            cause = _("Another engine sends from this database: {holder}.", holder=holder)
            raise OtherEngineError(cause, _("Stop that one first, or let it do the work.")) from None
        with contextlib.suppress(OSError):  # a full disk: the lock holds without its note
            file.truncate(0)
            file.write(f"pid {os.getpid()} on {platform.node()}\n".encode())
        self._file = file
        return self

    def __exit__(self, *_: object) -> None:
        # the file stays: removing it would let two processes hold two locks of the same name
        if self._file:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def holder_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() or _("a process that has not written its name yet")


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot_id() -> str:
    return BOOT_ID.read_text(encoding="ascii").strip()[:13] if BOOT_ID.exists() else "-"
