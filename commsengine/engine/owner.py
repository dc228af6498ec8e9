"""Who holds a claim: one process of one boot of one host, never named twice."""

from __future__ import annotations

import os
import platform
import uuid
from dataclasses import dataclass
from pathlib import Path

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
