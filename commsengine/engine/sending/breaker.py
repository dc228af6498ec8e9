"""What keeps a whole channel still for a while: failures of the channel itself, or its own "try again later".

Closed → open: five failures to connect in a row, one that took as long as a time-out, one that lasts until a person
sees to it (password, certificate, a sender that is refused), a quota that is used up, or more than a fifth of a
minute's outcomes refused for now. What is refused for one recipient for good says nothing about the channel.

Open → half-open: after the wait one single message tries the channel.

Half-open → closed: it gets through. It fails to: open again, for twice as long. A first "not now" for its recipient is
what grey-listing relays say to everybody: it closes the breaker as well, but the next wait is longer until something
arrives.

A rest is a row that all engines share: what changes here is news for it (``take_news``), and what others have written
is adopted. An engine that starts tries a channel that is down or refuses us at once, with one message: a person may
have put it right. A quota is not tried before its time.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from commsengine.cadence.kinds_and_states import ChannelName, Fault
from commsengine.content.kept_words import kept
from commsengine.store.records import Rest
from commsengine.text import without_addresses
from commsengine.translation import N_

A_MOMENT = dt.timedelta(minutes=1)
"""How far apart the readings of one clock by several threads may be."""

FIRST_WAIT, LONGEST_WAIT = dt.timedelta(seconds=30), dt.timedelta(minutes=10)
LONGEST_QUOTA = dt.timedelta(hours=1)  # where nothing that we know of has left lately
SHORTEST_QUOTA = dt.timedelta(seconds=1)
FAILURES = 5  # in a row
AT_ONCE, A_SECOND, WINDOW = dt.timedelta(), dt.timedelta(seconds=1), dt.timedelta(minutes=1)
REFUSED, LEAST_OUTCOMES = 0.2, 20

Renewal = tuple[dt.datetime | None, bool]
"""When a quota that is used up should have room again, as far as we know; and whether our own count says so too."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SecondTally:
    """The outcomes of one second since then, and how many of them were refused for now."""

    since: dt.datetime
    outcomes: int = 0
    refused: int = 0


