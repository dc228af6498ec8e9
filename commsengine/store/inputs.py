"""What people answered in their own words or chose, where a message asked for that: never an answer to a check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from commsengine.store.tables import answer, person, touch

ASKED_FOR = ("input", "commit")


@dataclass(frozen=True, slots=True)
class GivenInput:
    """One answer that stands. ``text`` is empty where somebody only pressed "I will", or has been erased."""

    id: int
    person_id: str
    person: str
    name: str
    message: str
    kind: str
    text: str
    at: dt.datetime


_GIVEN = (
    select(
        answer.c.id, answer.c.person_id, person.c.email, person.c.name, answer.c.message, answer.c.kind, answer.c.value,
        answer.c.at,
    )
    .join(person, person.c.id == answer.c.person_id)
    .where(answer.c.kind.in_(ASKED_FOR), answer.c.withdrawn_at.is_(None))
    .order_by(answer.c.at, answer.c.id)
)  # fmt: skip


def given(
    connection: Connection, campaign: str, *, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> list[GivenInput]:
    """In order; after ``since``, and up to ``until``."""
    wanted: list[Any] = [answer.c.campaign == campaign]
    wanted += [answer.c.at > since] if since else []
    wanted += [answer.c.at <= until] if until else []
    return [GivenInput(*row) for row in connection.execute(_GIVEN.where(*wanted))]


def reached(connection: Connection, campaign: str, message: str) -> Sequence[str]:
    """The ids of the people who have got this message by a channel, or perhaps have."""
    got = (
        touch.c.campaign == campaign, touch.c.message == message, touch.c.kind.in_(("message", "remind")),
        touch.c.state.in_(("sent", "uncertain")), touch.c.person_id.is_not(None),
    )  # fmt: skip
    return connection.execute(select(touch.c.person_id).where(*got).distinct()).scalars().all()
