"""How much the channels can take at this beat: the rest is left out of the decisions and looked at again in time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from commsengine.cadence.history import Decision, Touch
from commsengine.engine.deliver import Pool

BY_HAND = "personal"


class Room:
    """Made anew for each beat. ``crowded`` counts the touches that were left out."""

    def __init__(self, pools: Mapping[str, Pool], now: dt.datetime) -> None:
        self._pools, self._now = pools, now
        self._left = {name: pool.room(now) for name, pool in pools.items()}
        self.crowded = 0

    def take(self, channel: str) -> bool:
        """One place in that channel, if there is one left."""
        if self._left.get(channel, 0) <= 0:
            return False
        self._left[channel] -= 1
        return True

    def fit(self, decision: Decision) -> Decision:
        """The decision without the touches that their channel has no room for, and when to look at them again."""
        left_out = [touch for touch in decision.touches if not self._fits(touch)]
        if not left_out:
            return decision
        self.crowded += len(left_out)
        wakes = [self._opens(touch.channel) for touch in left_out]
        wakes += [decision.wake_at] if decision.wake_at else []
        kept = tuple(touch for touch in decision.touches if touch not in left_out)
        return replace(decision, touches=kept, wake_at=min(wakes))

    def _fits(self, touch: Touch) -> bool:
        return bool(touch.skip) or touch.channel == BY_HAND or self.take(touch.channel)

    def _opens(self, channel: str) -> dt.datetime:
        """When a shut channel opens again; a crowded one is asked again after everybody who waits longer."""
        pool = self._pools.get(channel)
        until = pool.breaker.until if pool and pool.breaker.shut(self._now) else None
        return until or self._now
