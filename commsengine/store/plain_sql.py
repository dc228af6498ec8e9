"""Statements that run once or more for every message: compiled once, any number of rows in and out as plain values.

SQLAlchemy builds, looks up and wraps a statement at each execution, which costs several times what the database takes
for it. Here that is done once for each database. Rows go in as one JSON text, which both databases read as a table.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Select,
    Subquery,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from commsengine.store.database import IN_PLACE_OF_NUL
from commsengine.store.tables import as_sqlite_keeps_it

Convert = Callable[[Any], Any]


def _as_text(value: dt.date) -> str | None:
    # PostgreSQL reads instants as SQLite keeps them, too
    return as_sqlite_keeps_it(value) if isinstance(value, dt.datetime) else value.isoformat()


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_as_text)


@dataclass(frozen=True, slots=True)
class Compiled:
    """``fixed`` are the values that the statement itself holds; ``order`` the names, where values go by their place."""

    sql: str
    fixed: dict[str, Any]
    order: Sequence[str] | None
    written: dict[str, Convert]
    read: Sequence[tuple[int, Convert]]

    def values(self, given: dict[str, Any]) -> Any:
        values = dict(self.fixed)
        for name, value in given.items():
            convert = self.written.get(name)
            values[name] = value if convert is None else convert(value)
        return values if self.order is None else tuple(values[name] for name in self.order)

    def column(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The values of these rows under one name; nothing stays nothing."""
        convert, given = self.written.get(name), [row[name] for row in rows]
        return given if convert is None else [None if value is None else convert(value) for value in given]


