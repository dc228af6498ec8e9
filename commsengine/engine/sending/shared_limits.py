"""What all engines share about one channel, as rows: its rest, its pace, its connections and what has left in a day.

At each beat
1. What has changed in the breaker is written down; what other engines have written is adopted.
2. The day's room is counted: what has left, what is under way, of what the profile allows. Where nothing is left of it
   the channel rests until some of it is a day old: a planned rest.
3. The connections of the profile are divided among the engines at work.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.channels.providers import ProviderProfile, SendingLimits
from commsengine.content.kept_words import kept
from commsengine.engine.sending.breaker import Breaker, Renewal
from commsengine.errors import CommsError
from commsengine.store.records import Rest
from commsengine.store.store import Store

BURST_SECONDS = 1.0
LONGEST_AHEAD = dt.timedelta(minutes=10)
"""What is reserved further ahead than this was so by a clock that was wrong."""

PROBES = 10
"""So many of those who wait for a channel are decided at once when a new engine tries it: one may be for another."""

LUMP = 0.01
"""A full day is over when so much of it is free again: not each single message begins a rest of its own."""

SURE = 0.9
"""From this share of a day's messages on, a quota that the other side says is used up is taken to be our own."""

Reserve = Callable[[dt.timedelta, dt.datetime], dt.datetime]
"""Reserves a span of the channel's time among all engines, and returns when it begins."""


class Rate:
    """So many messages a minute, evenly, by all engines together; ``None`` means as fast as it goes.

    Our own pace is measured in real seconds, by any clock of the campaign: the other side's limit is real. Where
    ``clock`` is that of a rehearsal (``lapsing``), it is measured by that. ``reserve`` tells what other engines have
    taken, and engines before this one; a second's worth at a time, and at least one message.
    """

    def __init__(
        self,
        per_minute: float | None,
        reserve: Reserve | None = None,
        clock: Callable[[], dt.datetime] | None = None,
        *,
        lapsing: bool = False,
    ) -> None:
        self.per_minute, self.per_second = per_minute, per_minute / 60 if per_minute else None
        self._reserve, self._clock, self._lapsing = reserve, clock, lapsing
        self._lock = threading.Lock()
        self._free_at = 0.0
        self._block, self._ours_until = 0, dt.datetime.min.replace(tzinfo=dt.UTC)

    @property
    def burst(self) -> int | None:
        # a second's worth, and at least one
        return None if self.per_second is None else max(1, int(self.per_second * BURST_SECONDS))

    def take(self, count: int) -> tuple[float, float]:
        """Takes ``count`` messages; returns when they may go, and what time it is: in seconds of one clock.

        Raises ``CommsError`` when the database does not answer.
        """
        now = self._seconds()
        if self.per_second is None:
            return now, now
        with self._lock:
            starts = max(self._free_at, now, now + self._taken_by_others(count))
            self._free_at = starts + count / self.per_second
            return starts, now

    def _seconds(self) -> float:
        return self._clock().timestamp() if self._lapsing and self._clock else time.monotonic()

    def _taken_by_others(self, count: int) -> float:
        """The seconds until the time is free that was reserved by others, or before us; ours is not counted twice."""
        if self._reserve is None or self._clock is None or self.per_second is None:
            return 0.0
        self._block -= count
        if self._block >= 0:
            return 0.0
        size = max(count, self.burst or 1)
        now, span = self._clock(), dt.timedelta(seconds=size / self.per_second)
        begins = self._reserve(span, now)
        after_ours = begins == self._ours_until
        self._block, self._ours_until = size - count, begins + span
        ahead = begins - now
        return 0.0 if after_ours or ahead > LONGEST_AHEAD else ahead.total_seconds()


class Pool(Protocol):
    """What of the senders of a channel is shared. ``connections`` is ``None`` unless the other side takes fewer."""

    breaker: Breaker

    @property
    def idle(self) -> bool: ...

    @property
    def connections(self) -> int | None: ...

    def obey(self, limits: SendingLimits, room: int | None) -> None: ...

    def narrow_to(self, connections: int, since: dt.datetime) -> None: ...


