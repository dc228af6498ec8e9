"""People, frozen: who somebody is, when they work, and which role of a plan is theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from operator import attrgetter
from typing import Any

from commsengine.cadence.kinds_and_states import Wish
from commsengine.text import name_in

END_OF_DAYS = dt.date.max
"""By then everybody with a last day has left, however far ahead it lies."""

LONGEST_CHAIN = 10
"""Managers above managers."""


@dataclass(frozen=True, slots=True)
class Person:
    """One employee.

    ``since`` is when they became who they are now (first import, or a change of department, job or attribute):
    the clock of a message never starts before it. ``days`` are weekdays worked, 0 is Monday; ``None`` leaves it to
    the plan. ``leave`` holds first and last day, both included. ``quiet`` is the person's own wish: (from, to) in
    local minutes within which messages may come, or ``None``. ``wished_channel`` is their own wish too, and stands
    above ``channel``, which the people file names. ``revoked`` is how often their links were revoked.
    """

    id: str
    email: str
    name: str = ""
    department: str = ""
    job: str = ""
    manager: str = ""
    country: str = ""
    region: str = ""
    time_zone: str = ""
    days: frozenset[int] | None = None
    language: str = ""
    phone: str = ""
    channel: Wish = ""
    slack_id: str = ""
    leave: tuple[tuple[dt.date, dt.date], ...] = ()
    left: dt.date | None = None
    is_manager: bool = False
    since: dt.datetime | None = None
    quiet: tuple[int, int] | None = None
    wished_channel: Wish = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    revoked: int = 0

    def __reduce__(self) -> tuple[Callable[..., Person], tuple[object, ...]]:
        return person_of_values, (_values(self),)

    def has_left(self, day: dt.date) -> bool:
        return self.left is not None and self.left <= day

    @property
    def first_name(self) -> str:
        return (self.name.split() or [self.email.partition("@")[0]])[0]

    @property
    def short_name(self) -> str:
        # enough for Ana Kim to know it is hers, too little for a stranger to learn much
        first, *rest = self.name.split() or [self.email.partition("@")[0]]
        return f"{first} {rest[-1][0]}." if rest else first

    @property
    def preferred_channel(self) -> Wish:
        return self.wished_channel or self.channel

    def column(self, name: str) -> str:
        return str(getattr(self, name)) if name in COLUMNS else self.attributes.get(name, "")


_FIELDS = tuple(each.name for each in fields(Person))
_values = attrgetter(*_FIELDS)
_Unfrozen: Any = make_dataclass("_Unfrozen", _FIELDS, repr=False, eq=False, slots=True)


def person_of_values(values: Iterable[object]) -> Person:
    """The person with these values of all fields, in their order."""
    person = _Unfrozen(*values)  # a frozen class sets each field by a call, which takes ten times as long
    person.__class__ = Person
    return person  # type: ignore[no-any-return]


ANYBODY = Person(id="", email="")
"""A person of the plan's own zone and days, where none in particular is meant."""

COLUMNS = (
    "id", "email", "name", "department", "job", "manager", "country", "region", "time_zone",
    "language", "phone", "channel", "slack_id",
)  # fmt: skip
"""The columns of people.csv that are plain text; ``days``, ``leave`` and ``left`` have a form of their own."""
KNOWN = (*COLUMNS, "days", "leave", "left")
"""The columns of people.csv that we know; every other one is an attribute."""


def by_address(email: str) -> Person:
    """Somebody who is not in the directory: the address is all that is known, and the name in it."""
    return Person(id=email.lower(), email=email, name=name_in(email))


def manager_of(person: Person, by_email: Callable[[str], Person | None], day: dt.date) -> Person | None:
    """The manager on that day; the reports of one who has left go to that one's manager."""
    seen = {person.email.lower()}
    for _ in range(LONGEST_CHAIN):
        manager = by_email(person.manager) if person.manager else None
        if manager is None or manager.email.lower() in seen:
            return None
        if not manager.has_left(day):
            return manager
        seen.add(manager.email.lower())
        person = manager
    return None


def updated(known: Person, read: Person, columns: Collection[str]) -> Person:
    """``known`` with what a file with these columns says of them; other columns stay as they are."""
    values = dict(zip(_FIELDS, _values(known), strict=True))
    values |= {name: getattr(read, name) for name in KNOWN if name in columns and name != "id"}
    kept = {name: value for name, value in known.attributes.items() if name not in columns}
    given = {name: value for name, value in read.attributes.items() if name in columns}
    values["attributes"] = kept | given
    return person_of_values(values.values())
