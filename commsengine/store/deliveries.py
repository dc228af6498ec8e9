"""What becomes of a claim: marked right before it leaves, settled by its receipt, or given back.

Only the owner under its fence moves a claim; ``reconcile`` has the moves of others. The moves are in ``transitions``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, or_, select

from commsengine.store import bookkeeping, decrees, gates, moves
from commsengine.store.bookkeeping import CHUNK
from commsengine.store.database import many
from commsengine.store.records import Marked, Receipt
from commsengine.store.tables import attempt, campaign, person, standstill, touch, unreachable

RECEIPTS = {
    "sent": moves.ARRIVE,
    "failed": moves.FAIL,
    "retry": moves.PUT_OFF,
    "uncertain": moves.DOUBT,
    "released": moves.GIVE_BACK,
}
"""The move that each state of a receipt asks for."""

LookAgain = Mapping[str, dt.datetime | None]
"""For each key, when to look at it again; ``None`` is at once."""

NOT_STOPPED = ("running", "finished")
"""Answers and digests of a finished campaign still leave; those of a paused one wait, of a cancelled one never."""


def mark(connection: Connection, keys: Sequence[str], *, owner: str, fence: int, now: dt.datetime) -> list[Marked]:
    """Makes claims ``sending``; only those that come back may leave.

    The one condition: still claimed by this owner under this fence, the lease not over, no hold, the campaign running
    at the epoch of the claim, and nothing new known about the person since it was decided.
    """
    gates.running_epochs(connection)
    going: list[Marked] = []
    for start in range(0, len(keys), CHUNK):
        given = {"keys": keys[start : start + CHUNK], "the_owner": owner, "the_fence": fence, "the_now": now}
        going += [Marked(*row) for row in connection.execute(_GOING, given)]
    return going


def renew(connection: Connection, *, owner: str, lease_until: dt.datetime, now: dt.datetime) -> None:
    """An owner that is alive keeps what it has claimed; a lease that is over stays over, whatever it says by then."""
    theirs = (touch.c.owner == owner, touch.c.lease_until > now)
    connection.execute(moves.moving(moves.RENEW).where(*theirs).values(lease_until=lease_until))


def _touch_may_leave() -> Any:
    its_campaign = select(campaign.c.id).where(
        campaign.c.id == touch.c.campaign, campaign.c.state == "running", campaign.c.epoch == touch.c.epoch
    )
    its_person = select(person.c.id).where(person.c.id == touch.c.person_id, person.c.facts_seq == touch.c.facts_seq)
    return (touch.c.kind != "service") & ~_hold().exists() & its_campaign.exists() & its_person.exists()


def _service_may_leave() -> Any:
    """Alerts pass a hold and a pause: they say that there is one."""
    stopped = select(campaign.c.id).where(campaign.c.id == touch.c.campaign, campaign.c.state.not_in(NOT_STOPPED))
    passes = (touch.c.message == "alert") | (~_hold().exists() & ~stopped.exists())
    return (touch.c.kind == "service") & passes


def _hold() -> Any:
    return select(standstill.c.id).where(standstill.c.campaign == "", standstill.c.until.is_(None))


_NOW = bindparam("the_now", type_=touch.c.lease_until.type)
_KEYS = touch.c.key.in_(bindparam("keys", expanding=True))
_OURS = (_KEYS, touch.c.owner == bindparam("the_owner"), touch.c.fence == bindparam("the_fence"))

# Built once: this runs once or twice for every message, and building it costs more than running it.
_GOING = (
    moves.moving(moves.MARK)
    .where(*_OURS, touch.c.lease_until > _NOW)
    .where(or_(_touch_may_leave(), _service_may_leave()))
    .values(sending_at=_NOW)
    .returning(*(touch.c[field.name] for field in fields(Marked)))
)
_OPEN = select(touch).where(*_OURS, touch.c.state.in_(("claimed", "sending"))).order_by(touch.c.key).with_for_update()
_TRIED = attempt.insert()


def settle(
    connection: Connection, receipts: Sequence[Receipt], *, owner: str, fence: int, now: dt.datetime
) -> set[str]:
    """Writes receipts; the keys that come back were still this owner's to settle. Each attempt begun gets its row."""
    rows = _mine(connection, [receipt.key for receipt in receipts], owner, fence)
    valid = [each for each in receipts if each.key in rows and rows[each.key].state in RECEIPTS[each.state].sources]
    given_back = [each for each in valid if each.state == "released"]
    tried = [each for each in valid if each.state != "released"]
    many(connection, _TRIED, (_attempt(each, rows[each.key], owner, fence) for each in tried))
    for state, settled in _SETTLED.items():
        many(connection, settled, (_outcome(each, rows[each.key]) for each in tried if each.state == state))
    give_back(connection, [rows[each.key] for each in given_back], _looks(given_back), now)
    not_sent = [each for each in tried if each.state != "sent"]
    wake(connection, [rows[each.key] for each in not_sent], _looks(not_sent), now)
    _unreachable(connection, valid, rows, now)
    if any(each.state in ("retry", "released") for each in valid):
        decrees.skip_retries_of_cancelled(connection)
    return {each.key for each in valid}


