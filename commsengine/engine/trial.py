"""What an experiment has shown so far: its arms side by side, and their difference with its interval.

An arm of fewer than ten people, or ten people's answers, is hidden; answers count in whole blocks (``cadence.groups``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from commsengine.cadence.budget import BY_HAND
from commsengine.cadence.experiment import arm_of
from commsengine.cadence.groups import Told, blocks, enough, newest
from commsengine.cadence.history import History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.cadence.shares import Interval, Share, difference
from commsengine.store.store import Store


@dataclass(frozen=True, slots=True)
class ArmView:
    """One arm: messages by recall per person, and the share of right answers, everybody's newest.

    ``more`` is how much larger that share is than the first arm's. Of too few nothing is told but the people.
    """

    name: str
    people: int
    messages: float | None = None
    right: Share | None = None
    more: Interval | None = None


class Trial:
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
            row.campaign == self._plan.campaign and row.message in self._messages and row.state == "sent"
            and row.kind not in BY_HAND for row in history.rows
        )  # fmt: skip

    def arms(self, store: Store, now: dt.datetime) -> tuple[ArmView, ...]:
        """The arms as the plan names them."""
        if self._plan.experiment is None:
            return ()
        sizes, answers = Counter(self._arms.values()), self._answers(store, now)
        views: list[ArmView] = []
        for name in (arm.name for arm in self._plan.experiment.arms):
            if not enough(sizes[name]):
                views.append(ArmView(name, sizes[name]))
                continue
            right = answers.get(name, [])
            first = answers.get(views[0].name, []) if views and views[0].right else []
            views.append(
                ArmView(
                    name,
                    sizes[name],
                    self._touches[name] / sizes[name],
                    Share(sum(right), len(right)) if right else None,
                    difference(right, first),
                )
            )
        return tuple(views)

    def _answers(self, store: Store, now: dt.datetime) -> dict[str, list[bool]]:
        """By arm, whether each person's newest answer that counts was right."""
        told: dict[str, list[Told]] = {}
        for given in store.books.check_answers(self._plan.campaign):
            if given.person_id in self._arms and given.message in self._messages and given.at <= now:
                one = Told(given.person_id, given.at, given.right)
                told.setdefault(self._arms[given.person_id], []).append(one)
        return {name: [one.right for one in newest(blocks(theirs, now))] for name, theirs in told.items()}
