"""Opens SQLite and PostgreSQL alike, and gives short transactions: ``read()`` and ``write()``.

SQLite runs in WAL mode with ``synchronous=FULL``: what is committed outlives a crash. Writers take the lock when they
begin (``BEGIN IMMEDIATE``), so that two of them wait for each other instead of failing half-way. Those of one process
take it in the order in which they come.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    QueuePool,
    Select,
    Table,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, InvalidatePoolError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from commsengine.errors import CommsError, DiskError, InputError
from commsengine.spool import batches
from commsengine.store.fair_lock import FairLock
from commsengine.store.group_commit import GroupCommit
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

BUSY_TIMEOUT = 30.0
"""Seconds a SQLite writer waits for another one."""

NOT_OURS = ("malformed", "not a database", "connection option", "permission denied")
"""Signs of what is no fault of the program, besides an ``OperationalError``."""

LARGEST_EXAMINED = 2 * 1024**3
"""Bytes; a larger file takes so long to read that its engine would start late."""

SERVER_OPTIONS = {
    "options": (
        "-c timezone=UTC -c idle_in_transaction_session_timeout=10min"
        # a plan of a table that was small is slow long before the server looks at the table again
        " -c plan_cache_mode=force_custom_plan"
    ),
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Of each connection to a server: a host that is cut off notices it within half a minute, and what one that was stopped
within a transaction had locked is free again."""

RESTED = 1.0
"""Seconds; a connection to a server that was in use later than that is only looked at, without a question to it."""

IN_PLACE_OF_NUL = "\ufffd"
"""What foreign words, such as a mail server's, have instead of a character that PostgreSQL keeps in no text."""

CHUNK = 1000
"""How many ids one statement carries."""

IN_MEMORY = URL.create("sqlite")

MOST_COLLISIONS = 3
"""How often a transaction gives way to another before it reports the collision."""

T = TypeVar("T")
Begin = Callable[[sqlite3.Connection], None]
"""How a transaction on SQLite begins."""


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file, whatever its folders are called."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def misplaced(path: Path) -> Path | None:
    """Where version 0.1.0 put this file, if it is still there: it took ``?`` and ``%20`` in a path for a URL's."""
    taken_for = Path(str(make_url(f"sqlite:///{path}").database))
    if taken_for == path or path.exists() or not taken_for.is_file():
        return None
    with taken_for.open("rb") as file:
        return taken_for if file.read(16) == b"SQLite format 3\x00" else None


def _read_one_moment(raw: sqlite3.Connection) -> None:
    raw.execute("BEGIN")


def _take_the_lock(raw: sqlite3.Connection) -> None:
    # Asks every millisecond: another process may have it. SQLite's own waiting grows to 100 ms between two looks:
    # beside a busy sender, a pause would look at the wrong moments only, and wait for seconds.
    raw.execute("PRAGMA busy_timeout=1")
    try:
        for _ in range(int(BUSY_TIMEOUT * 1000)):
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return
        raw.execute("BEGIN IMMEDIATE")
    finally:
        raw.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")


