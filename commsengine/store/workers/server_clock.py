"""The clock of the database server: the hosts of several engines may be minutes apart, and share this one."""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from commsengine.errors import CommsError
from commsengine.store.database import Database
from commsengine.store.records import Lease
from commsengine.store.tables import Instant

ASK_AFTER = 10.0
"""Seconds; in between the host's own count of seconds goes on from the last reading."""

_NOW = select(func.clock_timestamp(type_=Instant()))


def lease_now(connection: Connection, now: dt.datetime) -> dt.datetime:
    """By which time leases are decided: that of the server; on a file, which one host has, ``now``."""
    if connection.dialect.name == "sqlite":
        return now
    return connection.execute(_NOW).scalar_one()


class LeaseNow(FunctionElement[dt.datetime]):
    """``lease_now`` within a statement, of the parameter that is ``now``: the server is not asked beforehand."""

    type = Instant()
    inherit_cache = True


@compiles(LeaseNow, "sqlite")
def _the_given(element: LeaseNow, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(LeaseNow, "postgresql")
def _the_servers(_element: LeaseNow, _compiler: SQLCompiler, **_options: Any) -> str:
    return "clock_timestamp()"


def leased(connection: Connection, lease: Lease, now: dt.datetime) -> Lease:
    """A lease made ``now`` by the clock of its owner, which ends as much later by that of the server."""
    return replace(lease, until=lease_now(connection, now) + (lease.until - now))


class ServerClock:
    """Aware UTC, as the server of a PostgreSQL database has it; it is asked after so many seconds again.

    Raises ``CommsError`` when it never answered; later it is done without.
    """

    def __init__(self, database: Database, ask_after: float = ASK_AFTER) -> None:
        self._database, self._ask_after = database, ask_after
        self._read: tuple[dt.datetime, float] | None = None
        self._next = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> dt.datetime:
        with self._lock:
            if self._read is None or time.monotonic() >= self._next:
                self._read = self._asked()
                self._next = time.monotonic() + self._ask_after
            instant, at = self._read
        return instant + dt.timedelta(seconds=time.monotonic() - at)

    def _asked(self) -> tuple[dt.datetime, float]:
        began = time.monotonic()
        try:
            instant: dt.datetime = self._database.scalar(_NOW)
        except CommsError:
            if self._read is None:
                raise
            return self._read
        return instant.astimezone(dt.UTC), (began + time.monotonic()) / 2
