"""Loading: who is due, and everything on record about them, in a few queries per thousand people."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, select

from commsengine.cadence.history import Answer, History, Outcome, Question, Snooze, TouchRow
from commsengine.cadence.people import Person
from commsengine.store.bookmark import CHUNK
from commsengine.store.erasure import suppression_key
from commsengine.store.persons import email_key, person_of
from commsengine.store.records import Loaded
from commsengine.store.tables import answer, outcome, person, question, roster, snooze, suppression, touch, unreachable

CARRIERS = ("email", "slack", "console", "file")
"""The channels that a suppression without a channel closes; what a human carries is not among them."""

_ROW = (
    touch.c.key, touch.c.campaign, touch.c.message, touch.c.rung, touch.c.kind, touch.c.local_date, touch.c.due_at,
    touch.c.channel, touch.c.state, touch.c.sent_at, touch.c.retry_at, touch.c.attempts, touch.c.possible_duplicate,
    touch.c.reason,
)  # fmt: skip

Facts = Mapping[str, Sequence[Any]]


def due(connection: Connection, now: dt.datetime, limit: int) -> list[str]:
    """The ids of the people whose bookmark has come, the longest due first."""
    ripe = select(person.c.id).where(person.c.wake_at <= now).order_by(person.c.wake_at).limit(limit)
    return [str(row.id) for row in connection.execute(ripe)]


def load(connection: Connection, ids: Sequence[str]) -> dict[str, Loaded]:
    """People with their histories; ids that are unknown or erased are left out."""
    loaded: dict[str, Loaded] = {}
    for start in range(0, len(ids), CHUNK):
        loaded.update(_load_some(connection, ids[start : start + CHUNK]))
    return loaded


def _load_some(connection: Connection, ids: Sequence[str]) -> dict[str, Loaded]:
    mine = select(person).where(person.c.id.in_(ids), person.c.erased_at.is_(None))
    people = {row.id: (person_of(row), row.facts_seq) for row in connection.execute(mine)}
    rows = _touches(connection, ids)
    answers = _facts(connection, ids, answer, _answer, answer.c.withdrawn_at.is_(None))
    questions = _facts(connection, ids, question, _question)
    snoozes = _facts(connection, ids, snooze, _snooze)
    outcomes = _facts(connection, ids, outcome, _outcome)
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
    made = select(touch.c.person_id, *_ROW).where(touch.c.person_id.in_(ids), touch.c.kind != "service")
    found: defaultdict[str, list[TouchRow]] = defaultdict(list)
    for person_id, *fields in connection.execute(made.order_by(touch.c.due_at, touch.c.key)):
        found[person_id].append(TouchRow(*fields))
    return found


def _facts(connection: Connection, ids: Sequence[str], table: Table, read: Any, *valid: ColumnElement[bool]) -> Facts:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(select(table).where(table.c.person_id.in_(ids), *valid).order_by(table.c.id)):
        found[row.person_id].append(read(row))
    return found


def _answer(row: Row[Any]) -> Answer:
    return Answer(row.campaign, row.message, row.kind, row.at, row.evidence, row.right, row.whole_campaign)


def _question(row: Row[Any]) -> Question:
    return Question(row.campaign, row.message, row.asked_at, row.answered_at)


def _snooze(row: Row[Any]) -> Snooze:
    return Snooze(row.campaign, row.message, row.until, row.at)


def _outcome(row: Row[Any]) -> Outcome:
    return Outcome(row.campaign, row.message, row.outcome, row.at)


def _rosters(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, dt.datetime]]:
    found: defaultdict[str, dict[str, dt.datetime]] = defaultdict(dict)
    for row in connection.execute(select(roster).where(roster.c.person_id.in_(ids))):
        found[row.person_id][row.campaign] = row.since
    return found


def _unreachable(connection: Connection, ids: Sequence[str], people: Iterable[Person]) -> dict[str, dict[str, str]]:
    """Channels that cannot carry anything to these people: found out by trying, or suppressed by somebody."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    standing = select(unreachable).where(unreachable.c.person_id.in_(ids), unreachable.c.withdrawn_at.is_(None))
    for row in connection.execute(standing.order_by(unreachable.c.id)):
        found[row.person_id][row.channel] = row.reason
    owners = {email_key(each.email): each.id for each in people}
    owners |= {suppression_key(address): each for address, each in owners.items()}
    for row in _suppressions(connection, list(owners)):
        for channel in [row.channel] if row.channel else CARRIERS:
            found[owners[row.email_key]][channel] = f"suppressed: {row.reason}".rstrip(": ")
    return found


def _suppressions(connection: Connection, keys: Sequence[str]) -> list[Row[Any]]:
    standing = suppression.c.withdrawn_at.is_(None)
    return [
        row
        for start in range(0, len(keys), CHUNK)
        for row in connection.execute(
            select(suppression).where(suppression.c.email_key.in_(keys[start : start + CHUNK]), standing)
        )
    ]
