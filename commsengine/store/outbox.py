"""The claim: an INSERT under the touch's key, durable before anything leaves. Who inserts, carries.

In one transaction
1. Nothing is claimed on hold, nor for a campaign that does not run at the epoch the decision was made on, nor for
   whoever has been erased since.
2. Each touch is inserted; a key that exists is taken over only from the state ``retry``. A conflict means that somebody
   else has it. Skipped touches are born ``skipped``; what a human carries is born ``sent``.
3. Bookmarks are written for people of whom nothing new is known, and only while no campaign has moved on: else whoever
   moved on has already made them due.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from commsengine.cadence.history import Decision, Touch
from commsengine.store import gates, moves
from commsengine.store.bookkeeping import CHUNK
from commsengine.store.database import many
from commsengine.store.tables import person, touch

CARRIED_BY_HAND = ("personal", "sponsor")

Decided = Sequence[tuple[Decision, int]]
"""Decisions, each with the ``facts_seq`` it was made on."""

_TAKEN_OVER = (
    "channel", "role", "number", "version", "epoch", "facts_seq", "not_after", "again_at", "state", "reason", "owner",
    "fence", "lease_until", "sent_at", "retry_at",
)  # fmt: skip


def claim(
    connection: Connection,
    decisions: Decided,
    *,
    owner: str,
    fence: int,
    lease_until: dt.datetime,
    epochs: Mapping[str, int],
    versions: Mapping[str, int],
    now: dt.datetime,
) -> list[Touch]:
    """The touches that are ours to render and deliver, in the order of the decisions."""
    if gates.on_hold(connection):
        return []
    running = gates.running_epochs(connection)
    open_campaigns = gates.unchanged(running, epochs)
    lease = {"owner": owner, "fence": fence, "lease_until": lease_until}
    wanted = [(each, seq) for each, seq in _touches(decisions) if each.campaign in open_campaigns]
    known = _still_known(connection, {each.person for each, _ in wanted})
    wanted = [(each, seq) for each, seq in wanted if each.person in known]
    rows = [_row(each, seq, epochs, versions, lease, now) for each, seq in wanted]
    won = _insert(connection, rows)
    lost = {row["person_id"]: row["key"] for row in rows if row["key"] not in won}
    many(connection, moves.adopting(), ({"the_key": key, "whose": whose} for whose, key in lost.items()))
    if running == dict(epochs):
        _set_bookmarks(connection, decisions, lost)
    return [each for (each, _), row in zip(wanted, rows, strict=True) if won.get(row["key"]) == "claimed"]


def _still_known(connection: Connection, people: Collection[str]) -> set[str]:
    """Who has not been erased since it was decided; until the claim is committed nobody of these is."""
    ids, found = sorted(people), set[str]()
    for start in range(0, len(ids), CHUNK):
        there = select(person.c.id).where(person.c.id.in_(ids[start : start + CHUNK]))
        found |= {row.id for row in connection.execute(there.with_for_update(read=True, key_share=True))}
    return found


def _touches(decisions: Decided) -> Iterator[tuple[Touch, int]]:
    return ((each, facts_seq) for decision, facts_seq in decisions for each in decision.touches)


def _row(
    each: Touch, facts_seq: int, epochs: Mapping[str, int], versions: Mapping[str, int], lease: Mapping[str, Any],
    now: dt.datetime,
) -> dict[str, Any]:  # fmt: skip
    move = moves.SKIP if each.skip else moves.CARRY if each.kind in CARRIED_BY_HAND else moves.CLAIM
    state = str(move.target)
    return {
        **(lease if state == "claimed" else {"owner": "", "fence": lease["fence"], "lease_until": None}),
        "key": each.key, "kind": each.kind, "campaign": each.campaign, "message": each.message,
        "person_id": each.person, "local_date": each.local_date, "rung": each.rung, "role": each.role,
        "channel": each.channel, "number": each.number, "version": versions[each.campaign],
        "epoch": epochs[each.campaign], "facts_seq": facts_seq, "due_at": each.due_at, "not_after": each.not_after,
        "again_at": each.again_at, "state": state, "reason": each.skip, "attempts": 0, "uncertainties": 0,
        "possible_duplicate": False, "held": False, "created_at": now, "sending_at": None, "uncertain_at": None,
        "sent_at": now if state == "sent" else None, "retry_at": None, "remote_id": "", "payload": None,
    }  # fmt: skip


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The keys that are ours now, with the state they were given."""
    if not rows:
        return {}
    over = moves.bearing(connection, _TAKEN_OVER)
    # In the order of the keys, so that two claimers never wait for each other crosswise.
    ordered = sorted(rows, key=lambda row: str(row["key"]))
    won = connection.execute(over.returning(touch.c.key, touch.c.state), ordered)
    return {row.key: row.state for row in won}


def _set_bookmarks(connection: Connection, decisions: Decided, lost: Collection[str]) -> None:
    """Whoever lost a touch to somebody else stays due, and is decided again with that touch on record."""
    settled = (
        {"the_id": decision.person, "known": facts_seq, "next": decision.wake_at}
        for decision, facts_seq in sorted(decisions, key=lambda pair: pair[0].person)
        if decision.person not in lost
    )
    bookmark = update(person).where(person.c.id == bindparam("the_id"), person.c.facts_seq == bindparam("known"))
    many(connection, bookmark.values(wake_at=bindparam("next")), settled)
