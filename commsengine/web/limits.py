"""How often one link may be used: a sliding minute per key, in memory and bounded.

The key is a link and not an address: behind one company's gateway, ten thousand people share an address.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW = 60.0  # seconds


class RateLimit:
    """At most ``per_minute`` uses of a key in any minute. Forgets the keys not used for longest beyond ``keys``."""

    def __init__(self, per_minute: int, *, keys: int = 50_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._keys, self._clock = per_minute, keys, clock
        self._uses: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str) -> bool:
        """Counts one use of ``key``; false when the minute is full."""
        now = self._clock()
        with self._lock:
            uses = self._uses.setdefault(key, deque())
            self._uses.move_to_end(key)
            if len(self._uses) > self._keys:
                self._uses.popitem(last=False)
            while uses and uses[0] <= now - WINDOW:
                uses.popleft()
            if len(uses) >= self._per_minute:
                return False
            uses.append(now)
            return True