class Database:
    """One database, its connections and its transactions. Safe to share between threads.

    Without a ``url`` it is in memory, at first with ``content``, and gone when it is closed. ``durable`` is false for
    what may be lost with the power, such as a rehearsal; ``mounts`` is the system's table.
    """

    def __init__(
        self, url: str | None, *, durable: bool = True, mounts: str | None = None, content: bytes = b""
    ) -> None:
        self.url = IN_MEMORY if url is None else _parsed(url)
        self.dialect = self.url.get_backend_name()
        file = self.url.database if self.dialect == "sqlite" else None
        self.path = Path(file).absolute() if file else None
        if self.path is not None:
            refuse_network(self.path, mount_table() if mounts is None else mounts)
        self.engine = _engine(self.url, self.path, durable) if url is not None else _in_memory(content)
        self._writers = FairLock()
        self._together = GroupCommit(self.write)
        self._one_statement = self.engine
        if self.dialect == "postgresql":  # which needs no BEGIN and COMMIT, each a round trip, around one statement
            self._one_statement = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: everything in it is of the same moment on SQLite."""
        with self._on(self.engine) as connection:
            yield connection

    def rows(self, query: Executable, given: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """All that one query finds, in a transaction of its own."""
        with self._on(self._one_statement) as connection:
            return connection.execute(query, given).all()

    def first(self, query: Executable, given: Mapping[str, Any] | None = None) -> Any:
        """The first row; ``None`` without one."""
        with self._on(self._one_statement) as connection:
            return connection.execute(query, given).first()

    def scalar(self, query: Executable, given: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row; ``None`` without one."""
        with self._on(self._one_statement) as connection:
            return connection.execute(query, given).scalar()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; committed and durable when the block ends, undone if it raises."""
        in_turn = self._writers.held(BUSY_TIMEOUT) if self.path is not None else nullcontext()
        with in_turn, self._on(self.engine, _take_the_lock) as connection:
            yield connection

    @contextmanager
    def _on(self, engine: Engine, begin: Begin = _read_one_moment) -> Iterator[Connection]:
        with self._in_plain_words(), engine.connect() as connection, connection.begin():
            if self.dialect == "sqlite":  # to listen to "begin" would cost each statement six more calls
                begin(_raw(connection.connection))
            yield connection

    def content(self) -> bytes:
        """Of a database in memory."""
        with closing(self.engine.raw_connection()) as connection:
            return _raw(connection).serialize()

    def use_wal(self) -> None:
        """Switches a SQLite file to write-ahead logging, for good: readers no longer wait for writers."""
        if self.path is not None:
            with suppress(OSError):  # then SQLite cannot make it either, and says why
                make_private(self.path)
        self._pragma("journal_mode=WAL")

    def examine(self) -> str:
        """Looks at every page of a SQLite file; a server looks after its own.

        Raises ``DiskError`` when it is damaged; returns why it was not looked at.
        """
        if self.path is None:
            return ""
        if self.path.stat().st_size > LARGEST_EXAMINED:
            size = LARGEST_EXAMINED >> 30
            return _("{file} is larger than {size} GB and was not examined for damage", file=self.path.name, size=size)
        with self.read() as connection:
            found = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
        if found != "ok":
            raise _file_trouble(self.path, f"malformed ({found.strip().splitlines()[-1]})")
        return ""

    def checkpoint(self) -> None:
        """Empties SQLite's write-ahead log, so that what was erased is gone from there too."""
        if self.path is not None:
            self._pragma("wal_checkpoint(TRUNCATE)")

    def _pragma(self, said: str) -> None:
        # outside a transaction
        with self._in_plain_words(), closing(self.engine.raw_connection()) as connection:
            connection.cursor().execute(f"PRAGMA {said}")

    def write_again(self, work: Callable[[Connection], T]) -> T:
        """Does the work in a transaction, and again after a collision with another one, which PostgreSQL may report."""
        for _try in range(MOST_COLLISIONS):
            try:
                with self.write() as connection:
                    return work(connection)
            except (CommsError, DatabaseError) as error:
                if not _collided(error):
                    raise
        with self.write() as connection:
            return work(connection)

    def write_together(self, work: Callable[[Connection], T]) -> T:
        """Does the work in one transaction with that of other threads; committed and durable when it returns.

        For what many people do at the same moment. The work may be done twice, and hands in no other. A server, which
        has many writers, gets a transaction for each.
        """
        return self._together.write(work) if self.dialect == "sqlite" else self.write_again(work)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        """A database that does not answer becomes a ``CommsError`` with what a user can do about it."""
        try:
            yield
        except DatabaseError as error:
            if not isinstance(error, OperationalError) and not any(sign in str(error.orig) for sign in NOT_OURS):
                raise
            raise self._trouble(str(error.orig)) from error
        except sqlite3.DatabaseError as error:
            raise self._trouble(str(error)) from error

    def _trouble(self, answer: str) -> CommsError:
        cause = answer.strip().splitlines()[0]
        if self.path is not None:
            return _file_trouble(self.path, cause)
        address = self.url.render_as_string(hide_password=True)
        problem = _("The database {address} does not answer: {cause}.", address=address, cause=cause)
        return CommsError(problem, _(next((fix for signs, fix in _SERVER_REMEDIES if re.search(signs, cause)), _RUNS)))


