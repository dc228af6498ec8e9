"""New databases for tests, each a copy of one that the migrations made once: that takes a tenth of the time.

A test names its database by a path. It is a SQLite file, or, with ``--database postgresql`` and for the second run of
``both_databases``, a database of a server that is named after the path.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path

from sqlalchemy import text, update

from commsengine.store import schema
from commsengine.store.database import Database, sqlite_url
from commsengine.store.store import Store
from commsengine.store.tables import instance, metadata
from tests.postgres import Postgres, start_postgres

SETTING = "COMMSENGINE_DATABASE_URL"
_ONE_AT_A_TIME = threading.RLock()


class SqliteFiles:
    """What is kept of a database is the content of its file."""

    def url(self, path: Path) -> str:
        return sqlite_url(path)

    def opened(self, path: Path) -> Store:
        return Store.open(self.url(path), durable=False)

    def settings(self, folder: Path) -> Mapping[str, str]:
        return {}

    @cached_property
    def empty(self) -> bytes:
        file = Path(tempfile.mkdtemp(prefix="template-")) / "empty.db"
        Store.create(sqlite_url(file), durable=False).close()
        return self.kept(file)

    def kept(self, path: Path) -> bytes:
        return path.read_bytes()

    def put(self, content: bytes, path: Path, *, renamed: bool) -> None:
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
        if not renamed:
            return
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("PRAGMA synchronous=OFF")
            file.execute("UPDATE instance SET database = ?", (str(uuid.uuid4()),))


class PostgresDatabases:
    """What is kept of a database is the name of a copy.

    To make a database costs much; an empty one of an earlier test is as good as new.
    """

    def __init__(self) -> None:
        self._made: dict[Path, str] = {}
        self._spare: list[str] = []
        self._copies: set[str] = set()
        self._open: list[Store] = []

    @cached_property
    def server(self) -> Postgres:
        return start_postgres()

    def url(self, path: Path) -> str:
        """The database is made when it is first named; there are our tables in it, and nothing else."""
        with _ONE_AT_A_TIME:
            if path.absolute() not in self._made:
                self.put(self.empty, path, renamed=True)
            return self.server.url_of(self._made[path.absolute()])

    def settings(self, folder: Path) -> Mapping[str, str]:
        """For a workspace there, unless the test has named a database itself."""
        named = os.environ.get(SETTING, "")
        ours = not named or ("server" in self.__dict__ and self.server.made(named))
        return {SETTING: self.url(folder / "commsengine.db")} if ours else {}

    @cached_property
    def empty(self) -> bytes:
        name = _new_name()
        self.server.command(f"CREATE DATABASE {name}")
        Store.create(self.server.url_of(name)).close()
        return name.encode()

    def opened(self, path: Path) -> Store:
        """Closed at the latest when its database is given back: a connection that is dropped open is a warning."""
        self._open.append(Store.open(self.url(path)))
        return self._open[-1]

    def kept(self, path: Path) -> bytes:
        return self._copy(self._made[path.absolute()], _new_name()).encode()

    def put(self, content: bytes, path: Path, *, renamed: bool) -> None:
        before = self._made.get(path.absolute())
        if before is not None:  # the new one has its name, which others may know
            self._drop(before)
        as_good = content == self.empty and before is None and self._spare
        name = self._spare.pop() if as_good else self._copy(content.decode(), before or _new_name())
        if content != self.empty:
            self._copies.add(name)
        self._made[path.absolute()] = name
        if not renamed:
            return
        with closing(Database(self.server.url_of(name))) as database, database.write() as connection:
            connection.execute(update(instance).values(database=str(uuid.uuid4())))

    def _copy(self, old: str, new: str) -> str:
        self.server.leave(old)
        self.server.command(f"CREATE DATABASE {new} TEMPLATE {old} STRATEGY FILE_COPY")
        return new

    def _drop(self, name: str) -> None:
        self.server.command(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def given_back_afterwards(self) -> Iterator[None]:
        """What is made in this context is there for others after it."""
        before, open_before = dict(self._made), len(self._open)
        yield
        for store in self._open[open_before:]:
            store.close()
        del self._open[open_before:]
        for path in self._made.keys() - before.keys():
            self._give_back(self._made.pop(path))

    def _give_back(self, name: str) -> None:
        self.server.leave(name)
        if name not in self._copies and self._emptied(name):
            self._spare.append(name)
        else:
            self._drop(name)

    def _emptied(self, name: str) -> bool:
        with closing(Database(self.server.url_of(name))) as database, database.write() as connection:
            if connection.execute(text("SELECT version_num FROM alembic_version")).scalar() != schema.HEAD:
                return False
            tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
            if set(tables) != {"alembic_version", *metadata.tables}:  # a test has made one, and what fills it
                return False
            connection.exec_driver_sql(_EMPTY)
            connection.execute(instance.insert().values(database="", place=""))
            connection.exec_driver_sql(_NUMBERS_FROM_ONE)
        return True

    def close(self) -> None:
        if "server" in self.__dict__:
            self.server.stop()


def _new_name() -> str:
    return f"t_{uuid.uuid4().hex[:16]}"


_EMPTY = ";".join(f"DELETE FROM {each.name}" for each in reversed(metadata.sorted_tables))  # noqa: S608
_NUMBERS_FROM_ONE = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"

FILES, SERVER = SqliteFiles(), PostgresDatabases()
_in_use: list[SqliteFiles | PostgresDatabases] = [FILES]


def begin_with(kind: str) -> None:
    """New databases are of this kind, ``sqlite`` or ``postgresql``."""
    _in_use.append(SERVER if kind == "postgresql" else FILES)


@contextmanager
def databases_on(kind: str) -> Iterator[None]:
    begin_with(kind)
    try:
        yield
    finally:
        _in_use.pop()


def kind() -> str:
    return "postgresql" if _in_use[-1] is SERVER else "sqlite"


def url(path: Path) -> str:
    return _in_use[-1].url(path)


def settings(folder: Path) -> Mapping[str, str]:
    """What names the database of a workspace there, where that is not the default."""
    return _in_use[-1].settings(folder)


@contextmanager
def in_environment(folder: Path) -> Iterator[None]:
    """For commands in this process."""
    named, before = settings(folder), os.environ.get(SETTING)
    os.environ.update(named)
    try:
        yield
    finally:
        if named:
            os.environ.pop(SETTING)
            os.environ.update({SETTING: before} if before is not None else {})


def a_store(path: Path) -> Store:
    """The store of a new database there, with our tables and nothing in it."""
    with _ONE_AT_A_TIME:
        template = _in_use[-1].empty
    put(template, path)
    return opened(path)


def opened(path: Path) -> Store:
    return _in_use[-1].opened(path)


def kept(path: Path) -> bytes:
    """What ``put`` makes a database like this one of."""
    return _in_use[-1].kept(path)


def put(content: bytes, path: Path, *, renamed: bool = True) -> None:
    """A database like the one that was kept, under an id of its own."""
    _in_use[-1].put(content, path, renamed=renamed)