class SharedLimits:
    """One channel of one engine. ``profile`` says what the other side allows; it may learn better at work.

    ``cron``: somebody else calls the ticks.
    """

    def __init__(
        self, store: Store, channel: ChannelName, profile: Callable[[], ProviderProfile], *, cron: bool = False
    ) -> None:
        self._record, self._loading = store.channels, store.loading
        self._channel, self._profile, self._cron = channel, profile, cron
        self._known: Rest | None = None
        self._connections: int | None = None

    @property
    def limits(self) -> SendingLimits:
        return self._profile().limits

    def reserve(self, span: dt.timedelta, now: dt.datetime) -> dt.datetime:
        return self._record.reserve(self._channel, span, now)

    def renews(self, now: dt.datetime) -> Renewal:
        """When a quota that is used up should have room again, by what has left in the last day."""
        limits = self.limits
        try:
            sent = self._record.sent(self._channel, now - limits.day)
            first = self._record.sent_at(self._channel, now - limits.day, _lump(sent) - 1) if sent else None
        except CommsError:
            return None, False
        certain = limits.per_day is not None and sent >= SURE * limits.per_day
        return (first + limits.day if first else None), certain

    def begin(self, pool: Pool, now: dt.datetime) -> None:
        """An engine starts: how the channel was left holds on. What only our own count said is counted again."""
        found = self._record.rests().get(self._channel)
        self._known = found
        if found is not None and found.planned:
            self._count_again(found, now)
        elif found is not None:
            pool.breaker.adopt(found, now, starting=True)
            if found.open and found.until > now and not pool.breaker.shut(now):
                self._loading.wake(now, found.until, PROBES)
        if (narrowed := self._record.narrowed(self._channel)) is not None:
            pool.narrow_to(*narrowed)
            self._connections = pool.connections

    def _count_again(self, planned: Rest, now: dt.datetime) -> None:
        # more may be allowed than when it was planned: then those who wait need not wait on
        limits = self.limits
        sent = self._record.sent(self._channel, now - limits.day)
        if planned.open and planned.until > now and (limits.per_day is None or sent < limits.per_day):
            self._known = replace(planned, open=False, until=now)
            self._record.keep(self._known)
            self._loading.wake(now, planned.until)

    def share(self, pool: Pool, now: dt.datetime, rests: Mapping[str, Rest], place: tuple[int, int]) -> None:
        """At each beat. ``rests`` are those on record; ``place`` is ours among so many engines at work."""
        pool.breaker.look(now)
        limits = self.limits
        pool.obey(replace(limits, connections=_part(limits.connections, *place)), self._room(limits, pool, now))
        found = rests.get(self._channel)
        if not self.write(pool, now) and found is not None and found != self._known:
            pool.breaker.adopt(found, now)
            self._known = found

    def write(self, pool: Pool, now: dt.datetime) -> bool:
        """Writes down what has changed here; whether the channel rests, or goes on, is among it."""
        if pool.connections != self._connections:
            self._connections = pool.connections
            self._record.narrow(self._channel, self._connections, now)
        news = pool.breaker.take_news()
        if news is None:
            return False
        self._known = replace(news, next_tick=self._cron)
        self._record.keep(self._known)
        return True

    def _room(self, limits: SendingLimits, pool: Pool, now: dt.datetime) -> int | None:
        if limits.per_day is None:
            return None
        # in this order, what arrives between the two counts is counted twice, and never left out
        under_way = self._record.under_way(self._channel)
        sent = self._record.sent(self._channel, now - limits.day)
        room = limits.per_day - sent - under_way
        if room <= 0 and not under_way and pool.idle and not pool.breaker.trying:
            lump = min(sent, sent - limits.per_day + _lump(limits.per_day))
            first = self._record.sent_at(self._channel, now - limits.day, lump - 1)
            whose = self._profile().whose
            said = {"sent": f"{sent:,}", "span": _english(limits.day)}
            because = kept("full of", **said, whose=whose) if whose else kept("full", **said)
            pool.breaker.plan((first or now) + limits.day, because, now)
        return max(0, room)


def _english(span: dt.timedelta) -> str:
    seconds = int(span.total_seconds())
    name, unit = next((name, unit) for name, unit in _UNITS if seconds % unit == 0)
    return f"{seconds // unit} {name}"


_UNITS = (("hours", 3600), ("minutes", 60), ("seconds", 1))


def _lump(messages: int) -> int:
    return max(1, int(messages * LUMP))


def _part(connections: int, place: int, engines: int) -> int:
    return max(1, connections // engines + (place < connections % engines))
