"""The people a plan may be for, counted by group: people who are alike in all that a plan asks of them.

A rule that looks at groups takes as long for a million people as for a thousand.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from commsengine.cadence.audience import members, role_of
from commsengine.cadence.history import DirectReport
from commsengine.cadence.managers_first import by_manager
from commsengine.cadence.people import COLUMNS, END_OF_DAYS, Person
from commsengine.cadence.plan import Plan
from commsengine.text import near_names

GROUPED_BY = ("country", "region", "time_zone", "language", "days", "is_manager")
"""What of a person, besides the columns of its roles, a plan is held against."""

A_FEW = 9
"""One more than are shown, so that it is seen that there are others."""


@dataclass(frozen=True, slots=True)
class PeopleGroup:
    """So many ``people`` who are alike, and the ``first`` of them."""

    first: Person
    people: int


class Population(Protocol):
    """Everybody whom a plan may be for. ``len()`` counts them; iteration goes through them one by one.

    What was counted once may be kept: a population shows people as they were when it was made.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Person]: ...

    def groups(self, *plans: Plan, day: dt.date = END_OF_DAYS) -> Sequence[PeopleGroup]:
        """People alike in ``GROUPED_BY``, in their role of each plan, in whether they have a manager, and in whether
        they have left, have left on that ``day``, or will leave later. In the order of their first.
        """

    def roles(self, plan: Plan, day: dt.date | None = None) -> Iterator[tuple[str, str]]:
        """Id and role of each person in the audience; with a ``day``, without those who have left by then."""

    def values(self, column: str) -> Mapping[str, int]:
        """How many people have each value of a column."""

    @property
    def columns(self) -> Sequence[str]:
        """Those in which somebody has something: ours, then the attributes in alphabetical order."""

    def every(self, step: int) -> Sequence[Person]:
        """The first and each ``step``-th after."""

    def find(self, word: str) -> Person | None:
        """The person with this address or id."""

    def named(self, ids: Collection[str], emails: Collection[str]) -> Iterable[Person]:
        """Those with one of these ids, or of these addresses in small letters."""

    def near(self, email: str) -> Sequence[str]:
        """Addresses that this one may be a slip of; where there is none, a few of all."""

    def reports(self, person: Person) -> tuple[DirectReport, ...]:
        """Whom the person leads."""

    def managers(self, most: int) -> Sequence[Person]:
        """At most so many who lead somebody."""


@dataclass(frozen=True)
class ListedPeople:
    """A population in memory, such as that of a plan's own people file."""

    people: tuple[Person, ...]

    def __len__(self) -> int:
        return len(self.people)

    def __iter__(self) -> Iterator[Person]:
        return iter(self.people)

    def groups(self, *plans: Plan, day: dt.date = END_OF_DAYS) -> Sequence[PeopleGroup]:
        return grouped(self.people, *plans, day=day)

    def roles(self, plan: Plan, day: dt.date | None = None) -> Iterator[tuple[str, str]]:
        here = members(plan, self.people, dt.date.min if day is None else day)
        return ((person.id, role) for person, role in here)

    def values(self, column: str) -> Mapping[str, int]:
        return Counter(person.column(column) for person in self.people)

    @cached_property
    def columns(self) -> Sequence[str]:
        own = [column for column in COLUMNS if any(getattr(person, column) for person in self.people)]
        return own + sorted({name for person in self.people for name in person.attributes})

    def every(self, step: int) -> Sequence[Person]:
        return self.people[::step]

    def find(self, word: str) -> Person | None:
        return self._by_word.get(word.lower())

    def named(self, ids: Collection[str], emails: Collection[str]) -> Iterable[Person]:
        return {id(one): one for word in (*ids, *emails) if (one := self._by_word.get(word))}.values()

    def near(self, email: str) -> Sequence[str]:
        known = sorted(person.email for person in self.people)
        return near_names(email, known) or known[:A_FEW]

    def reports(self, person: Person) -> tuple[DirectReport, ...]:
        return self._led.get(person.id, ())

    def managers(self, most: int) -> Sequence[Person]:
        return [person for person in self.people if person.id in self._led][:most]

    @cached_property
    def _by_word(self) -> Mapping[str, Person]:
        return {word: person for person in reversed(self.people) for word in (person.id, person.email.lower())}

    @cached_property
    def _led(self) -> Mapping[str, tuple[DirectReport, ...]]:
        return by_manager(self.people, {})


NOBODY = ListedPeople(())


def grouped(people: Iterable[Person], *plans: Plan, day: dt.date = END_OF_DAYS) -> Sequence[PeopleGroup]:
    """These people in groups, as ``Population.groups``."""
    firsts: dict[Hashable, Person] = {}
    counts = Counter[Hashable]()
    for person in people:
        key = _alike(person, plans, day)
        firsts.setdefault(key, person)
        counts[key] += 1
    return [PeopleGroup(first, counts[key]) for key, first in firsts.items()]


def _alike(person: Person, plans: Collection[Plan], day: dt.date) -> Hashable:
    roles = tuple(role_of(plan, person) for plan in plans)
    own = tuple(getattr(person, name) for name in GROUPED_BY)
    return (*roles, *own, bool(person.manager), person.left is None, person.has_left(day))
