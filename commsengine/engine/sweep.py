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
    """Finish each running campaign that has no row open and nobody with a next instant.

    Open is also what waits for a person's word: of a finished campaign nothing could be sent again.
    """
    over = [record.id for record in store.plans.all() if record.state == "running" and _over(store, record, now)]
    for campaign in over:
        store.plans.finish(campaign, by="engine", now=now)
        log.info("finished", campaign=campaign)
    return over


def _over(store: Store, record: CampaignRecord, now: dt.datetime) -> bool:
    """All messages are closed, or nobody at all has a next instant and everybody has had theirs."""
    closed = now > last_closing(record.plan) + LAST_ZONE
    if not closed and store.touches.next_wake() is not None:
        return False  # by far the most frequent, and the cheapest to see
    if store.touches.open_rows(record.id, states=("claimed", "sending", "retry", "uncertain")):
        return False
    if closed:
        return True
    asked = any(question.campaign == record.id for question in store.facts.questions())
    waiting = asked or bool(store.books.open_rungs(record.id))
    return not waiting and next(store.touches.list(record.id), None) is not None