def _collided(error: BaseException) -> bool:
    """A deadlock, or two inserts of one key at the same instant: one is done, the other may go again."""
    cause = error if isinstance(error, DatabaseError) else error.__cause__
    return getattr(getattr(cause, "orig", None), "sqlstate", None) in ("40P01", "40001", "23505")


_RUNS = N_("Check that it runs, and that this machine reaches it.")
_SERVER_REMEDIES = (  # the first whose sign the server's or the driver's words hold
    (
        r"password authentication failed|no password supplied",
        N_("Check user and password in COMMSENGINE_DATABASE_URL."),
    ),
    (r'role ".*" does not exist', N_("There is no such user: check it in COMMSENGINE_DATABASE_URL, or create it.")),
    (r'database ".*" does not exist', N_("Create it, or check its name in COMMSENGINE_DATABASE_URL.")),
    (
        r"pg_hba\.conf|not permitted to log in",
        N_("The server does not let this user in from here: ask who runs it (pg_hba.conf)."),
    ),
    (r"resolve host|translate host name", N_("Check the host in COMMSENGINE_DATABASE_URL.")),
    (r"connection option|sslmode value|invalid port", N_("Check what follows the '?' in COMMSENGINE_DATABASE_URL.")),
    (
        r"too many (?:connections|clients)|remaining connection slots",
        N_("It takes no more connections: allow it more."),
    ),
    (r"SSL|certificate", N_("Check sslmode and sslrootcert in COMMSENGINE_DATABASE_URL.")),
    (r"permission denied", N_("Give this user the right: it must own the tables of commsengine.")),
)

_FILE_TROUBLES: tuple[tuple[str, type[CommsError], str, str], ...] = (  # the first whose sign SQLite's words hold
    (
        "malformed", DiskError, N_("The database {path} is damaged: {cause}."),
        N_("Nothing is sent from it. Keep the file, and bring back a backup: commsengine restore FILE"),
    ),
    (
        "locked|busy", CommsError, N_("The database {path} was busy for {patience:.0f} seconds."),
        N_("Try again when the other program is done."),
    ),
    (
        "readonly", InputError, N_("The database {path} is read-only."),
        N_("Give this user the right to write the file and its folder."),
    ),
    (
        "full", DiskError, N_("The disk that holds {path} is full."),
        N_("Make room; nothing was sent that is not on record."),
    ),
    (
        "disk I/O error", DiskError, N_("The disk that holds {path} fails to read or write."),
        N_(
            "What is not surely recorded does not count as recorded. Check the disk and its free space, then "
            "start again."
        ),
    ),
    (
        "not a database", InputError, N_("{path} is not a database of commsengine."),
        N_("Name another file, or restore a backup."),
    ),
    (
        "unable to open", InputError, N_("The database {path} cannot be opened."),
        N_("Check that its folder exists and may be written."),
    ),
)  # fmt: skip


def _file_trouble(path: Path, cause: str) -> CommsError:
    for signs, kind, what, fix in _FILE_TROUBLES:
        if any(sign in cause for sign in signs.split("|")):
            return kind(_(what, path=path, cause=cause, patience=BUSY_TIMEOUT), _(fix))
    problem = _("The database {path} failed: {cause}.", path=path, cause=cause)
    return CommsError(problem, _("Restore a backup if this stays."))


def _parsed(written: str) -> URL:
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):
        raise InputError(
            _("The database URL cannot be read."), _("Write sqlite:///commsengine.db or postgresql://user@host/db.")
        ) from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        cause = _("'{kind}' is not supported as a database.", kind=backend)
        raise InputError(cause, _("Use a URL of sqlite:/// or postgresql://."))
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise InputError(_("The database URL names no file."), _("Write for example sqlite:///commsengine.db."))
    return url


def _engine(url: URL, path: Path | None, durable: bool) -> Engine:
    try:
        if path is None:
            given = {name: value for name, value in SERVER_OPTIONS.items() if name not in url.query}
            return _asked_after_rests(create_engine(url, hide_parameters=True, connect_args=given))
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT})
    except (ImportError, NoSuchModuleError):
        raise InputError(
            _("PostgreSQL needs its driver."), _("Install it with: pip install 'commsengine[postgres]'.")
        ) from None
    return _listened_to(engine, "FULL" if durable else "OFF")


