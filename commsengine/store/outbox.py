"""The outbox: claims, marks and receipts of touches. Only the owner under its fence moves what it has claimed.

A claim is an INSERT under the touch's key, durable before anything leaves. In one transaction
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
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Update, bindparam, or_, select, update

from commsengine.cadence.history import Decision, Touch
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.store import bookkeeping, campaigns, moves, refusals, service_mail
from commsengine.store.database import Database, chunks, columns_of, many, rows_with
from commsengine.store.reachability import record_unreachable
from commsengine.store.records import Commit, Lease, Marked, Receipt
from commsengine.store.tables import attempt, campaign, person, touch

Decided = Sequence[tuple[Decision, int]]
"""Decisions, each with the ``facts_seq`` it was made on."""

LookAgain = Mapping[str, dt.datetime | None]
"""For each key, when to look at it again; ``None`` is at once."""

NO_DATES: Mapping[str, str] = {}

RECEIPTS = {
    "sent": moves.ARRIVE,
    "failed": moves.FAIL,
    "retry": moves.PUT_OFF,
    "uncertain": moves.DOUBT,
    "released": moves.GIVE_BACK,
}
"""The move that each state of a receipt asks for."""


class Outbox:
    """What is ours to deliver, and what became of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self,
        decisions: Decided,
        lease: Lease,
        *,
        epochs: Mapping[str, int],
        versions: Mapping[str, int],
        now: dt.datetime,
    ) -> list[Touch]:
        """The touches that are ours to render and deliver, in the order of the decisions.

        ``epochs`` are those of *all* running campaigns that were decided on.
        """

        def work(connection: Connection) -> list[Touch]:
            if campaigns.on_hold(connection):
                return []
            running = campaigns.running_epochs(connection)
            wanted = _claimable(connection, decisions, campaigns.unchanged(running, epochs))
            rows = [_row(each, seq, epochs, versions, lease, now) for each, seq in wanted]
            won = _insert(connection, rows)
            lost = {row["person_id"]: row["key"] for row in rows if row["key"] not in won}
            many(connection, moves.adopting(), ({"the_key": key, "the_person": each} for each, key in lost.items()))
            if running == dict(epochs):
                _set_bookmarks(connection, decisions, lost)
            return [each for (each, _), row in zip(wanted, rows, strict=True) if won.get(row["key"]) == "claimed"]

        return self._database.write_again(work)

    def record(
        self,
        marks: Sequence[str],
        receipts: Sequence[Receipt],
        lease: Lease,
        now: dt.datetime,
        named: Mapping[str, str] = NO_DATES,
    ) -> Commit:
        """Receipts, then marks, of many connections in one commit; what is marked may leave.

        Settled are the receipts that were still ours to settle. ``named`` are the dates in texts that leave, by key.
        """

        def work(connection: Connection) -> Commit:
            recorded = _settle(connection, receipts, lease, now)
            marked = _mark(connection, marks, lease, now)
            dated = ({"the_key": each.key, "dates": named[each.key]} for each in marked if named.get(each.key))
            many(connection, moves.naming(), dated)
            return replace(recorded, marked=marked)

        return self._database.write_again(work)

    def still_ours(self, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]:
        """Those of these claims that are neither marked, given back nor over."""
        with self._database.read() as connection:
            return {
                key for some in chunks(keys) for key in connection.execute(_HELD, _ours(some, lease, now)).scalars()
            }

    def renew(self, owner: str, until: dt.datetime, now: dt.datetime) -> None:
        """Lengthens the leases of what this owner has claimed and not yet marked; a lease that is over stays over."""
        theirs = (touch.c.owner == owner, touch.c.lease_until > now)
        with self._database.write() as connection:
            connection.execute(moves.moving(moves.RENEW).where(*theirs).values(lease_until=until))

    def release(self, *, now: dt.datetime, owner: str | None = None, campaign: str | None = None) -> int:
        """Gives back claims that are not marked yet, all or those of an owner or campaign; returns how many."""
        chosen = [touch.c.state == "claimed"]
        chosen += [touch.c.owner == owner] if owner is not None else []
        chosen += [touch.c.campaign == campaign] if campaign is not None else []
        with self._database.write() as connection:
            rows = connection.execute(select(touch).where(*chosen).order_by(touch.c.key).with_for_update()).all()
            give_back(connection, rows, {}, now)
            campaigns.skip_retries_of_cancelled(connection)
        return len(rows)


