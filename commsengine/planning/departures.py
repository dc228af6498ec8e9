"""When each foreseen touch leaves: one queue for each channel, by what it may send in a minute and in a day.

1. Touches leave in the order in which they fell due, evenly as the rate says; in a day no more than it allows, where
   each that has left makes room again when it is a day old.
2. What cannot leave before the person's send window closes waits for their next one.
3. What a newer touch of the same message overtakes meanwhile never leaves, and neither does what its message closes on.

People with the same hours wait in one line: a channel looks at the line, not at each of them, once a window.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from commsengine.cadence.calendar import Hours
from commsengine.cadence.kinds_and_states import Carrier
from commsengine.channels.providers import SendingLimits

SHORTEST_WAIT = dt.timedelta(seconds=30)
"""What waits no longer than this for its channel is not mentioned."""

NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One touch in the queue: ``due`` and ``closes`` (that of its message) are aware UTC.

    ``newer_due`` is when the next touch of the same message to the same person falls due.
    """

    key: str
    channel: Carrier
    due: dt.datetime
    closes: dt.datetime
    hours: Hours
    newer_due: dt.datetime = NEVER


@dataclass(frozen=True, slots=True)
class Left:
    """How a channel was left: what has gone out in its last day, in order, and until when it rests.

    ``ready_after`` is the time that it needs, once something is due, before its first message.
    """

    times: Sequence[dt.datetime] = ()
    rests_until: dt.datetime | None = None
    ready_after: dt.timedelta = dt.timedelta()


NOTHING_LEFT = Left()


@dataclass(frozen=True, slots=True)
class Departure:
    """A touch that leaves, or with ``sent_at`` of ``None`` never does; both instants in the person's zone."""

    due_at: dt.datetime
    sent_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Wave:
    """Messages of a channel that wait for each other: the first falls due when the channel is free, the last leaves.

    ``later`` counts those that wait for the window of another local date, by that date; ``overtaken`` counts all of
    the channel that never leave, for a newer one of the same message does. ``full_day``: the day's limit keeps some
    waiting.
    """

    channel: Carrier
    messages: int
    first_due: dt.datetime
    last_sent: dt.datetime
    later: Mapping[dt.date, int]
    overtaken: int
    full_day: bool

    def times(self, each: float) -> Wave:
        """The same for so many times as many people."""
        later = {day: round(number * each) for day, number in self.later.items()}
        messages, overtaken = round(self.messages * each), round(self.overtaken * each)
        return replace(self, messages=messages, later=later, overtaken=overtaken)

    def as_data(self) -> dict[str, Any]:
        return {
            "channel": self.channel,
            "messages": self.messages,
            "first_due_at": self.first_due.astimezone(dt.UTC),
            "last_sent_at": self.last_sent.astimezone(dt.UTC),
            "later": {day.isoformat(): number for day, number in sorted(self.later.items())},
            "overtaken": self.overtaken,
            "full_day": self.full_day,
        }


def largest_wave(channel: Carrier, departures: Sequence[Departure], limits: SendingLimits) -> Wave | None:
    """The largest wave in which messages wait for their channel, of several the first; ``None`` if none waits long."""
    leaving = sorted((each for each in departures if each.sent_at is not None), key=_sent_at)
    overtaken = len(departures) - len(leaving)
    waves = [wave for wave in _waves(leaving) if overtaken or _longest_wait(wave) >= SHORTEST_WAIT]
    largest = max(waves, key=len, default=None)
    if largest is None:
        return None
    later = Counter(_sent_at(each).date() for each in largest if _sent_at(each).date() > each.due_at.date())
    times, most = [_sent_at(each) for each in largest], limits.per_day or len(largest)
    full = any(then - before <= limits.day * 1.01 for before, then in zip(times, times[most:], strict=False))
    return Wave(channel, len(largest), min(each.due_at for each in largest), times[-1], later, overtaken, full)


def _sent_at(each: Departure) -> dt.datetime:
    return each.sent_at or NEVER


def _longest_wait(wave: Sequence[Departure]) -> dt.timedelta:
    return max((_sent_at(each) - each.due_at for each in wave), default=dt.timedelta())


