"""What an experiment has shown so far: its arms side by side, and their difference with its interval.

1. An arm of fewer than ten people is hidden.
2. The answers of the arms are those of the blocks that the figures of the roles are made of (``recall.privacy``), dealt
   out by arm. They count as soon as ten people of each arm have answered, and of those who take no part ten or none.
3. What counts once counts from then on.

So no sum of roles less the arms, nor what was shown last week less what is shown now, is about fewer than ten people.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commsengine.cadence.experiment import arm_of
from commsengine.cadence.history import History
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.recall.small_groups import Block, GroupAnswer, enough
from commsengine.recall.statistics import Interval, Share, difference
from commsengine.reports.check_results import Cell

REST = ""
"""In the place of an arm: a person in none that is shown."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm: messages by recall per person, and the share of right answers, one each in a block.

    ``more`` is how much larger that share is than the first arm's. An arm of too few shows nothing but its people.
    """

    name: str
    people: int
    messages: float | None = None
    right: Share | None = None
    more: Interval | None = None


class ExperimentArms:
    """Reads the people of a campaign one by one; empty where the plan has no experiment."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._messages = {message.id for message in plan.messages if message.cadence.recall_floor is not None}
        self._arms: dict[str, str] = {}
        self._touches: Counter[str] = Counter()

    def take(self, person: Person, history: History) -> None:
        arm = arm_of(self._plan, person.id) if self._plan.experiment else None
        if arm is None:
            return
        self._arms[person.id] = arm.name
        self._touches[arm.name] += sum(
            row.campaign == self._plan.campaign
            and row.message in self._messages
            and row.state == "sent"
            and row.kind not in BY_HAND
            for row in history.rows
        )

    def arms(self, closed: Mapping[Cell, Sequence[Block]]) -> tuple[ArmResult, ...]:
        """The arms as the plan names them; ``closed`` are the closed blocks of the roles that are shown."""
        if self._plan.experiment is None:
            return ()
        sizes = Counter(self._arms.values())
        names = [arm.name for arm in self._plan.experiment.arms]
        answers = self._dealt(closed, [name for name in names if enough(sizes[name])])
        views: list[ArmResult] = []
        for name in names:
            if not enough(sizes[name]):
                views.append(ArmResult(name, sizes[name]))
                continue
            right = answers.get(name, [])
            first = answers.get(views[0].name, []) if views and views[0].right else []
            share = Share(sum(right), len(right)) if right else None
            per_person = self._touches[name] / sizes[name]
            views.append(ArmResult(name, sizes[name], per_person, share, difference(right, first)))
        return tuple(views)

    def _dealt(self, closed: Mapping[Cell, Sequence[Block]], names: Sequence[str]) -> dict[str, list[bool]]:
        by_week: dict[dt.datetime, list[GroupAnswer]] = {}
        for (message, _), blocks in closed.items():
            for block in blocks if message in self._messages else ():
                by_week.setdefault(block.until, []).extend(block.one_each)
        dealt: dict[str, list[bool]] = {}
        waiting: dict[str, list[GroupAnswer]] = {}
        for week in sorted(by_week):
            for one in by_week[week]:
                arm = arm_of(self._plan, one.person)
                waiting.setdefault(arm.name if arm and arm.name in names else REST, []).append(one)
            if _may_count(waiting, names):
                for name in names:
                    dealt.setdefault(name, []).extend(one.right for one in waiting[name])
                waiting = {}
        return dealt


def _may_count(waiting: Mapping[str, Sequence[GroupAnswer]], names: Sequence[str]) -> bool:
    # ten people in each arm; and of those in none of them ten or none, for what is left of the roles is theirs
    people = {name: len({one.person for one in theirs}) for name, theirs in waiting.items()}
    rest = people.get(REST, 0)
    return all(enough(people.get(name, 0)) for name in names) and (rest == 0 or enough(rest))
