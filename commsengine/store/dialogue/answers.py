"""What people said, and what came of talking to them: answers, snoozes, outcomes of an outreach.

The first answer of its kind to a touch wins; an undo is a mark on it, never a delete. Each is news about its person,
who is decided again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Insert, Select, bindparam, or_, select, update

from commsengine.cadence.history import TouchRow
from commsengine.cadence.kinds_and_states import (
    ASKED_FOR,
    GOT_IT,
    OUTCOMES,
    UNCLEAR,
    AnswerKind,
    CheckKind,
    EvidenceKind,
)
from commsengine.errors import InputError
from commsengine.store import bookkeeping, tables
from commsengine.store.database import CHUNK, Database, columns_of, insert, rows_with
from commsengine.store.dialogue import questions
from commsengine.store.loading import TOUCH_ROW
from commsengine.store.person_rows import PERSON, person_with
from commsengine.store.plain_sql import Prepared, PreparedInsert
from commsengine.store.records import (
    AnsweredTouch,
    AnswerRecord,
    CheckAnswer,
    GivenInput,
    GivenOutcome,
    QuestionRecord,
    StoredAnswer,
    SuspectAnswer,
    TouchRecord,
)
from commsengine.store.tables import answer, counter, person, question, snooze, suspect, touch
from commsengine.translation import N_, _

OBJECTS = N_("has an objection")
"""The text of an objection of which no word was noted."""

NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)

NO_KEYS: Mapping[str, str] = {}
_FIRST = ("person_id", "campaign", "message", "key", "kind", "whole_campaign")
_VALID = answer.c.withdrawn_at.is_(None)
_STORED = columns_of(answer, StoredAnswer)
_ANSWER_ABOVE = "answer_above"
"""The counter that holds the last fence of before questions stood first on a Slack card."""

_TO_CHECKS = (
    select(answer.c.id, answer.c.person_id, answer.c.message, touch.c.role, touch.c.number, touch.c.asks)
    .add_columns(answer.c.value, answer.c.right, answer.c.at)
    .join(touch, touch.c.key == answer.c.key)
    .where(answer.c.campaign == bindparam("campaign"), answer.c.kind == "check", _VALID)
    .where(answer.c.counts, answer.c.right.is_not(None), answer.c.id > bindparam("after"))
    .where(answer.c.measures == bindparam("measures"), answer.c.at < bindparam("before"))
    .order_by(answer.c.id)
    .limit(CHUNK)
)
_INPUTS = (
    select(answer.c.id, answer.c.person_id, person.c.email, person.c.name, answer.c.message)
    .add_columns(answer.c.kind, answer.c.value, answer.c.at, answer.c.campaign, answer.c.key, answer.c.evidence)
    .join(person, person.c.id == answer.c.person_id)
    .where(_VALID)
    .order_by(answer.c.at, answer.c.id)
)

_OUTCOMES = (
    select(tables.outcome.c.person_id, person.c.email, person.c.name, tables.outcome.c.campaign)
    .add_columns(*(tables.outcome.c[name] for name in ("message", "outcome", "unclear", "note", "at", "by")))
    .join(person, person.c.id == tables.outcome.c.person_id)
    .order_by(tables.outcome.c.at, tables.outcome.c.id)
)
_AT_ONCE = dt.timedelta(minutes=1)
"""Within so long, the same outcome once more is the same press twice."""


class Answers:
    """What people said about their touches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        person_id: str,
        campaign: str,
        message: str,
        key: str,
        kind: AnswerKind,
        *,
        value: str = "",
        right: bool | None = None,
        evidence: EvidenceKind,
        detail: Mapping[str, Any] | None = None,
        whole_campaign: bool = False,
        counts: bool = True,
        measures: CheckKind = "recall",
        by: str,
        now: dt.datetime,
    ) -> AnswerRecord:
        """The first answer of its kind to a touch wins; a second returns the first, with ``first`` false.

        ``counts`` is false where the answer to a check could be read before its question; ``measures`` is what that
        was asked for.
        """
        about = {"person_id": person_id, "campaign": campaign, "message": message, "key": key, "by": by}
        given = {"kind": kind, "value": value, "right": right, "evidence": evidence, "detail": dict(detail or {})}
        reach = {"whole_campaign": whole_campaign, "counts": counts, "measures": measures}
        return self._database.write_together(lambda connection: _record(connection, {**about, **given, **reach}, now))

    def withdraw(self, answer_id: int, now: dt.datetime, press: str = "") -> bool:
        """Takes an answer back; false if it does not stand. ``press`` names what wanted it, where that has a name."""
        return self._database.write_together(lambda connection: _withdraw(connection, answer_id, now, press))

    def presses_on(self, key: str, person_id: str) -> set[str]:
        """What Slack calls the presses behind the answers to a touch, withdrawn ones too, and behind their undoing."""
        theirs = select(answer.c.detail).where(answer.c.person_id == person_id, answer.c.key == key)
        details = (row.detail for row in self._database.rows(theirs))
        return {name for detail in details for name in (detail.get("press"), detail.get("undone")) if name}

    def of_person(self, person_id: str) -> list[StoredAnswer]:
        """Everything the person answered, withdrawn or not, in order."""
        theirs = select(*_STORED).where(answer.c.person_id == person_id).order_by(answer.c.id)
        return [StoredAnswer(*row) for row in self._database.rows(theirs)]

    def about(self, key: str) -> AnsweredTouch | None:
        """A touch and what its person said about it; ``None`` when no person on record has it."""
        with self._database.read() as connection:
            return _about(connection, key)

    def to_checks(
        self, campaign: str, measures: CheckKind = "recall", *, before: dt.datetime = NEVER
    ) -> Iterator[CheckAnswer]:
        """Every answer to a check of this kind that stands, counts and was given before an instant, in pages."""
        last, about = 0, {"campaign": campaign, "measures": measures, "before": before}
        while page := self._database.rows(_TO_CHECKS, {**about, "after": last}):
            yield from (CheckAnswer(*row[1:]) for row in page)
            last = page[-1].id

    def inputs(
        self,
        campaign: str,
        *,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        kinds: Sequence[AnswerKind] = ASKED_FOR,
    ) -> list[GivenInput]:
        """What people answered in words or chose, in order; after ``since``, and up to ``until``."""
        wanted = [answer.c.campaign == campaign, answer.c.kind.in_(kinds)]
        wanted += [answer.c.at > since] if since else []
        wanted += [answer.c.at <= until] if until else []
        return [GivenInput(*row) for row in self._database.rows(_INPUTS.where(*wanted))]

    def input(self, number: int) -> GivenInput | None:
        row = self._database.first(_INPUTS.where(answer.c.id == number))
        return GivenInput(*row) if row else None

    def doubt(
        self,
        person_id: str,
        campaign: str,
        message: str,
        key: str,
        kind: AnswerKind,
        *,
        value: str,
        detail: Mapping[str, Any],
        now: dt.datetime,
    ) -> None:
        """An answer that came without its page: the first of its kind to a touch is kept, and none counts."""
        about = {"person_id": person_id, "campaign": campaign, "message": message, "key": key, "kind": kind}
        row = {**about, "value": value, "detail": dict(detail), "at": now}
        self._database.write_together(lambda connection: _doubt(connection, row))

    def suspects(self, *, campaign: str | None = None, person_id: str | None = None) -> list[SuspectAnswer]:
        """What came without its page, in order: of a campaign, of a person."""
        wanted = [suspect.c.campaign == campaign] if campaign else []
        wanted += [suspect.c.person_id == person_id] if person_id else []
        query = select(*columns_of(suspect, SuspectAnswer)).where(*wanted).order_by(suspect.c.id)
        return [SuspectAnswer(*row) for row in self._database.rows(query)]

    def acknowledged(self, campaign: str) -> list[StoredAnswer]:
        """Every answer that stands by which people took note of a message, in order."""
        taken = (answer.c.campaign == campaign, answer.c.kind.in_(GOT_IT), _VALID)
        return [StoredAnswer(*row) for row in self._database.rows(select(*_STORED).where(*taken).order_by(answer.c.id))]

    def outcomes(
        self, *, campaign: str = "", since: dt.datetime | None = None, people: Sequence[str] | None = None
    ) -> list[GivenOutcome]:
        """What was recorded of talks, in order: of one campaign or all, after ``since``, about these people or all."""
        wanted = [tables.outcome.c.campaign == campaign] if campaign else []
        wanted += [tables.outcome.c.at > since] if since else []
        if people is None:
            return [GivenOutcome(*row) for row in self._database.rows(_OUTCOMES.where(*wanted))]
        with self._database.read() as connection:
            rows = rows_with(connection, _OUTCOMES.where(*wanted), tables.outcome.c.person_id, people)
            return sorted((GivenOutcome(*row) for row in rows), key=lambda one: one.at)

    def snooze(self, person_id: str, campaign: str, message: str, until: dt.date, *, now: dt.datetime) -> None:
        """Nothing of this message before that local date."""
        row = {"person_id": person_id, "campaign": campaign, "message": message, "until": until}
        self._database.write_together(lambda connection: _snooze(connection, row, now))

    def outcome(
        self,
        person_id: str,
        campaign: str,
        messages: Sequence[str],
        came_of_it: str,
        *,
        unclear: str = "",
        note: str = "",
        acknowledged: Mapping[str, str] = NO_KEYS,
        objection: tuple[str, str] | None = None,
        by: str,
        now: dt.datetime,
    ) -> int | None:
        """What came of a personal outreach about these messages. Raises ``InputError`` for a word we do not know.

        ``acknowledged``: the keys of the touches (by message) that the person has thereby acknowledged, says ``by``;
        kept in one transaction with the outcome. So is an ``objection``, a message and a touch's key, which opens a
        question with the note as its text; its number is returned.
        """
        _known(came_of_it, OUTCOMES)
        _known(unclear, (*UNCLEAR, ""))
        came = {"person_id": person_id, "campaign": campaign, "outcome": came_of_it, "unclear": unclear, "note": note}
        about = {"campaign": campaign, "messages": list(messages), "outcome": came_of_it}
        with self._database.write() as connection:
            if _known_outcome(connection, {**came, "message": messages[0], "by": by}, now):
                return None
            rows = [{**came, "message": message, "at": now, "by": by} for message in messages]
            connection.execute(tables.outcome.insert(), rows)
            bookkeeping.changed(connection, [person_id], now)
            bookkeeping.note(connection, "outcome", person_id, by=by, now=now, **about)
            for message, key in acknowledged.items():
                _record(connection, _word_of_another(person_id, campaign, message, key, by), now)
            if objection is None:
                return None
            return questions.object_to(connection, person_id, campaign, objection, note or _(OBJECTS), by, now)


