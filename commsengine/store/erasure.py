"""Erasing a person: what is personal goes, the counts stay under a pseudonym.

The id is renamed, and the rename cascades to touches, answers and the rest. What people wrote and what servers replied
is blanked. A suppression is kept as a hash of the address, so that the wish still holds if the person comes back.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, or_, select, update

from commsengine.errors import InputError
from commsengine.store import bookkeeping, moves, tables
from commsengine.store.dialogue import kept_copies
from commsengine.store.person_rows import TEXTS, suppression_key
from commsengine.store.service_mail import ABOUT_OTHERS
from commsengine.store.tables import person
from commsengine.translation import N_, _

_WROTE: tuple[tuple[Table, dict[str, Any]], ...] = (
    (tables.answer, {"value": "", "detail": {}}),
    (tables.question, {"text": "", "answer": "", "thread": "", "said": ""}),
    (tables.outcome, {"note": ""}),
    (tables.suspect, {"value": "", "detail": {}}),
    (tables.manager_line, {"text": ""}),
    (tables.deed, {"ref": ""}),
    (tables.unreachable, {"reason": ""}),
)
_SAID_IN: tuple[tuple[Table, dict[str, Any]], ...] = (
    (tables.answer, {"value": "", "detail": {}, "right": None}),
    *((table, blanks) for table, blanks in _WROTE if "campaign" in table.c and table is not tables.answer),
)
"""What is forgotten of a campaign that ended long ago."""

_BLANK: dict[str, Any] = {
    **dict.fromkeys((*TEXTS, "manager_key", "wished_channel"), ""),
    **dict.fromkeys(("days", "quiet_from", "quiet_to", "wake_at")),
    "leave": [],
    "attributes": {},
    "is_manager": False,
}
SIGNED = (
    (tables.plan_version, "applied_by"), (tables.standstill, "since_by"), (tables.standstill, "until_by"),
    (tables.answer, "by"), (tables.question, "answered_by"), (tables.snooze, "by"), (tables.outcome, "by"),
    (tables.manager_hold, "by"), (tables.manager_hold, "withdrawn_by"),
    (tables.manager_line, "by"), (tables.manager_line, "withdrawn_by"),
    (tables.suppression, "by"), (tables.suppression, "withdrawn_by"), (tables.unreachable, "by"),
    (tables.unreachable, "withdrawn_by"), (tables.audit, "by"), (tables.audit, "subject"),
    (tables.refusal, "settled_by"), (tables.gate, "by"), (tables.deed, "by"), (tables.seal, "by"),
    (tables.reply, "by"), (tables.notice, "by"), (tables.review_copy, "by"),
    (tables.people_file, "settled_by"),
)  # fmt: skip
"""The columns in which a person signs: by id, or by address."""


def erase(connection: Connection, person_id: str, *, by: str, now: dt.datetime) -> str:
    """Returns the pseudonym. Raises ``InputError`` for a person who is not in the directory."""
    row = connection.execute(select(person).where(person.c.id == person_id, person.c.erased_at.is_(None))).first()
    if row is None:
        cause = _("'{person}' is not in the directory.", person=person_id)
        raise InputError(cause, _("Name a person by address or id."))
    pseudonym = f"erased-{secrets.token_hex(8)}"
    _blank_what_was_said(connection, person_id)
    _forget_the_address(connection, str(row.email_key))
    names = (person_id, row.email, row.email_key)
    connection.execute(delete(tables.fresh_link).where(_names(names)))
    kept_copies.forget(connection, names)
    _rename_in_signatures(connection, {person_id, row.email, row.email_key}, pseudonym)
    _blank_the_person(connection, person_id, pseudonym, now)
    bookkeeping.managers_changed(connection, [row.manager_key], now)
    bookkeeping.note(connection, "erase", pseudonym, by=pseudonym if by in (row.email, person_id) else by, now=now)
    return pseudonym


def forget(connection: Connection, campaign: str, *, by: str, now: dt.datetime) -> None:
    """Of a campaign that is over: what people wrote and answered to checks goes; who had what, and when, stays."""
    for table, blanks in _SAID_IN:
        connection.execute(update(table).where(table.c.campaign == campaign).values(blanks))
    open_ = tables.question.c.campaign == campaign, tables.question.c.answered_at.is_(None)
    connection.execute(update(tables.question).where(*open_).values(answered_at=now, answered_by=by))
    mail = tables.touch.c.campaign == campaign, tables.touch.c.kind == "service"
    connection.execute(moves.blanking().where(*mail, tables.touch.c.state.in_(moves.FINAL)))
    bookkeeping.note(connection, "forget", campaign, by=by, now=now)


def _names(names: Sequence[str]) -> ColumnElement[bool]:
    return or_(tables.fresh_link.c.about.in_(names), tables.fresh_link.c.recipient.in_(names))


def _blank_what_was_said(connection: Connection, person_id: str) -> None:
    theirs = select(tables.touch.c.key).where(tables.touch.c.person_id == person_id)
    blank = {"reply": "", "remote_id": ""}
    connection.execute(update(tables.attempt).where(tables.attempt.c.key.in_(theirs)).values(blank))
    # Service mail that has not left cannot leave any more: it has nothing in it and no address.
    closed = moves.moving(moves.ERASE).where(tables.touch.c.person_id == person_id)
    connection.execute(closed.values(reason=N_("erased"), owner="", held=False))
    connection.execute(moves.blanking().where(tables.touch.c.person_id == person_id))
    quoting = (tables.touch.c.message.in_(ABOUT_OTHERS), tables.touch.c.state.in_(moves.FINAL))
    connection.execute(moves.blanking().where(tables.touch.c.kind == "service", *quoting))
    connection.execute(update(tables.reply).where(_only_to(person_id)).values(asked="", said="", public=False))
    for table, blanks in _WROTE:
        connection.execute(update(table).where(table.c.person_id == person_id).values(blanks))


def _only_to(person_id: str) -> ColumnElement[bool]:
    # What was said to one person alone may tell of them.
    mine = select(tables.replied.c.reply_id).where(tables.replied.c.person_id == person_id)
    others = select(tables.replied.c.reply_id).where(tables.replied.c.person_id != person_id)
    return and_(tables.reply.c.id.in_(mine), tables.reply.c.id.not_in(others))


def _forget_the_address(connection: Connection, email_key: str) -> None:
    connection.execute(delete(tables.slack_id).where(tables.slack_id.c.email_key == email_key))
    hashed = update(tables.suppression).where(tables.suppression.c.email_key == email_key)
    connection.execute(hashed.values(email_key=suppression_key(email_key), reason=""))
    reports = update(person).where(person.c.manager_key == email_key)
    connection.execute(reports.values(manager="", manager_key=""))


def _rename_in_signatures(connection: Connection, names: set[str], pseudonym: str) -> None:
    for table, column in SIGNED:
        connection.execute(update(table).where(table.c[column].in_(names)).values({column: pseudonym}))


def _blank_the_person(connection: Connection, person_id: str, pseudonym: str, now: dt.datetime) -> None:
    erased = {"id": pseudonym, "email_key": pseudonym, "left": now.date(), "erased_at": now}
    change = update(person).where(person.c.id == person_id).values({**_BLANK, **erased})
    connection.execute(change.values(facts_seq=person.c.facts_seq + 1))