def _asked_after_rests(engine: Engine) -> Engine:
    """A connection that rested is asked whether it still answers; to ask before each use is a round trip too many."""

    def used(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["used"] = time.monotonic()

    def asked(connection: DBAPIConnection, entry: ConnectionPoolEntry, _fairy: object) -> None:
        rested = time.monotonic() - entry.info.get("used", 0.0) >= RESTED
        if not (rested or _has_ended(connection)):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            raise InvalidatePoolError from None  # the others are as old: all are made again

    event.listen(engine, "connect", used)
    event.listen(engine, "connect", _keep_no_nul)
    event.listen(engine, "checkin", used)
    event.listen(engine, "checkout", asked)
    return engine


def _keep_no_nul(connection: Any, _entry: object) -> None:
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415 - an extra

    class WithoutNul(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", IN_PLACE_OF_NUL))

    connection.adapters.register_dumper(str, WithoutNul)


def _has_ended(connection: Any) -> bool:
    # Between two transactions a server has nothing to say: a socket with something to read may be closed.
    looked_at = poll()
    looked_at.register(connection.fileno(), POLLIN)
    return bool(looked_at.poll(0))


def _in_memory(content: bytes) -> Engine:
    # The database is its connection, so there is one, which the threads take in turns.
    turns = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": BUSY_TIMEOUT}
    engine = create_engine(IN_MEMORY, hide_parameters=True, connect_args={"check_same_thread": False}, **turns)
    if content:
        event.listen(engine, "connect", lambda connection, _record: connection.deserialize(content))
    return _listened_to(engine, "OFF")


def _listened_to(engine: Engine, synchronous: str) -> Engine:
    event.listen(engine, "connect", partial(_prepare_sqlite, synchronous))
    return engine


def _prepare_sqlite(synchronous: str, connection: sqlite3.Connection, _record: object) -> None:
    # None: we say BEGIN ourselves, so that DDL is part of the transaction too.
    connection.isolation_level = None
    for pragma in (f"synchronous={synchronous}", "foreign_keys=ON", "secure_delete=ON", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")


def _raw(connection: PoolProxiedConnection) -> sqlite3.Connection:
    raw = connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - tells the type checker what it is
    return raw


def make_private(file: Path) -> None:
    """An empty file for this account alone, if there is none; SQLite gives what it writes beside it the same mode.

    A file that exists is not opened: to close it again would free the locks that this process holds on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ``on_conflict_do_…``, which both databases spell the same."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def columns_of(table: Table, record: type[DataclassInstance]) -> list[Column[Any]]:
    """The columns that a record is made of, in its order."""
    return [table.c[field.name] for field in fields(record)]


def chunks(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as one statement carries."""
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def rows_with(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], values: Sequence[str]
) -> Iterator[Any]:
    """The rows whose column has one of any number of values."""
    return (row for some in chunks(values) for row in connection.execute(query.where(column.in_(some))))


def many(connection: Connection, statement: Executable, rows: Iterable[Mapping[str, Any]]) -> None:
    """Executes once per row, in bulk; nothing to do is nothing done."""
    for some in batches(rows):
        connection.execute(statement, [dict(row) for row in some])


MOUNTS = Path("/proc/self/mounts")

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|afs|ncpfs|ceph|lustre|beegfs\w*|glusterfs|davfs"
    r"|fuse\.(?:sshfs|glusterfs|ceph\w*|s3fs|rclone|gcsfuse|davfs\w*|smb\w*|mfs)"
)


def mount_table() -> str:
    """Empty where the system keeps none."""
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def refuse_network(file: Path, table: str) -> None:
    """Raises ``InputError`` for a file on a network file system."""
    kind, at = _mounted(file.resolve(), table)
    if _NETWORK.fullmatch(kind):
        cause = N_(
            "The database {file} is on a network file system ({kind} at {place}), where SQLite cannot keep it safe."
        )
        fix = _("Set COMMSENGINE_DATABASE_URL to a file on a disk of this machine, or to postgresql://user@host/name.")
        raise InputError(_(cause, file=file, kind=kind, place=at), fix)


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
