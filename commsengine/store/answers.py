"""Answers: the first of its kind for a touch wins; an undo is a mark on it, never a delete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, select, update

from commsengine.store import bookkeeping
from commsengine.store.database import insert
from commsengine.store.records import AnswerRecord, StoredAnswer
from commsengine.store.tables import answer, counter, touch

_FIRST = ("person_id", "campaign", "message", "key", "kind", "whole_campaign")
_VALID = answer.c.withdrawn_at.is_(None)
_ANSWER_ABOVE = "answer_above"


def record(connection: Connection, given: Mapping[str, Any], now: dt.datetime) -> AnswerRecord:
    """Writes the answer, unless the person has already given one of this kind to this touch: that one is returned."""
    news = {**given, "at": now, "withdrawn_at": None, "counts": given["counts"] and _asked_first(connection, given)}
    new = insert(connection, answer).values(news)
    new = new.on_conflict_do_nothing(index_elements=list(_FIRST), index_where=_VALID)
    written = connection.execute(new.returning(answer.c.id)).first()
    if written is None:
        same = (answer.c[name] == given[name] for name in _FIRST)
        known = connection.execute(select(answer.c.id, answer.c.at).where(*same, _VALID)).one()
        return AnswerRecord(False, known.at, known.id)
    bookkeeping.changed(connection, [given["person_id"]], now)
    detail = {"campaign": given["campaign"], "message": given["message"], "kind": given["kind"]}
    bookkeeping.note(connection, "answer", given["person_id"], by=given["by"], now=now, detail=detail)
    return AnswerRecord(True, now, written.id)


def _asked_first(connection: Connection, given: Mapping[str, Any]) -> bool:
    """Not a check answered on a Slack card of before questions stood first there: its text gave the answer away."""
    if (given["kind"], given["evidence"]) != ("check", "slack"):
        return True
    last = select(counter.c.value).where(counter.c.name == _ANSWER_ABOVE).scalar_subquery()
    told = select(touch.c.key).where(touch.c.key == given["key"], touch.c.fence <= last)
    return connection.execute(told).first() is None


def withdraw(connection: Connection, answer_id: int, now: dt.datetime, press: str = "") -> bool:
    """Marks the answer as taken back; false if there is none, or it was taken back before."""
    undo = update(answer).where(answer.c.id == answer_id, _VALID).values(withdrawn_at=now)
    taken = connection.execute(undo.returning(answer.c.person_id, answer.c.detail)).first()
    if taken is None:
        return False
    if press:
        told = {**taken.detail, "undone": press}
        connection.execute(update(answer).where(answer.c.id == answer_id).values(detail=told))
    bookkeeping.changed(connection, [taken.person_id], now)
    bookkeeping.note(connection, "withdraw", taken.person_id, by=taken.person_id, now=now, detail={"answer": answer_id})
    return True


def presses_on(connection: Connection, key: str, person_id: str) -> set[str]:
    """What Slack calls the presses behind the answers to a touch, withdrawn ones too, and behind their undoing."""
    theirs = select(answer.c.detail).where(answer.c.person_id == person_id, answer.c.key == key)
    details = connection.execute(theirs).scalars()
    return {name for detail in details for name in (detail.get("press"), detail.get("undone")) if name}


def of_person(connection: Connection, person_id: str) -> list[StoredAnswer]:
    """Everything the person answered, withdrawn or not, in order."""
    columns = [answer.c[field.name] for field in fields(StoredAnswer)]
    rows = connection.execute(select(*columns).where(answer.c.person_id == person_id).order_by(answer.c.id))
    return [StoredAnswer(*row) for row in rows]
