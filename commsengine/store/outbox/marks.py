"""Marks: right before a touch leaves it becomes ``sending``, durably, on the one condition that it still may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, bindparam, or_, select

from commsengine.store import campaigns, moves, service_mail
from commsengine.store.database import columns_of
from commsengine.store.plain_sql import Prepared, as_rows, given, listed, only_checked
from commsengine.store.records import Lease, Marked, ToRecord
from commsengine.store.tables import campaign, person, touch
from commsengine.store.workers.server_clock import LeaseNow


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
NOT_OVER = touch.c.lease_until > LeaseNow(NOW)
OWN = (only_checked(touch.c.owner) == bindparam("the_owner"), touch.c.fence == bindparam("the_fence"))
_KEYS = given("keys", key=Text())
OURS = (listed(touch.c.key, _KEYS.c.key), *OWN)

_GOING = Prepared(
    moves.moving_listed(moves.MARK, _KEYS)
    .where(*OWN, NOT_OVER)
    .where(or_(_touch_may_leave(), _service_may_leave()))
    .values(sending_at=NOW)
    .returning(*columns_of(touch, Marked))
)
_HELD = Prepared(select(touch.c.key).where(*OURS, NOT_OVER, only_checked(touch.c.state) == "claimed"))
_DATED = given("dated", key=Text(), dates=Text())
_NAMED = Prepared(moves.naming().where(listed(touch.c.key, _DATED.c.key)).values(named=_DATED.c.dates))


def own(lease: Lease) -> dict[str, Any]:
    return {"the_owner": lease.owner, "the_fence": lease.fence}


def ours(keys: Iterable[str], lease: Lease) -> dict[str, Any]:
    # in order, so that two who write the same rows do not wait for each other crosswise
    return {"keys": as_rows((key,) for key in sorted(keys)), **own(lease)}


def mark(connection: Connection, work: ToRecord, lease: Lease, now: dt.datetime) -> list[Marked]:
    # The one condition: still claimed by this owner under this fence, the lease not over, no hold, the campaign running
    # at the epoch of the claim, and nothing new known about the person since it was decided.
    if not work.marks:
        return []
    campaigns.running_epochs(connection)
    going = _GOING.rows(connection, the_now=now, **ours(work.marks, lease))
    marked = [Marked(*row) for row in going]
    if dated := [(each.key, work.named[each.key]) for each in marked if work.named.get(each.key)]:
        _NAMED.run(connection, dated=as_rows(dated))
    return marked


def held(connection: Connection, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]:
    """Those of these claims that are neither marked, given back nor over."""
    return {key for (key,) in _HELD.rows(connection, the_now=now, **ours(keys, lease))}
