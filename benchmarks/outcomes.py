"""Tries the report's interval and the power that ``check`` foretells on companies with a known effect.

A generator of its own draws companies: roles of their own sizes, some too small to show, each with its own share of
people who do it anyway, and with an effect of one arm that is the same or differs by role. Chance deals the people as
the engine does; what they do is drawn person by person. The report's ``judged`` compares the arms, and ``arm_sizes``
and ``power``, which ``check`` calls, foretell.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from commsengine.authoring.rules.outcomes import arm_sizes
from commsengine.cadence.experiment import arm_of
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.cadence.population import ListedPeople
from commsengine.recall.small_groups import enough
from commsengine.recall.statistics import Interval
from commsengine.recall.two_arms import found, power
from commsengine.reports.outcomes.trial import TookPart, judged
from tests.builders import a_message, a_plan

COMPANIES = 10_000
AUDIENCES = 50
GROUPS = 5
LIFTS = (-0.10, 0.05, 0.10, 0.20)
ROLES = ("one", "two", "three", "four", "five")
ARMS = ("recall", "every 48h")

PLAN = a_plan(
    a_message(cadence={"recall_floor": "0.35"}),
    audience={"roles": {role: {"department": [role]} for role in ROLES}},
    wiifm={},
    outcomes={"first_call": {"title": "The first call is logged", "by": "go_live"}},
    experiment={"arms": ["recall", {"every": "48h"}], "outcome": "first_call", "day": "go_live"},
)


@dataclass(frozen=True)
class Company:
    """By role its people, the share who do it anyway, and how many more of the second arm do."""

    plan: Plan
    people: Mapping[str, Sequence[Person]]
    base: Mapping[str, float]
    lift: Mapping[str, float]

    @property
    def sizes(self) -> dict[str, int]:
        return {role: len(theirs) for role, theirs in self.people.items()}

    def dealt(self) -> list[tuple[str, str]]:
        """The role and arm of everybody who takes part."""
        arms = ((role, arm_of(self.plan, person.id)) for role, theirs in self.people.items() for person in theirs)
        return [(role, arm.name) for role, arm in arms if arm is not None]

    def acts(self, dealt: Sequence[tuple[str, str]], dice: random.Random) -> Iterator[TookPart]:
        for role, arm in dealt:
            chance = self.base[role] + (self.lift[role] if arm == ARMS[1] else 0.0)
            yield TookPart(role, arm, dice.random() < chance)

    def without_effect(self) -> Company:
        return replace(self, lift=dict.fromkeys(self.lift, 0.0))

    def true(self, dealt: Sequence[tuple[str, str]]) -> float:
        """The effect, each role weighed by what its two arms can tell."""
        total = weights = 0.0
        for role in (role for role, size in self.sizes.items() if enough(size)):
            one, other = (dealt.count((role, arm)) for arm in ARMS)
            weight = one * other / (one + other) if one + other else 0.0
            total, weights = total + weight * self.lift[role], weights + weight
        return total / weights


def company(number: int, dice: random.Random) -> Company:
    roles = ROLES[: dice.randint(1, len(ROLES))]
    sizes = {role: round(math.exp(dice.uniform(math.log(6), math.log(300)))) for role in roles}
    sizes[roles[0]] = max(sizes[roles[0]], 30)  # so that there is anything to show
    base = {role: dice.uniform(0.12, 0.70) for role in roles}
    lift, spread = dice.choice(LIFTS), dice.choice((0.0, 0.05))
    lifts = {role: lift + dice.uniform(-spread, spread) for role in roles}
    return Company(_plan(number, dice.choice((1.0, 0.6))), _people(number, sizes), base, _possible(base, lifts))


def _possible(base: Mapping[str, float], lifts: Mapping[str, float]) -> dict[str, float]:
    return {role: min(max(lift, 0.01 - base[role]), 0.99 - base[role]) for role, lift in lifts.items()}


def _plan(number: int, share: float) -> Plan:
    assert PLAN.experiment is not None
    experiment = PLAN.experiment.model_copy(update={"share": share, "seed": number})
    return PLAN.model_copy(update={"campaign": f"c{number}", "experiment": experiment})


def _people(number: int, sizes: Mapping[str, int]) -> dict[str, list[Person]]:
    return {
        role: [Person(id=f"{number}-{role}-{n}", email="", department=role) for n in range(size)]
        for role, size in sizes.items()
    }


@dataclass(frozen=True)
class Coverage:
    """Of so many companies, in how many the interval holds the true effect, and in how many without any a difference
    is found.
    """

    companies: int
    covered: float
    alarms: float


def coverage(companies: int, seed: int = 1) -> Coverage:
    dice = random.Random(seed)
    shown = covered = quiet = alarms = 0
    for number in range(companies):
        one = company(number, dice)
        dealt = one.dealt()
        if (more := _more(one, dealt, dice)) is not None:
            shown += 1
            covered += more.low <= one.true(dealt) <= more.high
        if (none := _more(one.without_effect(), dealt, dice)) is not None:
            quiet += 1
            alarms += found(none)
    return Coverage(companies, covered / shown, alarms / quiet)


def _more(one: Company, dealt: Sequence[tuple[str, str]], dice: random.Random) -> Interval | None:
    return judged(ARMS, one.acts(dealt, dice), one.sizes)[1].more


@dataclass(frozen=True)
class Foretold:
    """A group of companies: the mean chance that ``check`` foretells them, and in how many the difference is found."""

    companies: int
    foretold: float
    found: float

    @property
    def off(self) -> float:
        return abs(self.foretold - self.found)


def powers(companies: int, audiences: int = AUDIENCES, seed: int = 2) -> list[Foretold]:
    """Each audience is drawn and dealt once, as ``check`` sees it; then so many companies of it act."""
    dice, each = random.Random(seed), companies // audiences
    seen = sorted(_audience(number, each, dice) for number in range(audiences))
    size = audiences // GROUPS
    groups = [seen[start : start + size] for start in range(0, audiences, size)]
    return [
        Foretold(each * len(group), _mean([one[0] for one in group]), _mean([one[1] for one in group]))
        for group in groups
    ]


def _audience(number: int, replays: int, dice: random.Random) -> tuple[float, float]:
    one = company(number, dice)
    base, lift = dice.uniform(0.1, 0.6), dice.uniform(0.05, 0.35)
    one = replace(one, base=dict.fromkeys(one.people, base), lift=dict.fromkeys(one.people, lift))
    everybody = ListedPeople(tuple(person for theirs in one.people.values() for person in theirs))
    foretold = power(arm_sizes(one.plan, everybody, 1), base, lift)
    dealt = one.dealt()
    hits = sum(found(_more(one, dealt, dice)) for _ in range(replays))
    return foretold, hits / replays


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def main() -> int:
    """Prints the figures beside their goals; exit status 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=COMPANIES)
    companies, began = parser.parse_args().companies, time.process_time()
    seen = coverage(companies)
    print(f"{companies:,} companies with a known effect: the 95 % interval holds it in {seen.covered:.1%} (94–96 %)")
    print(f"{companies:,} companies without one: a difference is found in {seen.alarms:.1%} (at most 5.6 %)")
    groups = powers(companies)
    for group in groups:
        print(f"{group.companies:,} companies: foretold {group.foretold:.1%}, found {group.found:.1%}")
    off = max(group.off for group in groups)
    print(f"the power that check foretells is off by {off * 100:.1f} points at most (3)")
    print(f"{time.process_time() - began:.0f} s of CPU time")
    return int(not 0.94 <= seen.covered <= 0.96 or seen.alarms > 0.056 or off > 0.03)


if __name__ == "__main__":
    sys.exit(main())
