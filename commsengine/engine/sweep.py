"""The nightly sweep: everybody is decided once, whatever their bookmark says, and what is over is finished."""

from __future__ import annotations

import datetime as dt

import structlog

from commsengine.engine.touch_diff import last_closing
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store

LAST_ZONE = dt.timedelta(days=2)
"""How long after the last message closes in UTC it may still be open for somebody: far zones, leave, holidays."""

log = structlog.get_logger(__name__)


def sweep(store: Store, now: dt.datetime) -> None:
    """Make everybody due; the next beats decide them in batches. Nothing that is sent changes."""
    store.touches.wipe_bookmarks(now)
    log.info("sweep")


def finish_what_is_over(store: Store, now: dt.datetime) -> list[str]:
    """Finish each running campaign whose last message is closed for everybody, and that has no row open.

    Before, nothing proves that it is over: if nobody has a next instant today, somebody joins tomorrow, or comes back
    into the audience. Open is also what waits for a person's word: of a finished campaign nothing is sent again.
    """
    over = [record.id for record in store.plans.all() if record.state == "running" and _over(store, record, now)]
    for campaign in over:
        store.plans.finish(campaign, by="engine", now=now)
        log.info("finished", campaign=campaign)
    return over


def is_past(record: CampaignRecord, now: dt.datetime) -> bool:
    """Whether its last message is closed for everybody."""
    return now > last_closing(record.plan) + LAST_ZONE


def _over(store: Store, record: CampaignRecord, now: dt.datetime) -> bool:
    return is_past(record, now) and not store.touches.open_rows(
        record.id, states=("claimed", "sending", "retry", "uncertain")
    )
