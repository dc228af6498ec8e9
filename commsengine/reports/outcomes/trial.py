"""How an experiment came out, by what people did: the arms of each role compared, as it was sealed beforehand.

Nothing of it is shown before the day is over: a look on the way would find differences that chance makes.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commsengine.cadence.analysis import analysis, changed, digest_of, ends, tried_roles
from commsengine.cadence.calendar import DAY
from commsengine.cadence.experiment import arm_of
from commsengine.cadence.history import History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import OutcomeId, Plan
from commsengine.recall.small_groups import enough
from commsengine.recall.statistics import Interval, Share
from commsengine.recall.two_arms import METHOD, Stratum, more_done
from commsengine.store.campaign_facts.seals import Seal


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """One arm, over the roles that are compared; ``more`` is how much larger its share is than the first arm's.

    An arm of too few shows nothing but its people.
    """

    name: str
    people: int
    done: Share | None = None
    more: Interval | None = None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """``day`` is the last on which a deed counts. ``arms`` are empty until it is over everywhere.

    ``analysis`` is what was written down before the first message, if it was; ``now`` is what the plan says today,
    ``broken`` names what differs, ``forged`` says that the text does not fit its digest.
    """

    outcome: OutcomeId
    title: str
    day: dt.date
    over: bool
    method: str
    roles: tuple[str, ...] = ()
    arms: tuple[ArmOutcome, ...] = ()
    analysis: Mapping[str, Any] | None = None
    digest: str = ""
    sealed_at: dt.datetime | None = None
    now: Mapping[str, Any] | None = None
    broken: tuple[str, ...] = ()
    forged: bool = False

    @property
    def last_day(self) -> dt.datetime:
        # noon, so that it is this day in any zone that a plan is written in
        return dt.datetime.combine(self.day, dt.time(10), dt.UTC)


@dataclass(frozen=True, slots=True)
class TookPart:
    """Somebody who takes part: in which role and arm, and whether they have done it by the day."""

    role: str
    arm: str
    did: bool


def judged(names: Sequence[str], parts: Iterable[TookPart], sizes: Mapping[str, int]) -> tuple[ArmOutcome, ...]:
    """The arms, the first one first. ``sizes`` are the people of each role: one of fewer than ten is left out."""
    people, did = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for part in parts:
        if enough(sizes[part.role]):
            people[part.role, part.arm] += 1
            did[part.role, part.arm] += part.did
    roles = list(dict.fromkeys(role for role, _arm in people))

    def arm(name: str) -> ArmOutcome:
        number = sum(people[role, name] for role in roles)
        if not enough(number):
            return ArmOutcome(name, number)
        done = Share(sum(did[role, name] for role in roles), number)
        if name == names[0] or not enough(sum(people[role, names[0]] for role in roles)):
            return ArmOutcome(name, number, done)
        strata = [
            Stratum(did[role, name], people[role, name], did[role, names[0]], people[role, names[0]]) for role in roles
        ]
        return ArmOutcome(name, number, done, more_done(strata))

    return tuple(arm(name) for name in names)


class OutcomeTrial:
    """Reads the people of a campaign one by one."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._roles = plan, tried_roles(plan)
        self._on = analysis(plan) is not None
        self._parts: list[TookPart] = []

    def take(self, person: Person, role: str, history: History) -> None:
        arm = arm_of(self._plan, person.id) if self._on and role in self._roles else None
        if arm is not None:
            self._parts.append(TookPart(role, arm.name, did_in_time(self._plan, person, history)))

    def result(self, sizes: Mapping[str, int], seal: Seal | None, now: dt.datetime) -> TrialResult | None:
        """``None`` for a plan whose experiment has no outcome, and that never had a sealed one."""
        wanted = analysis(self._plan)
        about = wanted or (seal.analysis if seal else None)
        if about is None:
            return None
        day = dt.date.fromisoformat(about["date"])
        over = wanted is not None and now >= _over_everywhere(self._plan)
        names = [str(name) for name in about["arms"]]
        outcomes = self._plan.outcomes
        return TrialResult(
            about["outcome"],
            outcomes[about["outcome"]].title if about["outcome"] in outcomes else about["outcome"],
            day,
            over,
            METHOD,
            tuple(role for role in self._roles if enough(sizes[role])),
            judged(names, self._parts, sizes) if over else (),
            seal.analysis if seal else None,
            seal.digest if seal else "",
            seal.at if seal else None,
            wanted,
            changed(seal.analysis, wanted) if seal else (),
            seal is not None and digest_of(seal.analysis) != seal.digest,
        )


def did_in_time(plan: Plan, person: Person, history: History) -> bool:
    """By the end of the experiment's day, where the person is."""
    experiment = plan.experiment
    assert experiment is not None  # noqa: S101 - asked only of an experiment
    assert experiment.day is not None  # noqa: S101 - asked only of one with an outcome
    at = history.done_at(plan.campaign, experiment.outcome)
    return at is not None and at < ends(plan, experiment.day, person)


def _over_everywhere(plan: Plan) -> dt.datetime:
    assert plan.experiment is not None  # noqa: S101 - as above
    assert plan.experiment.day is not None  # noqa: S101 - as above
    return ends(plan, plan.experiment.day) + DAY
