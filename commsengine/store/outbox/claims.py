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
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from commsengine.cadence.history import Decision, Touch
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.store import moves, refusals
from commsengine.store.database import many, rows_with
from commsengine.store.records import Lease
from commsengine.store.tables import person, touch

Decided = Sequence[tuple[Decision, int]]
"""Decisions, each with the ``facts_seq`` it was made on."""

_TAKEN_OVER = (
    *("channel", "role", "number", "version", "epoch", "facts_seq", "not_after", "again_at", "asks", "state", "reason"),
    *("corrects", "named"),
    *("owner", "fence", "lease_until", "sent_at", "retry_at"),
)


def claimable(connection: Connection, decisions: Decided, open_campaigns: Collection[str]) -> list[tuple[Touch, int]]:
    """The touches of campaigns that go on, to people who have not been erased since; each with its ``facts_seq``."""
    touches = ((each, facts_seq) for decision, facts_seq in decisions for each in decision.touches)
    held, _ = refusals.held_messages(connection)
    wanted = [
        (each, facts_seq)
        for each, facts_seq in touches
        if each.campaign in open_campaigns and (each.skip or each.message not in held.get(each.campaign, ()))
    ]
    known = _still_known(connection, {each.person for each, _ in wanted})
    return [(each, seq) for each, seq in wanted if each.person in known]


def _still_known(connection: Connection, people: Collection[str]) -> set[str]:
    # The lock keeps them from being erased until the claim is committed.
    there = select(person.c.id).with_for_update(read=True, key_share=True)
    return {row.id for row in rows_with(connection, there, person.c.id, sorted(people))}


def row_of(
    each: Touch, facts_seq: int, epochs: Mapping[str, int], versions: Mapping[str, int], lease: Lease, now: dt.datetime
) -> dict[str, Any]:
    move = moves.SKIP if each.skip else moves.CARRY if each.kind in BY_HAND else moves.CLAIM
    row = moves.blank(each.key, move.target, now)
    row |= {"kind": each.kind, "campaign": each.campaign, "message": each.message, "local_date": each.local_date}
    row |= {"rung": each.rung, "role": each.role, "channel": each.channel, "number": each.number, "due_at": each.due_at}
    row |= {"person_id": each.person, "not_after": each.not_after, "again_at": each.again_at, "reason": each.skip}
    row["asks"] = each.asks
    row |= {"version": versions[each.campaign], "epoch": epochs[each.campaign], "facts_seq": facts_seq}
    row |= {"fence": lease.fence, "corrects": each.corrects}
    if move is moves.CARRY:
        row["sent_at"] = now
    if move is moves.CLAIM:
        row |= {"owner": lease.owner, "lease_until": lease.until}
    return row


def insert_all(connection: Connection, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The keys that are ours now, with the state they were given."""
    if not rows:
        return {}
    over = moves.bearing(connection, _TAKEN_OVER)
    # In the order of the keys, so that two claimers never wait for each other crosswise.
    ordered = sorted(rows, key=lambda row: str(row["key"]))
    won = connection.execute(over.returning(touch.c.key, touch.c.state), ordered)
    return {row.key: row.state for row in won}


def set_bookmarks(connection: Connection, decisions: Decided, lost: Collection[str]) -> None:
    # People who lost a touch to another engine stay due, and are decided again with that touch on record.
    settled = (
        {"the_id": decision.person, "known": facts_seq, "next": decision.wake_at}
        for decision, facts_seq in sorted(decisions, key=lambda pair: pair[0].person)
        if decision.person not in lost
    )
    bookmark = update(person).where(person.c.id == bindparam("the_id"), person.c.facts_seq == bindparam("known"))
    many(connection, bookmark.values(wake_at=bindparam("next")), settled)
