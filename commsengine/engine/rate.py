"""A token bucket: how fast the senders of one channel may go together."""

from __future__ import annotations

import threading
import time

BURST_SECONDS = 1.0


class Rate:
    """So many messages a minute, evenly; ``None`` means as fast as it goes.

    It measures real seconds, whatever clock the campaign runs on: the other side's limit is real.
    """

    def __init__(self, per_minute: float | None) -> None:
        self.per_second = per_minute / 60 if per_minute else None
        self._lock = threading.Lock()
        self._free_at = 0.0

    @property
    def burst(self) -> int | None:
        """How many may go at once: a second's worth, and at least one. ``None`` without a limit."""
        return None if self.per_second is None else max(1, int(self.per_second * BURST_SECONDS))

    def take(self, count: int) -> float:
        """Reserve ``count`` messages; returns the seconds to wait before they may go."""
        if self.per_second is None:
            return 0.0
        with self._lock:
            now = time.monotonic()
            starts = max(self._free_at, now)
            self._free_at = starts + count / self.per_second
            return starts - now
