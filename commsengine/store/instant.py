"""The column type of every instant: aware UTC in and out, sortable in the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


class Instant(TypeDecorator[dt.datetime]):
    """``timestamptz`` on PostgreSQL; on SQLite the text ``YYYY-MM-DD HH:MM:SS.ffffff+00:00``, which sorts as time.

    The processors are given out bare, without SQLAlchemy's own around them: a load reads tens of thousands of instants.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return String(32) if dialect.name == "sqlite" else DateTime(timezone=True)

    def bind_processor(self, dialect: Dialect) -> Callable[[dt.datetime | None], Any]:
        return _written if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], dt.datetime | None]:  # noqa: ARG002
        return _read if dialect.name == "sqlite" else _in_utc


def _in_utc(value: dt.datetime | None) -> dt.datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise TypeError("an instant needs its time zone; pass an aware datetime")
    return value.astimezone(dt.UTC)


def _written(value: dt.datetime | None) -> str | None:
    utc = _in_utc(value)
    return None if utc is None else utc.isoformat(" ", "microseconds")


def _read(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
