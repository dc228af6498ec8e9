"""One touch with its person and everything they said about its message, read at one moment: what a card shows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

from sqlalchemy import BindParameter, Connection, bindparam, or_, select

from commsengine.cadence.history import TouchRow
from commsengine.cadence.people import Person
from commsengine.store.loading import TOUCH_ROW
from commsengine.store.person_rows import person_of
from commsengine.store.records import QuestionRecord, StoredAnswer, TouchRecord
from commsengine.store.tables import answer, person, question, snooze, touch


@dataclass(frozen=True, slots=True)
class Said:
    """``answers`` stand (none is withdrawn) and concern the touch's message or its whole campaign, oldest first.

    ``question`` is the newest about the message; ``snoozed_until`` are the local dates of its snoozes. ``rows`` are
    the person's touches of the message, read only where a check was answered.
    """

    touch: TouchRecord
    person: Person
    answers: tuple[StoredAnswer, ...]
    question: QuestionRecord | None
    snoozed_until: tuple[dt.date, ...]
    rows: tuple[TouchRow, ...] = ()


_PERSON: BindParameter[str] = bindparam("the_person")
_CAMPAIGN: BindParameter[str] = bindparam("the_campaign")
_MESSAGE: BindParameter[str] = bindparam("the_message")

# Built once: every visit to a page and every press asks them.
_TOUCH = select(*(touch.c[each.name] for each in fields(TouchRecord))).where(
    touch.c.key == bindparam("the_key"), touch.c.kind != "service"
)
_WHO = select(person).where(person.c.id == _PERSON, person.c.erased_at.is_(None))
_ANSWERS = (
    select(*(answer.c[each.name] for each in fields(StoredAnswer)))
    .where(answer.c.person_id == _PERSON, answer.c.campaign == _CAMPAIGN, answer.c.withdrawn_at.is_(None))
    .where(or_(answer.c.message == _MESSAGE, answer.c.whole_campaign))
    .order_by(answer.c.id)
)
_QUESTION = (
    select(*(question.c[each.name] for each in fields(QuestionRecord)))
    .where(question.c.person_id == _PERSON, question.c.campaign == _CAMPAIGN, question.c.message == _MESSAGE)
    .order_by(question.c.id.desc())
    .limit(1)
)
_SNOOZES = (
    select(snooze.c.until)
    .where(snooze.c.person_id == _PERSON, snooze.c.campaign == _CAMPAIGN, snooze.c.message == _MESSAGE)
    .order_by(snooze.c.id)
)
_ROWS = (
    select(*TOUCH_ROW)
    .where(touch.c.person_id == _PERSON, touch.c.campaign == _CAMPAIGN, touch.c.message == _MESSAGE)
    .where(touch.c.kind != "service")
    .order_by(touch.c.due_at, touch.c.key)
)


def said_about(connection: Connection, key: str) -> Said | None:
    """``None`` when the key names no touch of a person who is still on record."""
    found = connection.execute(_TOUCH, {"the_key": key}).first()
    record = TouchRecord(*found) if found else None
    who = connection.execute(_WHO, {"the_person": record.person_id}).first() if record else None
    if record is None or who is None:
        return None
    about = {"the_person": record.person_id, "the_campaign": record.campaign, "the_message": record.message}
    asked = connection.execute(_QUESTION, about).first()
    answers = tuple(StoredAnswer(*row) for row in connection.execute(_ANSWERS, about))
    checked = any(each.kind == "check" for each in answers)
    return Said(
        record,
        person_of(who),
        answers,
        QuestionRecord(*asked) if asked else None,
        tuple(row.until for row in connection.execute(_SNOOZES, about)),
        tuple(TouchRow(*row) for row in connection.execute(_ROWS, about)) if checked else (),
    )