def _looks(receipts: Sequence[Receipt]) -> LookAgain:
    return {each.key: each.retry_at for each in receipts}


def _mine(connection: Connection, keys: Sequence[str], owner: str, fence: int) -> dict[str, Row[Any]]:
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(keys), CHUNK):
        given = {"keys": keys[start : start + CHUNK], "the_owner": owner, "the_fence": fence}
        found.update({row.key: row for row in connection.execute(_OPEN, given)})
    return found


def _attempt(receipt: Receipt, row: Row[Any], owner: str, fence: int) -> dict[str, Any]:
    return {
        "key": receipt.key, "n": row.attempts + 1, "at": receipt.at, "owner": owner, "fence": fence,
        "channel": row.channel, "verdict": receipt.state, "phase": receipt.phase, "reply": receipt.reply,
        "remote_id": receipt.remote_id,
    }  # fmt: skip


def _settling(move: moves.Move) -> Update:
    told = ("reason", "sent_at", "retry_at", "uncertain_at", "remote_id", "uncertainties")
    one = moves.moving(move).where(touch.c.key == bindparam("the_key"))
    return one.values({name: bindparam(name) for name in told}).values(attempts=touch.c.attempts + 1, owner="")


_SETTLED = {state: _settling(move) for state, move in RECEIPTS.items() if state != "released"}


def _outcome(receipt: Receipt, row: Row[Any]) -> dict[str, Any]:
    return {
        "the_key": receipt.key, "reason": receipt.reason,
        "uncertain_at": receipt.at if receipt.state == "uncertain" else None,
        "sent_at": receipt.at if receipt.state == "sent" else None,
        "retry_at": (receipt.retry_at or receipt.at) if receipt.state == "retry" else None,
        "remote_id": receipt.remote_id, "uncertainties": row.uncertainties + (receipt.state == "uncertain"),
    }  # fmt: skip


def give_back(connection: Connection, rows: Sequence[Row[Any]], look_again: LookAgain, now: dt.datetime) -> None:
    """Claims of which nothing was offered: deleted, or ``retry`` again if an attempt was made before."""
    kept = [row for row in rows if _stays(row)]
    many(connection, _BACK, ({"the_key": row.key, "look_again": look_again.get(row.key) or now} for row in kept))
    many(connection, _GONE, ({"the_key": row.key} for row in rows if not _stays(row)))
    wake(connection, rows, look_again, now)


_BACK = moves.moving(RECEIPTS["released"]).where(touch.c.key == bindparam("the_key"))
_BACK = _BACK.values(owner="", retry_at=bindparam("look_again"))
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


def _unreachable(
    connection: Connection, receipts: Sequence[Receipt], rows: Mapping[str, Row[Any]], now: dt.datetime
) -> None:
    for receipt in receipts:
        row = rows[receipt.key]
        if receipt.unreachable and row.person_id:
            record_unreachable(connection, row.person_id, row.channel, receipt.unreachable, by="channel", now=now)


def record_unreachable(
    connection: Connection, person_id: str, channel: str, reason: str, *, by: str, now: dt.datetime
) -> None:
    """That this channel never reaches this person; recording it twice changes nothing. Makes them due now."""
    standing = (unreachable.c.person_id == person_id, unreachable.c.channel == channel)
    known = select(unreachable.c.id).where(*standing, unreachable.c.withdrawn_at.is_(None)).limit(1)
    if connection.execute(known).first() is None:
        fact = {"person_id": person_id, "channel": channel, "reason": reason, "at": now, "by": by}
        connection.execute(unreachable.insert(), {**fact, "withdrawn_at": None, "withdrawn_by": ""})
    bookkeeping.changed(connection, [person_id], now)
