"""Mail that is not a touch: digests, answers to questions, corrections, alerts. Same table, own key, own payload.

It waits in the state ``retry`` and is claimed, marked and settled like a touch, outside caps and outside all counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select

from commsengine.store import gates, moves
from commsengine.store.deliveries import NOT_STOPPED
from commsengine.store.tables import campaign, touch

ABOUT_OTHERS = ("digest", "manager_list")
"""Categories that speak of other people than the one they go to."""

_ALERT = touch.c.message == "alert"
_STOPPED = select(campaign.c.id).where(campaign.c.id == touch.c.campaign, campaign.c.state.not_in(NOT_STOPPED))
_PASSES = or_(_ALERT, ~_STOPPED.exists())
_RIPE = (
    select(touch.c.key)
    .where(touch.c.kind == "service", touch.c.state == "retry")
    .where(touch.c.retry_at <= bindparam("the_now", type_=touch.c.retry_at.type))
    .order_by(touch.c.retry_at, touch.c.key)
    .limit(bindparam("most"))
)
_DUE, _DUE_ON_HOLD = _RIPE.where(_PASSES), _RIPE.where(_ALERT)


def add(
    connection: Connection,
    key: str,
    *,
    category: str,
    channel: str,
    payload: Mapping[str, Any],
    now: dt.datetime,
    campaign_id: str,
    person_id: str | None,
    due_at: dt.datetime | None,
) -> bool:
    """False when the key is known already: the same mail is never written twice."""
    row = {
        "key": key, "kind": "service", "campaign": campaign_id, "message": category, "person_id": person_id,
        "local_date": None, "rung": None, "role": "", "channel": channel, "number": 1, "version": 0, "epoch": 0,
        "facts_seq": 0, "due_at": due_at or now, "not_after": None, "again_at": None, "state": moves.NOTE.target,
        "reason": "", "uncertain_at": None,
        "owner": "", "fence": 0, "lease_until": None, "attempts": 0, "uncertainties": 0, "possible_duplicate": False,
        "held": False, "created_at": now, "sending_at": None, "sent_at": None, "retry_at": due_at or now,
        "remote_id": "", "payload": dict(payload),
    }  # fmt: skip
    new = moves.bearing(connection).values(row)
    return connection.execute(new.returning(touch.c.key)).first() is not None


def due(connection: Connection, now: dt.datetime, limit: int) -> list[str]:
    """Keys, the longest due first. On hold only alerts are due; a paused campaign's mail waits."""
    query = _DUE_ON_HOLD if gates.on_hold(connection) else _DUE
    return [str(row.key) for row in connection.execute(query, {"the_now": now, "most": limit})]


def claim(
    connection: Connection, keys: Sequence[str], *, owner: str, fence: int, lease_until: dt.datetime, now: dt.datetime
) -> list[str]:
    """The keys that are ours now."""
    waiting = (touch.c.key.in_(keys), touch.c.kind == "service", touch.c.retry_at <= now)
    lease = {"owner": owner, "fence": fence, "lease_until": lease_until, "retry_at": None}
    ours = moves.moving(moves.CLAIM_NOTE).where(*waiting, _may_leave(connection)).values(lease)
    won = {row.key for row in connection.execute(ours.returning(touch.c.key))}
    return [key for key in keys if key in won]


def _may_leave(connection: Connection) -> Any:
    return _ALERT if gates.on_hold(connection) else _PASSES
