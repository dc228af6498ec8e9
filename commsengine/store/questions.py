"""Questions that people asked, and the answers they were given."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import bindparam, select, update

from commsengine.cadence.kinds_and_states import EvidenceKind
from commsengine.errors import InputError
from commsengine.store import bookkeeping
from commsengine.store.database import Database, columns_of
from commsengine.store.records import QuestionRecord
from commsengine.store.tables import person, question
from commsengine.translation import _

_QUESTIONS = select(*columns_of(question, QuestionRecord)).order_by(question.c.asked_at, question.c.id)
_QUESTION = _QUESTIONS.where(question.c.id == bindparam("number"))


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
        now: dt.datetime,
    ) -> int:
        """The question's number; asking the same again while it is open returns the same."""
        asked = {"person_id": person_id, "campaign": campaign, "message": message, "key": key, "text": text}
        same = (question.c[name] == value for name, value in asked.items())
        row = {**asked, "evidence": evidence, "asked_at": now, "answer": "", "answered_at": None, "answered_by": ""}
        with self._database.write() as connection:
            # The person's row is the lock: two presses at once are one question.
            connection.execute(select(person.c.id).where(person.c.id == person_id).with_for_update())
            known = connection.execute(select(question.c.id).where(*same, question.c.answered_at.is_(None))).first()
            if known:
                return int(known.id)
            number = int(connection.execute(question.insert().values(row).returning(question.c.id)).scalar_one())
            bookkeeping.changed(connection, [person_id], now)
            bookkeeping.note(connection, "ask", person_id, by=person_id, now=now, question=number)
            return number

    def answer(self, number: int, text: str, *, by: str, now: dt.datetime) -> QuestionRecord:
        """The question with its answer; the first answer stays. Raises ``InputError`` for an unknown number."""
        first = update(question).where(question.c.id == number, question.c.answered_at.is_(None))
        first = first.values(answer=text, answered_at=now, answered_by=by)
        with self._database.write() as connection:
            done = connection.execute(first.returning(question.c.person_id)).first()
            if done:
                bookkeeping.changed(connection, [done.person_id], now)
                bookkeeping.note(connection, "answer question", done.person_id, by=by, now=now, question=number)
            found = connection.execute(_QUESTION, {"number": number}).first()
        if found is None:
            cause = _("There is no question {number}.", number=number)
            raise InputError(cause, _("Run 'commsengine today' to see the open ones."))
        return QuestionRecord(*found)

    def get(self, number: int) -> QuestionRecord | None:
        row = self._database.first(_QUESTION, {"number": number})
        return QuestionRecord(*row) if row else None

    def all(self, open_only: bool = True) -> list[QuestionRecord]:
        """The oldest first."""
        query = _QUESTIONS.where(question.c.answered_at.is_(None)) if open_only else _QUESTIONS
        return [QuestionRecord(*row) for row in self._database.rows(query)]
