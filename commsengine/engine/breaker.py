"""What keeps a whole channel still for a while: a failure of the channel itself, or its own "try again later"."""

from __future__ import annotations

import datetime as dt
import threading

import structlog

A_MOMENT = dt.timedelta(minutes=1)
"""How far apart the readings of one clock by several threads may be."""

FIRST_WAIT, LONGEST_WAIT = dt.timedelta(seconds=30), dt.timedelta(minutes=10)

log = structlog.get_logger(__name__)


class Breaker:
    """One per channel, shared by its sender threads.

    Each failure in a row doubles the wait, from 30 seconds to 10 minutes. After the wait a single message tries the
    channel (``trying``); when one gets through, everything is as before. A clock that is set back ends the wait: nobody
    knows how much of it is over.
    """

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.until: dt.datetime | None = None
        self.because = ""
        self.lasting = False
        self._since: dt.datetime | None = None
        self._failures = 0
        self._lock = threading.Lock()

    def shut(self, now: dt.datetime) -> bool:
        if self.until is None or self._since is None:
            return False
        return self._since - A_MOMENT <= now < self.until

    @property
    def trying(self) -> bool:
        """The last thing heard of this channel is that it is down."""
        return self._failures > 0

    def patience(self, now: dt.datetime) -> float:
        """The seconds the other side asked us to wait; 0 if it did not, or if the channel is down."""
        if self.trying or self.until is None or not self.shut(now):
            return 0.0
        return (self.until - now).total_seconds()

    def fail(self, because: str, now: dt.datetime, *, lasting: bool = False) -> None:
        """The channel is down, ``lasting`` until a person sees to it. Threads that meet the same failure count once."""
        with self._lock:
            if self.shut(now):
                return
            wait = min(FIRST_WAIT * 2 ** min(self._failures, 10), LONGEST_WAIT)
            self._failures += 1
            self._since, self.until, self.because, self.lasting = now, now + wait, because, lasting
            log.warning("channel_shut", channel=self.channel, seconds=wait.total_seconds())

    def later(self, seconds: float, now: dt.datetime) -> None:
        """The other side asked for patience (``Retry-After``); nothing is wrong with it."""
        with self._lock:
            asked = now + dt.timedelta(seconds=seconds)
            self.until = max(self.until, asked) if self.until and self.shut(now) else asked
            self._since = now
            self.because = self.because if self.trying else "asked to wait"
            log.info("channel_waits", channel=self.channel, seconds=seconds)

    def succeed(self) -> None:
        with self._lock:
            if self.trying:
                log.info("channel_open_again", channel=self.channel)
            if self._failures:
                self._failures, self.until, self.because, self.lasting = 0, None, "", False
