"""What may be shown of groups of people: nothing that tells of fewer than ten, not even by subtraction.

1. A group of fewer than ten people, and what fewer than ten of it answered, is hidden.
2. A total that includes hidden groups is shown only if together they are ten people or more.
3. Answers count in blocks of whole weeks in which ten different people answered, each person once in a block. What came
   since the last block does not count yet: two reports a day apart would else tell the one answer between them.
4. A block counts as a whole or not at all: until half of its people have given newer answers.

So the difference of any two figures, of one report or of many, is about whole blocks, or about no one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

FEWEST = 10
WEEK = dt.timedelta(days=7)


def enough(people: int) -> bool:
    return people >= FEWEST


def shown(sizes: Mapping[str, int]) -> frozenset[str]:
    return frozenset(name for name, size in sizes.items() if enough(size))


def total_of_all(sizes: Mapping[str, int]) -> bool:
    """Whether a total may include the hidden groups; else it is of the shown ones alone."""
    hidden = sum(size for size in sizes.values() if not enough(size))
    return hidden == 0 or enough(hidden)


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """One answer to a check: by whom and when, whether it was right, what was chosen to which question."""

    person: str
    at: dt.datetime
    right: bool
    question: int = 0
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """The answers ``given`` in some whole weeks by ten people or more; ``one_each`` has the newest of each person.

    ``until``, a Monday at midnight UTC, is not included.
    """

    since: dt.datetime
    until: dt.datetime
    given: tuple[GroupAnswer, ...]

    @property
    def one_each(self) -> tuple[GroupAnswer, ...]:
        return tuple({one.person: one for one in self.given}.values())


def week_of(at: dt.datetime) -> dt.datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=at.weekday())


def blocks(answers: Iterable[GroupAnswer], now: dt.datetime) -> list[Block]:
    # a week that is not over closes no block
    weeks: dict[int, list[GroupAnswer]] = {}
    for one in sorted(answers, key=attrgetter("at", "person")):
        weeks.setdefault((one.at.toordinal() - 1) // 7, []).append(one)  # day 1 was a Monday
    closed: list[Block] = []
    open_: list[GroupAnswer] = []
    for of_week in weeks.values():
        start = week_of(of_week[0].at)
        if start + WEEK > now:
            break
        since = week_of(open_[0].at) if open_ else start
        open_ += of_week
        if enough(len({one.person for one in open_})):
            closed.append(Block(since, start + WEEK, tuple(open_)))
            open_ = []
    return closed


def newest(closed: Sequence[Block]) -> list[GroupAnswer]:
    """The newest answer of each person, as far as whole blocks tell it (rule 4)."""
    return _newest([block.one_each for block in closed])


def newest_by(closed: Sequence[Block], kinds: Mapping[int, str]) -> dict[str, list[GroupAnswer]]:
    """``newest`` for each kind of question alone; a question without one is of the kind "".

    A block counts where ten people answered questions of each kind that it has any answer to: so what is left of a
    block, whatever is taken away, is about no fewer.
    """
    cells: dict[str, list[Sequence[GroupAnswer]]] = {}
    for block in closed:
        by_kind: dict[str, list[GroupAnswer]] = {}
        for one in block.one_each:
            by_kind.setdefault(kinds.get(one.question, ""), []).append(one)
        if all(enough(len(theirs)) for theirs in by_kind.values()):
            for kind, theirs in by_kind.items():
                cells.setdefault(kind, []).append(theirs)
    return {kind: _newest(theirs) for kind, theirs in cells.items()}


def _newest(groups: Sequence[Sequence[GroupAnswer]]) -> list[GroupAnswer]:
    kept: list[Sequence[GroupAnswer]] = []
    later: set[str] = set()
    for group in reversed(groups):
        people = {one.person for one in group}
        if 2 * len(people & later) < len(people):
            kept.append(group)
        later |= people
    return [one for group in reversed(kept) for one in group]
