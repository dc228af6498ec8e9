"""Which files of a workspace other accounts on this machine can read: written so by an older program, or by hand."""

from __future__ import annotations

import grp
import os
import shlex
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.settings import Settings

EVERYBODY = N_("Everybody on this machine")
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """Files of one place that ``reader`` can read; ``guarded`` if they were never meant for other accounts."""

    text: str
    fix: str
    reader: str
    guarded: bool


def open_files(settings: Settings, keeps_modes: Callable[[Path], bool] | None = None) -> Iterator[OpenFiles]:
    """One for each place and reader. ``keeps_modes`` says whether the disk of a folder keeps modes at all."""
    home, database = settings.workspace, settings.database_file
    beside = [database.with_name(database.name + end) for end in ("", "-wal", "-shm")] if database else []
    keys = [home / name for name in (settings.microsoft_certificate, settings.google_credentials) if name]
    guarded = [beside, keys, *([home / name] for name in ("backup", "rehearsals")), [settings.state_dir.absolute()]]
    theirs = [[home / ".env"], sorted([*home.glob("*.csv"), *home.glob("schedules/**/*.csv")]), [home / "preview"]]
    for files in [*guarded, *theirs]:
        yield from _of_one_place(home, files, files in guarded, keeps_modes or keeps_modes_here)


def _of_one_place(
    home: Path, places: list[Path], guarded: bool, keeps_modes: Callable[[Path], bool]
) -> Iterator[OpenFiles]:
    found: dict[str, list[Path]] = {}
    for file in (file for place in places for file in _files(place)):
        if reader := reader_of(file):
            found.setdefault(reader, []).append(file)
    for reader, files in found.items():
        if keeps_modes(files[0].parent):
            folders = [place for place in places if os.path.isdir(place)]
            text = _("{reader} can read {files}.", reader=_(reader), files=_named(home, files))
            yield OpenFiles(text, _mended(files, folders), reader, guarded)
        else:
            text = N_("The disk of {files} keeps no modes: who can read it is set where it is mounted.")
            fix = _("Mount it for this account alone, or move the workspace.")
            yield OpenFiles(_(text, files=_named(home, files)), fix, "", guarded)


def _files(place: Path) -> Iterator[Path]:
    # STOP is empty and made by hand.
    below = sorted(place.rglob("*")) if os.path.isdir(place) else [place]
    yield from (file for file in below if os.path.isfile(file) and file.name != "STOP")


def reader_of(file: Path) -> str:
    # The file must be readable, and each folder above it passable.
    try:
        file = file.resolve()
        found, *above = (each.stat() for each in (file, *file.parents))
    except OSError:  # gone meanwhile, or in a folder of another account
        return ""
    if found.st_mode & stat.S_IROTH and all(each.st_mode & stat.S_IXOTH for each in above):
        return EVERYBODY
    if found.st_mode & stat.S_IRGRP and all(_passes(each, found.st_gid) for each in above):
        return _("The group {group}", group=_group(found.st_gid))
    return ""


def _passes(folder: os.stat_result, group: int) -> bool:
    return bool(folder.st_mode & (stat.S_IXGRP if folder.st_gid == group else stat.S_IXOTH))


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _named(home: Path, files: list[Path]) -> str:
    names = [f"{os.path.relpath(file, home) if file.is_relative_to(home) else file} ({_mode(file)})" for file in files]
    more = [_("{number} more", number=len(names) - MOST_NAMED)] if len(names) > MOST_NAMED else []
    *first, last = names[:MOST_NAMED] + more
    return _("{files} and {last}", files=", ".join(first), last=last) if first else last


def _mode(file: Path) -> str:
    return _("mode {mode:04o}", mode=stat.S_IMODE(file.stat().st_mode))


def _mended(files: list[Path], folders: list[Path]) -> str:
    command = ["chmod", "-R", "go=", *map(str, folders)] if folders else ["chmod", "600", *map(str, files)]
    return _("Run: {command}", command=shlex.join(command))


def keeps_modes_here(folder: Path) -> bool:
    # Some disks show the same mode for every file.
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return not os.fstat(file.fileno()).st_mode & 0o077
    except OSError:
        return True
