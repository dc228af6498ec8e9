"""The people on record as a population: counted by the database, and read only where somebody is looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, or_, select

from commsengine.cadence.history import DirectReport
from commsengine.cadence.people import COLUMNS, END_OF_DAYS, Person
from commsengine.cadence.plan import Plan
from commsengine.cadence.population import A_FEW, GROUPED_BY, PeopleGroup
from commsengine.store.audience.audience import column_of, role_in
from commsengine.store.database import CHUNK, Database, rows_with
from commsengine.store.loading import Loading
from commsengine.store.person_rows import email_key, is_here, person_of
from commsengine.store.tables import person, roster
from commsengine.text import LIKE_AN_ADDRESS, near_names

MOST_COMPARED = 5000
"""Addresses among which a slip is looked for."""


class PeopleOnRecord:
    """Those who are not erased, in the order of their ids; with a ``campaign``, those of its roster."""

    def __init__(self, database: Database, campaign: str = "") -> None:
        self._database = database
        listed = select(roster.c.person_id).where(roster.c.campaign == campaign)
        self._these = (person.c.erased_at.is_(None), *([person.c.id.in_(listed)] if campaign else []))
        self._groups: dict[tuple[object, ...], tuple[Sequence[Plan], Sequence[PeopleGroup]]] = {}

    def __len__(self) -> int:
        return int(self._database.scalar(select(func.count()).select_from(person).where(*self._these)))

    def __iter__(self) -> Iterator[Person]:
        return self.pages()

    def groups(self, *plans: Plan, day: dt.date = END_OF_DAYS) -> Sequence[PeopleGroup]:
        asked = (day, *map(id, plans))
        if asked not in self._groups:
            self._groups[asked] = plans, self._counted(plans, day)  # a plan that is kept keeps its id
        return self._groups[asked][1]

    def _counted(self, plans: Sequence[Plan], day: dt.date) -> Sequence[PeopleGroup]:
        with self._database.read() as connection:
            alike = (*(role_in(connection, plan) for plan in plans), *_OWN, case((is_here(day), 1), else_=0))
            query = select(func.min(person.c.id).label("first"), func.count().label("people")).where(*self._these)
            found = {row.first: row.people for row in connection.execute(query.group_by(*alike))}
            firsts = rows_with(connection, select(person), person.c.id, sorted(found))
            return [PeopleGroup(one, found[one.id]) for one in sorted(map(person_of, firsts), key=lambda one: one.id)]

    def roles(self, plan: Plan, day: dt.date | None = None) -> Iterator[tuple[str, str]]:
        here = () if day is None else (is_here(day),)
        with self._database.read() as connection:
            placed = select(person.c.id, role_in(connection, plan).label("role")).where(*self._these, *here)
            rows = connection.execute(placed, execution_options={"yield_per": CHUNK})
            yield from ((row.id, row.role) for row in rows if row.role is not None)

    def values(self, column: str) -> Mapping[str, int]:
        with self._database.read() as connection:
            value = column_of(connection, column).label("value")
            each = select(value).where(*self._these).subquery()
            rows = connection.execute(select(each.c.value, func.count().label("people")).group_by(each.c.value))
            return {str(row.value): row.people for row in rows}

    @cached_property
    def columns(self) -> Sequence[str]:
        filled = [func.max(case((person.c[name] != "", 1), else_=0)).label(name) for name in COLUMNS]
        with self._database.read() as connection:
            own = connection.execute(select(*filled).where(*self._these)).mappings().one()
            names = connection.execute(_attribute_names(connection).where(*self._these).distinct()).scalars().all()
        return [*(name for name in COLUMNS if own[name]), *sorted(names)]

    def every(self, step: int) -> Sequence[Person]:
        ids = self.ids(step)
        with self._database.read() as connection:
            return [person_of(row) for row in rows_with(connection, select(person), person.c.id, ids)]

    def ids(self, step: int) -> Sequence[str]:
        """Those of the first person and each ``step``-th after."""
        place = func.row_number().over(order_by=person.c.id).label("place")
        placed = select(person.c.id, place).where(*self._these).subquery()
        some = select(placed.c.id).where((placed.c.place - 1) % step == 0).order_by(placed.c.id)
        return [str(row.id) for row in self._database.rows(some)]

    def find(self, word: str) -> Person | None:
        key = email_key(word)
        named = select(person).where(*self._these, or_(person.c.email_key == key, person.c.id == key))
        row = self._database.first(named.order_by(person.c.id))
        return person_of(row) if row else None

    def named(self, ids: Collection[str], emails: Collection[str]) -> Iterable[Person]:
        query = select(person).where(*self._these)
        with self._database.read() as connection:
            by_id = list(rows_with(connection, query, person.c.id, [*ids]))
            by_email = list(rows_with(connection, query, person.c.email_key, [*emails]))
        return [person_of(row) for row in {row.id: row for row in (*by_id, *by_email)}.values()]

    def near(self, email: str) -> Sequence[str]:
        wanted = email_key(email)
        start = person.c.email_key.like(f"{wanted[:1]}%")
        known = self._addresses(start, most=MOST_COMPARED)
        return near_names(wanted, known, likeness=LIKE_AN_ADDRESS) or self._addresses(most=A_FEW)

    def _addresses(self, *those: ColumnElement[bool], most: int) -> list[str]:
        some = select(person.c.email_key).where(*those, *self._these).order_by(person.c.email_key).limit(most)
        return [str(row.email_key) for row in self._database.rows(some)]

    def reports(self, person: Person) -> tuple[DirectReport, ...]:
        known = Loading(self._database).histories([person.id], reports=True)
        return known[person.id].history.reports if person.id in known else ()

    def managers(self, most: int) -> Sequence[Person]:
        query = select(person).where(*self._these, person.c.is_manager).order_by(person.c.id).limit(most)
        return [person_of(row) for row in self._database.rows(query)]

    def pages(self, size: int = CHUNK) -> Iterator[Person]:
        """Everybody, read so many at a time: no transaction stays open between two pages."""
        page, last = select(person).where(*self._these).order_by(person.c.id).limit(size), ""
        while rows := self._database.rows(page.where(person.c.id > last)):
            yield from map(person_of, rows)
            last = rows[-1].id


_OWN: tuple[ColumnElement[Any], ...] = (
    *(person.c[name] for name in GROUPED_BY),
    case((person.c.manager_key == "", 0), else_=1),
    case((person.c.left.is_(None), 0), else_=1),
)


def _attribute_names(connection: Connection) -> Select[Any]:
    if connection.dialect.name == "postgresql":
        return select(func.json_object_keys(person.c.attributes))
    names = func.json_each(person.c.attributes).table_valued("key")
    return select(names.c.key).select_from(person).join(names, literal(True))
