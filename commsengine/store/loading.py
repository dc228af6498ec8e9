"""Loading: who is due, and everything on record about them, in a few queries per thousand people."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, Table, bindparam, func, select, update

from commsengine.cadence.history import Answer, History, OutreachOutcome, Question, Snooze, TouchRow
from commsengine.cadence.people import Person
from commsengine.cadence.terms import CHANNELS
from commsengine.store.database import Database, chunks
from commsengine.store.person_rows import email_key, person_of, suppression_key
from commsengine.store.records import Loaded
from commsengine.store.tables import answer, outcome, person, question, roster, snooze, suppression, touch, unreachable

CARRIERS = tuple(CHANNELS)
"""The channels that a suppression without a channel closes; what a human carries is not among them."""

TOUCH_ROW = [touch.c[field.name] for field in fields(TouchRow)]
"""The columns of a ``TouchRow``, in its order."""

_IDS: BindParameter[str] = bindparam("ids", expanding=True)


def _of_people(table: Table, *valid: ColumnElement[bool]) -> Select[Any]:
    return select(table).where(table.c.person_id.in_(_IDS), *valid).order_by(table.c.id)


# Built once: every batch asks them, and building them costs more than asking.
_DUE = (
    select(person.c.id)
    .where(person.c.wake_at <= bindparam("now", type_=person.c.wake_at.type))
    .order_by(person.c.wake_at)
    .limit(bindparam("most"))
)
_PEOPLE = select(person).where(person.c.id.in_(_IDS), person.c.erased_at.is_(None))
_TOUCHES = (
    select(touch.c.person_id, *TOUCH_ROW)
    .where(touch.c.person_id.in_(_IDS), touch.c.kind != "service")
    .order_by(touch.c.due_at, touch.c.key)
)
_ANSWERS = _of_people(answer, answer.c.withdrawn_at.is_(None))
_QUESTIONS, _SNOOZES, _OUTCOMES = _of_people(question), _of_people(snooze), _of_people(outcome)
_UNREACHABLE = _of_people(unreachable, unreachable.c.withdrawn_at.is_(None))
_ROSTERS = select(roster).where(roster.c.person_id.in_(_IDS))
_SUPPRESSIONS = select(suppression).where(
    suppression.c.email_key.in_(bindparam("keys", expanding=True)), suppression.c.withdrawn_at.is_(None)
)

Facts = Mapping[str, Sequence[Any]]


class Loading:
    """People who are due, and their histories."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: dt.datetime, limit: int = 1000) -> list[str]:
        """The ids of people to decide for, the longest due first."""
        with self._database.read() as connection:
            return [str(row.id) for row in connection.execute(_DUE, {"now": now, "most": limit})]

    def due_count(self, now: dt.datetime) -> int:
        with self._database.read() as connection:
            return connection.execute(select(func.count()).where(person.c.wake_at <= now)).scalar_one()

    def next_wake(self) -> dt.datetime | None:
        """When the next person is due; ``None`` if none ever is."""
        with self._database.read() as connection:
            found: dt.datetime | None = connection.execute(select(func.min(person.c.wake_at))).scalar()
        return found

    def wipe_bookmarks(self, now: dt.datetime) -> None:
        """Makes everybody due; costs a recomputation and changes nothing that is sent."""
        epoch = min(now, dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
        with self._database.write() as connection:
            connection.execute(update(person).where(person.c.erased_at.is_(None)).values(wake_at=epoch))

    def histories(self, ids: Sequence[str]) -> dict[str, Loaded]:
        """People with everything on record about them, read at one moment; the unknown and erased are left out."""
        loaded: dict[str, Loaded] = {}
        with self._database.read() as connection:
            for some in chunks(ids):
                loaded.update(_load_some(connection, some))
        return loaded


def _load_some(connection: Connection, ids: Sequence[str]) -> dict[str, Loaded]:
    these = connection.execute(_PEOPLE, {"ids": list(ids)})
    people = {row.id: (person_of(row), row.facts_seq) for row in these}
    rows = _touches(connection, ids)
    answers = _facts(connection, ids, _ANSWERS, _answer)
    questions = _facts(connection, ids, _QUESTIONS, _question)
    snoozes = _facts(connection, ids, _SNOOZES, _snooze)
    outcomes = _facts(connection, ids, _OUTCOMES, _outcome)
    closed = _unreachable(connection, ids, [each for each, _ in people.values()])
    rosters = _rosters(connection, ids)
    loaded: dict[str, Loaded] = {}
    for each, (someone, facts_seq) in people.items():
        history = History(
            rows=tuple(rows.get(each, ())),
            answers=tuple(answers.get(each, ())),
            questions=tuple(questions.get(each, ())),
            snoozes=tuple(snoozes.get(each, ())),
            outcomes=tuple(outcomes.get(each, ())),
            unreachable=closed.get(each, {}),
            rosters=rosters.get(each, {}),
        )
        loaded[each] = Loaded(someone, history, facts_seq)
    return loaded


def _touches(connection: Connection, ids: Sequence[str]) -> Facts:
    found: defaultdict[str, list[TouchRow]] = defaultdict(list)
    for person_id, *row in connection.execute(_TOUCHES, {"ids": list(ids)}):
        found[person_id].append(TouchRow(*row))
    return found


def _facts(connection: Connection, ids: Sequence[str], query: Select[Any], read: Any) -> Facts:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query, {"ids": list(ids)}):
        found[row.person_id].append(read(row))
    return found


def _answer(row: Row[Any]) -> Answer:
    return Answer(
        row.campaign, row.message, row.kind, row.at, row.evidence, row.right, row.whole_campaign, row.key, row.counts
    )


def _question(row: Row[Any]) -> Question:
    return Question(row.campaign, row.message, row.asked_at, row.answered_at)


def _snooze(row: Row[Any]) -> Snooze:
    return Snooze(row.campaign, row.message, row.until, row.at)


def _outcome(row: Row[Any]) -> OutreachOutcome:
    return OutreachOutcome(row.campaign, row.message, row.outcome, row.at)


def _rosters(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, dt.datetime]]:
    found: defaultdict[str, dict[str, dt.datetime]] = defaultdict(dict)
    for row in connection.execute(_ROSTERS, {"ids": list(ids)}):
        found[row.person_id][row.campaign] = row.since
    return found


def _unreachable(connection: Connection, ids: Sequence[str], people: Iterable[Person]) -> dict[str, dict[str, str]]:
    # Found out by trying, or suppressed.
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(_UNREACHABLE, {"ids": list(ids)}):
        found[row.person_id][row.channel] = row.reason
    owners = {email_key(each.email): each.id for each in people}
    owners |= {suppression_key(address): each for address, each in owners.items()}
    for row in _suppressions(connection, list(owners)):
        for channel in [row.channel] if row.channel else CARRIERS:
            found[owners[row.email_key]][channel] = f"suppressed: {row.reason}".rstrip(": ")
    return found


def _suppressions(connection: Connection, keys: Sequence[str]) -> list[Row[Any]]:
    return [row for some in chunks(keys) for row in connection.execute(_SUPPRESSIONS, {"keys": some})]