def _waves(leaving: Iterable[Departure]) -> list[list[Departure]]:
    # what falls due after the one before it has left begins a wave
    waves: list[list[Departure]] = []
    for each in leaving:
        if not waves or each.due_at > _sent_at(waves[-1][-1]):
            waves.append([])
        waves[-1].append(each)
    return waves


def departures(
    touches: Iterable[Waiting], limits: Mapping[Carrier, SendingLimits], left: Mapping[Carrier, Left]
) -> dict[str, dt.datetime | None]:
    """When each touch leaves, by its key; ``None`` for one that never does."""
    queues: defaultdict[Carrier, list[Waiting]] = defaultdict(list)
    for touch in touches:
        queues[touch.channel].append(touch)
    found: dict[str, dt.datetime | None] = {}
    for channel, queue in queues.items():
        bounds = limits.get(channel, SendingLimits())
        if bounds.per_minute is None and bounds.per_day is None and channel not in left:
            found.update({touch.key: touch.due for touch in queue})
        else:
            found.update(_Channel(bounds, left.get(channel, NOTHING_LEFT)).send(queue))
    return found


@dataclass(slots=True)
class _Line:
    """People with the same hours, by due time; ``window`` is the one that was looked at last."""

    hours: Hours
    waiting: deque[Waiting] = field(default_factory=deque)
    window: tuple[dt.datetime, dt.datetime] | None = None

    def place(self, at: dt.datetime, number: int) -> tuple[dt.datetime, dt.datetime, str, int]:
        """Its place among the lines: by when its first may leave, then by due time."""
        first = self.waiting[0]
        return self.opens(at), first.due, first.key, number

    def opens(self, at: dt.datetime) -> dt.datetime:
        """From ``at`` on, the first instant at which they may be sent to."""
        if self.window is None or not self.window[0] <= at < self.window[1]:
            first = self.hours.next_open(at)
            if first is None:
                return NEVER
            self.window = self.hours.open_window(first)
            return first
        return at


class _Channel:
    def __init__(self, limits: SendingLimits, left: Left) -> None:
        self._limits = limits
        self._span = dt.timedelta(minutes=1 / limits.per_minute) if limits.per_minute else dt.timedelta()
        self._free_at = left.rests_until or dt.datetime.min.replace(tzinfo=dt.UTC)
        self._day = deque(left.times, limits.per_day)
        self._ready_after = left.ready_after

    def send(self, queue: Sequence[Waiting]) -> dict[str, dt.datetime | None]:
        if self._ready_after:
            self._free_at = max(self._free_at, min(each.due for each in queue) + self._ready_after)
        lines = self._lines(queue)
        ready = [line.place(line.waiting[0].due, number) for number, line in enumerate(lines)]
        heapq.heapify(ready)
        found: dict[str, dt.datetime | None] = {}
        while ready:
            at, _due, _key, number = heapq.heappop(ready)
            line = lines[number]
            leaves = max(at, self._free())
            opens = line.opens(leaves)
            if opens > leaves and line.waiting[0].closes > opens and opens < NEVER:
                heapq.heappush(ready, line.place(opens, number))
                continue
            first = line.waiting.popleft()
            goes = opens == leaves and leaves < first.closes and leaves < first.newer_due
            found[first.key] = self._go(leaves) if goes else None
            if line.waiting:
                since = line.window[0] if line.window else leaves
                heapq.heappush(ready, line.place(max(line.waiting[0].due, since), number))
        return found

    @staticmethod
    def _lines(queue: Sequence[Waiting]) -> list[_Line]:
        lines: dict[object, _Line] = {}
        for touch in sorted(queue, key=lambda each: each.due):
            line = lines.setdefault(touch.hours.same_as, _Line(touch.hours))
            line.waiting.append(touch)
        return list(lines.values())

    def _free(self) -> dt.datetime:
        # the day is full while its first message is younger than that
        full = self._limits.per_day is not None and len(self._day) == self._limits.per_day
        return max(self._free_at, self._day[0] + self._limits.day) if full else self._free_at

    def _go(self, at: dt.datetime) -> dt.datetime:
        self._free_at = at + self._span
        self._day.append(at)
        return at
