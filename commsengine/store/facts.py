"""The facts about people: each raises their ``facts_seq`` and makes them due, so that they are decided again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, or_, select, update

from commsengine.cadence.terms import OUTCOMES, UNCLEAR
from commsengine.errors import InputError
from commsengine.store import answers, bookkeeping, deliveries, questions, reachability, tables
from commsengine.store.database import Database
from commsengine.store.person_rows import email_key
from commsengine.store.records import AnswerRecord, QuestionRecord, StoredAnswer
from commsengine.store.said import Said, said_about

NO_KEYS: Mapping[str, str] = {}


class Facts:
    """What people said, and what came of talking to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def answer(
        self,
        person_id: str,
        campaign: str,
        message: str,
        key: str,
        kind: str,
        *,
        value: str = "",
        right: bool | None = None,
        evidence: str,
        detail: Mapping[str, Any] | None = None,
        whole_campaign: bool = False,
        counts: bool = True,
        by: str,
        now: dt.datetime,
    ) -> AnswerRecord:
        """The first answer of its kind to a touch wins; a second returns the first, with ``first`` false.

        ``counts`` is false where the answer to a check could be read above its question.
        """
        given = {
            "person_id": person_id, "campaign": campaign, "message": message, "key": key, "kind": kind, "value": value,
            "right": right, "evidence": evidence, "detail": dict(detail or {}), "whole_campaign": whole_campaign,
            "counts": counts, "by": by,
        }  # fmt: skip
        with self._database.write() as connection:
            return answers.record(connection, given, now)

    def said_about(self, key: str) -> Said | None:
        """A touch and what its person said about it; ``None`` when nobody on record has it."""
        with self._database.read() as connection:
            return said_about(connection, key)

    def withdraw(self, answer_id: int, now: dt.datetime, press: str = "") -> bool:
        """Takes an answer back; false if it does not stand. ``press`` names what wanted it, where that has a name."""
        with self._database.write() as connection:
            return answers.withdraw(connection, answer_id, now, press)

    def presses_on(self, key: str, person_id: str) -> set[str]:
        """The names of the presses that gave answers to this touch, or took them back."""
        with self._database.read() as connection:
            return answers.presses_on(connection, key, person_id)

    def answers_of(self, person_id: str) -> list[StoredAnswer]:
        """Everything the person answered, withdrawn or not, in order."""
        with self._database.read() as connection:
            return answers.of_person(connection, person_id)

    def ask(
        self, person_id: str, campaign: str, message: str, key: str, text: str, *, evidence: str, now: dt.datetime
    ) -> int:
        """The question's number; asking the same again while it is open returns the same."""
        asked = {"person_id": person_id, "campaign": campaign, "message": message, "key": key, "text": text}
        with self._database.write() as connection:
            return questions.ask(connection, {**asked, "evidence": evidence}, now)

    def answer_question(self, number: int, text: str, *, by: str, now: dt.datetime) -> QuestionRecord:
        """The question with its answer; the first answer stays. Raises ``InputError`` for an unknown number."""
        with self._database.write() as connection:
            return questions.answer(connection, number, text, by=by, now=now)

    def question(self, number: int) -> QuestionRecord | None:
        with self._database.read() as connection:
            return questions.one(connection, number)

    def questions(self, open_only: bool = True) -> list[QuestionRecord]:
        """The oldest first."""
        with self._database.read() as connection:
            return questions.listed(connection, open_only=open_only)

    def snooze(self, person_id: str, campaign: str, message: str, until: dt.date, *, now: dt.datetime) -> None:
        """Nothing of this message before that local date."""
        same = {"person_id": person_id, "campaign": campaign, "message": message, "until": until}
        with self._database.write() as connection:
            known = select(tables.snooze.c.id).where(*(tables.snooze.c[name] == value for name, value in same.items()))
            if connection.execute(known.limit(1)).first() is None:
                connection.execute(tables.snooze.insert(), {**same, "at": now, "by": person_id})
                bookkeeping.changed(connection, [person_id], now)

    def outcome(
        self,
        person_id: str,
        campaign: str,
        messages: Sequence[str],
        outcome: str,
        *,
        unclear: str = "",
        note: str = "",
        acknowledged: Mapping[str, str] = NO_KEYS,
        by: str,
        now: dt.datetime,
    ) -> None:
        """What came of a personal outreach about these messages. Raises ``InputError`` for a word we do not know.

        ``acknowledged``: the keys of the touches (by message) that the person has thereby acknowledged, says ``by``;
        kept in one transaction with the outcome.
        """
        _known(outcome, OUTCOMES)
        _known(unclear, (*UNCLEAR, ""))
        came = {"person_id": person_id, "campaign": campaign, "outcome": outcome, "unclear": unclear, "note": note}
        with self._database.write() as connection:
            rows = [{**came, "message": message, "at": now, "by": by} for message in messages]
            connection.execute(tables.outcome.insert(), rows)
            bookkeeping.changed(connection, [person_id], now)
            detail = {"campaign": campaign, "messages": list(messages), "outcome": outcome}
            bookkeeping.note(connection, "outcome", person_id, by=by, now=now, detail=detail)
            for message, key in acknowledged.items():
                answers.record(connection, _word_of_another(person_id, campaign, message, key, by), now)

    def suppress(self, email: str, reason: str, *, by: str, now: dt.datetime, channel: str = "") -> None:
        """Nothing goes to this address any more; ``channel`` narrows it to one. Twice changes nothing."""
        with self._database.write() as connection:
            reachability.add(connection, email, reason, channel=channel, by=by, now=now)

    def unsuppress(self, email: str, *, by: str, now: dt.datetime) -> bool:
        """False if nothing stood against the address."""
        with self._database.write() as connection:
            return reachability.lift(connection, email, by=by, now=now)

    def suppressed(self, email: str, channel: str = "email") -> str | None:
        """Why nothing may go to this address over this channel; ``None`` if it may."""
        with self._database.read() as connection:
            return reachability.reason_for(connection, email, channel)

    def unreachable(self, person_id: str, channel: str, reason: str, *, now: dt.datetime, by: str = "channel") -> None:
        """This channel never reaches this person; stands until ``reachable`` or a new address."""
        with self._database.write() as connection:
            deliveries.record_unreachable(connection, person_id, channel, reason, by=by, now=now)

    def reachable(self, person_id: str, channel: str, *, by: str, now: dt.datetime) -> None:
        """Takes back what was found out about this channel."""
        table = tables.unreachable
        standing = (table.c.person_id == person_id, table.c.channel == channel, table.c.withdrawn_at.is_(None))
        with self._database.write() as connection:
            connection.execute(update(table).where(*standing).values(withdrawn_at=now, withdrawn_by=by))
            bookkeeping.changed(connection, [person_id], now)

    def all_of(self, person_id: str) -> dict[str, list[dict[str, Any]]]:
        """Everything stored about a person, by table: for their own page and for a request of information."""
        with self._database.read() as connection:
            return _all_of(connection, person_id)

    def audit(
        self, action: str, subject: str, detail: Mapping[str, Any] | None = None, *, by: str, now: dt.datetime
    ) -> None:
        """Adds to the audit trail. ``detail`` never holds what a person wrote or where they can be reached."""
        with self._database.write() as connection:
            bookkeeping.note(connection, action, subject, by=by, now=now, detail=detail)


