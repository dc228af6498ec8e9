"""What became of the claims of an engine that is gone, and what follows when nobody can know.

A claim that was not marked never left: it is given back. A touch found ``sending`` may have left: it is ``uncertain``,
counted as an attempt. A resolver may still find out; else the plan decides: ``once`` sends it again one time, flagged
``possible_duplicate``; ``hold``, or a second uncertainty, leaves it to a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, or_, select, update

from commsengine.errors import InputError
from commsengine.store import audit, decrees
from commsengine.store.database import many
from commsengine.store.deliveries import give_back, wake
from commsengine.store.tables import attempt, campaign, touch


def reconcile(
    connection: Connection,
    *,
    now: dt.datetime,
    dead_owners: Collection[str],
    silent_since: dt.datetime | None,
    alive: str = "",
) -> dict[str, int]:
    """Frees what belongs to owners proved dead, and whatever has a lease that was over before ``silent_since``."""
    forsaken = _forsaken(connection, dead_owners, silent_since, alive)
    claimed = [row for row in forsaken if row.state == "claimed"]
    sending = [row for row in forsaken if row.state == "sending"]
    give_back(connection, claimed, {}, now)
    _make_uncertain(connection, sending, now)
    decrees.skip_retries_of_cancelled(connection)
    return {"released": len(claimed), "uncertain": len(sending)}


def release(
    connection: Connection, *, now: dt.datetime, owner: str | None, campaign_id: str | None, keys: Sequence[str] | None
) -> int:
    """Gives back claims that are not marked yet."""
    chosen = [touch.c.state == "claimed"]
    if owner is not None:
        chosen.append(touch.c.owner == owner)
    if campaign_id is not None:
        chosen.append(touch.c.campaign == campaign_id)
    if keys is not None:
        chosen.append(touch.c.key.in_(keys))
    rows = connection.execute(select(touch).where(*chosen).order_by(touch.c.key).with_for_update()).all()
    give_back(connection, rows, {}, now)
    decrees.skip_retries_of_cancelled(connection)
    return len(rows)


_UNSETTLED = (
    select(touch, campaign.c.on_uncertain)
    .outerjoin(campaign, campaign.c.id == touch.c.campaign)
    .where(touch.c.state == "uncertain", touch.c.held.is_(False))
    .order_by(touch.c.key)
    .with_for_update(of=touch)
)


_ANY_UNSETTLED = select(touch.c.key).where(touch.c.state == "uncertain", touch.c.held.is_(False)).limit(1)


def any_unsettled(connection: Connection) -> bool:
    return connection.execute(_ANY_UNSETTLED).first() is not None


def settle_uncertain(connection: Connection, now: dt.datetime) -> dict[str, int]:
    """Applies each plan's ``on_uncertain`` to what no resolver has settled."""
    rows = connection.execute(_UNSETTLED).all()
    again = [row for row in rows if row.on_uncertain != "hold" and row.uncertainties < 2]
    held = [row for row in rows if row not in again]
    _send_again(connection, again, now)
    hold = update(touch).where(touch.c.key == bindparam("the_key")).values(held=True)
    many(connection, hold, ({"the_key": row.key} for row in held))
    return {"retry": len(again), "held": len(held)}


def resolve(connection: Connection, key: str, verdict: str, *, by: str, now: dt.datetime) -> None:
    """Settles one uncertain touch: it was ``sent``, or ``resend`` it, flagged. ``sent`` twice changes nothing."""
    row = connection.execute(select(touch).where(touch.c.key == key).with_for_update()).first()
    if row is None:
        raise InputError(f"There is no touch '{key}'.", "Copy the key from 'commsengine touches'.")
    if verdict not in ("sent", "resend"):
        raise InputError(f"'{verdict}' does not settle a touch.", "Write sent or resend.")
    if row.state == verdict:
        return
    if row.state != "uncertain":
        raise InputError(f"The touch '{key}' is {row.state}, not uncertain.", "Only an uncertain touch is settled.")
    if verdict == "sent":
        arrived = {"state": "sent", "sent_at": row.sending_at or now, "held": False}
        connection.execute(update(touch).where(touch.c.key == key).values(arrived))
        wake(connection, [row], {}, now)
    else:
        _send_again(connection, [row], now)
    audit.note(connection, "resolve", key, by=by, now=now, detail={"verdict": verdict})


def _forsaken(
    connection: Connection, dead_owners: Collection[str], silent_since: dt.datetime | None, alive: str
) -> Sequence[Row[Any]]:
    whose: list[ColumnElement[bool]] = [touch.c.owner.in_(list(dead_owners))]
    if silent_since is not None:
        whose.append(and_(touch.c.owner != alive, touch.c.lease_until.is_not(None), touch.c.lease_until < silent_since))
    theirs = select(touch).where(touch.c.state.in_(("claimed", "sending")), or_(*whose)).order_by(touch.c.key)
    return connection.execute(theirs.with_for_update()).all()


def _make_uncertain(connection: Connection, rows: Sequence[Row[Any]], now: dt.datetime) -> None:
    lost = ({
        "key": row.key, "n": row.attempts + 1, "at": now, "owner": row.owner, "fence": row.fence,
        "channel": row.channel, "verdict": "uncertain", "phase": "", "reply": "the engine stopped", "remote_id": "",
    } for row in rows)  # fmt: skip
    many(connection, attempt.insert(), lost)
    change = update(touch).where(touch.c.key == bindparam("the_key"))
    change = change.values(
        state="uncertain", owner="", attempts=touch.c.attempts + 1, uncertainties=touch.c.uncertainties + 1
    )
    many(connection, change, ({"the_key": row.key} for row in rows))
    wake(connection, rows, {}, now)


def _send_again(connection: Connection, rows: Sequence[Row[Any]], now: dt.datetime) -> None:
    again = update(touch).where(touch.c.key == bindparam("the_key"))
    again = again.values(state="retry", retry_at=now, possible_duplicate=True, held=False)
    many(connection, again, ({"the_key": row.key} for row in rows))
    wake(connection, rows, {}, now)
