"""A new fact about people: it raises their ``facts_seq`` and makes them due, so that they are decided again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Update, bindparam, case, or_, select, update

from commsengine.store.database import chunks, many
from commsengine.store.plain_sql import Prepared, as_texts, one_of
from commsengine.store.tables import audit, campaign, person


def due_later(at: Any) -> ColumnElement[bool]:
    """The condition that a person is due later than ``at``, or never."""
    return or_(person.c.wake_at.is_(None), person.c.wake_at > at)


def _news(due: ColumnElement[Any]) -> Update:
    # An earlier due date stays: a fact written while the clock was ahead must not put off what is due meanwhile.
    first = case((due_later(due), due), else_=person.c.wake_at)
    return update(person).values(facts_seq=person.c.facts_seq + 1, wake_at=first)


_NEWS = _news(bindparam("at", type_=person.c.wake_at.type))
_CHANGED = Prepared(_NEWS.where(one_of(person.c.id, "ids")))
_NOTE = Prepared(audit.insert().values({each.name: bindparam(each.name) for each in audit.c if each is not audit.c.id}))


def changed(connection: Connection, person_ids: Iterable[str], now: dt.datetime) -> None:
    """People loaded before are out of date, claims made on the old facts can no longer leave, and they are due now."""
    if ids := sorted(set(person_ids)):
        _CHANGED.run(connection, at=now, ids=as_texts(ids))


def managers_changed(connection: Connection, keys: Iterable[str], now: dt.datetime) -> None:
    """Who reports to the people with these addresses has changed: also news to those above, where these have left."""
    ids: set[str] = set()
    newest = {key for key in keys if key}
    while newest:
        rows = [row for some in chunks(sorted(newest)) for row in connection.execute(_by_key(some))]
        newest = {row.manager_key for row in rows if row.left is not None and row.id not in ids} - {""}
        ids |= {row.id for row in rows}
    changed(connection, ids, now)


def _by_key(keys: Iterable[str]) -> Select[Any]:
    known = select(person.c.id, person.c.left, person.c.manager_key)
    return known.where(person.c.email_key.in_(keys), person.c.erased_at.is_(None))


def again_at(connection: Connection, when: Mapping[str, dt.datetime]) -> None:
    """As ``changed``, but each person due at their own instant, unless they are due before."""
    many(
        connection,
        _NEWS.where(person.c.id == bindparam("the_id")),
        ({"the_id": each, "at": when[each]} for each in sorted(when)),
    )


def wake_everybody(connection: Connection, now: dt.datetime) -> None:
    # For a change of a campaign: what was decided before is decided again, because epochs have moved on.
    connection.execute(update(person).where(due_later(now), person.c.erased_at.is_(None)).values(wake_at=now))


def raise_epochs(connection: Connection) -> None:
    # For a hold and its release: every running campaign forgets its claims.
    connection.execute(update(campaign).where(campaign.c.state == "running").values(epoch=campaign.c.epoch + 1))


def note(connection: Connection, action: str, subject: str, *, by: str, now: dt.datetime, **detail: Any) -> None:
    """Adds one row. ``subject`` is an id; ``detail`` never holds what a person wrote or where they can be reached."""
    _NOTE.run(connection, at=now, by=by, action=action, subject=subject, detail=detail)
