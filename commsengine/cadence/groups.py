"""What may be shown of groups of people: nothing that tells of fewer than ten, not even by subtraction.

1. A group of fewer than ten people, and what fewer than ten of it answered, is hidden.
2. A total that includes hidden groups is shown only if together they are ten people or more.
3. Answers count in blocks of whole weeks in which ten different people answered. What came since the last block does
   not count yet: two reports a day apart would else tell the one answer between them.
4. An answer that the same person has overtaken by a newer one goes on counting until ten people have overtaken one.

So the difference of any two figures, of one report or of two, is about ten people or about nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FEWEST = 10
WEEK = dt.timedelta(days=7)


def enough(people: int) -> bool:
    """Whether a group of so many people, or so many answers, may be shown."""
    return people >= FEWEST


def shown(sizes: Mapping[str, int]) -> frozenset[str]:
    """The groups that may be shown, by name."""
    return frozenset(name for name, size in sizes.items() if enough(size))


def total_of_all(sizes: Mapping[str, int]) -> bool:
    """Whether a total may include the hidden groups; else it is of the shown ones alone."""
    hidden = sum(size for size in sizes.values() if not enough(size))
    return hidden == 0 or enough(hidden)


@dataclass(frozen=True, slots=True)
class Told:
    """One answer to a check: by whom and when, whether it was right, what was chosen to which question."""

    person: str
    at: dt.datetime
    right: bool
    question: int = 0
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """The answers of some whole weeks, of ten people or more. ``until``, a Monday at midnight UTC, is not included."""

    since: dt.datetime
    until: dt.datetime
    told: tuple[Told, ...]


def week_of(at: dt.datetime) -> dt.datetime:
    """Monday midnight UTC."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=at.weekday())


def blocks(told: Iterable[Told], now: dt.datetime) -> list[Block]:
    """The closed blocks in order of time; a week that is not over closes none."""
    weeks: dict[dt.datetime, list[Told]] = {}
    for one in sorted(told, key=lambda one: (one.at, one.person)):
        weeks.setdefault(week_of(one.at), []).append(one)
    closed: list[Block] = []
    open_: list[Told] = []
    for start, of_week in weeks.items():
        if start + WEEK > now:
            break
        since = week_of(open_[0].at) if open_ else start
        open_ += of_week
        if enough(len({one.person for one in open_})):
            closed.append(Block(since, start + WEEK, tuple(open_)))
            open_ = []
    return closed


def newest(closed: Sequence[Block]) -> list[Told]:
    """Of all these answers those that no newer one of the same person has overtaken (rule 4)."""
    last: dict[str, Told] = {}
    overtaken: list[Told] = []
    pending: list[Told] = []
    for block in closed:
        for one in block.told:
            if one.person in last:
                pending.append(last[one.person])
            last[one.person] = one
        if enough(len({one.person for one in pending})):
            overtaken += pending
            pending = []
    gone = {(one.person, one.at, one.question) for one in overtaken}
    return [one for block in closed for one in block.told if (one.person, one.at, one.question) not in gone]
