"""A copy of a SQLite database, taken while it is in use, and the checks that a copy is whole.

The copy is made by the database itself, page by page, never by copying files: beside a busy writer a plain copy of the
file and its write-ahead log need not fit together. It is there whole or not at all.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from commsengine.errors import CommsError, InputError
from commsengine.store.database import Database, make_private
from commsengine.translation import _


def copy_to(database: Database, path: Path) -> None:
    """Raises ``InputError`` for a database server or a file that exists, ``CommsError`` if it cannot be made."""
    if database.path is None:
        raise InputError(_("A database server is backed up with its own tools."), _("Use pg_dump."))
    if path.exists():
        raise InputError(_("{path} exists already.", path=path), _("Name another file; a backup never replaces one."))
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        make_private(draft)
        _copied(database.path, draft)
        _durable(draft)
        draft.replace(path)
        _durable(path.parent)
    except (OSError, sqlite3.Error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        cause = _("The backup {path} cannot be made: {why}.", path=path, why=why)
        raise CommsError(cause, _("Make room, or name another folder.")) from error
    finally:
        draft.unlink(missing_ok=True)


def copy_file(file: Path, target: Path) -> None:
    """Another copy of a backup that is whole; the backup itself is only read."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
        _into(source, target)


def set_aside(database: Path, aside: Path) -> None:
    """Keeps the database as it is: a copy of it, or, if it is damaged, its files as they are."""
    if not database.exists():
        return
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        check_whole(database)
    except InputError:
        for suffix in ("-wal", "-shm", ""):
            part = database.with_name(database.name + suffix)
            if part.exists():
                part.replace(aside.with_name(aside.name + suffix))
        return
    make_private(aside)
    with closing(sqlite3.connect(database)) as source:
        _into(source, aside)


def replace(database: Path, restored: Database) -> None:
    """The restored database in the place of another, in one transaction, also beside readers."""
    assert restored.path is not None  # noqa: S101 - a defect of ours
    try:
        make_private(database)
        with closing(sqlite3.connect(restored.path)) as source:
            _into(source, database)
        _durable(database)
    except sqlite3.Error as error:
        cause = _("The database {database} cannot be replaced: {error}.", database=database, error=error)
        raise CommsError(cause, _("Stop what uses it.")) from error


def _into(source: sqlite3.Connection, target: Path) -> None:
    with closing(sqlite3.connect(target, timeout=30)) as copy:
        copy.execute("PRAGMA synchronous=FULL")
        source.backup(copy)


def check_whole(path: Path) -> None:
    """Raises ``InputError`` when the file is no database of ours, or a damaged one. It is only read."""
    if not path.is_file():
        raise InputError(_("There is no file {path}.", path=path), _("Name a backup: commsengine backup makes one."))
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            found = [row[0] for row in file.execute("PRAGMA integrity_check(3)")]
            ours = file.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            broken = found != ["ok"] or not ours or file.execute("PRAGMA foreign_key_check").fetchone() is not None
    except sqlite3.DatabaseError:
        broken = True
    if broken:
        raise InputError(_("{path} is damaged, or no database.", path=path), _("Name another backup."))


def _copied(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as used:
        _into(used, target)
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
    check_whole(target)


def _durable(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
