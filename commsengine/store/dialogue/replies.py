"""Replies: what was said to all who asked, or put in, nearly the same. The newest to each of them stands.

1. A reply is one row, and one more for each question and input it is about. Nothing of it is ever changed.
2. What has ended as done or no stays so; a promise (later) may be replied to again, until it is kept or refused.
3. The reply, the letters that bring it and the notice to others are kept in one transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from commsengine.cadence.dialogue import groups
from commsengine.cadence.history import PublicReply
from commsengine.cadence.kinds_and_states import AskKind
from commsengine.cadence.plan import Notice
from commsengine.errors import InputError
from commsengine.store import bookkeeping, service_mail, tables
from commsengine.store.campaign_facts import notices
from commsengine.store.database import Database, chunks, columns_of
from commsengine.store.records import Ask, AskId, NewReply, ReplyRecord
from commsengine.store.service_mail import NewMail
from commsengine.store.tables import question, replied, reply
from commsengine.translation import N_, _

_KEPT = ("campaign", "message", "said", "ending", "day", "asked", "roles", "public", "notice")
_COLUMNS = [reply.c[name] for name in (*_KEPT, "id", "at", "by", "replaced_at")]
_OF_CAMPAIGN = select(*_COLUMNS).where(reply.c.campaign == bindparam("the_campaign")).order_by(reply.c.id)
_ABOUT = (
    select(replied)
    .join(reply, reply.c.id == replied.c.reply_id)
    .where(reply.c.campaign == bindparam("the_campaign"))
    .order_by(replied.c.reply_id, replied.c.kind, replied.c.number)
)
_READ_BY_ALL = select(*columns_of(reply, PublicReply), reply.c.campaign).where(reply.c.public).order_by(reply.c.id)
_ROWS: Mapping[AskKind, Any] = {"question": tables.question, "input": tables.answer}


class Replies:
    """The replies, by campaign."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(
        self,
        asks: Sequence[Ask],
        new: NewReply,
        *,
        letters: Iterable[NewMail] = (),
        notice: Notice | None = None,
        by: str,
        now: dt.datetime,
    ) -> int:
        """Returns its number. Raises ``InputError``, and nothing is kept, where one of ``asks`` has ended before."""
        with self._database.write() as connection:
            _lock(connection, asks)
            before = _standing(connection, [ask.id for ask in asks])
            for ask in asks:
                _refuse_ended(connection, ask, before.get(ask.id))
            number = _write(connection, asks, new, by, now)
            _end_replaced(connection, (found.id for found in before.values()), now)
            if notice is not None:
                notices.add(connection, new.campaign, notice, by=by, now=now)
            for letter in letters:
                service_mail.add(connection, letter, now)
        return number

    def of_campaign(self, campaign: str) -> list[ReplyRecord]:
        """The oldest first, those that newer ones replace among them."""
        with self._database.read() as connection:
            rows = connection.execute(_OF_CAMPAIGN, {"the_campaign": campaign}).all()
            about = connection.execute(_ABOUT, {"the_campaign": campaign}).all() if rows else ()
        asks: dict[int, list[AskId]] = {}
        people: dict[int, set[str]] = {}
        for row in about:
            asks.setdefault(row.reply_id, []).append(AskId(row.kind, row.number))
            people.setdefault(row.reply_id, set()).add(row.person_id)
        return [_record(row, asks.get(row.id, ()), len(people.get(row.id, ()))) for row in rows]

    def standing(self, campaign: str) -> dict[AskId, ReplyRecord]:
        """The newest reply to each question and input that has one."""
        return {ask: found for found in self.of_campaign(campaign) for ask in found.asks}

    def to_person(self, person_id: str) -> list[tuple[AskId, ReplyRecord]]:
        """Every reply to what this person asked or put in, the oldest first."""
        theirs = select(replied.c.kind, replied.c.number, *_COLUMNS).join(reply, reply.c.id == replied.c.reply_id)
        theirs = theirs.where(replied.c.person_id == person_id).order_by(reply.c.id, replied.c.number)
        return [(AskId(row.kind, row.number), _record(row, (), 0)) for row in self._database.rows(theirs)]

    def read_by_all(self, campaign: str) -> tuple[PublicReply, ...]:
        with self._database.read() as connection:
            return by_campaign(connection, campaign).get(campaign, ())


def waits(ask: Ask, standing: Mapping[AskId, ReplyRecord]) -> bool:
    """Whether it may be replied to: it has had no reply, or only a promise."""
    if (said := standing.get(ask.id)) is not None:
        return said.ending == "later"
    return ask.answered_at is None


