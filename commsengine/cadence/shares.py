"""Shares that were counted, and their differences, with 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959964
"""Standard deviations either way of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many ``of`` so many. ``low`` and ``high`` are the bounds of Wilson's interval, for 95 %."""

    count: int
    of: int

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0

    @property
    def low(self) -> float:
        return share_of(self.count, self.of).low if self.of else 0.0

    @property
    def high(self) -> float:
        return share_of(self.count, self.of).high if self.of else 1.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def share_of(right: int, of: int) -> Interval:
    """A share with Wilson's score interval (Wilson 1927). ``of`` is at least 1."""
    share, n = right / of, of
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def difference(one: Sequence[bool], other: Sequence[bool]) -> Interval | None:
    """How much larger the share of ``one`` is than that of ``other``, by Newcombe's hybrid score interval (1998).

    ``None`` where either is empty.
    """
    if not one or not other:
        return None
    a, b = share_of(sum(one), len(one)), share_of(sum(other), len(other))
    low = math.hypot(a.value - a.low, b.high - b.value)
    high = math.hypot(a.high - a.value, b.value - b.low)
    between = a.value - b.value
    return Interval(between, between - low, between + high)
