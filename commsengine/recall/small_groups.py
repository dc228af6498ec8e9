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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

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
    weeks: dict[dt.datetime, list[GroupAnswer]] = {}
    for one in sorted(answers, key=lambda one: (one.at, one.person)):
        weeks.setdefault(week_of(one.at), []).append(one)
    closed: list[Block] = []
    open_: list[GroupAnswer] = []
    for start, of_week in weeks.items():
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
    return [one for block in _kept(closed) for one in block.one_each]


def newest_of(closed: Sequence[Block], questions: Collection[int]) -> list[GroupAnswer]:
    """Of ``newest``, the answers to these questions: from blocks in which ten people answered them, and of the others
    ten people or no one. So what is left of a block is about no fewer either.
    """
    found: list[GroupAnswer] = []
    for block in _kept(closed):
        these = [one for one in block.one_each if one.question in questions]
        rest = len(block.one_each) - len(these)
        if enough(len(these)) and (rest == 0 or enough(rest)):
            found += these
    return found


def _kept(closed: Sequence[Block]) -> list[Block]:
    kept: list[Block] = []
    later: set[str] = set()
    for block in reversed(closed):
        people = {one.person for one in block.one_each}
        if 2 * len(people & later) < len(people):
            kept.append(block)
        later |= people
    return kept[::-1]