def _known_outcome(connection: Connection, given: Mapping[str, Any], now: dt.datetime) -> bool:
    same = [tables.outcome.c[name] == value for name, value in given.items()]
    just = select(tables.outcome.c.id).where(*same, tables.outcome.c.at > now - _AT_ONCE).limit(1)
    return connection.execute(just).first() is not None


def answered_by(campaign: str, message: str, kinds: Sequence[AnswerKind]) -> Select[Any]:
    """The ids of the people with an answer of these kinds to a message."""
    about = (answer.c.campaign == campaign, answer.c.message == message, answer.c.kind.in_(kinds), _VALID)
    return select(answer.c.person_id).where(*about)


def _first_of_its_kind(connection: Connection) -> Insert:
    new = insert(connection, answer).on_conflict_do_nothing(index_elements=list(_FIRST), index_where=_VALID)
    return new.returning(answer.c.id)


_NEW = PreparedInsert(_first_of_its_kind)


def _record(connection: Connection, given: Mapping[str, Any], now: dt.datetime) -> AnswerRecord:
    news = {**given, "at": now, "withdrawn_at": None, "counts": given["counts"] and _asked_first(connection, given)}
    written = _NEW.rows(connection, [news])
    if not written:
        same = (answer.c[name] == given[name] for name in _FIRST)
        known = connection.execute(select(answer.c.id, answer.c.at).where(*same, _VALID)).one()
        return AnswerRecord(False, known.at, known.id)
    bookkeeping.changed(connection, [given["person_id"]], now)
    about = {name: given[name] for name in ("campaign", "message", "kind")}
    bookkeeping.note(connection, "answer", given["person_id"], by=given["by"], now=now, **about)
    return AnswerRecord(True, now, written[0][0])


