"""The durable beat of an engine, and what it looks after at each: its own claims, silent engines, and the clock.

1. A beat is kept at most twice a minute, or at once when a channel stops or goes on.
2. Once a night a sweep makes all people due, so that no bookmark can be wrong for longer than a day.
3. A campaign is finished when its last message is closed for all people.
4. Between two beats that are kept it looks which engines are at work: one that starts has its share of a channel's
   connections soon, and the others have fewer.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection
from dataclasses import replace

import structlog

from commsengine.cadence.calendar import last_closing
from commsengine.cadence.plan import Workspace
from commsengine.engine.decisions import Decisions
from commsengine.engine.owner_lock import Owner
from commsengine.engine.startup import Reconciled, after_a_clock_set_back, brake, reconcile
from commsengine.engine.state_folder import Note, StateFolder
from commsengine.engine.tick_gaps import awaited
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store

LEASE = dt.timedelta(minutes=10)
BEAT_IS_KEPT = dt.timedelta(seconds=30)
PLACE_IS_KEPT = 1.0
"""Real seconds until an engine looks again which others are at work."""

LAST_ZONE = dt.timedelta(days=2)
"""How long after the last message closes in UTC it may still be open for a person: far zones, leave, holidays."""

log = structlog.get_logger(__name__)

SILENT = dt.timedelta(seconds=90)
"""An engine keeps its beat twice a minute; after this long without one it is not taken to be at work."""


class Heartbeat:
    """``interval`` is the time between two ticks in seconds, ``None`` when somebody else (cron) calls them."""

    def __init__(self, store: Store, decisions: Decisions, owner: Owner, interval: float | None) -> None:
        self._store, self._decisions, self._owner, self._interval = store, decisions, owner, interval
        self._last: dt.datetime | None = None
        self._looked_around: dt.datetime | None = None
        self._rested: Collection[str] = ()
        self.place, self._placed = (0, 1), 0.0
        """Ours among the engines at work, and how many they are."""
        self._awaited, self._learned = False, 0.0

    def begin(self, now: dt.datetime, poison: Collection[str], hold: str) -> Reconciled:
        found = reconcile(self._store, self._owner, now, poison)
        self._looked_around = now
        after_a_clock_set_back(self._store, now)
        self._learn(now)
        self._find_place(now)
        return replace(found, hold=hold or brake(self._store, self._decisions, now))

    def keep(
        self,
        now: dt.datetime,
        resting: Collection[str],
        full: dict[str, dt.datetime],
        *,
        sending: bool,
        state: StateFolder | None,
    ) -> None:
        """Keeps one beat. ``sending``: something is under way, and a slow line may take longer than its lease.

        ``full`` are the channels that people waited for a place in since the last beat that was kept, and until when;
        emptied when that is on record.
        """
        since = now - self._last if self._last else None
        if since is not None and dt.timedelta() <= since < BEAT_IS_KEPT and resting == self._rested:
            if time.monotonic() >= self._placed + PLACE_IS_KEPT:
                self._find_place(now)
            return
        self._look_around(now, since)
        self._store.engine.beat(
            self._owner.name,
            pid=self._owner.pid,
            host=self._owner.host,
            boot_id=self._owner.boot_id,
            interval=self._learned if self._interval is None else self._interval,
            now=now,
            awaited=self._awaited and since is None,
        )
        if full:
            self._store.channels.were_full(full)
            full.clear()
        if sending:
            self._store.outbox.renew(self._owner.name, now + LEASE, now)
        self._last, self._rested = now, resting
        self._find_place(now)
        if state:
            state.note(Note(str(self._store.path or ""), self._store.engine.fence(), now, self._store.engine.epochs()))

    def _find_place(self, now: dt.datetime) -> None:
        # an engine counts itself, also before its first beat is on record
        me, beating = self._owner, self._store.engine.at_work(now - SILENT)
        alive = sorted({me.name, *(owner for owner in beating if not me.proves_dead(owner))})
        self.place = (alive.index(me.name), len(alive))
        self._placed = time.monotonic()

    def _look_around(self, now: dt.datetime, since: dt.timedelta | None) -> None:
        """``since`` is the time since the last beat of this process, by a clock that may have been set."""
        if self._looked_around is None or abs(now - self._looked_around) >= LEASE:
            reconcile(self._store, self._owner, now)
            self._looked_around = now
        if since is None and self._interval is None:
            self._sweep_on_a_new_day(now)
        if since is not None and since < -BEAT_IS_KEPT:
            after_a_clock_set_back(self._store, now)
        if since is not None and since >= LEASE and self._interval is not None:
            brake(self._store, self._decisions, now)  # it stood still, as on a machine put to sleep, or was set ahead

    def _sweep_on_a_new_day(self, now: dt.datetime) -> None:
        # where cron calls the ticks there is no night's sweep: the day's first tick decides all people
        last = self._store.engine.heartbeat()
        if last is not None and last.beat_at.date() < now.date():
            at_night(self._store, self._decisions.workspace, now)

    def _learn(self, now: dt.datetime) -> None:
        # from the beat before: how far apart cron calls the ticks, and whether this one was awaited
        last = self._store.engine.heartbeat()
        self._learned = max(0.0, (now - last.beat_at).total_seconds()) if last else 0.0
        self._awaited = awaited(self._store, now)


def sweep(store: Store, now: dt.datetime) -> None:
    # makes all people due; the next beats decide them in batches, and nothing that is sent changes
    store.loading.wipe_bookmarks(now)
    log.info("sweep")


def at_night(store: Store, workspace: Workspace, now: dt.datetime) -> None:
    """Sweeps, and forgets old review copies and what people said in campaigns that ended too long ago."""
    sweep(store, now)
    for campaign in store.campaigns.forget_ended(now - dt.timedelta(minutes=workspace.retention), by="engine", now=now):
        log.info("forgotten", campaign=campaign)
    store.review_copies.remove_expired(now)


def finish_what_is_over(store: Store, now: dt.datetime) -> list[str]:
    """Finishes each running campaign that is closed for all people and has no row open.

    Before, nothing proves that it is over: a person without a next instant today may be joined by another tomorrow, or
    come back into the audience. Open is also what waits for a person's word: of a finished campaign nothing is sent
    again.
    """
    over = [record.id for record in store.campaigns.all() if record.state == "running" and _over(store, record, now)]
    for campaign in over:
        store.campaigns.finish(campaign, by="engine", now=now)
        log.info("finished", campaign=campaign)
    return over


def is_past(record: CampaignRecord, now: dt.datetime) -> bool:
    return now > last_closing(record.plan) + LAST_ZONE


def _over(store: Store, record: CampaignRecord, now: dt.datetime) -> bool:
    return is_past(record, now) and not store.touches.open_rows(
        record.id, states=("claimed", "sending", "retry", "uncertain")
    )
