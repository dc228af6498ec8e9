"""Every row of a SQLite file into an empty PostgreSQL, and the books that show that both hold the same.

The target is written in one transaction: it has all of it or nothing. Rows pass through one by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, inspect, select, text

from commsengine.errors import CommsError, InputError
from commsengine.store import schema
from commsengine.store.database import Database
from commsengine.store.tables import instance, metadata, touch
from commsengine.translation import N_, _

TABLES: Sequence[Table] = metadata.sorted_tables
"""Those that others refer to first."""

BORN_WITH = instance
"""A new database has a row there: its name, which gives way to that of the source."""

AT_A_TIME = 1000
"""Rows held in memory."""


@dataclass(frozen=True, slots=True)
class TableBooks:
    """How many rows a table has, and one number made of all their keys, whatever their order."""

    rows: int
    keys: int


Books = tuple[dict[str, TableBooks], dict[tuple[str, str], int]]
"""By table; and the number of touches by campaign and state."""


def books(connection: Connection) -> Books:
    states = select(touch.c.campaign, touch.c.state, func.count()).group_by(touch.c.campaign, touch.c.state)
    counted = {(row[0], row[1]): row[2] for row in connection.execute(states)}
    return {each.name: _books_of(connection, each) for each in TABLES}, counted


def _books_of(connection: Connection, table: Table) -> TableBooks:
    rows = keys = 0
    query = select(*table.primary_key.columns).execution_options(yield_per=AT_A_TIME)
    for key in connection.execute(query):
        rows += 1
        keys ^= int.from_bytes(hashlib.blake2b(repr(tuple(key)).encode(), digest_size=16).digest())
    return TableBooks(rows, keys)


def refuse_used(target: Database) -> None:
    """Raises ``InputError`` for a database with anything in it that would be in the way."""
    names = {each.name for each in TABLES}
    with target.read() as connection:
        there = names & set(inspect(connection).get_table_names())
        ours = there == names and schema.revision(target) == schema.HEAD
        used = sorted(name for name in there if not ours or _has_rows(connection, metadata.tables[name]))
    if used:
        cause = _("{place} is not empty: it has the table {name}.", place=schema.place(target), name=used[0])
        raise InputError(cause, _("Create a database of its own for commsengine, and name that one."))


def _has_rows(connection: Connection, table: Table) -> bool:
    return table is not BORN_WITH and connection.execute(select(table).limit(1)).first() is not None


@contextmanager
def transferred(source: Database, target: Database, progress: Callable[[float], object]) -> Iterator[Connection]:
    """The target with everything in it, checked, and not committed before the context is left."""
    with source.read() as old, target.write() as new:
        new.execute(BORN_WITH.delete())
        for done, table in enumerate(TABLES):
            progress(done / len(TABLES))
            _copy(old, new, table)
        _go_on_counting(new)
        _refuse_difference(books(old), books(new))
        yield new


def _copy(old: Connection, new: Connection, table: Table) -> None:
    # As text, which PostgreSQL reads as what its column is: SQLite keeps instants, dates and JSON as text, too.
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    rows = _raw(old).execute(f'SELECT {names} FROM "{table.name}"')  # noqa: S608 - names of our own
    try:
        with _raw(new).cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
    except new.dialect.loaded_dbapi.Error as error:
        cause = _("PostgreSQL does not take the table {name}: {why}", name=table.name, why=str(error).splitlines()[0])
        raise CommsError(cause, _("Nothing was changed, in neither of them.")) from error


def _raw(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _go_on_counting(connection: Connection) -> None:
    # What the database numbers by itself goes on after the last number that was copied.
    for table in TABLES:
        number = table.autoincrement_column
        last = connection.execute(select(func.max(number))).scalar() if number is not None else None
        if number is not None and last is not None:
            sequence = {"table": table.name, "column": number.name, "last": last}
            connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"), sequence)


def _refuse_difference(old: Books, new: Books) -> None:
    if old == new:
        return
    different = [name for name in old[0] if old[0][name] != new[0][name]] or ["touch"]
    cause = N_("What was copied is not what is there: the table {name} differs. Nothing was changed.")
    raise CommsError(_(cause, name=different[0]), _("Please report it; the old database is as it was."))