def alike(asks: Iterable[Ask]) -> list[list[Ask]]:
    """Those of one kind about one message that say nearly the same; each objection by itself."""

    def about(ask: Ask) -> tuple[str, str, str, int]:
        return ask.id.kind, ask.campaign, ask.message, ask.id.number if ask.objection else 0

    return groups(asks, about, lambda ask: ask.text)


def by_campaign(connection: Connection, campaign: str | None = None) -> dict[str, tuple[PublicReply, ...]]:
    """What stands on the pages for all, the oldest first."""
    query = _READ_BY_ALL.where(reply.c.campaign == campaign) if campaign else _READ_BY_ALL
    found: dict[str, tuple[PublicReply, ...]] = {}
    for row in connection.execute(query):
        about = (row.id, row.asked, row.said, row.ending, row.day, tuple(row.roles), row.at)
        said = PublicReply(*about, row.replaced_at, row.message)
        found[row.campaign] = (*found.get(row.campaign, ()), said)
    return found


def _record(row: Any, asks: Sequence[AskId], people: int) -> ReplyRecord:
    given = {column.name: getattr(row, column.name) for column in _COLUMNS}
    return ReplyRecord(**{**given, "roles": tuple(row.roles)}, asks=tuple(asks), people=people)


# -- one reply, in the transaction that gives it --------------------------------------------------


def _lock(connection: Connection, asks: Sequence[Ask]) -> None:
    # two leads at once are one after the other
    for kind, table in _ROWS.items():
        numbers = sorted(ask.id.number for ask in asks if ask.id.kind == kind)
        for some in chunks(numbers):
            connection.execute(select(table.c.id).where(table.c.id.in_(some)).with_for_update())


def _standing(connection: Connection, ids: Sequence[AskId]) -> dict[AskId, Any]:
    found: dict[AskId, Any] = {}
    for some in chunks(ids):
        query = select(replied.c.kind, replied.c.number, reply.c.id, reply.c.ending, reply.c.by, reply.c.at)
        query = query.join(reply, reply.c.id == replied.c.reply_id).order_by(reply.c.id)
        wanted = replied.c.number.in_([ask.number for ask in some])
        found |= {AskId(row.kind, row.number): row for row in connection.execute(query.where(wanted))}
    return {ask: found[ask] for ask in ids if ask in found}


def _refuse_ended(connection: Connection, ask: Ask, before: Any) -> None:
    at, by = (before.at, before.by) if before else (None, "")
    if before is None and ask.id.kind == "question":  # of before there were replies, or answered since it was read
        query = select(question.c.answered_at, question.c.answered_by).where(question.c.id == ask.id.number)
        at, by = connection.execute(query).one()
    if at is not None and (before is None or before.ending != "later"):
        text = N_("{ask} was answered {instant:%a %d %b %H:%M} UTC by {account}.")
        raise InputError(_(text, ask=ask.id, instant=at, account=by))


def _write(connection: Connection, asks: Sequence[Ask], new: NewReply, by: str, now: dt.datetime) -> int:
    row = {**{name: getattr(new, name) for name in _KEPT}, "roles": list(new.roles), "at": now, "by": by}
    number = int(connection.execute(reply.insert().values(**row).returning(reply.c.id)).scalar_one())
    about = [{"kind": ask.id.kind, "number": ask.id.number, "person_id": ask.person_id} for ask in asks]
    connection.execute(replied.insert(), [{"reply_id": number, **each} for each in about])
    told = {"answer": new.said, "answered_at": now, "answered_by": by}
    for some in chunks([ask.id.number for ask in asks if ask.id.kind == "question"]):
        connection.execute(update(question).where(question.c.id.in_(some)).values(told))
    people = sorted({ask.person_id for ask in asks})
    bookkeeping.changed(connection, people, now)
    noted = {"reply": number, "ending": new.ending, "asks": [str(ask.id) for ask in asks]}
    bookkeeping.note(connection, "reply", new.campaign, by=by, now=now, **noted)
    return number


def _end_replaced(connection: Connection, before: Iterable[int], now: dt.datetime) -> None:
    # What newer replies stand for as a whole; a reply that one of those who asked has no newer one to goes on.
    newer = replied.alias()
    later = (newer.c.kind == replied.c.kind, newer.c.number == replied.c.number, newer.c.reply_id > replied.c.reply_id)
    stands = select(replied.c.number).where(
        replied.c.reply_id == reply.c.id, ~select(newer.c.number).where(*later).exists()
    )
    for number in sorted(set(before)):
        ended = update(reply).where(reply.c.id == number, ~stands.exists())
        connection.execute(ended.values(replaced_at=now))
