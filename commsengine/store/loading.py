"""Loading: who is due, and everything on record about them, in a few queries per thousand people."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    bindparam,
    exists,
    func,
    literal,
    select,
    type_coerce,
    update,
)

from commsengine.cadence.history import (
    Answer,
    Deed,
    DirectReport,
    History,
    OutreachOutcome,
    Question,
    Snooze,
    TouchRow,
)
from commsengine.cadence.kinds_and_states import CHANNELS
from commsengine.cadence.people import LONGEST_CHAIN, Person
from commsengine.store.database import Database, chunks, columns_of
from commsengine.store.person_rows import PERSON, email_key, person_with, suppression_key
from commsengine.store.plain_sql import Prepared, as_texts, one_of
from commsengine.store.records import Loaded
from commsengine.store.tables import (
    answer,
    deed,
    outcome,
    person,
    question,
    roster,
    snooze,
    suppression,
    touch,
    unreachable,
)

CARRIERS = tuple(CHANNELS)
"""The channels that a suppression without a channel closes; what a human carries is not among them."""

TOUCH_ROW = columns_of(touch, TouchRow)
"""The columns of a ``TouchRow``, in its order."""


def _of_people(table: Table, columns: Sequence[Column[Any]], *valid: ColumnElement[bool]) -> Select[Any]:
    return select(table.c.person_id, *columns).where(one_of(table.c.person_id, "ids"), *valid)


def _plain(name: str) -> ColumnElement[Any]:
    # what is JSON is parsed once for all who have the same
    column = person.c[name]
    return type_coerce(column, Text()) if isinstance(column.type, JSON) else column


_PERSON = tuple(_plain(name) for name in PERSON)
_DUE = Prepared(
    select(person.c.id, person.c.wake_at)
    .where(person.c.wake_at <= bindparam("now", type_=person.c.wake_at.type))
    .order_by(person.c.wake_at)
    .limit(bindparam("most"))
)
_PEOPLE = Prepared(select(person.c.facts_seq, *_PERSON).where(one_of(person.c.id, "ids"), person.c.erased_at.is_(None)))
_TOUCHES = _of_people(touch, TOUCH_ROW, touch.c.kind != "service").order_by(touch.c.due_at, touch.c.key)
_OUTCOMES = _of_people(outcome, columns_of(outcome, OutreachOutcome)).order_by(outcome.c.id)
_ANSWERS = _of_people(answer, columns_of(answer, Answer), answer.c.withdrawn_at.is_(None)).order_by(answer.c.id)
FACTS: Mapping[str, tuple[Prepared, Callable[..., Any]]] = {
    "rows": (Prepared(_TOUCHES), TouchRow),
    "answers": (Prepared(_ANSWERS), Answer),
    "questions": (Prepared(_of_people(question, columns_of(question, Question)).order_by(question.c.id)), Question),
    "snoozes": (Prepared(_of_people(snooze, columns_of(snooze, Snooze)).order_by(snooze.c.id)), Snooze),
    "outcomes": (Prepared(_OUTCOMES), OutreachOutcome),
    "deeds": (Prepared(_of_people(deed, columns_of(deed, Deed)).order_by(deed.c.at, deed.c.id)), Deed),
}
"""By their name in a ``History``."""

_CLOSED = (unreachable.c.channel, unreachable.c.reason)
_UNREACHABLE = Prepared(
    _of_people(unreachable, _CLOSED, unreachable.c.withdrawn_at.is_(None)).order_by(unreachable.c.id)
)
_REPORTS = Prepared(
    select(person.c.manager_key, *_PERSON)
    .where(one_of(person.c.manager_key, "keys"), person.c.erased_at.is_(None))
    .order_by(person.c.id)
)
_ROSTERS = Prepared(_of_people(roster, (roster.c.campaign, roster.c.since)))
_SUPPRESSIONS = Prepared(
    select(suppression.c.email_key, suppression.c.channel, suppression.c.reason).where(
        one_of(suppression.c.email_key, "keys"), suppression.c.withdrawn_at.is_(None)
    )
)
_TABLES = {
    **{"rows": touch, "answers": answer, "questions": question, "snoozes": snooze, "outcomes": outcome, "deeds": deed},
    **{"rosters": roster, "unreachable": unreachable, "suppressions": suppression},
}
_THERE: list[ColumnElement[Any]] = [exists(select(literal(1)).select_from(table)) for table in _TABLES.values()]
WITH_ROWS = Prepared(select(*_THERE))
"""Most tables stay empty for long; those are not asked."""

NOTHING = History()

T = TypeVar("T")

_NEXT_WAKE = select(func.min(person.c.wake_at))


class Loading:
    """People who are due, and their histories."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: dt.datetime, limit: int = 1000) -> list[str]:
        """The ids of people to decide for, the longest due first."""
        return list(self.wakes(now, limit))

    def wakes(self, until: dt.datetime, limit: int) -> dict[str, dt.datetime]:
        """The bookmarks of those who are due by then, by their ids, the longest due first."""
        with self._database.read() as connection:
            return dict(_DUE.rows(connection, now=until, most=limit))

    def due_count(self, now: dt.datetime) -> int:
        return int(self._database.scalar(select(func.count()).where(person.c.wake_at <= now)))

    def wake(self, now: dt.datetime, until: dt.datetime, most: int | None = None) -> None:
        """Makes so many due, or all, who would be between now and then; nothing is known of them that was not."""
        waiting = select(person.c.id).where(person.c.wake_at > now, person.c.wake_at <= until)
        some = waiting.order_by(person.c.wake_at).limit(most).scalar_subquery()
        with self._database.write() as connection:
            connection.execute(update(person).where(person.c.id.in_(some)).values(wake_at=now))

    def wake_of(self, person_id: str) -> dt.datetime | None:
        found: dt.datetime | None = self._database.scalar(select(person.c.wake_at).where(person.c.id == person_id))
        return found

    def next_wake(self) -> dt.datetime | None:
        """When the next person is due; ``None`` if none ever is."""
        found: dt.datetime | None = self._database.scalar(_NEXT_WAKE)
        return found

    def wipe_bookmarks(self, now: dt.datetime) -> None:
        """Makes everybody due; costs a recomputation and changes nothing that is sent."""
        epoch = min(now, dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
        with self._database.write() as connection:
            connection.execute(update(person).where(person.c.erased_at.is_(None)).values(wake_at=epoch))

    def histories(self, ids: Sequence[str], *, reports: bool = False) -> dict[str, Loaded]:
        """People with everything on record about them, read at one moment; the unknown and erased are left out.

        ``reports``: with who reports to them, which only messages that managers get first ask for.
        """
        loaded: dict[str, Loaded] = {}
        with self._database.read() as connection:
            for some in chunks(ids):
                loaded.update(_load_some(connection, some, reports=reports))
        return loaded


def _load_some(connection: Connection, ids: Sequence[str], *, reports: bool) -> dict[str, Loaded]:
    asked = as_texts(ids)
    people = {someone.id: (someone, seq) for seq, someone in _people(_PEOPLE.rows(connection, ids=asked))}
    there = _with_rows(connection)
    facts: dict[str, Mapping[str, Any]] = {
        name: _facts(connection, asked, *of) for name, of in FACTS.items() if name in there
    }
    if "rosters" in there:
        facts["rosters"] = {each: dict(pairs) for each, pairs in _facts(connection, asked, _ROSTERS, _pair).items()}
    if there & {"unreachable", "suppressions"}:
        facts["unreachable"] = _unreachable(connection, asked, [each for each, _ in people.values()])
    if reports:
        facts["reports"] = _reports(connection, [one for one, _ in people.values() if one.is_manager])
    return {each: Loaded(someone, _history(each, facts), facts_seq) for each, (someone, facts_seq) in people.items()}


def _people(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[Any, Person]]:
    """What stands first in each row, and the person of the rest."""
    return ((first, person_with(values)) for first, *values in rows)


def _with_rows(connection: Connection) -> set[str]:
    (there,) = WITH_ROWS.rows(connection)
    return {name for name, any_row in zip(_TABLES, there, strict=True) if any_row}


def _history(person_id: str, facts: Mapping[str, Mapping[str, Any]]) -> History:
    theirs = {name: found[person_id] for name, found in facts.items() if person_id in found}
    return History(**theirs) if theirs else NOTHING


def _facts(connection: Connection, ids: str, query: Prepared, fact: Callable[..., T]) -> dict[str, tuple[T, ...]]:
    found: dict[str, list[T]] = {}
    for person_id, *row in query.rows(connection, ids=ids):
        found.setdefault(person_id, []).append(fact(*row))
    return {person_id: tuple(theirs) for person_id, theirs in found.items()}


def _pair(first: str, second: dt.datetime) -> tuple[str, dt.datetime]:
    return first, second


def _reports(connection: Connection, managers: Sequence[Person]) -> dict[str, tuple[DirectReport, ...]]:
    # level by level, for the people of a leaver are those of the manager above
    above = {email_key(manager.email): manager.id for manager in managers}
    newest, people = dict(above), defaultdict[str, list[Person]](list)
    for _ in range(LONGEST_CHAIN):
        rows = _people(_REPORTS.rows(connection, keys=as_texts(newest)))
        found = [(newest[key], one) for key, one in rows]
        for manager, one in found:
            if one.left is None:
                people[manager].append(one)
        gone = {email_key(one.email): manager for manager, one in found if one.left is not None and one.is_manager}
        newest = {key: manager for key, manager in gone.items() if key not in above}
        if not newest:
            break
        above |= newest
    ids = as_texts(one.id for theirs in people.values() for one in theirs)
    listed = _facts(connection, ids, _ROSTERS, lambda campaign, _since: campaign)
    return {
        manager: tuple(DirectReport(one, frozenset(listed.get(one.id, ()))) for one in theirs)
        for manager, theirs in people.items()
    }


def _unreachable(connection: Connection, ids: str, people: Iterable[Person]) -> dict[str, dict[str, str]]:
    # Found out by trying, or suppressed.
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for person_id, channel, reason in _UNREACHABLE.rows(connection, ids=ids):
        found[person_id][channel] = reason
    owners = {email_key(each.email): each.id for each in people}
    owners |= {suppression_key(address): each for address, each in owners.items()}
    for key, one_channel, reason in _SUPPRESSIONS.rows(connection, keys=as_texts(owners)):
        for channel in [one_channel] if one_channel else CARRIERS:
            found[owners[key]][channel] = f"suppressed: {reason}".rstrip(": ")
    return dict(found)
