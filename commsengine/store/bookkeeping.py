"""A new fact about people: it raises their ``facts_seq`` and makes them due, so that they are decided again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, case, literal, update

from commsengine.store import tables
from commsengine.store.database import many
from commsengine.store.tables import campaign, person

CHUNK = 1000
"""How many ids one statement carries."""


def changed(connection: Connection, person_ids: Iterable[str], now: dt.datetime) -> None:
    """People loaded before are out of date, claims made on the old facts can no longer leave, and they are due now."""
    # An earlier due date stays: a fact written while the clock was ahead must not put off what is due meanwhile.
    ids = sorted(set(person_ids))
    later = person.c.wake_at.is_(None) | (person.c.wake_at > now)
    for start in range(0, len(ids), CHUNK):
        news = update(person).where(person.c.id.in_(ids[start : start + CHUNK]))
        due = case((later, literal(now, person.c.wake_at.type)), else_=person.c.wake_at)
        connection.execute(news.values(facts_seq=person.c.facts_seq + 1, wake_at=due))


def again_at(connection: Connection, when: Mapping[str, dt.datetime]) -> None:
    """As ``changed``, but each person due at their own instant, unless they are due before."""
    at = bindparam("at", type_=person.c.wake_at.type)
    later = person.c.wake_at.is_(None) | (person.c.wake_at > at)
    news = update(person).where(person.c.id == bindparam("the_id"))
    news = news.values(facts_seq=person.c.facts_seq + 1, wake_at=case((later, at), else_=person.c.wake_at))
    many(connection, news, ({"the_id": each, "at": when[each]} for each in sorted(when)))


def wake_everybody(connection: Connection, now: dt.datetime) -> None:
    # For a change of a campaign: what was decided before is decided again, because epochs have moved on.
    later = person.c.wake_at.is_(None) | (person.c.wake_at > now)
    connection.execute(update(person).where(later, person.c.erased_at.is_(None)).values(wake_at=now))


def raise_epochs(connection: Connection) -> None:
    # For a hold and its release: every running campaign forgets its claims.
    connection.execute(update(campaign).where(campaign.c.state == "running").values(epoch=campaign.c.epoch + 1))


def note(
    connection: Connection,
    action: str,
    subject: str,
    *,
    by: str,
    now: dt.datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Adds one row. ``subject`` is an id; ``detail`` never holds what a person wrote or where they can be reached."""
    row = {"at": now, "by": by, "action": action, "subject": subject, "detail": dict(detail or {})}
    connection.execute(tables.audit.insert(), row)