def _withdraw(connection: Connection, answer_id: int, now: dt.datetime, press: str) -> bool:
    undo = update(answer).where(answer.c.id == answer_id, _VALID).values(withdrawn_at=now)
    taken = connection.execute(undo.returning(answer.c.person_id, answer.c.detail)).first()
    if taken is None:
        return False
    if press:
        undone = update(answer).where(answer.c.id == answer_id)
        connection.execute(undone.values(detail={**taken.detail, "undone": press}))
    who = taken.person_id
    bookkeeping.changed(connection, [who], now)
    bookkeeping.note(connection, "withdraw", who, by=who, now=now, answer=answer_id)
    return True


def _doubt(connection: Connection, row: Mapping[str, Any]) -> None:
    new = insert(connection, suspect).values(row).on_conflict_do_nothing()
    if connection.execute(new.returning(suspect.c.id)).first():
        noted = {name: row[name] for name in ("campaign", "message", "kind")}
        who = row["person_id"]
        bookkeeping.note(connection, "suspect answer", who, by=who, now=row["at"], **noted)


def _snooze(connection: Connection, row: Mapping[str, Any], now: dt.datetime) -> None:
    same = (snooze.c[name] == value for name, value in row.items())
    if connection.execute(select(snooze.c.id).where(*same).limit(1)).first() is None:
        connection.execute(snooze.insert(), {**row, "at": now, "by": row["person_id"]})
        bookkeeping.changed(connection, [row["person_id"]], now)


