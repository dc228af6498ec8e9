"""What a person decrees for a campaign: start, pause, resume, cancel, finish. Each raises its epoch.

What was claimed under an older epoch can no longer leave, so a decree holds from its commit on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select, update

from commsengine.errors import CommsError, InputError
from commsengine.store import bookkeeping, moves
from commsengine.store.tables import campaign, standstill, touch

Decree = Callable[[Connection], None]

BACKLOGS = ("latest", "all", "none")


def start(connection: Connection, campaign_id: str, *, by: str, now: dt.datetime) -> None:
    row = _locked(connection, campaign_id)
    if row.started_at is not None:
        remedy = "Run 'commsengine resume' to let it go on." if row.state == "paused" else ""
        raise CommsError(f"'{campaign_id}' was started already; it is {row.state}.", remedy)
    if row.state == "cancelled":
        raise CommsError(f"'{campaign_id}' was cancelled for good.", "Give the plan another 'campaign' id.")
    _set(connection, campaign_id, state="running", started_at=now)
    bookkeeping.wake_everybody(connection, now)
    bookkeeping.note(connection, "start", campaign_id, by=by, now=now)


def pause(
    connection: Connection, campaign_id: str, *, by: str, now: dt.datetime, reason: str = "paused",
    detail: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Pausing what is not running changes nothing."""
    if _locked(connection, campaign_id).state != "running":
        return
    _set(connection, campaign_id, state="paused")
    stand_still(connection, campaign_id, reason, by=by, now=now)
    bookkeeping.note(connection, "pause", campaign_id, by=by, now=now, detail=detail)


def resume(connection: Connection, campaign_id: str, *, backlog: str, by: str, now: dt.datetime) -> None:
    """Resuming what runs changes nothing."""
    known_backlog(backlog)
    row = _locked(connection, campaign_id)
    if row.state == "running":
        return
    if row.state != "paused":
        raise CommsError(f"'{campaign_id}' is {row.state} and cannot go on.", "Apply the plan again to reopen it.")
    if row.started_at is None:
        raise CommsError(f"'{campaign_id}' was never started.", f"Run 'commsengine start {campaign_id}'.")
    _set(connection, campaign_id, state="running")
    go_on(connection, campaign_id, backlog, by=by, now=now)
    bookkeeping.note(connection, "resume", campaign_id, by=by, now=now, detail={"backlog": backlog})


def cancel(connection: Connection, campaign_id: str, *, by: str, now: dt.datetime) -> None:
    if _locked(connection, campaign_id).state == "cancelled":
        return
    _set(connection, campaign_id, state="cancelled")
    skip_retries_of_cancelled(connection)
    bookkeeping.note(connection, "cancel", campaign_id, by=by, now=now)


def finish(connection: Connection, campaign_id: str, *, by: str, now: dt.datetime) -> None:
    row = _locked(connection, campaign_id)
    if row.state == "finished":
        return
    if row.state == "cancelled" or row.started_at is None:
        raise CommsError(f"'{campaign_id}' cannot finish: it is {row.state}.", "")
    _set(connection, campaign_id, state="finished")
    bookkeeping.note(connection, "finish", campaign_id, by=by, now=now)


def stand_still(connection: Connection, campaign_id: str, reason: str, *, by: str, now: dt.datetime) -> None:
    """Opens a pause, or with an empty ``campaign_id`` a hold."""
    row = {"campaign": campaign_id, "reason": reason, "since": now, "since_by": by, "until": None, "until_by": ""}
    connection.execute(standstill.insert(), {**row, "backlog": ""})


def go_on(connection: Connection, campaign_id: str, backlog: str, *, by: str, now: dt.datetime) -> bool:
    """Closes what stands open; false if nothing did."""
    standing = (standstill.c.campaign == campaign_id, standstill.c.until.is_(None))
    closed = connection.execute(
        update(standstill).where(*standing).values(until=now, until_by=by, backlog=backlog).returning(standstill.c.id)
    ).all()
    bookkeeping.wake_everybody(connection, now)
    return bool(closed)


def known_backlog(backlog: str) -> None:
    if backlog not in BACKLOGS:
        raise InputError(f"'{backlog}' is not a way to treat a backlog.", "Write latest, all or none.")


def skip_retries_of_cancelled(connection: Connection) -> None:
    """Nobody decides for a cancelled campaign any more, so its retries are closed here."""
    over = select(campaign.c.id).where(campaign.c.state == "cancelled")
    waiting = moves.moving(moves.CLOSE).where(touch.c.campaign.in_(over))
    connection.execute(waiting.values(reason="cancelled", retry_at=None))


def _locked(connection: Connection, campaign_id: str) -> Row[Any]:
    row = connection.execute(select(campaign).where(campaign.c.id == campaign_id).with_for_update()).first()
    if row is None:
        raise InputError(f"There is no campaign '{campaign_id}'.", "Run 'commsengine status' to see them all.")
    return row


def _set(connection: Connection, campaign_id: str, **values: Any) -> None:
    change = update(campaign).where(campaign.c.id == campaign_id)
    connection.execute(change.values(epoch=campaign.c.epoch + 1, **values))
