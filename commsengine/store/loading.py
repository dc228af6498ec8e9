"""Loading: who is due, and everything on record about them, in a few queries per thousand people."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Column, ColumnElement, Connection, Select, Table, bindparam, func, select, update

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
from commsengine.store.person_rows import email_key, person_of, suppression_key
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

_IDS: BindParameter[str] = bindparam("ids", expanding=True)


def _of_people(table: Table, columns: Sequence[Column[Any]], *valid: ColumnElement[bool]) -> Select[Any]:
    return select(table.c.person_id, *columns).where(table.c.person_id.in_(_IDS), *valid)


# Built once: every batch asks them, and building them costs more than asking.
_DUE = (
    select(person.c.id)
    .where(person.c.wake_at <= bindparam("now", type_=person.c.wake_at.type))
    .order_by(person.c.wake_at)
    .limit(bindparam("most"))
)
_PEOPLE = select(person).where(person.c.id.in_(_IDS), person.c.erased_at.is_(None))
_TOUCHES = _of_people(touch, TOUCH_ROW, touch.c.kind != "service").order_by(touch.c.due_at, touch.c.key)
_ANSWERS = _of_people(answer, columns_of(answer, Answer), answer.c.withdrawn_at.is_(None)).order_by(answer.c.id)
_FACTS: Mapping[str, tuple[Select[Any], Callable[..., Any]]] = {
    "rows": (_TOUCHES, TouchRow),
    "answers": (_ANSWERS, Answer),
    "questions": (_of_people(question, columns_of(question, Question)).order_by(question.c.id), Question),
    "snoozes": (_of_people(snooze, columns_of(snooze, Snooze)).order_by(snooze.c.id), Snooze),
    "outcomes": (_of_people(outcome, columns_of(outcome, OutreachOutcome)).order_by(outcome.c.id), OutreachOutcome),
    "deeds": (_of_people(deed, columns_of(deed, Deed)).order_by(deed.c.at, deed.c.id), Deed),
}
"""By their name in a ``History``."""

_CLOSED = (unreachable.c.channel, unreachable.c.reason)
_UNREACHABLE = _of_people(unreachable, _CLOSED, unreachable.c.withdrawn_at.is_(None)).order_by(unreachable.c.id)
_REPORTS = (
    select(person)
    .where(person.c.manager_key.in_(bindparam("keys", expanding=True)), person.c.erased_at.is_(None))
    .order_by(person.c.id)
)
_ROSTERS = _of_people(roster, (roster.c.campaign, roster.c.since))
_SUPPRESSIONS = select(suppression).where(
    suppression.c.email_key.in_(bindparam("keys", expanding=True)), suppression.c.withdrawn_at.is_(None)
)

T = TypeVar("T")

_NEXT_WAKE = select(func.min(person.c.wake_at))


class Loading:
    """People who are due, and their histories."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: dt.datetime, limit: int = 1000) -> list[str]:
        """The ids of people to decide for, the longest due first."""
        return [str(row.id) for row in self._database.rows(_DUE, {"now": now, "most": limit})]

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
    these = connection.execute(_PEOPLE, {"ids": list(ids)})
    people = {row.id: (person_of(row), row.facts_seq) for row in these}
    facts = {name: _facts(connection, ids, query, fact) for name, (query, fact) in _FACTS.items()}
    closed = _unreachable(connection, ids, [each for each, _ in people.values()])
    rosters = _facts(connection, ids, _ROSTERS, lambda *pair: pair)
    led = _reports(connection, [one for one, _ in people.values() if one.is_manager]) if reports else {}
    loaded = {}
    for each, (someone, facts_seq) in people.items():
        known: dict[str, Any] = {name: tuple(found[each]) for name, found in facts.items()}
        history = History(**known, unreachable=closed[each], rosters=dict(rosters[each]), reports=led.get(each, ()))
        loaded[each] = Loaded(someone, history, facts_seq)
    return loaded


def _facts(
    connection: Connection, ids: Sequence[str], query: Select[Any], fact: Callable[..., T]
) -> defaultdict[str, list[T]]:
    found: defaultdict[str, list[T]] = defaultdict(list)
    for person_id, *row in connection.execute(query, {"ids": list(ids)}):
        found[person_id].append(fact(*row))
    return found


def _reports(connection: Connection, managers: Sequence[Person]) -> dict[str, tuple[DirectReport, ...]]:
    # level by level, for the people of a leaver are those of the manager above
    above = {email_key(manager.email): manager.id for manager in managers}
    newest, people = dict(above), defaultdict[str, list[Person]](list)
    for _ in range(LONGEST_CHAIN):
        rows = [row for some in chunks(list(newest)) for row in connection.execute(_REPORTS, {"keys": list(some)})]
        found = [(newest[row.manager_key], person_of(row)) for row in rows]
        for manager, one in found:
            if one.left is None:
                people[manager].append(one)
        gone = {email_key(one.email): manager for manager, one in found if one.left is not None and one.is_manager}
        newest = {key: manager for key, manager in gone.items() if key not in above}
        if not newest:
            break
        above |= newest
    listed = _rosters(connection, [one.id for theirs in people.values() for one in theirs])
    return {
        manager: tuple(DirectReport(one, frozenset(listed[one.id])) for one in theirs)
        for manager, theirs in people.items()
    }


def _rosters(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[str]]:
    listed = defaultdict[str, list[str]](list)
    for some in chunks(ids):
        for person_id, campaign, _since in connection.execute(_ROSTERS, {"ids": list(some)}):
            listed[person_id].append(campaign)
    return listed


def _unreachable(
    connection: Connection, ids: Sequence[str], people: Iterable[Person]
) -> defaultdict[str, dict[str, str]]:
    # Found out by trying, or suppressed.
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for person_id, channel, reason in connection.execute(_UNREACHABLE, {"ids": list(ids)}):
        found[person_id][channel] = reason
    owners = {email_key(each.email): each.id for each in people}
    owners |= {suppression_key(address): each for address, each in owners.items()}
    for keys in chunks(list(owners)):
        for row in connection.execute(_SUPPRESSIONS, {"keys": keys}):
            for channel in [row.channel] if row.channel else CARRIERS:
                found[owners[row.email_key]][channel] = f"suppressed: {row.reason}".rstrip(": ")
    return found
