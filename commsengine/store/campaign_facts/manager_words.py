"""What managers hold of what goes out in their name, and the line they add. Taken back, a word stays on record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, not_, select, update

from commsengine.cadence.history import ManagerHold
from commsengine.cadence.people import LONGEST_CHAIN, Person
from commsengine.store import bookkeeping
from commsengine.store.database import Database, columns_of
from commsengine.store.person_rows import is_here, person_of
from commsengine.store.tables import manager_hold, manager_line, person


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """A hold as it was set; ``person_id`` is the manager. Over from their people's local date ``until`` on."""

    id: int
    campaign: str
    message: str
    person_id: str
    until: dt.date
    at: dt.datetime
    by: str
    withdrawn_at: dt.datetime | None
    withdrawn_by: str


@dataclass(frozen=True, slots=True)
class LineRecord:
    """A line that stands; ``person_id`` is the manager who adds it."""

    id: int
    campaign: str
    message: str
    person_id: str
    text: str
    at: dt.datetime


_HOLDS = select(*columns_of(manager_hold, HoldRecord)).order_by(manager_hold.c.id)
_LINES = select(*columns_of(manager_line, LineRecord)).where(manager_line.c.withdrawn_at.is_(None))
_LINES = _LINES.where(manager_line.c.text != "").order_by(manager_line.c.id)


class ManagerWords:
    """Holds and lines, by campaign. Setting one takes back the one before it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def holds(self, campaign: str) -> list[HoldRecord]:
        """Every hold there ever was, in order."""
        return [HoldRecord(*row) for row in self._database.rows(_HOLDS.where(manager_hold.c.campaign == campaign))]

    def lines(self, campaign: str) -> list[LineRecord]:
        return [LineRecord(*row) for row in self._database.rows(_LINES.where(manager_line.c.campaign == campaign))]

    def hold(self, campaign: str, message: str, manager: str, until: dt.date, *, by: str, now: dt.datetime) -> None:
        """Nothing of the message goes to the people of this manager before ``until``; they are decided again."""
        self._set(manager_hold, campaign, message, manager, {"until": until}, by, now)

    def add_line(self, campaign: str, message: str, manager: str, text: str, *, by: str, now: dt.datetime) -> None:
        """Stands in what leaves from now on."""
        self._set(manager_line, campaign, message, manager, {"text": text}, by, now)

    def lift(self, campaign: str, message: str, manager: str, *, by: str, now: dt.datetime) -> bool:
        """Takes the hold back; false if none stands."""
        return self._take_back(manager_hold, campaign, message, manager, by, now)

    def remove_line(self, campaign: str, message: str, manager: str, *, by: str, now: dt.datetime) -> bool:
        return self._take_back(manager_line, campaign, message, manager, by, now)

    def team(self, manager: str, day: dt.date) -> list[Person]:
        """Who reports to a manager on that day, with the people of leavers below them; leavers are left out."""
        with self._database.read() as connection:
            keys = below(connection, [manager], day).get(manager, frozenset())
            theirs = select(person).where(person.c.manager_key.in_(keys), is_here(day))
            rows = connection.execute(theirs.where(person.c.erased_at.is_(None)).order_by(person.c.id)).all()
        return [person_of(row) for row in rows]

    def _set(
        self,
        table: Table,
        campaign: str,
        message: str,
        manager: str,
        said: Mapping[str, Any],
        by: str,
        now: dt.datetime,
    ) -> None:
        about = {"campaign": campaign, "message": message, "person_id": manager}
        row = {**about, **said, "at": now, "by": by, "withdrawn_at": None, "withdrawn_by": ""}
        with self._database.write() as connection:
            _close(connection, table, about, by, now)
            connection.execute(table.insert(), row)
            _news(connection, table, about, by, now, "set")

    def _take_back(self, table: Table, campaign: str, message: str, manager: str, by: str, now: dt.datetime) -> bool:
        about = {"campaign": campaign, "message": message, "person_id": manager}
        with self._database.write() as connection:
            closed = _close(connection, table, about, by, now)
            if closed:
                _news(connection, table, about, by, now, "withdrawn")
        return closed


def _close(connection: Connection, table: Table, about: Mapping[str, str], by: str, now: dt.datetime) -> bool:
    standing = [table.c[name] == value for name, value in about.items()]
    close = update(table).where(*standing, table.c.withdrawn_at.is_(None))
    closed = connection.execute(close.values(withdrawn_at=now, withdrawn_by=by).returning(table.c.id)).all()
    return bool(closed)


def _news(connection: Connection, table: Table, about: Mapping[str, str], by: str, now: dt.datetime, what: str) -> None:
    manager = about["person_id"]
    if table is manager_hold:
        keys = below(connection, [manager], now.date())[manager]
        theirs = select(person.c.id).where(person.c.manager_key.in_(keys), person.c.erased_at.is_(None))
        bookkeeping.changed(connection, connection.execute(theirs).scalars().all(), now)
    detail = {"campaign": about["campaign"], "message": about["message"], "what": what}
    bookkeeping.note(connection, table.name, manager, by=by, now=now, **detail)


def running_holds(connection: Connection, day: dt.date) -> dict[str, tuple[ManagerHold, ...]]:
    """By campaign, for decisions."""
    rows = connection.execute(_HOLDS).all()
    keys = below(connection, {row.person_id for row in rows}, day)
    found: dict[str, tuple[ManagerHold, ...]] = {}
    for row in rows:
        found[row.campaign] = (*found.get(row.campaign, ()), _fact(row, keys))
    return found


def _fact(row: Row[Any], keys: Mapping[str, frozenset[str]]) -> ManagerHold:
    return ManagerHold(row.message, keys.get(row.person_id, frozenset()), row.until, row.at, row.withdrawn_at)


def below(connection: Connection, managers: Iterable[str], day: dt.date) -> dict[str, frozenset[str]]:
    """The addresses that a manager's people name, by the manager's id: the own one and those of leavers below."""
    wanted = sorted(set(managers))
    if not wanted:
        return {}
    own = connection.execute(select(person.c.id, person.c.email_key).where(person.c.id.in_(wanted))).all()
    return {row.id: _with_leavers(connection, row.email_key, day) for row in own}


def _with_leavers(connection: Connection, email_key: str, day: dt.date) -> frozenset[str]:
    keys, newest = {email_key}, {email_key}
    for _ in range(LONGEST_CHAIN):
        gone = select(person.c.email_key).where(person.c.manager_key.in_(newest), not_(is_here(day)))
        newest = set(connection.execute(gone.where(person.c.is_manager)).scalars()) - keys
        if not newest:
            break
        keys |= newest
    return frozenset(keys)
