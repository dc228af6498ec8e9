"""What a sender loop has to send, a batch at a time: a batch begins when the rate and the breaker let it through."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commsengine.engine.sending.attempt import Claimed

if TYPE_CHECKING:
    from commsengine.engine.sending.senders import SenderPool

NEVER = float("inf")


@dataclass(eq=False, slots=True)
class Batch:
    """Messages that the rate has let through together. ``open`` are under way, ``waiting`` are not begun."""

    size: int
    waiting: deque[Claimed]
    open: int = 0


class Batches:
    """Those of one pool, for its one loop. ``is_sending``: something is under way.

    ``goes_on_at`` is when the rate lets the next one go that was asked for: real time, in seconds.
    """

    def __init__(self, pool: SenderPool, is_sending: Callable[[], bool]) -> None:
        self._pool, self._is_sending = pool, is_sending
        self._current: Batch | None = None
        self._following: tuple[Batch, float] | None = None  # and when the rate lets it go
        self.goes_on_at = NEVER

    def has_more(self) -> bool:
        """Whether a message may begin now."""
        return bool(self._current and self._current.waiting) or self._admitted()

    def next(self) -> tuple[Claimed, Batch] | None:
        """The next message with its batch; ``done`` is called once it has its receipt."""
        if not self.has_more():
            return None
        batch = self._current
        assert batch is not None  # noqa: S101 - it has more
        batch.open += 1
        return batch.waiting.popleft(), batch

    def done(self, batch: Batch) -> None:
        batch.open -= 1
        self._end(batch)

    def give_back(self) -> None:
        """What has not begun of the current batch, to be decided again."""
        if (batch := self._current) is not None and batch.waiting:
            self._pool.give_back(batch.waiting)
            batch.waiting.clear()
            self._end(batch)

    def look_again(self) -> None:
        """A mark was refused: what has not begun of the current batch is looked at again before it leaves."""
        self._pool.doubtful = True
        if (batch := self._current) is not None and batch.waiting:
            rest = list(batch.waiting)
            batch.waiting.clear()
            self._pool.again(rest)
            self._end(batch)

    def _admitted(self) -> bool:
        """Whether the rate and the breaker let a batch through now: it is the current one then."""
        while (following := self._following or self._taken()) is not None:
            self._following = following
            batch, starts = following
            if starts > time.monotonic() and not self._pool.stopping:
                self.goes_on_at = starts
                return False
            self._following = None
            if self._pool.admits(batch.size, batch):
                batch.waiting = deque(self._pool.still_ours(batch.waiting))
                self._pool.doubtful = False
                self._current = batch
            else:
                self._pool.give_back(batch.waiting)
                batch.waiting.clear()
            if batch.waiting:
                return True
            self._end(batch)
        return False

    def _taken(self) -> tuple[Batch, float] | None:
        if self._pool.rate_moves_clock and self._is_sending():
            return None  # what is under way would be sent later than it was admitted
        while claimed := self._pool.next():
            seconds = self._pool.wait_for_rate(len(claimed))
            if seconds is not None:
                return Batch(len(claimed), deque(claimed)), time.monotonic() + seconds
            self._pool.give_back(claimed)
            self._pool.done(len(claimed))
        return None

    def _end(self, batch: Batch) -> None:
        if batch.waiting or batch.open:
            return
        if batch is self._current:
            self._current = None
        self._pool.breaker.leave(batch)
        self._pool.done(batch.size)