# -- claims ---------------------------------------------------------------------------------------

_TAKEN_OVER = (
    *("channel", "role", "number", "version", "epoch", "facts_seq", "not_after", "again_at", "asks", "state", "reason"),
    *("corrects", "named"),
    *("owner", "fence", "lease_until", "sent_at", "retry_at"),
)


def _claimable(connection: Connection, decisions: Decided, open_campaigns: Collection[str]) -> list[tuple[Touch, int]]:
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


def _row(
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
    # People who lost a touch to another engine stay due, and are decided again with that touch on record.
    settled = (
        {"the_id": decision.person, "known": facts_seq, "next": decision.wake_at}
        for decision, facts_seq in sorted(decisions, key=lambda pair: pair[0].person)
        if decision.person not in lost
    )
    bookmark = update(person).where(person.c.id == bindparam("the_id"), person.c.facts_seq == bindparam("known"))
    many(connection, bookmark.values(wake_at=bindparam("next")), settled)


# -- marks ----------------------------------------------------------------------------------------


def _touch_may_leave() -> ColumnElement[bool]:
    its_campaign = select(campaign.c.id).where(
        campaign.c.id == touch.c.campaign, campaign.c.state == "running", campaign.c.epoch == touch.c.epoch
    )
    its_person = select(person.c.id).where(person.c.id == touch.c.person_id, person.c.facts_seq == touch.c.facts_seq)
    return (touch.c.kind != "service") & ~campaigns.HOLD.exists() & its_campaign.exists() & its_person.exists()


def _service_may_leave() -> ColumnElement[bool]:
    passes = service_mail.ALERT | (~campaigns.HOLD.exists() & service_mail.NOT_STOPPED)
    return (touch.c.kind == "service") & passes


_NOW = bindparam("the_now", type_=touch.c.lease_until.type)
_KEYS = touch.c.key.in_(bindparam("keys", expanding=True))
_OURS = (_KEYS, touch.c.owner == bindparam("the_owner"), touch.c.fence == bindparam("the_fence"))

# Built once: this runs once or twice for every message, and building it costs more than running it.
_GOING = (
    moves.moving(moves.MARK)
    .where(*_OURS, touch.c.lease_until > _NOW)
    .where(or_(_touch_may_leave(), _service_may_leave()))
    .values(sending_at=_NOW)
    .returning(*columns_of(touch, Marked))
)
_HELD = select(touch.c.key).where(*_OURS, touch.c.lease_until > _NOW, touch.c.state == "claimed")
_OPEN = select(touch).where(*_OURS, touch.c.state.in_(("claimed", "sending"))).order_by(touch.c.key).with_for_update()


def _ours(keys: Sequence[str], lease: Lease, now: dt.datetime) -> dict[str, Any]:
    return {"keys": keys, "the_owner": lease.owner, "the_fence": lease.fence, "the_now": now}


def _mark(connection: Connection, keys: Sequence[str], lease: Lease, now: dt.datetime) -> list[Marked]:
    # The one condition: still claimed by this owner under this fence, the lease not over, no hold, the campaign running
    # at the epoch of the claim, and nothing new known about the person since it was decided.
    if not keys:
        return []
    campaigns.running_epochs(connection)
    return [Marked(*row) for some in chunks(keys) for row in connection.execute(_GOING, _ours(some, lease, now))]


# -- receipts -------------------------------------------------------------------------------------


def _settle(connection: Connection, receipts: Sequence[Receipt], lease: Lease, now: dt.datetime) -> Commit:
    """What was still this owner's to settle. Each attempt begun gets its row."""
    keys = [receipt.key for receipt in receipts]
    rows = {row.key: row for some in chunks(keys) for row in connection.execute(_OPEN, _ours(some, lease, now))}
    valid = [each for each in receipts if each.key in rows and rows[each.key].state in RECEIPTS[each.state].sources]
    valid, judged = refusals.judged(connection, valid, rows, lease.fence, now)
    noted = {each.receipt.key for each in judged}
    given_back = [each for each in valid if each.state == "released"]
    tried = [each for each in valid if each.state != "released"]
    many(
        connection, attempt.insert(), (_attempt(each, rows[each.key], lease) for each in tried if each.key not in noted)
    )
    for state, settled in _SETTLED.items():
        many(connection, settled, (_outcome(each, rows[each.key]) for each in tried if each.state == state))
    give_back(connection, [rows[each.key] for each in given_back], _looks(given_back), now)
    not_sent = [each for each in tried if each.state != "sent"]
    wake(connection, [rows[each.key] for each in not_sent], _looks(not_sent), now)
    for each in valid:
        row = rows[each.key]
        if each.unreachable and row.person_id:
            record_unreachable(connection, row.person_id, row.channel, each.unreachable, by="channel", now=now)
    if any(each.state in ("retry", "released") for each in valid):
        campaigns.skip_retries_of_cancelled(connection)
    if any(each.receipt.fault == "message" for each in judged):
        _give_back_held_messages(connection, now)
    return Commit(settled={each.key: each.state for each in valid}, judged=judged)


def _give_back_held_messages(connection: Connection, now: dt.datetime) -> None:
    # what is claimed of a message that is held does not go to the other side any more
    for held_in, messages in refusals.held_messages(connection)[0].items():
        theirs = (touch.c.campaign == held_in, touch.c.message.in_(sorted(messages)), touch.c.state == "claimed")
        rows = connection.execute(select(touch).where(*theirs).order_by(touch.c.key).with_for_update()).all()
        give_back(connection, rows, {}, now)


def _looks(receipts: Sequence[Receipt]) -> LookAgain:
    return {each.key: each.retry_at for each in receipts}


def _attempt(receipt: Receipt, row: Row[Any], lease: Lease) -> dict[str, Any]:
    begun = {"key": receipt.key, "n": row.attempts + 1, "at": receipt.at, "owner": lease.owner, "fence": lease.fence}
    said = {"verdict": receipt.state, "phase": receipt.phase, "reply": receipt.reply, "remote_id": receipt.remote_id}
    return {**begun, **said, "channel": row.channel, "fault": receipt.fault, "refusal_id": receipt.refusal_id}


def _settling(move: moves.Move) -> Update:
    known = ("reason", "sent_at", "retry_at", "uncertain_at", "remote_id", "uncertainties", "held", "refusal_id")
    change = moves.moving_each(move).values({name: bindparam(name) for name in known})
    uncounted = touch.c.uncounted + bindparam("not_counted")
    return change.values(attempts=touch.c.attempts + 1, uncounted=uncounted, owner="")


_SETTLED = {state: _settling(move) for state, move in RECEIPTS.items() if state != "released"}


def _outcome(receipt: Receipt, row: Row[Any]) -> dict[str, Any]:
    return {
        "the_key": receipt.key,
        "reason": receipt.reason,
        "uncertain_at": receipt.at if receipt.state == "uncertain" else None,
        "sent_at": receipt.at if receipt.state == "sent" else None,
        "retry_at": (receipt.retry_at or receipt.at) if receipt.state == "retry" else None,
        "remote_id": receipt.remote_id,
        "uncertainties": row.uncertainties + (receipt.state == "uncertain"),
        "held": receipt.held,
        "refusal_id": receipt.refusal_id or (row.refusal_id if receipt.state == "retry" else None),
        "not_counted": int(not receipt.counted),
    }


# -- also for the recovery ------------------------------------------------------------------------


def give_back(connection: Connection, rows: Sequence[Row[Any]], look_again: LookAgain, now: dt.datetime) -> None:
    """Claims of which nothing was offered: deleted, or ``retry`` again if an attempt was made before."""
    kept = [row for row in rows if _stays(row)]
    many(connection, _BACK, ({"the_key": row.key, "look_again": look_again.get(row.key) or now} for row in kept))
    many(connection, _GONE, ({"the_key": row.key} for row in rows if not _stays(row)))
    wake(connection, rows, look_again, now)


_BACK = moves.moving_each(RECEIPTS["released"]).values(owner="", retry_at=bindparam("look_again"))
_GONE = moves.removing(moves.DROP).where(touch.c.key == bindparam("the_key"))


def _stays(row: Row[Any]) -> bool:
    return bool(row.attempts) or row.kind == "service"


def wake(connection: Connection, rows: Sequence[Row[Any]], look_again: LookAgain, now: dt.datetime) -> None:
    """A touch that did not arrive is news about its person; they are due when it may be tried again."""
    when: dict[str, dt.datetime] = {}
    for row in rows:
        if row.person_id and row.kind != "service":
            at = look_again.get(row.key) or now
            when[row.person_id] = min(at, when.get(row.person_id, at))
    bookkeeping.again_at(connection, when)
