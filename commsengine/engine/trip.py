"""One batch on its way through a channel: who may leave, and what became of each.

1. ``mark`` lets only those through whose send window is still open, as long as nothing has stopped us: the end of this
   process, a STOP, a channel that is shut, a campaign that fails. It looks before the commit and after it.
2. Every outcome becomes a receipt at once; it also tells the breaker how the channel is, the guard how the campaign.
3. Once nothing may leave, the rest of the batch is not laid before the other side at all.
4. Whoever is left without an outcome (a defect in the channel) is uncertain if marked, else given back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, UNCERTAIN, Outcome
from commsengine.content.message import Message
from commsengine.engine.breaker import Breaker
from commsengine.engine.guard import Guard
from commsengine.engine.receipts import receipt_of
from commsengine.engine.writer import Writer

TIMED_OUT = dt.timedelta(seconds=10)
"""A failure that took this long is not waited for four times more."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed touch on its way: its claim's fence, how to render it, and the attempts made before this one.

    ``not_after`` is the end of the send window it was decided for; ``None`` for service mail, which may leave any time.
    """

    key: str
    campaign: str
    message: str
    fence: int
    render: Callable[[], Message]
    not_after: dt.datetime | None = None
    attempts: int = 0
    rung: int = 0

    @property
    def service(self) -> bool:
        """Mail that is no touch: it is of no message of the plan."""
        return not self.message

    def in_time(self, now: dt.datetime) -> bool:
        return self.not_after is None or now < self.not_after


class Trip:
    """Belongs to one sender thread, for one call of ``deliver``. ``sent`` counts the touches that have arrived."""

    def __init__(
        self,
        claimed: Mapping[str, Claimed],
        fence: int,
        writer: Writer,
        breaker: Breaker,
        *,
        guard: Guard,
        clock: Callable[[], dt.datetime],
        stopped: Callable[[], bool],
    ) -> None:
        self._claimed, self._fence, self._writer, self._breaker = claimed, fence, writer, breaker
        self._guard, self._clock, self._stopped = guard, clock, stopped
        self._last, self._down = clock(), False
        self._marked: set[str] = set()
        self._settled: set[str] = set()
        self.refused = False
        self.sent = 0

    def mark(self, keys: Sequence[str]) -> set[str]:
        granted = self._writer.mark([key for key in keys if self._may_leave(key)], self._fence)
        leaving = {key for key in granted if self._may_leave(key)}  # a commit may wait for another program's
        self._marked |= leaving
        self.refused = self.refused or len(leaving) < len(keys)
        return leaving

    @property
    def over(self) -> bool:
        """Nothing more of this batch may leave, and nothing is open."""
        if not self._marked <= self._settled:
            return False
        stopped = self._down or self._stopped() or self._breaker.shut(self._clock())
        return stopped or self._guard.stops(*(one.campaign for one in self._claimed.values()))

    def settle(self, outcome: Outcome) -> None:
        one = self._claimed[outcome.key]
        self._settled.add(outcome.key)
        self._heed(outcome, one)
        self.sent += outcome.verdict == SENT and not one.service
        receipt = receipt_of(outcome, one.attempts, self._clock(), service=one.service)
        self._guard.note(one.campaign, one.message, one.rung, receipt)
        self._writer.settle([receipt], self._fence)

    def untried(self) -> frozenset[str]:
        """The keys that the channel has not come to."""
        return frozenset(self._claimed.keys() - self._settled - self._marked)

    def settle_rest(self, but: Collection[str] = ()) -> None:
        for key in self._claimed.keys() - self._settled - set(but):
            silent = Outcome(key, UNCERTAIN, reply="the channel gave no answer")
            self.settle(silent if key in self._marked else Outcome(key, RELEASED, begun=False))

    def _may_leave(self, key: str) -> bool:
        now, one = self._clock(), self._claimed[key]
        return not (self._stopped() or self._breaker.shut(now) or self._guard.stops(one.campaign)) and one.in_time(now)

    def _heed(self, outcome: Outcome, one: Claimed) -> None:
        """What this outcome says about the channel as a whole."""
        now = self._clock()
        took, self._last = now - self._last, now
        if outcome.channel_down:
            if not self._down:  # the rest of the batch was not tried
                self._breaker.fail(outcome.channel_down, now, lasting=outcome.lasting, at_once=took >= TIMED_OUT)
            self._down = True
        elif outcome.verdict == RETRY and not outcome.begun and outcome.retry_after is not None:
            self._breaker.later(outcome.retry_after, now)
        elif outcome.verdict == RETRY and outcome.begun:
            self._breaker.refuse(outcome.reply, now, again=one.attempts > 0)
        elif outcome.verdict in (SENT, PERMANENT) and outcome.begun:
            self._breaker.succeed(now)
