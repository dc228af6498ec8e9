"""The touches on record, service mail among them: outbox and history are one table, read here."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import BindParameter, Column, Connection, Select, and_, bindparam, func, or_, select, tuple_

from commsengine.cadence.kinds_and_states import CARRIED, TouchState
from commsengine.store import moves
from commsengine.store.database import CHUNK, Database, columns_of, many, rows_with
from commsengine.store.records import Attempt, ListedTouch, SentText, TouchRecord
from commsengine.store.tables import attempt, person, touch, unreachable

_COLUMNS = columns_of(touch, TouchRecord)
_ATTEMPT = columns_of(attempt, Attempt)
_IN_ORDER = (touch.c.due_at, touch.c.key)
_LAST: tuple[BindParameter[Any], ...] = (bindparam("last_due", type_=touch.c.due_at.type), bindparam("last_key"))
_ADDRESS = func.coalesce(person.c.email, touch.c.person_id).label("person")
_LISTED = select(*(_ADDRESS if field.name == "person" else touch.c[field.name] for field in fields(ListedTouch)))
_LISTED = _LISTED.select_from(
    touch.outerjoin(person, and_(person.c.id == touch.c.person_id, person.c.erased_at.is_(None)))
)
OPEN: tuple[TouchState, ...] = ("claimed", "sending", "uncertain")

# A retry counts only where the channel itself has said that it never reaches the person.
_REFUSED_FOR_GOOD = (
    (attempt.c.verdict == "retry")
    & (unreachable.c.person_id == touch.c.person_id)
    & (unreachable.c.channel == attempt.c.channel)
    & (unreachable.c.by == "channel")
)
_THEIR_OWN = (attempt.c.verdict == "failed") & attempt.c.fault.in_(("person", ""))
_FIRST_OUTCOMES = (
    select(attempt.c.verdict, attempt.c.phase, func.coalesce(unreachable.c.reason, attempt.c.reply).label("reply"))
    .select_from(touch.join(attempt, attempt.c.key == touch.c.key).outerjoin(unreachable, _REFUSED_FOR_GOOD))
    .where(touch.c.campaign == bindparam("campaign"), touch.c.message == bindparam("message"), touch.c.rung == 0)
    .where(attempt.c.at > bindparam("since", type_=attempt.c.at.type))
    .where(or_(attempt.c.verdict == "sent", _THEIR_OWN, unreachable.c.id.is_not(None)))
    .limit(bindparam("most"))
)

_NAMED = moves.naming().where(touch.c.key == bindparam("the_key")).values(named=bindparam("dates"))


class Touches:
    """Reads rows; what moves them is in ``Outbox``, ``ServiceMail`` and ``Recovery``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def row(self, key: str) -> TouchRecord | None:
        return self.rows([key]).get(key)

    def rows(self, keys: Sequence[str]) -> dict[str, TouchRecord]:
        with self._database.read() as connection:
            return {record.key: record for record in records_of(connection, keys)}

    def list(self, campaign: str) -> Iterator[TouchRecord]:
        """Every touch of a campaign by ``due_at``, read in pages; service mail is not among them."""
        return (TouchRecord(*row) for row in self._in_pages(select(*_COLUMNS), campaign))

    def listed(self, campaign: str, state: TouchState | None = None) -> Iterator[ListedTouch]:
        """The same as a list shows them; with a ``state`` those in it."""
        chosen = _LISTED if state is None else _LISTED.where(touch.c.state == state)
        return (ListedTouch(*row) for row in self._in_pages(chosen, campaign))

    def _in_pages(self, query: Select[Any], campaign: str) -> Iterator[Any]:
        theirs = query.where(touch.c.campaign == campaign, touch.c.kind != "service").order_by(*_IN_ORDER).limit(CHUNK)
        later = theirs.where(tuple_(*_IN_ORDER) > tuple_(*_LAST))
        page = self._database.rows(theirs)
        while page:
            yield from page
            given = {"last_due": page[-1].due_at, "last_key": page[-1].key}
            page = self._database.rows(later, given) if len(page) == CHUNK else []

    def of_person(self, person_id: str) -> Sequence[TouchRecord]:
        """Every touch and every service mail to this person, by ``due_at``."""
        return self._read(select(*_COLUMNS).where(touch.c.person_id == person_id).order_by(*_IN_ORDER))

    def open_rows(
        self, campaign: str | None = None, states: Sequence[TouchState] = OPEN, reason: str = ""
    ) -> Sequence[TouchRecord]:
        """Rows in these states, service mail included, oldest first; with a ``reason`` those of it."""
        chosen = [touch.c.state.in_(states)] + ([touch.c.campaign == campaign] if campaign is not None else [])
        chosen += [touch.c.reason == reason] if reason else []
        return self._read(select(*_COLUMNS).where(*chosen).order_by(*_IN_ORDER))

    def attempts(self, key: str) -> Sequence[Attempt]:
        rows = self._database.rows(select(*_ATTEMPT).where(attempt.c.key == key).order_by(attempt.c.n))
        return [Attempt(*row) for row in rows]

    def last_replies(self, keys: Sequence[str]) -> dict[str, str]:
        """What the other side said last, by key."""
        query = select(attempt.c.key, attempt.c.reply).order_by(attempt.c.n)
        with self._database.read() as connection:
            return {row.key: row.reply for row in rows_with(connection, query, attempt.c.key, keys)}

    def first_outcomes(
        self, campaign: str, message: str, *, since: dt.datetime, most: int
    ) -> dict[tuple[str, str, str], int]:
        """Counts by (verdict, phase, reply) after ``since``, of at most so many attempts at rung 0 of a message.

        What was refused for no fault of the person's is left out.
        """
        given = {"campaign": campaign, "message": message, "since": since, "most": most}
        rows = self._database.rows(_FIRST_OUTCOMES, given)
        return dict(Counter((row.verdict, row.phase, row.reply) for row in rows))

    def texts_without_dates(self, campaign: str) -> Sequence[SentText]:
        """What people got, or may have got, by a channel before the dates in a text were kept."""
        theirs = (
            select(*columns_of(touch, SentText))
            .where(touch.c.campaign == campaign, touch.c.state.in_(("sending", "sent", "uncertain")))
            .where(touch.c.kind.in_(CARRIED), touch.c.person_id.is_not(None), touch.c.named.is_(None))
        )
        return [SentText(*row) for row in self._database.rows(theirs.order_by(*_IN_ORDER))]

    def dates_named(self, campaign: str) -> Sequence[str]:
        """What texts that arrived, or may have, named of dates: each line once."""
        return [row.named for row in self._database.rows(_with_dates(touch.c.named, campaign))]

    def people_with_dates(self, campaign: str) -> Sequence[str]:
        """The ids of the people who got a text that named a date, or may have."""
        return [row.person_id for row in self._database.rows(_with_dates(touch.c.person_id, campaign))]

    def highest_rungs(self, campaign: str) -> Mapping[str, int]:
        """By message, the last step of its follow-up that somebody stands on."""
        rungs = select(touch.c.message, func.max(touch.c.rung).label("rung")).where(touch.c.campaign == campaign)
        rows = self._database.rows(rungs.where(touch.c.kind != "service").group_by(touch.c.message))
        return {row.message: row.rung or 0 for row in rows}

    def keep_dates(self, dates: Mapping[str, str]) -> None:
        """The dates in texts that left before they were kept, by key, as far as they are known."""
        with self._database.write() as connection:
            many(connection, _NAMED, ({"the_key": key, "dates": dates[key]} for key in sorted(dates)))

    def _read(self, query: Select[Any]) -> Sequence[TouchRecord]:
        return [TouchRecord(*row) for row in self._database.rows(query)]


def _with_dates(column: Column[Any], campaign: str) -> Select[Any]:
    arrived = (touch.c.campaign == campaign, touch.c.state.in_(("sending", "sent", "uncertain")))
    return select(column).where(*arrived, touch.c.named != "", touch.c.person_id.is_not(None)).distinct()


def records_of(connection: Connection, keys: Sequence[str]) -> list[TouchRecord]:
    """The rows with these keys, in the order of the keys; unknown keys are left out."""
    found = {row.key: TouchRecord(*row) for row in rows_with(connection, select(*_COLUMNS), touch.c.key, keys)}
    return [found[key] for key in keys if key in found]


def reached_by(campaign: str, message: str) -> Select[Any]:
    """The ids of the people who have got a message by a channel, or perhaps have."""
    return (
        select(touch.c.person_id)
        .where(touch.c.campaign == campaign, touch.c.message == message, touch.c.kind.in_(CARRIED))
        .where(touch.c.state.in_(("sent", "uncertain")), touch.c.person_id.is_not(None))
    )
