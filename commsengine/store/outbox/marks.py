"""Marks: right before a touch leaves it becomes ``sending``, durably, on the one condition that it still may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, or_, select

from commsengine.store import campaigns, moves, service_mail
from commsengine.store.database import chunks, columns_of
from commsengine.store.records import Lease, Marked
from commsengine.store.server_clock import lease_now
from commsengine.store.tables import campaign, person, touch


def _touch_may_leave() -> ColumnElement[bool]:
    its_campaign = select(campaign.c.id).where(
        campaign.c.id == touch.c.campaign, campaign.c.state == "running", campaign.c.epoch == touch.c.epoch
    )
    its_person = select(person.c.id).where(person.c.id == touch.c.person_id, person.c.facts_seq == touch.c.facts_seq)
    return (touch.c.kind != "service") & ~campaigns.HOLD.exists() & its_campaign.exists() & its_person.exists()


def _service_may_leave() -> ColumnElement[bool]:
    passes = service_mail.ALERT | (~campaigns.HOLD.exists() & service_mail.NOT_STOPPED)
    return (touch.c.kind == "service") & passes


NOW = bindparam("the_now", type_=touch.c.lease_until.type)
_KEYS = touch.c.key.in_(bindparam("keys", expanding=True))
NOT_OVER = touch.c.lease_until > bindparam("the_lease_now", type_=touch.c.lease_until.type)
OURS = (_KEYS, touch.c.owner == bindparam("the_owner"), touch.c.fence == bindparam("the_fence"))

# Built once: this runs once or twice for every message, and building it costs more than running it.
_GOING = (
    moves.moving(moves.MARK)
    .where(*OURS, NOT_OVER)
    .where(or_(_touch_may_leave(), _service_may_leave()))
    .values(sending_at=NOW)
    .returning(*columns_of(touch, Marked))
)
_HELD = select(touch.c.key).where(*OURS, NOT_OVER, touch.c.state == "claimed")


def ours(keys: Sequence[str], lease: Lease, now: dt.datetime) -> dict[str, Any]:
    return {"keys": keys, "the_owner": lease.owner, "the_fence": lease.fence, "the_now": now}


def mark(connection: Connection, keys: Sequence[str], lease: Lease, now: dt.datetime) -> list[Marked]:
    # The one condition: still claimed by this owner under this fence, the lease not over, no hold, the campaign running
    # at the epoch of the claim, and nothing new known about the person since it was decided.
    if not keys:
        return []
    campaigns.running_epochs(connection)
    clock = {"the_lease_now": lease_now(connection, now)}
    marked = (connection.execute(_GOING, ours(some, lease, now) | clock) for some in chunks(keys))
    return [Marked(*row) for rows in marked for row in rows]


def held(connection: Connection, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]:
    """Those of these claims that are neither marked, given back nor over."""
    clock = {"the_lease_now": lease_now(connection, now)}
    return {key for some in chunks(keys) for key in connection.scalars(_HELD, ours(some, lease, now) | clock)}
