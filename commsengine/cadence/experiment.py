"""A company tests our claim on itself: people of one role and one plan, at different cadences, assigned by chance.

Who is in which arm is drawn from the campaign, the seed and the person alone, so it never changes and is not
stored. A share of the checks is held out: nothing is learned from them, so that the forecasts can be judged by them.
"""

from __future__ import annotations

from commsengine.cadence.plan import Arm, Plan
from commsengine.text import digest


def arm_of(plan: Plan, person: str) -> Arm | None:
    """The person's arm; ``None`` for a person who takes no part and gets the plan as it is."""
    experiment = plan.experiment
    if experiment is None or draw(plan, "part", person) >= experiment.share:
        return None
    return experiment.arms[int(draw(plan, "arm", person) * len(experiment.arms))]


def held_out(plan: Plan, person: str, message: str, number: int) -> bool:
    experiment = plan.experiment
    return experiment is not None and draw(plan, "check", person, message, str(number)) < experiment.hold_out


def draw(plan: Plan, *parts: str) -> float:
    return drawn(plan.campaign, str(plan.experiment.seed if plan.experiment else 0), *parts)


def drawn(*parts: str) -> float:
    """A number from 0 up to 1, fixed by the parts."""
    return int.from_bytes(digest(*parts)[:8], "big") / 2**64
