"""A company tests our claim on itself: people of one role and one plan, at different rhythms, told apart by chance.

Who is in which arm is drawn from the campaign, the seed and the person alone, so it never changes and nobody needs to
keep it. A share of the checks is held out: nothing is learned from them, so that the forecasts can be judged by them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from commsengine.cadence.plan import Arm, Plan

Z = 1.959964
"""Standard deviations either way of a 95 % interval."""


def arm_of(plan: Plan, person: str) -> Arm | None:
    """The person's arm; ``None`` for whoever takes no part and gets the plan as it is."""
    experiment = plan.experiment
    if experiment is None or draw(plan, "part", person) >= experiment.share:
        return None
    return experiment.arms[int(draw(plan, "arm", person) * len(experiment.arms))]


def held_out(plan: Plan, person: str, message: str, number: int) -> bool:
    """Whether the answer to the check of that touch is kept from learning."""
    experiment = plan.experiment
    return experiment is not None and draw(plan, "check", person, message, str(number)) < experiment.hold_out


def draw(plan: Plan, *parts: str) -> float:
    """A number from 0 up to 1, fixed by the campaign, its seed and these parts."""
    seed = plan.experiment.seed if plan.experiment else 0
    digest = hashlib.sha256("\x1f".join((plan.campaign, str(seed), *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def share_of(right: int, of: int) -> Interval:
    """A share with Wilson's score interval (Wilson 1927). ``of`` is at least 1."""
    share, n = right / of, of
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def difference(one: Sequence[bool], other: Sequence[bool]) -> Interval | None:
    """How much larger the share of ``one`` is than that of ``other``, by Newcombe's hybrid score interval (1998).

    ``None`` where either is empty.
    """
    if not one or not other:
        return None
    a, b = share_of(sum(one), len(one)), share_of(sum(other), len(other))
    low = math.hypot(a.value - a.low, b.high - b.value)
    high = math.hypot(a.high - a.value, b.value - b.low)
    between = a.value - b.value
    return Interval(between, between - low, between + high)