def _asked_first(connection: Connection, given: Mapping[str, Any]) -> bool:
    # Not so where the message was shown for another answer, taken back since; nor on a Slack card of before questions
    # stood first there: its text gave the answer away.
    if given["kind"] != "check":
        return True
    told = select(answer.c.id).where(answer.c.key == given["key"], answer.c.kind != "check")
    last = select(counter.c.value).where(counter.c.name == _ANSWER_ABOVE).scalar_subquery()
    given_away = select(touch.c.key).where(touch.c.key == given["key"], touch.c.fence <= last)
    found = [told] if given["evidence"] != "slack" else [told, given_away]
    return all(connection.execute(each.limit(1)).first() is None for each in found)


def _word_of_another(person_id: str, campaign: str, message: str, key: str, by: str) -> dict[str, Any]:
    about = {"person_id": person_id, "campaign": campaign, "message": message, "key": key, "by": by}
    given: dict[str, Any] = {"kind": "acknowledged", "value": "", "right": None, "evidence": "manager", "detail": {}}
    return {**about, **given, "whole_campaign": False, "counts": True, "measures": "recall"}


def _known(word: str, words: Sequence[str]) -> None:
    if word not in words:
        known = ", ".join(filter(None, words))
        raise InputError(_("'{word}' is not known here.", word=word), _("Write one of: {words}.", words=known))


# -- one touch and what was said about it, read at one moment -------------------------------------

_PERSON: BindParameter[str] = bindparam("the_person")
_CAMPAIGN: BindParameter[str] = bindparam("the_campaign")
_MESSAGE: BindParameter[str] = bindparam("the_message")

_TOUCH = Prepared(
    select(*columns_of(touch, TouchRecord)).where(touch.c.key == bindparam("the_key"), touch.c.kind != "service")
)
_WHO = Prepared(
    select(*(person.c[name] for name in PERSON)).where(person.c.id == _PERSON, person.c.erased_at.is_(None))
)
_ANSWERS = Prepared(
    select(*_STORED)
    .where(answer.c.person_id == _PERSON, answer.c.campaign == _CAMPAIGN, _VALID)
    .where(or_(answer.c.message == _MESSAGE, answer.c.whole_campaign))
    .order_by(answer.c.id)
)
_QUESTION = Prepared(
    select(*columns_of(question, QuestionRecord))
    .where(question.c.person_id == _PERSON, question.c.campaign == _CAMPAIGN, question.c.message == _MESSAGE)
    .order_by(question.c.id.desc())
    .limit(1)
)
_SNOOZES = Prepared(
    select(snooze.c.until)
    .where(snooze.c.person_id == _PERSON, snooze.c.campaign == _CAMPAIGN, snooze.c.message == _MESSAGE)
    .order_by(snooze.c.id)
)
_ROWS = Prepared(
    select(*TOUCH_ROW)
    .where(touch.c.person_id == _PERSON, touch.c.campaign == _CAMPAIGN, touch.c.message == _MESSAGE)
    .where(touch.c.kind != "service")
    .order_by(touch.c.due_at, touch.c.key)
)


def _about(connection: Connection, key: str) -> AnsweredTouch | None:
    record = next((TouchRecord(*row) for row in _TOUCH.rows(connection, the_key=key)), None)
    who = next(iter(_WHO.rows(connection, the_person=record.person_id)), None) if record else None
    if record is None or who is None:
        return None
    about = {"the_person": record.person_id, "the_campaign": record.campaign, "the_message": record.message}
    answers = tuple(StoredAnswer(*row) for row in _ANSWERS.rows(connection, **about))
    checked = any(each.kind == "check" for each in answers)
    return AnsweredTouch(
        record,
        person_with(who),
        answers,
        next((QuestionRecord(*row) for row in _QUESTION.rows(connection, **about)), None),
        tuple(until for (until,) in _SNOOZES.rows(connection, **about)),
        tuple(TouchRow(*row) for row in _ROWS.rows(connection, **about)) if checked else (),
    )
