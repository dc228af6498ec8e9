"""Receipts: what became of each attempt, for what was still its owner's to settle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Text, Update, bindparam, select

from commsengine.cadence.kinds_and_states import ReceiptState
from commsengine.store import bookkeeping, campaigns, moves, refusals
from commsengine.store.database import many
from commsengine.store.outbox.marks import OURS, OWN, ours, own
from commsengine.store.plain_sql import Prepared, as_rows, given, listed, only_checked
from commsengine.store.reachability import record_unreachable
from commsengine.store.records import Commit, JudgedReceipt, Lease, Receipt
from commsengine.store.tables import attempt, touch

LookAgain = Mapping[str, dt.datetime | None]
"""For each key, when to look at it again; ``None`` is at once."""

RECEIPTS = {
    "sent": moves.ARRIVE,
    "failed": moves.FAIL,
    "retry": moves.PUT_OFF,
    "uncertain": moves.DOUBT,
    "released": moves.GIVE_BACK,
}
"""The move that each state of a receipt asks for."""

_OPEN = (
    select(touch)
    .where(*OURS, only_checked(touch.c.state).in_(("claimed", "sending")))
    .order_by(touch.c.key)
    .with_for_update(of=touch)
)

_SENT = given("sent", key=Text(), at=touch.c.sent_at.type, remote_id=Text(), reason=Text())
_ARRIVE = Prepared(
    moves.moving_listed(RECEIPTS["sent"], _SENT)
    .where(*OWN)
    .values(sent_at=_SENT.c.at, remote_id=_SENT.c.remote_id, reason=_SENT.c.reason, attempts=touch.c.attempts + 1)
    .values(owner="", retry_at=None, uncertain_at=None, held=False, refusal_id=None)
    .returning(touch.c.key, refusals.SOME_RUN)
)
_SAID = given("said", key=Text(), phase=Text(), reply=Text(), fault=Text())
_TRIED = ("key", "n", "at", "owner", "fence", "channel", "verdict", "phase", "reply", "remote_id", "fault")
_NOTE = Prepared(
    attempt.insert().from_select(
        _TRIED,
        select(touch.c.key, touch.c.attempts, touch.c.sent_at, bindparam("the_owner", type_=Text()), touch.c.fence)
        .add_columns(touch.c.channel, touch.c.state, _SAID.c.phase, _SAID.c.reply, touch.c.remote_id, _SAID.c.fault)
        .join_from(_SAID, touch, listed(touch.c.key, _SAID.c.key)),
    )
)


def settle(connection: Connection, receipts: Sequence[Receipt], lease: Lease, now: dt.datetime) -> Commit:
    """What was still this owner's to settle. Each attempt begun gets its row."""
    settled: dict[str, ReceiptState] = {}
    judged: list[JudgedReceipt] = []
    for arrived, some in groupby(receipts, lambda each: each.state == "sent"):  # in turn: they tell refusals apart
        commit = (_arrived if arrived else _settled)(connection, list(some), lease, now)
        settled |= commit.settled
        judged += commit.judged
    return Commit(settled=settled, judged=judged)


def _arrived(connection: Connection, receipts: Sequence[Receipt], lease: Lease, _now: dt.datetime) -> Commit:
    known = {each.key: each for each in receipts}
    sent = as_rows((key, known[key].at, known[key].remote_id, known[key].reason) for key in sorted(known))
    arrived = _ARRIVE.rows(connection, sent=sent, **own(lease))
    keys = [key for key, _ in arrived]
    said = as_rows((key, known[key].phase, known[key].reply, known[key].fault) for key in keys)
    _NOTE.run(connection, said=said, the_owner=lease.owner)
    if any(some_run for _, some_run in arrived):
        refusals.end_runs(connection, keys)
    return Commit(settled=dict.fromkeys(keys, "sent"))


def _settled(connection: Connection, receipts: Sequence[Receipt], lease: Lease, now: dt.datetime) -> Commit:
    found = connection.execute(_OPEN, ours((each.key for each in receipts), lease))
    rows = {row.key: row for row in found}
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
    wake(connection, [rows[each.key] for each in tried], _looks(tried), now)
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
    known = ("reason", "retry_at", "uncertain_at", "remote_id", "uncertainties", "held", "refusal_id")
    change = moves.moving_each(move).values({name: bindparam(name) for name in known})
    uncounted = touch.c.uncounted + bindparam("not_counted")
    return change.values(attempts=touch.c.attempts + 1, uncounted=uncounted, owner="")


_SETTLED = {state: _settling(move) for state, move in RECEIPTS.items() if state not in ("sent", "released")}


def _outcome(receipt: Receipt, row: Row[Any]) -> dict[str, Any]:
    return {
        "the_key": receipt.key,
        "reason": receipt.reason,
        "uncertain_at": receipt.at if receipt.state == "uncertain" else None,
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
