"""How often Slack lets an app call its methods, and a stand-in's count of that.

The tiers are the documentation's: "20+", "50+", "100+" a minute, each with a little more at times. Of
``chat.postMessage`` it says one a second to a channel, "several hundred" a minute in a workspace, and bursts; apps have
seen 230 to 525.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

_TIER_2 = ("users.list", "auth.teams.list")
_TIER_3 = ("users.lookupByEmail", "conversations.open", "conversations.history", "chat.update")
_TIER_4 = ("users.info", "views.open", "views.publish")
POST = "chat.postMessage"
A_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Tiers:
    """Calls in any minute, by method. ``posts`` are those of ``chat.postMessage`` in any minute; to one channel
    ``burst`` of them may come in any ``burst`` seconds.
    """

    methods: Mapping[str, int] = field(
        default_factory=lambda: {
            "auth.test": 500,
            **dict.fromkeys(_TIER_2, 20),
            **dict.fromkeys(_TIER_3, 50),
            **dict.fromkeys(_TIER_4, 100),
        }
    )
    posts: int = 400
    burst: int = 10

    def times(self, factor: float) -> Tiers:
        """So much more of everything, for a run that is to take less time."""
        methods = {method: int(most * factor) for method, most in self.methods.items()}
        return replace(self, methods=methods, posts=int(self.posts * factor))


PUBLISHED = Tiers()


class CallLimits:
    """Counts calls by ``clock`` (in seconds). What is turned away does not count."""

    def __init__(self, tiers: Tiers | None, clock: Callable[[], float]) -> None:
        self._tiers, self._clock, self._lock = tiers, clock, threading.Lock()
        self._calls: dict[tuple[str, str], deque[float]] = defaultdict(deque)

    def wait(self, method: str, conversation: str = "") -> int:
        """0 if the call may be made now, and then it counts; else the seconds to wait."""
        if self._tiers is None:
            return 0
        with self._lock:
            now, limits = self._clock(), self._limits(self._tiers, method, conversation)
            waits = [self._open_in(name, most, span, now) for name, most, span in limits]
            if not any(waits):
                for name, *_ in limits:
                    self._calls[name].append(now)
            return math.ceil(max(waits, default=0.0))

    def _limits(self, tiers: Tiers, method: str, conversation: str) -> list[tuple[tuple[str, str], int, float]]:
        if method == POST:
            return [((POST, ""), tiers.posts, A_MINUTE), ((POST, conversation), tiers.burst, float(tiers.burst))]
        most = tiers.methods.get(method)
        return [((method, ""), most, A_MINUTE)] if most else []

    def _open_in(self, name: tuple[str, str], most: int, span: float, now: float) -> float:
        calls = self._calls[name]
        while calls and not now - span < calls[0] <= now:
            calls.popleft()
        return calls[-most] + span - now if len(calls) >= most else 0.0
