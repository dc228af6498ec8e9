"""Questions that people asked; ``replies`` answers them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from commsengine.cadence.kinds_and_states import EvidenceKind
from commsengine.store import bookkeeping
from commsengine.store.database import Database, columns_of
from commsengine.store.records import HeardQuestion, QuestionRecord
from commsengine.store.tables import person, question

_QUESTIONS = select(*columns_of(question, QuestionRecord)).order_by(question.c.asked_at, question.c.id)
_QUESTIONS_OF = _QUESTIONS.where(question.c.person_id == bindparam("person"))
_QUESTION = _QUESTIONS.where(question.c.id == bindparam("number"))


LONGEST_TOGETHER = 4000
"""Characters of a question that is typed in several messages."""


class Questions:
    """The questions, by number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(
        self,
        person_id: str,
        campaign: str,
        message: str,
        key: str,
        text: str,
        *,
        evidence: EvidenceKind,
        thread: str = "",
        now: dt.datetime,
    ) -> int:
        """The question's number; asking the same again while it is open returns the same.

        ``thread`` is the ``remote_id`` of the message under which the answer is to come.
        """
        asked = {"person_id": person_id, "campaign": campaign, "message": message, "key": key, "text": text}
        beside = {"evidence": evidence, "thread": thread, "said": ""}
        return self._database.write_together(lambda connection: _ask(connection, asked, beside, now))

    def hear(
        self,
        person_id: str,
        campaign: str,
        message: str,
        key: str,
        text: str,
        *,
        evidence: EvidenceKind,
        thread: str,
        stamp: str,
        within: float,
        now: dt.datetime,
    ) -> HeardQuestion:
        """Words typed at ``stamp`` (seconds since 1970, in digits): a question.

        They are added to the one typed about the same message up to ``within`` seconds before, while that is open.
        """
        about = {"person_id": person_id, "campaign": campaign, "message": message, "key": key}
        row = {**about, "text": text, "evidence": evidence, "thread": thread, "said": stamp}
        return self._database.write_together(lambda connection: _hear(connection, row, within, now))

    def of_person(self, person_id: str) -> list[QuestionRecord]:
        """The oldest first."""
        return [QuestionRecord(*row) for row in self._database.rows(_QUESTIONS_OF, {"person": person_id})]

    def get(self, number: int) -> QuestionRecord | None:
        row = self._database.first(_QUESTION, {"number": number})
        return QuestionRecord(*row) if row else None

    def all(self, open_only: bool = True) -> list[QuestionRecord]:
        """The oldest first."""
        query = _QUESTIONS.where(question.c.answered_at.is_(None)) if open_only else _QUESTIONS
        return [QuestionRecord(*row) for row in self._database.rows(query)]


def object_to(
    connection: Connection, person_id: str, campaign: str, about: tuple[str, str], text: str, by: str, now: dt.datetime
) -> int:
    """Opens an objection that a talk brought, in the transaction of its caller; ``about`` is a message and a touch's
    key. Returns its number.
    """
    asked = {"person_id": person_id, "campaign": campaign, "message": about[0], "key": about[1], "text": text}
    row = {**asked, "evidence": "manager", "thread": "", "said": "", "objection": True}
    return _new(connection, row, now, by)


def _lock(connection: Connection, person_id: str) -> None:
    # two presses at once, or one message delivered twice, are one question
    connection.execute(select(person.c.id).where(person.c.id == person_id).with_for_update())


def _ask(connection: Connection, asked: Mapping[str, Any], beside: Mapping[str, Any], now: dt.datetime) -> int:
    _lock(connection, asked["person_id"])
    same = (question.c[name] == value for name, value in asked.items())
    known = connection.execute(select(question.c.id).where(*same, question.c.answered_at.is_(None))).first()
    return int(known.id) if known else _new(connection, {**asked, **beside}, now)


def _hear(connection: Connection, row: Mapping[str, Any], within: float, now: dt.datetime) -> HeardQuestion:
    person_id, text, stamp = row["person_id"], row["text"], row["said"]
    _lock(connection, person_id)
    theirs = [QuestionRecord(*each) for each in connection.execute(_QUESTIONS_OF, {"person": person_id})]
    if (known := next((one for one in theirs if stamp in one.stamps), None)) is not None:
        return HeardQuestion(known.id, known=True)
    same = (one for one in reversed(theirs) if (one.campaign, one.message) == (row["campaign"], row["message"]))
    last = next(same, None)
    if last is not None and _goes_on(last, text, stamp, within):
        _add(connection, last, text, stamp, now)
        return HeardQuestion(last.id, added=True)
    return HeardQuestion(_new(connection, row, now))


def _new(connection: Connection, asked: Mapping[str, Any], now: dt.datetime, by: str = "") -> int:
    row = {**asked, "asked_at": now, "answer": "", "answered_at": None, "answered_by": ""}
    number = int(connection.execute(question.insert().values(row).returning(question.c.id)).scalar_one())
    _news(connection, asked["person_id"], number, now, by)
    return number


def _goes_on(last: QuestionRecord, text: str, stamp: str, within: float) -> bool:
    together = last.answered_at is None and len(last.text) + len(text) < LONGEST_TOGETHER
    return together and any(abs(float(stamp) - float(before)) <= within for before in last.stamps)


def _add(connection: Connection, last: QuestionRecord, text: str, stamp: str, now: dt.datetime) -> None:
    longer = {"text": f"{last.text}\n{text}", "said": f"{last.said} {stamp}"}
    connection.execute(update(question).where(question.c.id == last.id).values(longer))
    _news(connection, last.person_id, last.id, now)


def _news(connection: Connection, person_id: str, number: int, now: dt.datetime, by: str = "") -> None:
    bookkeeping.changed(connection, [person_id], now)
    bookkeeping.note(connection, "object" if by else "ask", person_id, by=by or person_id, now=now, question=number)