class Prepared:
    """A statement that is compiled once for each database. Safe to share between threads."""

    def __init__(self, statement: Select[Any] | UpdateBase) -> None:
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    def rows(self, connection: Connection, **given: Any) -> list[tuple[Any, ...]]:
        """All rows that it finds or returns. ``given`` are its parameters by name."""
        with self._executed(connection, given) as cursor:
            found = cursor.fetchall()
        read = self._for(connection.dialect).read
        return [_converted(row, read) for row in found] if read else list(found)

    def run(self, connection: Connection, **given: Any) -> None:
        """For a statement that returns no rows."""
        with self._executed(connection, given):
            pass

    @contextmanager
    def _executed(self, connection: Connection, given: dict[str, Any]) -> Iterator[DBAPICursor]:
        compiled, driver = self._for(connection.dialect), connection.dialect.loaded_dbapi
        try:
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute(compiled.sql, compiled.values(given))
                yield cursor
        except driver.Error as error:
            raise DBAPIError.instance(compiled.sql, None, error, driver.Error, hide_parameters=True) from error

    def run_each(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Once for each of these parameters; there must be some."""
        compiled = self._for(connection.dialect)
        connection.exec_driver_sql(compiled.sql, [compiled.values(row) for row in rows])

    def sql(self, dialect: Dialect) -> str:
        return self._for(dialect).sql

    def _for(self, dialect: Dialect) -> Compiled:
        return self._compiled.get(dialect.name) or self._compiled.setdefault(
            dialect.name, _compiled(self._statement, dialect)
        )


MOST_VALUES = 30_000
"""SQLite takes 32,766."""


class PreparedInsert:
    """An INSERT with a clause ON CONFLICT, of any number of rows.

    ``statement`` builds it for the database of a connection. SQLite takes a list of VALUES for quicker than JSON, with
    ``most`` of them in one statement; to PostgreSQL's driver and planner each value is one more parameter.
    """

    def __init__(self, statement: Callable[[Connection], Insert], most: int = MOST_VALUES) -> None:
        self._statement, self._most = statement, most
        self._values: Compiled | None = None
        self._of_rows: Prepared | None = None

    def rows(self, connection: Connection, new: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """What it returns, as the database has it. ``new`` are rows with the same columns by name."""
        if not new:
            return []
        return (self._by_values if connection.dialect.name == "sqlite" else self._by_rows)(connection, new)

    def _by_rows(self, connection: Connection, new: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        names = sorted(new[0])
        if self._of_rows is None:
            statement = self._statement(connection)
            them = given("new", **{name: statement.table.c[name].type for name in names})
            self._of_rows = Prepared(statement.from_select(names, select(them)))
        return self._of_rows.rows(connection, new=as_rows([row[name] for name in names] for row in new))

    def _by_values(self, connection: Connection, new: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        if self._values is None:
            statement = self._statement(connection).values({name: bindparam(name) for name in new[0]})
            self._values = _compiled(statement, connection.dialect)
        compiled = self._values
        names = [name for name in compiled.order or () if name not in compiled.fixed]
        held = [compiled.fixed[name] for name in (compiled.order or ())[len(names) :]]
        before, group, after = _parts(compiled.sql)
        found: list[tuple[Any, ...]] = []
        for first in range(0, len(new), most := self._most // len(names)):
            some = new[first : first + most]
            values = chain.from_iterable(zip(*(compiled.column(name, some) for name in names), strict=True))
            sql = before + ", ".join([group] * len(some)) + after
            found += [tuple(row) for row in connection.exec_driver_sql(sql, (*values, *held))]
        return found


def _parts(sql: str) -> tuple[str, str, str]:
    before, after = sql.split(" VALUES ", 1)
    group, after = after.split(" ON CONFLICT", 1)
    return f"{before} VALUES ", group, f" ON CONFLICT{after}"


def one_of(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """The condition that the column has one of the texts of a parameter, made by ``as_texts``."""
    return column.in_(select(_EachText(bindparam(parameter, type_=Text())).table_valued("value").c.value))


def as_texts(texts: Iterable[str]) -> str:
    return _encoded(list(texts))


def as_rows(rows: Iterable[Sequence[Any]]) -> str:
    """What the parameter of ``given`` takes."""
    return _encoded(list(rows))


_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""As JSON has it; after an odd number of backslashes it is text."""


def _encoded(values: list[Any]) -> str:
    encoded = _ENCODER.encode(values)
    return _NUL.sub(rf"\1{IN_PLACE_OF_NUL}", encoded) if "\\u0000" in encoded else encoded


def given(parameter: str, **columns: TypeEngine[Any]) -> Subquery:
    """The rows of a parameter, made by ``as_rows``, as a table of these columns."""
    each = _Each(bindparam(parameter, type_=Text())).table_valued("value")
    named = [
        cast(_Item(each.c.value, literal_column(str(place))), kind).label(name)
        for place, (name, kind) in enumerate(columns.items())
    ]
    return select(*named).subquery(parameter)


def listed(column: ColumnElement[Any], theirs: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that the column has the value of a column of ``given``, in a join that begins with the latter."""
    again = theirs.table.alias()
    return _Listed(column == theirs, column == any_(func.array(select(again.c[theirs.key]).scalar_subquery())))


def only_checked(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column, of text, in a condition on rows that are found by their keys.

    Databases take an index of two columns for better than a list of keys, and would look at every row in one state.
    """
    return _OnlyChecked(column)


def _compiled(statement: Select[Any] | UpdateBase, dialect: Dialect) -> Compiled:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - tells the type checker what a statement compiles to
    asked = dict.fromkeys(name for name, bind in compiled.binds.items() if bind.required)
    whole = compiled.construct_expanded_state(asked)
    written: dict[str, Convert] = {
        name: convert
        for name, bind in compiled.binds.items()
        if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    }
    held = {name: value for name, value in whole.parameters.items() if name not in asked}
    fixed = {name: written[name](value) if name in written else value for name, value in held.items()}
    found = statement.column_descriptions if isinstance(statement, Select) else statement.returning_column_descriptions
    read = [
        (place, convert)
        for place, column in enumerate(found)
        if (convert := column["type"].dialect_impl(dialect).result_processor(dialect, None)) is not None
    ]
    return Compiled(whole.statement, fixed, whole.positiontup, written, read)


def _converted(row: Sequence[Any], read: Sequence[tuple[int, Convert]]) -> tuple[Any, ...]:
    values = list(row)
    for place, convert in read:
        values[place] = convert(values[place])
    return tuple(values)


class _Each(FunctionElement[Any]):
    """The elements of a JSON array, one a row, in the column ``value``."""

    inherit_cache = True


class _EachText(FunctionElement[Any]):
    """The same for an array of texts."""

    inherit_cache = True


class _Item(FunctionElement[Any]):
    """What stands in a JSON array at a place, counted from 0."""

    inherit_cache = True


class _Listed(FunctionElement[Any]):
    """A condition, and the same said again."""

    inherit_cache = True


class _OnlyChecked(FunctionElement[Any]):
    inherit_cache = True


@compiles(_Listed, "sqlite")
def _listed_of_sqlite(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    condition, _ = element.clauses
    return str(compiler.process(condition, **options))


@compiles(_Listed, "postgresql")
def _listed_of_postgresql(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    # A list in a join counts as a hundred rows, for which a table is read from end to end; one in an array as ten.
    return " AND ".join(compiler.process(each, **options) for each in element.clauses)


@compiles(_OnlyChecked, "sqlite")
def _without_index_of_sqlite(element: _OnlyChecked, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(_OnlyChecked, "postgresql")
def _without_index_of_postgresql(element: _OnlyChecked, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} || '')"


@compiles(_Each, "sqlite")
@compiles(_EachText, "sqlite")
def _each_of_sqlite(element: _Each | _EachText, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Each, "postgresql")
def _each_of_postgresql(element: _Each, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements(CAST({compiler.process(element.clauses, **options)} AS JSON))"


@compiles(_EachText, "postgresql")
def _each_text_of_postgresql(element: _EachText, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS JSON))"


@compiles(_Item, "sqlite")
def _item_of_sqlite(element: _Item, compiler: SQLCompiler, **options: Any) -> str:
    value, place = (compiler.process(each, **options) for each in element.clauses)
    return f"json_extract({value}, '$[{place}]')"


@compiles(_Item, "postgresql")
def _item_of_postgresql(element: _Item, compiler: SQLCompiler, **options: Any) -> str:
    value, place = (compiler.process(each, **options) for each in element.clauses)
    return f"({value} ->> {place})"
