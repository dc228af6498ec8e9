"""Weeks in seconds: a clock that stands still until it is moved, and the loop that moves it from event to event.

The loop knows nothing about messages. It moves the clock to the next instant at which anything can happen, lets people
act who meant to act by then, and ticks the real engine.
"""

from __future__ import annotations

import datetime as dt
import heapq
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from commsengine.cadence.calendar import DAY
from commsengine.cadence.daily_learning import count_at

Deed = Callable[[], object]


class TimeLapse:
    """A clock for everything in a rehearsal. Safe to share between threads; it never goes back."""

    def __init__(self, start: dt.datetime) -> None:
        self._now, self._lock = start, threading.Lock()

    def now(self) -> dt.datetime:
        with self._lock:
            return self._now

    def move_to(self, at: dt.datetime) -> None:
        with self._lock:
            self._now = max(self._now, at)

    def sleep(self, seconds: float) -> None:
        # What waits in the program waits in this time.
        self.move_to(self.now() + dt.timedelta(seconds=seconds))


class Diary:
    """What people mean to do, and when. Use it as a context: it keeps a few threads.

    People act at the same time; what one person (``who``) does at one instant is done in the order of its ``key``, then
    as noted. Deeds without a person come first, one by one.
    """

    def __init__(self, at_once: int = 3) -> None:
        self._deeds: list[tuple[dt.datetime, str, int, str, Deed]] = []
        self._noted = 0
        self._hands = ThreadPoolExecutor(at_once, thread_name_prefix="people")

    def note(self, at: dt.datetime, deed: Deed, who: str = "", key: str = "") -> None:
        heapq.heappush(self._deeds, (at, key, self._noted, who, deed))
        self._noted += 1

    @property
    def next_at(self) -> dt.datetime | None:
        return self._deeds[0][0] if self._deeds else None

    def do_all(self, now: dt.datetime) -> None:
        """Raises what the first deed that failed raised."""
        by_person: dict[str, list[Deed]] = {}
        while self._deeds and self._deeds[0][0] <= now:
            *_, who, deed = heapq.heappop(self._deeds)
            by_person.setdefault(who, []).append(deed)
        _in_turn(by_person.pop("", []))
        for done in [self._hands.submit(_in_turn, deeds) for deeds in by_person.values()]:
            done.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hands.shutdown()


def _in_turn(deeds: Iterable[Deed]) -> None:
    for deed in deeds:
        deed()


def play(
    clock: TimeLapse,
    until: dt.datetime,
    diary: Diary,
    next_wake: Callable[[], dt.datetime | None],
    tick: Callable[[], None],
) -> None:
    """Tick at every instant before ``until`` at which somebody is due or does something, and at each midnight UTC."""
    while True:
        diary.do_all(clock.now())
        tick()
        midnight = count_at(clock.now()) + DAY  # answers are counted then, also when no one waits for anything
        ahead = min(at for at in (next_wake(), diary.next_at, midnight) if at is not None)
        if ahead >= until:
            clock.move_to(until)
            return
        clock.move_to(ahead)
