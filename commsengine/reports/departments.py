"""The same open question, answered by department, side by side.

For the owners of the campaign by name; where groups are shown to others, a department of fewer than ten people goes
into one with the rest of the small ones, and that too is hidden if it is no ten people.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commsengine.cadence.audience import roles_of
from commsengine.cadence.plan import Message
from commsengine.recall.small_groups import enough
from commsengine.reports.check_results import NOWHERE
from commsengine.store.records import CampaignRecord, GivenInput
from commsengine.store.store import Store
from commsengine.translation import N_, _

OTHERS = N_("smaller departments")


@dataclass(frozen=True, slots=True)
class DepartmentAnswers:
    """What one department answered to one message; ``people`` are those whom the message is for."""

    department: str
    people: int
    given: tuple[GivenInput, ...]

    @property
    def tally(self) -> dict[str, int]:
        """How often each answer was given, by the newest of each person."""
        return dict(Counter({one.person_id: one.text for one in self.given}.values()).most_common())

    def as_json(self) -> dict[str, Any]:
        answers = [
            {"id": one.id, "person": one.person, "name": one.name, "at": one.at.isoformat(), "text": one.text}
            for one in self.given
        ]
        return {"department": self.department, "people": self.people, "answers": answers}


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One message and its question. ``chosen``: the answers are choices; else they are people's own words."""

    message: str
    question: str
    chosen: bool
    departments: tuple[DepartmentAnswers, ...]

    def as_json(self) -> dict[str, Any]:
        departments = [each.as_json() for each in self.departments]
        return {"message": self.message, "question": self.question, "departments": departments}


def by_department(store: Store, record: CampaignRecord, day: dt.date, message: str | None = None) -> list[SideBySide]:
    """Of every message that asks for input, or of one; the largest department first."""
    asking = [each for each in record.plan.messages if each.ask == "input" and message in (None, each.id)]
    if not asking:
        return []
    given = [one for one in store.answers.inputs(record.id, kinds=("input",)) if one.text]
    people = store.audience.departments(record, day)
    places = store.audience.places(record, day, sorted({one.person_id for one in given}))
    found = []
    for each in asking:
        roles, sizes = roles_of(record.plan, each), Counter[str]()
        for place, number in people.items():
            sizes[place.department or _(NOWHERE)] += number if place.role in roles else 0
        theirs = {name: place.department or _(NOWHERE) for name, place in places.items() if place.role in roles}
        found.append(_side_by_side(each, sizes, theirs, [one for one in given if one.message == each.id]))
    return found


def _side_by_side(
    message: Message, sizes: Mapping[str, int], home: Mapping[str, str], given: Sequence[GivenInput]
) -> SideBySide:
    said = defaultdict[str, list[GivenInput]](list)
    for one in given:
        if one.person_id in home:
            said[home[one.person_id]].append(one)
    largest = sorted(((name, size) for name, size in sizes.items() if size), key=lambda each: (-each[1], each[0]))
    departments = tuple(DepartmentAnswers(name, size, tuple(said[name])) for name, size in largest)
    question = message.input.question if message.input else ""
    return SideBySide(message.id, question, bool(message.input and message.input.choices), departments)


def without_small_ones(one: SideBySide) -> SideBySide:
    """The same with no department of fewer than ten people in it; ``OTHERS`` has those together, if they are ten."""
    shown = [each for each in one.departments if enough(each.people)]
    small = [each for each in one.departments if not enough(each.people)]
    people = sum(each.people for each in small)
    if small and enough(people):
        given = sorted((one for each in small for one in each.given), key=lambda given: (given.at, given.id))
        shown.append(DepartmentAnswers(_(OTHERS), people, tuple(given)))
    return SideBySide(one.message, one.question, one.chosen, tuple(shown))
