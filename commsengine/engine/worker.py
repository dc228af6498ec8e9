"""A worker: an engine that decides and sends for the people of its jobs, while a scheduler sees who is due."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import structlog

from commsengine.engine.decisions import Decisions
from commsengine.engine.engine import BeatReport, Engine
from commsengine.engine.startup import Reconciled
from commsengine.store.workers.jobs import Job, Jobs

LOOKS = 0.1
"""Seconds between two looks for a job."""

BEATS = 10.0
"""Seconds between two beats without one."""

HEARD = 5.0
"""Seconds between two signs of life for the queue."""

log = structlog.get_logger(__name__)


class JobPeople:
    """The people of one job after the other. Belongs to the beats of one engine.

    Who was given out counts as decided when the next ones are asked for: what a beat that failed has left undecided is
    due again when the hand-over ends.
    """

    def __init__(self, jobs: Jobs, clock: Callable[[], dt.datetime]) -> None:
        self._jobs, self._clock = jobs, clock
        self._number: int | None = None
        self._heard = 0.0
        self._job: Job | None = None
        self._left: list[str] = []

    def begin(self) -> None:
        self._jobs.prepare()
        self._number = self._jobs.register()

    @property
    def waiting(self) -> bool:
        self._tell()
        return bool(self._left) or self._jobs.there_are_some()

    def next(self, now: dt.datetime, most: int) -> list[str]:
        """At most so many of the job at hand, or of the next one."""
        self._tell()
        if self._job is None or not self._left:
            self._take_another(now)
        people, self._left = self._left[:most], self._left[most:]
        return people

    def give_back(self) -> None:
        """Who was not given out is due again."""
        self._end()
        if self._number is not None:
            self._jobs.unregister(self._number)
            self._number = None

    def _take_another(self, now: dt.datetime) -> None:
        self._end()
        self._job = self._jobs.fetch(self._tell())
        if self._job and self._job.until <= now:  # too late: its people are due, perhaps in another job
            self._end()
        self._left = list(self._job.people) if self._job else []

    def _end(self) -> None:
        if self._job:
            self._jobs.end(self._job, self._left, self._clock())
        self._job, self._left = None, []

    def _tell(self) -> int:
        assert self._number is not None, "it has begun"  # noqa: S101 - a defect of ours
        if time.monotonic() >= self._heard + HEARD:
            self._number, self._heard = self._jobs.beat(self._number), time.monotonic()
        return self._number


class Worker:
    """Its ticks are those of ``engine``, when there is a job or ten seconds have passed."""

    def __init__(self, engine: Engine, people: JobPeople) -> None:
        self._engine, self._people, self._next = engine, people, 0.0

    @property
    def decisions(self) -> Decisions:
        return self._engine.decisions

    def start(self) -> Reconciled:
        self._people.begin()
        return self._engine.start()

    def tick(self) -> BeatReport:
        if time.monotonic() < self._next and not self._people.waiting:
            return BeatReport()
        report = self._engine.tick()
        self._next = time.monotonic() + BEATS
        return report

    def night(self) -> None:
        """The scheduler's affair."""

    def stop(self, timeout: float) -> bool:
        done = self._engine.stop(timeout)
        self._people.give_back()
        return done
