"""Whether a file lies on a network file system: SQLite's locks do not hold there, and sooner or later it is lost.

Told from the table of mounts that Linux keeps; other systems are not asked.
"""

from __future__ import annotations

import re
from pathlib import Path

from commsengine.errors import InputError

MOUNTS = Path("/proc/self/mounts")

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|afs|ncpfs|ceph|lustre|beegfs\w*|glusterfs|davfs"
    r"|fuse\.(?:sshfs|glusterfs|ceph\w*|s3fs|rclone|gcsfuse|davfs\w*|smb\w*|mfs)"
)


def mounts() -> str:
    """The table of mounts, empty where the system keeps none."""
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def refuse_network(file: Path, table: str) -> None:
    """Raises ``InputError`` for a file on a network file system."""
    kind, at = _mounted(file.resolve(), table)
    if _NETWORK.fullmatch(kind):
        raise InputError(
            f"The database {file} lies on a network file system ({kind} at {at}), where SQLite cannot keep it safe.",
            "Set COMMSENGINE_DATABASE_URL to a file on a disk of this machine, or to postgresql://user@host/name.",
        )


def _mounted(file: Path, table: str) -> tuple[str, Path]:
    """Kind and place of the mount that a file is on: the deepest above it, and of several there the last."""
    found = ("", Path("/"))
    for line in table.splitlines():
        fields = line.split(" ")
        if len(fields) > 2 and file.is_relative_to(at := Path(_unescaped(fields[1]))):
            found = (fields[2], at) if len(at.parts) >= len(found[1].parts) else found
    return found


def _unescaped(written: str) -> str:
    r"""Blanks and such are written in octal: ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), written)