def _word_of_another(person_id: str, campaign: str, message: str, key: str, by: str) -> dict[str, Any]:
    return {
        "person_id": person_id, "campaign": campaign, "message": message, "key": key, "kind": "acknowledged",
        "value": "", "right": None, "evidence": "manager", "detail": {}, "whole_campaign": False, "counts": True,
        "by": by,
    }  # fmt: skip


def _known(word: str, words: Sequence[str]) -> None:
    if word not in words:
        raise InputError(f"'{word}' is not known here.", f"Write one of: {', '.join(filter(None, words))}.")


def _all_of(connection: Connection, person_id: str) -> dict[str, list[dict[str, Any]]]:
    address = connection.execute(select(tables.person.c.email).where(tables.person.c.id == person_id)).scalar() or ""
    found = {"person": _rows(connection, select(tables.person).where(tables.person.c.id == person_id))}
    for table in tables.metadata.sorted_tables:
        if "person_id" in table.c:
            theirs = select(table).where(table.c.person_id == person_id)
            found[table.name] = _rows(connection, theirs)
    theirs = select(tables.attempt).join(tables.touch).where(tables.touch.c.person_id == person_id)
    found["attempt"] = _rows(connection, theirs)
    for table in (tables.suppression, tables.slack_id):
        found[table.name] = _rows(connection, select(table).where(table.c.email_key == email_key(address)))
    done = or_(tables.audit.c.subject == person_id, tables.audit.c.by.in_((person_id, address)))
    found["audit"] = _rows(connection, select(tables.audit).where(done))
    return found


def _rows(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]
