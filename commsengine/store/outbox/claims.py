"""Claims: a claim is an INSERT under the touch's key, durable before anything leaves. In one transaction

1. Nothing is claimed on hold, nor for a campaign that does not run at the epoch the decision was made on, nor for
   a person who has been erased since.
2. Each touch is inserted; a key that exists is taken over only from the state ``retry``. A conflict means that another
   engine has it. Skipped touches are born ``skipped``; what a human carries is born ``sent``.
3. Bookmarks are written for people of whom nothing new is known, and only while no campaign has moved on: else they
   are due already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, select, update

from commsengine.cadence.history import Decision, Touch
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.store import moves, refusals
from commsengine.store.plain_sql import Prepared, PreparedInsert, as_rows, as_texts, given, one_of
from commsengine.store.records import Lease
from commsengine.store.tables import person, touch

Decided = Sequence[tuple[Decision, int]]
"""Decisions, each with the ``facts_seq`` it was made on."""

_TAKEN_OVER = (
    *("channel", "role", "number", "version", "epoch", "facts_seq", "not_after", "again_at", "asks", "state", "reason"),
    *("corrects", "named"),
    *("owner", "fence", "lease_until", "sent_at", "retry_at"),
)


_OF_A_TOUCH = (
    *("kind", "campaign", "message", "local_date", "rung", "role", "channel", "number", "asks", "due_at", "not_after"),
    *("again_at", "corrects"),
)
_VALUES = attrgetter(*_OF_A_TOUCH)

_KNOWN = Prepared(
    select(person.c.id, person.c.facts_seq)
    .where(one_of(person.c.id, "ids"))
    .order_by(person.c.id)
    .with_for_update(key_share=True)
)
_NEXT = given("bookmarks", id=person.c.id.type, wake_at=person.c.wake_at.type)
_BOOKMARK = Prepared(update(person).where(person.c.id == _NEXT.c.id).values(wake_at=_NEXT.c.wake_at))
_CLAIM = PreparedInsert(lambda connection: moves.bearing(connection, _TAKEN_OVER).returning(touch.c.key, touch.c.state))


def known_now(connection: Connection, decisions: Decided) -> dict[str, int]:
    """The ``facts_seq`` of the people decided for, without those erased since.

    Until the claim is committed they are neither erased nor is anything new known of them.
    """
    ids = as_texts(decision.person for decision, _ in decisions)
    return dict(_KNOWN.rows(connection, ids=ids))


def claimable(
    connection: Connection, decisions: Decided, open_campaigns: Collection[str], known: Collection[str]
) -> list[tuple[Touch, int]]:
    """The touches of campaigns that go on, to people who are ``known``; each with its ``facts_seq``."""
    held, _ = refusals.held_messages(connection)
    return [
        (each, facts_seq)
        for decision, facts_seq in decisions
        if decision.person in known
        for each in decision.touches
        if each.campaign in open_campaigns and (each.skip or each.message not in held.get(each.campaign, ()))
    ]


def row_of(
    each: Touch, facts_seq: int, epochs: Mapping[str, int], versions: Mapping[str, int], lease: Lease, now: dt.datetime
) -> dict[str, Any]:
    move = moves.SKIP if each.skip else moves.CARRY if each.kind in BY_HAND else moves.CLAIM
    row = moves.blank(each.key, move.target, now)
    row.update(zip(_OF_A_TOUCH, _VALUES(each), strict=True))
    row.update(person_id=each.person, reason=each.skip, facts_seq=facts_seq, fence=lease.fence)
    row.update(version=versions[each.campaign], epoch=epochs[each.campaign])
    if move is moves.CARRY:
        row["sent_at"] = now
    if move is moves.CLAIM:
        row.update(owner=lease.owner, lease_until=lease.until)
    return row


def insert_all(connection: Connection, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The keys that are ours now, with the state they were given."""
    # On a server in the order of the keys, so that two claimers never wait for each other crosswise. SQLite has one
    # writer: there the rows lie in the order in which they leave, and those of a group in few pages.
    in_order = rows if connection.dialect.name == "sqlite" else sorted(rows, key=lambda row: str(row["key"]))
    return dict(_CLAIM.rows(connection, in_order))


def set_bookmarks(connection: Connection, decisions: Decided, lost: Collection[str], known: Mapping[str, int]) -> None:
    # People who lost a touch to another engine stay due, and are decided again with that touch on record.
    settled = [
        (decision.person, decision.wake_at)
        for decision, facts_seq in decisions
        if known.get(decision.person) == facts_seq and decision.person not in lost
    ]
    _BOOKMARK.run(connection, bookmarks=as_rows(settled))
