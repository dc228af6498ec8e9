"""Mail that is not a touch: digests, answers to questions, corrections, alerts. Same table, own key, own payload.

It waits in the state ``retry`` and is claimed, marked and settled like a touch, outside caps and outside all counts.
On hold only alerts leave; the mail of a paused campaign waits, but for what somebody asked for on their own pages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select

from commsengine.cadence.kinds_and_states import Carrier
from commsengine.store import campaigns, moves
from commsengine.store.database import Database
from commsengine.store.plain_sql import Prepared
from commsengine.store.records import Lease, TouchRecord
from commsengine.store.tables import campaign, touch
from commsengine.store.touches import records_of
from commsengine.store.workers.server_clock import leased

ABOUT_OTHERS = ("digest", "manager_list", "review")
"""Categories that speak of other people than the one they go to."""

ASKED_FOR = ("link", "settings")
"""Categories that bring somebody what they asked for on their own pages, whatever has become of the campaign."""

ALERT = touch.c.message == "alert"
# Answers and digests of a finished campaign still leave; those of a paused one wait, of a cancelled one never.
_STOPPED = select(campaign.c.id).where(
    campaign.c.id == touch.c.campaign, campaign.c.state.not_in(("running", "finished"))
)
NOT_STOPPED = or_(touch.c.message.in_(ASKED_FOR), ~_STOPPED.exists())
_PASSES = or_(ALERT, NOT_STOPPED)
_RIPE = (
    select(touch.c.key)
    .where(touch.c.kind == "service", touch.c.state == "retry")
    .where(touch.c.retry_at <= bindparam("the_now", type_=touch.c.retry_at.type))
    .order_by(touch.c.retry_at, touch.c.key)
    .limit(bindparam("most"))
)
_DUE, _DUE_ON_HOLD = Prepared(_RIPE.where(_PASSES)), Prepared(_RIPE.where(ALERT))


@dataclass(frozen=True, slots=True)
class NewMail:
    """Service mail that is to be kept. ``payload`` is the finished message; it leaves from ``due_at`` on, else now."""

    key: str
    category: str
    channel: Carrier
    payload: Mapping[str, Any]
    campaign: str = ""
    person_id: str | None = None
    due_at: dt.datetime | None = None


def add(connection: Connection, new: NewMail, now: dt.datetime) -> bool:
    """False when this key is known already."""
    row = moves.blank(new.key, moves.NOTE.target, now) | {
        "kind": "service",
        "campaign": new.campaign,
        "message": new.category,
        "person_id": new.person_id,
        "channel": new.channel,
        "number": 1,
        "due_at": new.due_at or now,
        "retry_at": new.due_at or now,
        "payload": dict(new.payload),
    }
    kept = moves.bearing(connection).values(row)
    return connection.execute(kept.returning(touch.c.key)).first() is not None


class ServiceMail:
    """The service mail that waits; ``Outbox`` marks and settles it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        key: str,
        *,
        category: str,
        channel: Carrier,
        payload: Mapping[str, Any],
        now: dt.datetime,
        campaign: str = "",
        person_id: str | None = None,
        due_at: dt.datetime | None = None,
    ) -> bool:
        """False when this key is known already. ``category`` is what it is: digest, review, answer, alert and so on."""
        new = NewMail(key, category, channel, payload, campaign, person_id, due_at)
        with self._database.write() as connection:
            return add(connection, new, now)

    def due(self, now: dt.datetime, limit: int = 100) -> Sequence[TouchRecord]:
        """What may leave now, the longest due first."""
        with self._database.read() as connection:
            query = _DUE_ON_HOLD if campaigns.on_hold(connection) else _DUE
            return records_of(connection, [key for (key,) in query.rows(connection, the_now=now, most=limit)])

    def claim(self, keys: Sequence[str], lease: Lease, now: dt.datetime) -> Sequence[TouchRecord]:
        """What is ours to deliver of these keys, in their order."""
        waiting = (touch.c.key.in_(keys), touch.c.kind == "service", touch.c.retry_at <= now)
        with self._database.write() as connection:
            until = leased(connection, lease, now).until
            claimed = {"owner": lease.owner, "fence": lease.fence, "lease_until": until, "retry_at": None}
            may_leave = ALERT if campaigns.on_hold(connection) else _PASSES
            ours = moves.moving(moves.CLAIM_NOTE).where(*waiting, may_leave).values(claimed)
            won = {row.key for row in connection.execute(ours.returning(touch.c.key))}
            return records_of(connection, [key for key in keys if key in won])
