"""Two arms of an experiment over several roles: how much more one has done, and what chance there is to find that.

The difference is that of Mantel and Haenszel (1959): each role is compared with itself, and weighs by what it can tell.
Its interval is Klingenberg's (2014): the score test of that difference, with Sato's variance, turned round.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from commsengine.recall.statistics import Interval, Z
from commsengine.text import digest

METHOD = "Mantel-Haenszel difference of shares over roles, interval of Klingenberg (2014), 95 %"

DRAWS = 4000
"""Outcomes of an experiment that its power is counted from; so counted it is within a point or two."""

_WIDTH = 4  # bytes of a number drawn


@dataclass(frozen=True, slots=True)
class Stratum:
    """One role: how many ``of`` so many in an arm have done it, and of the ``other`` arm."""

    did: int
    of: int
    other_did: int
    other_of: int

    @property
    def weight(self) -> float:
        both = self.of + self.other_of
        return self.of * self.other_of / both if both else 0.0


def more_done(strata: Sequence[Stratum]) -> Interval | None:
    """How much larger the share of the first arm is than the other's, ``-1`` to ``1``.

    ``None`` where no role has people in both arms.
    """
    weight = sum(one.weight for one in strata)
    if not weight:
        return None
    value = sum(_excess(one) for one in strata) / weight
    slope, level = sum(map(_slope, strata)) / weight**2, sum(map(_level, strata)) / weight**2
    middle = value + Z * Z * slope / 2
    half = math.sqrt(max(0.0, middle * middle - value * value + Z * Z * level))
    return Interval(value, max(-1.0, middle - half), min(1.0, middle + half))


def _excess(one: Stratum) -> float:
    both = one.of + one.other_of
    return (one.did * one.other_of - one.other_did * one.of) / both if both else 0.0


def _slope(one: Stratum) -> float:
    # Sato's variance is a straight line in the difference
    n, m, both = one.of, one.other_of, one.of + one.other_of
    return (n * n * one.other_did - m * m * one.did + n * m * (m - n) / 2) / both**2 if both else 0.0


def _level(one: Stratum) -> float:
    both = one.of + one.other_of
    missed, other_missed = one.of - one.did, one.other_of - one.other_did
    return (one.did * other_missed + one.other_did * missed) / (2 * both) if both else 0.0


def found(more: Interval | None) -> bool:
    """Whether the interval leaves out "no difference"."""
    return more is not None and not more.low <= 0 <= more.high


def power(sizes: Sequence[tuple[int, int]], base: float, lift: float, draws: int = DRAWS) -> float:
    """The chance that a difference is found, if of the second arm the share ``base`` does it, and ``lift`` more of the
    first.

    ``sizes`` are the people of both arms, by role. Counted from outcomes that are drawn alike each time.
    """
    one, other = min(1.0, max(0.0, base + lift)), base
    tables = [(n, _cumulated(n, one), m, _cumulated(m, other)) for n, m in sizes]
    numbers = _numbers()
    hits = 0
    for _ in range(draws):
        strata = [
            Stratum(bisect_right(ours, next(numbers)), n, bisect_right(theirs, next(numbers)), m)
            for n, ours, m, theirs in tables
        ]
        hits += found(more_done(strata))
    return hits / draws


def _cumulated(n: int, share: float) -> list[float]:
    """The chance of at most 0, 1, … up to ``n`` - 1 of ``n``: where a number from 0 to 1 falls is how many do it."""
    if share <= 0 or share >= 1:
        return [float(share < 1)] * n
    up, down = math.log(share), math.log(1 - share)
    whole = math.lgamma(n + 1)
    chances = (
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * up + (n - k) * down) for k in range(n)
    )
    return list(accumulate(chances))


def _numbers() -> Iterator[float]:
    # spread evenly from 0 up to 1, the same ones each time
    place = 0
    while True:
        drawn = digest("power", str(place))
        yield from (int.from_bytes(drawn[at : at + _WIDTH], "big") / 256**_WIDTH for at in range(0, len(drawn), _WIDTH))
        place += 1


def smallest_lift(sizes: Sequence[tuple[int, int]], base: float, wanted: float = 0.8) -> float | None:
    """The least lift, in whole points, that is found with the chance ``wanted``; ``None`` if none is."""
    lifts = (points / 100 for points in range(1, round(100 * (1 - base)) + 1))
    low, high = 0, len(points := list(lifts))
    while low < high:
        middle = (low + high) // 2
        enough = power(sizes, base, points[middle], DRAWS // 4) >= wanted
        low, high = (low, middle) if enough else (middle + 1, high)
    return next(islice(points, low, None), None)