class Breaker:
    """One per channel, shared by its senders. Each opening without a success in between doubles the wait.

    A clock that is set back ends the wait: how much of it is over cannot be known. ``renews`` says when a quota should.
    """

    def __init__(
        self, channel: ChannelName, renews: Callable[[dt.datetime], Renewal] = lambda _: (None, False)
    ) -> None:
        self.channel = channel
        self._renews = renews
        self._news = False
        self.until: dt.datetime | None = None
        self.because = ""
        self.fault: Fault = ""
        self._since: dt.datetime | None = None
        self.trying = False
        """Open or half-open: nothing has got through since it opened."""
        self._failures = self._openings = 0
        self._lately: deque[SecondTally] = deque()
        self._probe: object = None
        self._lock = threading.Lock()

    def shut(self, now: dt.datetime) -> bool:
        if self.until is None or self._since is None:
            return False
        return self._since - A_MOMENT <= now < self.until

    def patience(self, now: dt.datetime) -> float:
        """The seconds the other side asked us to wait; 0 if it did not, or if the channel is down."""
        if self.trying or self.until is None or not self.shut(now):
            return 0.0
        return (self.until - now).total_seconds()

    def admit(self, count: int, now: dt.datetime, by: object = "") -> bool:
        """Whether ``by`` may carry so many now; half-open, only one of them a single one. Call ``leave`` after."""
        with self._lock:
            if self.shut(now) or (self.trying and (count > 1 or self._probe is not None)):
                return False
            if self.trying:
                self._probe = by
            return True

    def leave(self, by: object = "") -> None:
        with self._lock:
            if self._probe == by:
                self._probe = None

    def fail(self, because: str, now: dt.datetime, fault: Fault = "later", *, at_once: bool = False) -> None:
        """No recipient can be reached: by our fault (``us``) until a person sees to it, ``quota`` until it renews."""
        with self._lock:
            if self.shut(now):
                if fault == "us":
                    self._news |= self.because != because
                    self.because, self.fault = because, fault
                return
            self._failures += 1
            if fault in ("us", "quota") or at_once or self.trying or self._failures >= FAILURES:
                self._open(because, now, fault)

    def refuse(self, because: str, now: dt.datetime, *, again: bool) -> None:
        """One recipient was refused for now; ``again``: not for the first time."""
        with self._lock:
            if self.shut(now):
                return
            if self.trying and again:
                self._open(because, now)
            elif self.trying:
                self._close(now)
            elif self._too_many(now):
                self._open(kept("fifth", because=because), now)

    def later(self, seconds: float, now: dt.datetime, because: str = N_("asked to wait")) -> None:
        # the other side asked for patience (``Retry-After``); nothing is wrong with it
        with self._lock:
            asked = now + dt.timedelta(seconds=seconds)
            self.until = max(self.until, asked) if self.until and self.shut(now) else asked
            self._since, self._news = now, True
            if not self.trying:
                self.because, self.fault = because, "later"
            log.info("channel_waits", channel=self.channel, reason=because, until=asked.isoformat(), seconds=seconds)

    def plan(self, until: dt.datetime, because: str, now: dt.datetime) -> None:
        """Rests until then, for as much has left as may: nothing is wrong, and everything may follow at once."""
        with self._lock:
            if self.shut(now):
                return
            self._news |= not self.planned
            self._news |= self.until != until
            self._since, self.until, self.because, self.fault, self.trying = now, until, because, "quota", False
            seconds = (until - now).total_seconds()
            log.info("channel_full", channel=self.channel, reason=because, until=until.isoformat(), seconds=seconds)

    @property
    def planned(self) -> bool:
        return self.fault == "quota" and not self.trying

    def look(self, now: dt.datetime) -> None:
        """A wait that was only asked for is over when its time has come: nothing needs to be tried."""
        with self._lock:
            if self.until is not None and not self.trying and not self.shut(now):
                self._close(now)

    def succeed(self, now: dt.datetime) -> None:
        # what was under way when the channel was shut does not open it
        with self._lock:
            self._count(now, refused=0)
            if self.shut(now):
                return
            if self.trying:
                log.info("channel_open_again", channel=self.channel)
                self._close(now)
            self._news |= self._openings > 0
            self._failures = self._openings = 0

    # -- the row that all engines share -----------------------------------------------------------

    def take_news(self) -> Rest | None:
        """What is to be written down, if anything has changed since it was last taken."""
        with self._lock:
            if not self._news or self._since is None:
                return None
            self._news = False
            until = self.until or self._since
            about = (self.because, self.fault, self._openings, self.until is not None, self.trying)
            return Rest(self.channel, until, self._since, *about)

    def adopt(self, rest: Rest, now: dt.datetime, *, starting: bool = False) -> None:
        """What an engine has written down holds here too."""
        with self._lock:
            self._openings, self._news = rest.times, False
            if not rest.open:
                self._shut_again(None, now, "", "", trying=False)
                return
            tried_now = starting and rest.trying and rest.fault != "quota"
            until = min(rest.until, now) if tried_now else rest.until
            self._shut_again(until, rest.since or now, rest.because, rest.fault, trying=rest.trying)

    def _shut_again(
        self, until: dt.datetime | None, since: dt.datetime, because: str, fault: Fault, *, trying: bool
    ) -> None:
        self.until, self._since, self.because, self.fault, self.trying = until, since, because, fault, trying

    def _open(self, because: str, now: dt.datetime, fault: Fault = "later") -> None:
        growing = FIRST_WAIT * 2 ** min(self._openings, 12)
        wait = self._until_renewal(growing, now) if fault == "quota" else min(growing, LONGEST_WAIT)
        self._openings += 1
        self._shut_again(now + wait, now, because, fault, trying=True)
        self._news = True
        self._lately.clear()
        log.log(
            logging.ERROR if fault == "us" else logging.WARNING,
            "channel_shut",
            channel=self.channel,
            reason=without_addresses(because),
            until=(now + wait).isoformat(),
            seconds=wait.total_seconds(),
        )

    def _until_renewal(self, growing: dt.timedelta, now: dt.datetime) -> dt.timedelta:
        at, certain = self._renews(now)
        if at is None:
            return min(growing, LONGEST_QUOTA)
        left = max(at - now, SHORTEST_QUOTA)
        return left if certain else min(growing, left)

    def _close(self, now: dt.datetime) -> None:
        self._shut_again(None, now, "", "", trying=False)
        self._failures, self._news = 0, True

    def _too_many(self, now: dt.datetime) -> bool:
        self._count(now, refused=1)
        outcomes = sum(tally.outcomes for tally in self._lately)
        return outcomes >= LEAST_OUTCOMES and sum(tally.refused for tally in self._lately) > outcomes * REFUSED

    def _count(self, now: dt.datetime, *, refused: int) -> None:
        # kept by the second: a fast channel has thousands of outcomes a minute
        if not (self._lately and AT_ONCE <= now - self._lately[-1].since < A_SECOND):
            while self._lately and not AT_ONCE <= now - self._lately[0].since <= WINDOW:
                self._lately.popleft()
            self._lately.append(SecondTally(now))
        self._lately[-1].outcomes += 1
        self._lately[-1].refused += refused
