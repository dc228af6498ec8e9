"""Statistics of counted answers: shares and their differences with 95 % intervals, and whether groups are alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

Z = 1.959964
"""Standard deviations either way of a 95 % interval."""

ALIKE = 0.80
"""Groups understand alike from this index of similarity on."""

BY_ACCIDENT = 0.05

Table = Mapping[str, Counter[str]]
"""Of one question: by group, how often each answer was given."""


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


Agreement = Literal["alike", "not alike", "too few answers"]


@dataclass(frozen=True, slots=True)
class Alike:
    """``verdict`` is ``alike``, ``not alike`` or ``too few answers``.

    ``groups`` are those compared, each with the number of its answers. ``differ`` are the groups that are unlike
    most others.
    """

    verdict: Agreement = "too few answers"
    index: float | None = None
    groups: Mapping[str, int] = field(default_factory=dict)
    differ: tuple[str, ...] = ()

    @property
    def answers(self) -> int:
        return sum(self.groups.values())


def alike(questions: Sequence[Table]) -> Alike:
    """Over all questions about one message: the mean index by number of answers, and one test."""
    tables = [table for table in questions if len(table) > 1]
    groups = Counter[str]()
    for table in tables:
        groups.update({name: row.total() for name, row in table.items()})
    index = _mean_index(tables)
    if index is None:
        return Alike()
    verdict = _verdict(index, _chance(tables))
    differ = _apart(tables, sorted(groups)) if verdict == "not alike" else ()
    return Alike(verdict, index, dict(sorted(groups.items())), differ)


def _verdict(index: float, chance: float) -> Agreement:
    if index >= ALIKE:
        return "alike"
    return "not alike" if chance < BY_ACCIDENT else "too few answers"


def _mean_index(tables: Sequence[Table]) -> float | None:
    tried = [(similarity(table), sum(row.total() for row in table.values())) for table in tables]
    found = [(index, number) for index, number in tried if index is not None]
    total = sum(number for _, number in found)
    return sum(index * number for index, number in found) / total if total else None


def similarity(table: Table) -> float | None:
    """B / W of one question; ``None`` where no two people of a group can be compared."""
    rows = list(table.values())
    within = [_same(row, row) for row in rows if row.total() > 1]
    between = [_same(one, other) for one, other in combinations(rows, 2)]
    if not within or not between or not sum(within):
        return None
    return (sum(between) / len(between)) / (sum(within) / len(within))


def _same(one: Counter[str], other: Counter[str]) -> float:
    if one is other:
        return sum(n * (n - 1) for n in one.values()) / (one.total() * (one.total() - 1))
    return sum(n * other[answer] for answer, n in one.items()) / (one.total() * other.total())


def _apart(tables: Sequence[Table], names: Sequence[str]) -> tuple[str, ...]:
    # pairs are tested by growing bounds, the smallest chance first
    pairs = {
        pair: [_only(table, pair) for table in tables if set(pair) <= set(table)] for pair in combinations(names, 2)
    }
    ranked = sorted((_chance(theirs), pair) for pair, theirs in pairs.items() if theirs)
    unlike = Counter[str]()
    for place, (chance, pair) in enumerate(ranked):
        if chance >= BY_ACCIDENT / (len(ranked) - place):
            break
        index = _mean_index(pairs[pair])
        unlike.update(pair if index is not None and index < ALIKE else ())
    others = Counter(name for _, pair in ranked for name in pair)
    return tuple(name for name in names if unlike[name] > others[name] / 2)


def _only(table: Table, names: Sequence[str]) -> Table:
    return {name: table[name] for name in names}


def _chance(tables: Sequence[Table]) -> float:
    statistic, freedom = 0.0, 0
    for table in tables:
        answers = Counter[str]()
        for row in table.values():
            answers.update(row)
        total, used = answers.total(), [answer for answer, n in answers.items() if n]
        freedom += (len(table) - 1) * (len(used) - 1)
        for row in table.values():
            for answer in used:
                expected = row.total() * answers[answer] / total
                statistic += (row[answer] - expected) ** 2 / expected
    return chi_square_beyond(statistic, freedom)


def chi_square_beyond(statistic: float, freedom: int) -> float:
    """The upper tail of chi-square, by the recurrence of the incomplete gamma function for halves."""
    if freedom < 1:
        return 1.0
    x = statistic / 2
    a, tail = (1.0, math.exp(-x)) if freedom % 2 == 0 else (0.5, math.erfc(math.sqrt(x)))
    while a < freedom / 2:
        tail += math.exp(a * math.log(x) - x - math.lgamma(a + 1)) if x > 0 else 0.0
        a += 1
    return min(tail, 1.0)
