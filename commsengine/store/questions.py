"""Questions people asked, and the answers they were given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, select, update

from commsengine.errors import InputError
from commsengine.store import bookkeeping
from commsengine.store.records import QuestionRecord
from commsengine.store.tables import person, question

_COLUMNS = [question.c[field.name] for field in fields(QuestionRecord)]


def ask(connection: Connection, asked: Mapping[str, Any], now: dt.datetime) -> int:
    """The question's id; the same text to the same touch, still unanswered, is the same question."""
    # The person's row is the lock: two presses at once are one question.
    connection.execute(select(person.c.id).where(person.c.id == asked["person_id"]).with_for_update())
    same = (question.c[name] == asked[name] for name in ("person_id", "campaign", "message", "key", "text"))
    known = connection.execute(select(question.c.id).where(*same, question.c.answered_at.is_(None))).first()
    if known:
        return int(known.id)
    row = {**asked, "asked_at": now, "answer": "", "answered_at": None, "answered_by": ""}
    number = int(connection.execute(question.insert().values(row).returning(question.c.id)).scalar_one())
    bookkeeping.changed(connection, [asked["person_id"]], now)
    bookkeeping.note(connection, "ask", asked["person_id"], by=asked["person_id"], now=now, detail={"question": number})
    return number


def answer(connection: Connection, number: int, text: str, *, by: str, now: dt.datetime) -> QuestionRecord:
    """The answered question; whoever answers first is on record. Raises ``InputError`` for an unknown number."""
    first = update(question).where(question.c.id == number, question.c.answered_at.is_(None))
    done = connection.execute(
        first.values(answer=text, answered_at=now, answered_by=by).returning(question.c.person_id)
    ).first()
    if done:
        bookkeeping.changed(connection, [done.person_id], now)
        bookkeeping.note(connection, "answer question", done.person_id, by=by, now=now, detail={"question": number})
    found = one(connection, number)
    if found is None:
        raise InputError(f"There is no question {number}.", "Run 'commsengine today' to see the open ones.")
    return found


def one(connection: Connection, number: int) -> QuestionRecord | None:
    row = connection.execute(select(*_COLUMNS).where(question.c.id == number)).first()
    return QuestionRecord(*row) if row else None


def listed(connection: Connection, *, open_only: bool) -> list[QuestionRecord]:
    """The oldest first."""
    query = select(*_COLUMNS).order_by(question.c.asked_at, question.c.id)
    if open_only:
        query = query.where(question.c.answered_at.is_(None))
    return [QuestionRecord(*row) for row in connection.execute(query)]
