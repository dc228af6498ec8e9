"""The scheduler: sees who is due and hands them to the workers; it sends nothing itself.

Of several the one that leads does the work; the others wait for its lease to end. One tick of it
1. The lease is made longer. The daily work is done: mail of the morning, estimates, campaigns that are over.
2. Jobs that waited too long or whose worker is gone are ended; their people are due again.
3. Due people are handed over, a few jobs ahead of the workers.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

import structlog

from commsengine.cadence.plan import Workspace
from commsengine.engine.daily_work import LOOKS_EVERY, DailyWork, MorningMail
from commsengine.engine.decisions import Decisions
from commsengine.engine.engine import BeatReport
from commsengine.engine.heartbeat import at_night, finish_what_is_over, is_past
from commsengine.engine.owner_lock import Owner
from commsengine.engine.startup import brake
from commsengine.engine.state_folder import STOPPED
from commsengine.store.store import Store

LOOKS = 1.0
"""Seconds between two ticks."""

A_MOMENT = 0.2
"""Seconds until the next people are handed over, while there are any."""

SWEEPS = 15.0
"""Seconds between two looks for jobs that were lost."""

log = structlog.get_logger(__name__)


class Scheduler:
    """One of one process. ``clock`` is the server's; ``stopped`` says whether the file STOP is there."""

    def __init__(
        self,
        store: Store,
        decisions: Decisions,
        *,
        clock: Callable[[], dt.datetime],
        owner: Owner | None = None,
        stopped: Callable[[], bool] = lambda: False,
        morning_mail: MorningMail = lambda _: None,
    ) -> None:
        self._store, self.decisions, self._clock, self._stopped = store, decisions, clock, stopped
        self.owner = owner or Owner.this_process()
        self._daily = DailyWork(store, decisions.workspace, morning_mail)
        self._stopping, self._ticking = threading.Event(), threading.Lock()
        self.leads = False
        self._worked: dt.datetime | None = None
        self._swept = 0.0

    @property
    def workspace(self) -> Workspace:
        return self.decisions.workspace

    def start(self) -> None:
        """Raises ``InputError`` where there can be no workers."""
        self._store.jobs.prepare()

    def tick(self) -> BeatReport:
        """Hands over who is due, until no place or no person is left; ``due`` counts them."""
        if not self._ticking.acquire(blocking=False):
            return BeatReport()
        try:
            return self._tick()
        finally:
            self._ticking.release()

    def night(self) -> None:
        if self.leads:
            at_night(self._store, self.workspace, self._clock())

    def stop(self, timeout: float) -> bool:
        """Waits for the tick under way, at most ``timeout`` seconds; another scheduler may lead at once."""
        self._stopping.set()
        done = self._ticking.acquire(timeout=timeout)
        self._store.leadership.resign(self.owner.name)
        log.info("scheduler_stopped", clean=done)
        return done

    def _tick(self) -> BeatReport:
        handed = 0
        while self._lead() and not self._stopping.is_set():
            if self._stopped():
                return BeatReport(due=handed, hold=STOPPED)
            self._daily_work()
            self._sweep()
            people = self._store.jobs.hand_over(self.owner.name, self._clock())
            handed += people
            if not people:
                break
            self._stopping.wait(A_MOMENT)
        hold = self._store.engine.open_hold()
        return BeatReport(due=handed, hold=hold.reason if hold else "")

    def _lead(self) -> bool:
        leads = self._store.leadership.lead(self.owner.name)
        if leads and not self.leads:
            log.info("leads", owner=self.owner.name)
            brake(self._store, self.decisions, self._clock())
        self.leads = leads
        return leads

    def _daily_work(self) -> None:
        now = self._clock()
        if self._worked is not None and now - self._worked < LOOKS_EVERY:
            return
        self._worked = now
        running = self._daily.do(self._clock)
        if any(is_past(record, now) for record in running):
            finish_what_is_over(self._store, now)

    def _sweep(self) -> None:
        if time.monotonic() < self._swept + SWEEPS:
            return
        self._swept = time.monotonic()
        if lost := self._store.jobs.sweep(self.owner.name, self._clock()):
            log.warning("jobs_lost", jobs=lost)
