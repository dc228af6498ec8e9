"""What a starting engine sets right: the claims of owners that run no more, and the brake after a long silence.

1. ``claimed`` rows of an owner proved dead are given back at once, ``sending`` ones are uncertain: they may have left.
   Of an owner on another host only silence can be known; its rows are taken over when their lease is long over.
2. A message at which an engine died three times is poison: it fails alone.
3. A clock that was set back: bookmarks made by the other time may be too late, so everybody is decided once.
4. If nothing beat for long and much fell due meanwhile, the engine holds until a person releases it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import structlog

from commsengine.cadence.history import Campaigns, Touch
from commsengine.cadence.kinds_and_states import HUMAN
from commsengine.content.kept_words import kept
from commsengine.engine.decisions import Decisions
from commsengine.engine.owner_lock import Owner
from commsengine.engine.tick_gaps import LONG_SILENCE, stood_still
from commsengine.store.database import chunks
from commsengine.store.store import Store

SETTLE = dt.timedelta(minutes=10)
"""How long a silent owner's lease must be over: a relay waits no longer for a final dot."""

AHEAD = dt.timedelta(seconds=30)
"""How far ahead of ours a beat on record may be: the clocks of two hosts differ a little."""

LEAST_BACKLOG, BACKLOG_SHARE = 100, 0.01

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was open and what became of it; ``hold`` is the reason why nothing is sent until a person releases it."""

    released: int = 0
    uncertain: int = 0
    poison: int = 0
    hold: str = ""


def reconcile(store: Store, me: Owner, now: dt.datetime, poison: Collection[str] = ()) -> Reconciled:
    owners = {record.owner for record in store.touches.open_rows(states=("claimed", "sending"))}
    if not owners:
        return Reconciled()
    dead = sorted(owner for owner in owners if me.proves_dead(owner))
    counts = store.recovery.reconcile(
        now=now, dead_owners=dead, silent_since=now - SETTLE, alive=me.name, poison=poison
    )
    found = Reconciled(counts["released"], counts["uncertain"], counts["poison"])
    if found != Reconciled():
        log.warning("reconciled", released=found.released, uncertain=found.uncertain, poison=found.poison)
    return found


def after_a_clock_set_back(store: Store, now: dt.datetime) -> bool:
    """Whether a beat on record lies ahead; then no person is to wait for that time to come.

    All people are decided once, and what is uncertain is so as of now. Nothing is sent twice by it.
    """
    if not store.engine.set_back(now, ahead=now + AHEAD):
        return False
    store.recovery.set_back(now)
    store.loading.wipe_bookmarks(now)
    log.warning("clock_set_back")
    return True


def brake(store: Store, decisions: Decisions, now: dt.datetime) -> str:
    """Holds the engine if too much fell due while no engine beat; returns the reason, empty if all is well."""
    last = store.engine.heartbeat()
    if last is None or not stood_still(store, last, now):
        return ""
    limit = max(LEAST_BACKLOG, int(store.people.count() * BACKLOG_SHARE))
    if overdue(store, decisions, now, enough=limit) <= limit:
        return ""
    reason = kept("stood still", since=f"{last.beat_at:%Y-%m-%d %H:%M}", limit=limit)
    store.engine.hold(reason, now=now)
    log.error("held", since=last.beat_at.isoformat(), limit=limit)
    return reason


def overdue(store: Store, decisions: Decisions, now: dt.datetime, *, enough: int) -> int:
    """How many messages were due a quarter of an hour ago and would leave now, or be skipped because that is long ago.

    What waited for a channel that rested or was full was due when that ended. Counts to just above ``enough``.
    """
    campaigns, count = decisions.campaigns(now), 0
    due = store.loading.due(now, store.people.count())
    for page in chunks(due):
        for one in decisions.of(page, campaigns, now):
            leaving = [touch for touch in one.decision.touches if touch.skip in ("", "late") and touch.channel != HUMAN]
            count += sum(_due(touch, campaigns) < now - LONG_SILENCE for touch in leaving)
        if count > enough:
            break
    return count


def _due(touch: Touch, campaigns: Campaigns) -> dt.datetime:
    return max(touch.due_at, campaigns.rests.get(touch.channel, touch.due_at))
