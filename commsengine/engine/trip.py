"""One batch on its way through a channel: who may leave, and what became of each.

1. ``mark`` lets only those through whose send window is still open, as long as the channel is not shut.
2. Every outcome becomes a receipt at once; it also tells the breaker how the channel is.
3. Whoever is left without an outcome (a defect in the channel) is uncertain if marked, else given back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from commsengine.channels.channel import RELEASED, RETRY, SENT, UNCERTAIN, Outcome
from commsengine.content.message import Message
from commsengine.engine.breaker import Breaker
from commsengine.engine.receipts import receipt_of
from commsengine.engine.writer import Writer


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
        clock: Callable[[], dt.datetime],
        stopping: Callable[[], bool],
    ) -> None:
        self._claimed, self._fence, self._writer, self._breaker = claimed, fence, writer, breaker
        self._clock, self._stopping = clock, stopping
        self._marked: set[str] = set()
        self._settled: set[str] = set()
        self.refused = False
        self.sent = 0

    def mark(self, keys: Sequence[str]) -> set[str]:
        now = self._clock()
        if self._stopping() or self._breaker.shut(now):
            return set()
        granted = self._writer.mark([key for key in keys if self._claimed[key].in_time(now)], self._fence)
        self._marked |= granted
        self.refused = self.refused or len(granted) < len(keys)
        return granted

    def settle(self, outcome: Outcome) -> None:
        self._settled.add(outcome.key)
        self._heed(outcome)
        self.sent += outcome.verdict == SENT and not self._claimed[outcome.key].service
        self._writer.settle([receipt_of(outcome, self._claimed[outcome.key].attempts, self._clock())], self._fence)

    def settle_rest(self) -> None:
        for key in self._claimed.keys() - self._settled:
            silent = Outcome(key, UNCERTAIN, reply="the channel gave no answer")
            self.settle(silent if key in self._marked else Outcome(key, RELEASED, begun=False))

    def _heed(self, outcome: Outcome) -> None:
        """What this outcome says about the channel as a whole."""
        now = self._clock()
        if outcome.channel_down:
            self._breaker.fail(outcome.channel_down, now, lasting=outcome.lasting)
        elif outcome.verdict == RETRY and not outcome.begun and outcome.retry_after is not None:
            self._breaker.later(outcome.retry_after, now)
        elif outcome.verdict not in (RELEASED, UNCERTAIN):
            self._breaker.succeed()
