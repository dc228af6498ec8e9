"""What came of a campaign, by role: who did it, day by day, and how far people came on the way there.

The way in the terms of ADKAR: reached (awareness), knows why (desire), knows how (knowledge), has done (ability), keeps
doing (reinforcement). Only facts on record count; no one is named, and a role of fewer than ten people is hidden.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from commsengine.cadence.analysis import ends
from commsengine.cadence.audience import roles_of
from commsengine.cadence.calendar import local_date_in
from commsengine.cadence.history import History
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.cadence.plan import Check, Message, Plan, PlannedOutcome
from commsengine.recall.small_groups import Block, enough, newest_by
from commsengine.recall.statistics import Share
from commsengine.reports.check_results import Cell, CheckResults

WHY, HOW = "why", "how"
"""What a check finds out."""

KEPT_UP = dt.timedelta(days=7)
"""Who did it again so long after the first time, or later, keeps doing it."""


@dataclass(frozen=True, slots=True)
class Stages:
    """How far a role came. ``why`` and ``how`` are of answers to checks, the others of people.

    ``kept`` is of those who have done it, a week ago or longer, and of ten of them up; ``transfer``, of answers to
    checks that are kept for the end.
    """

    reached: Share
    why: Share | None
    how: Share | None
    done: Share
    kept: Share | None
    transfer: Share | None = None


@dataclass(frozen=True, slots=True)
class RoleOutcome:
    """One role. Of one that is not ``shown`` only the number of people is there.

    ``line`` is how many had done it by the end of each day on which somebody did.
    """

    role: str
    people: int
    shown: bool
    stages: Stages | None = None
    line: tuple[tuple[dt.date, int], ...] = ()

    @property
    def done(self) -> Share | None:
        return self.stages.done if self.stages else None


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """One outcome of the plan. ``by`` is the end of its last day, ``messages`` are to bring it about.

    ``asks_why`` and ``asks_how`` say whether they have checks of that kind.
    """

    name: str
    title: str
    by: dt.datetime
    messages: tuple[str, ...]
    roles: tuple[RoleOutcome, ...]
    asks_why: bool = False
    asks_how: bool = False

    @property
    def last_day(self) -> dt.datetime:
        return self.by - dt.timedelta(microseconds=1)


@dataclass(slots=True)
class _Counts:
    reached: int = 0
    done: int = 0
    long_done: int = 0
    kept: int = 0
    days: Counter[dt.date] = field(default_factory=Counter)


class OutcomeResults:
    """Reads the people of a campaign one by one; empty where the plan has no outcomes."""

    def __init__(self, plan: Plan, now: dt.datetime) -> None:
        self._plan, self._now = plan, now
        self._counts = {
            (name, role): _Counts()
            for name in plan.outcomes
            for role in plan.audience.roles
            if any(role in roles_of(plan, message) for message in plan.messages_for(name))
        }
        self._messages = {name: {each.id for each in plan.messages_for(name)} for name in plan.outcomes}

    def take(self, role: str, history: History) -> None:
        for name in self._plan.outcomes:
            counts = self._counts.get((name, role))
            if counts is not None:
                self._count(name, counts, history)

    def _count(self, name: str, counts: _Counts, history: History) -> None:
        own, plan = self._messages[name], self._plan
        counts.reached += any(
            row.campaign == plan.campaign and row.message in own and row.state == "sent" and row.kind not in BY_HAND
            for row in history.rows
        )
        times = [deed.at for deed in history.deeds if (deed.campaign, deed.outcome) == (plan.campaign, name)]
        if not times:
            return
        first = min(times)
        counts.done += 1
        counts.days[local_date_in(plan.send.time_zone, min(first, self._now))] += 1
        if first + KEPT_UP <= self._now:
            counts.long_done += 1
            counts.kept += max(times) - first >= KEPT_UP

    def views(self, sizes: Mapping[str, int], shown: Collection[str], answers: CheckResults) -> tuple[OutcomeView, ...]:
        return tuple(self._view(name, planned, sizes, shown, answers) for name, planned in self._plan.outcomes.items())

    def _view(
        self,
        name: str,
        planned: PlannedOutcome,
        sizes: Mapping[str, int],
        shown: Collection[str],
        answers: CheckResults,
    ) -> OutcomeView:
        messages = self._plan.messages_for(name)
        asks = [_kind(check) for message in messages for check in message.checks if not check.transfer]
        roles = [role for role in self._plan.audience.roles if (name, role) in self._counts]
        return OutcomeView(
            name,
            planned.title,
            ends(self._plan, planned.by),
            tuple(message.id for message in messages),
            tuple(self._role(name, role, sizes[role], role in shown, answers) for role in roles),
            asks_why=WHY in asks,
            asks_how=HOW in asks,
        )

    def _role(self, name: str, role: str, people: int, shown: bool, answers: CheckResults) -> RoleOutcome:
        if not shown:
            return RoleOutcome(role, people, shown=False)
        messages = self._plan.messages_for(name)
        counts, right = self._counts[name, role], _by_kind(messages, role, answers.closed)
        stages = Stages(
            Share(counts.reached, people),
            right.get(WHY),
            right.get(HOW),
            Share(counts.done, people),
            Share(counts.kept, counts.long_done) if enough(counts.long_done) else None,
            _summed(answers.transfer.get((message.id, role)) for message in messages),
        )
        days = sorted(counts.days)
        line = tuple(zip(days, accumulate(counts.days[day] for day in days), strict=True))
        return RoleOutcome(role, people, True, stages, line)


def _by_kind(messages: Sequence[Message], role: str, closed: Mapping[Cell, Sequence[Block]]) -> dict[str, Share]:
    right, given = Counter[str](), Counter[str]()
    for message in messages:
        kinds = {place: _kind(check) for place, check in enumerate(message.checks)}
        # a question that the plan has lost was about how, as far as anybody knows
        found = newest_by(closed.get((message.id, role), ()), {**kinds, -1: HOW})
        for kind, answers in found.items():
            given[kind] += len(answers)
            right[kind] += sum(one.right for one in answers)
    return {kind: Share(right[kind], number) for kind, number in given.items()}


def _kind(check: Check) -> str:
    return WHY if check.about == "why" else HOW


def _summed(shares: Iterable[Share | None]) -> Share | None:
    found = [share for share in shares if share is not None]
    return Share(sum(one.count for one in found), sum(one.of for one in found)) if found else None
