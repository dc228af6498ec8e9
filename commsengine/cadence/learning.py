"""What the checks of a role say about how it forgets: a posterior over a grid of hypotheses, and the gate.

1. Hypotheses: a role may start stronger or weaker (``theta``) and gain less or more by each exposure (``gain``).
2. Each answer is forecast under every hypothesis before it is known, and weighs them by how well they did.
3. Under each hypothesis the weights of the classes are pooled over those who answered, shrunk towards the normal.
4. A role with few answers borrows what it lacks from the other roles of its campaign.
5. "Tested for this role" is said only once enough forecasts did better than the role's plain average.

Everything is a function of the answers in their order; what is stored between two days is only kept, never needed.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from commsengine.cadence.recall import (
    ALWAYS,
    CLASSES,
    Curve,
    Estimate,
    Event,
    Vector,
    class_steps,
    class_weights,
    fold,
    normed,
    recall_at,
    weighed,
)
from commsengine.cadence.recall import right_chance as chance_of

THETAS = (-6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0)
GAINS = (0.05, 0.2, 1.0, 4.0)
GRID = tuple(Curve.of(theta, gain) for theta in THETAS for gain in GAINS)
"""The hypotheses; their class weights are those before any answer."""

_PRIOR = tuple(-(theta**2) / (2 * 3.0**2) - math.log(gain) ** 2 / (2 * 1.5**2) for theta in THETAS for gain in GAINS)

SHRINK = 40.0
"""So many people's worth the normal class weights count among the pooled ones."""

ROUNDS = 5
BORROWED = 20.0
"""A role with fewer answers of its own borrows what it lacks to so many from the others."""

ENOUGH_CHECKS = 50


@dataclass(frozen=True, slots=True)
class Checked:
    """One answered check: what the person had had of the message before, and the answer as an event."""

    before: tuple[Event, ...]
    answer: Event

    @property
    def right(self) -> bool:
        return self.answer.signal == "right"


@dataclass(frozen=True, slots=True)
class Learned:
    """What a role's answers said. ``likelihoods`` are the summed log likelihoods of the hypotheses, without the prior.

    ``forecasts`` answers were forecast before they came, ``right`` of them were, ``error`` is the summed squared miss.
    """

    likelihoods: Vector = (0.0,) * len(GRID)
    pooled: tuple[Vector, ...] = (class_weights(9),) * len(GRID)
    checks: int = 0
    forecasts: int = 0
    right: int = 0
    error: float = 0.0

    @property
    def tested(self) -> bool:
        """Whether the forecasts beat the role's own average, seen from the end: a hard mark to beat."""
        if self.forecasts < ENOUGH_CHECKS:
            return False
        share = self.right / self.forecasts
        return self.error / self.forecasts < share * (1 - share)


def learn(
    known: Learned,
    checks: Sequence[Checked],
    answered: Iterable[tuple[Event, ...]],
    others: Sequence[Learned] = (),
    held_out: Sequence[Checked] = (),
) -> Learned:
    """What is known after one more batch of answers; ``answered`` are all the events of those who ever answered.

    ``held_out`` are forecast and scored, but nothing is learned from them. The forecasts are those of before the batch.
    """
    posterior = posterior_of(known, others)
    likelihoods, forecasts, right, error = list(known.likelihoods), known.forecasts, known.right, known.error
    for place, check in enumerate([*checks, *held_out]):
        recalled = recalls(known, check.before, check.answer.at)
        chances = [chance_of(recall, check.answer.options) for recall in recalled]
        forecast = sum(weight * chance for weight, chance in zip(posterior, chances, strict=True))
        forecasts, right, error = forecasts + 1, right + check.right, error + (forecast - check.right) ** 2
        if place < len(checks):
            for n, chance in enumerate(chances):
                likelihoods[n] += math.log(chance if check.right else 1 - chance)
    pooled = _pooled([*answered]) if checks else known.pooled
    return replace(
        known, likelihoods=tuple(likelihoods), pooled=pooled, checks=known.checks + len(checks), forecasts=forecasts,
        right=right, error=error,
    )  # fmt: skip


def posterior_of(known: Learned, others: Sequence[Learned] = ()) -> Vector:
    """The weights of the hypotheses. The other roles' answers count together as many as this role lacks."""
    theirs, lacking = sum(other.checks for other in others), max(0.0, BORROWED - known.checks)
    share = min(1.0, lacking / theirs) if theirs else 0.0
    logs = [
        prior + own + share * sum(other.likelihoods[n] for other in others)
        for n, (prior, own) in enumerate(zip(_PRIOR, known.likelihoods, strict=True))
    ]
    most = max(logs)
    return normed(math.exp(log - most) for log in logs)


def recalls(known: Learned, events: tuple[Event, ...], at: float) -> list[float]:
    """The recall of one person at ``at`` hours under each hypothesis."""
    states = [(fold(curve, events), weights) for curve, weights in zip(GRID, known.pooled, strict=True)]
    return [recall_at(replace(state, shares=weighed(weights, state.evidence)), at) for state, weights in states]


def _pooled(answered: Sequence[tuple[Event, ...]]) -> tuple[Vector, ...]:
    """For each hypothesis the weights of its classes, in five rounds over those who answered."""
    return tuple(_pooled_under(curve, answered) for curve in GRID)


def _pooled_under(curve: Curve, answered: Sequence[tuple[Event, ...]]) -> Vector:
    evidence = [fold(curve, events).evidence for events in answered]
    start = role = curve.weights
    for _ in range(ROUNDS):
        shares = [weighed(role, each) for each in evidence]
        role = normed(SHRINK * weight + sum(share[g] for share in shares) for g, weight in enumerate(start))
    return role


def estimate(known: Learned, others: Sequence[Learned] = (), since: dt.datetime = ALWAYS) -> Estimate:
    """The frozen value that decisions are made with: all hypotheses in one curve.

    Nine classes over the spread of all half-lives that the hypotheses hold possible, each class with the weight of what
    lies around it; growth by the mean of their gains, taken between the arithmetic and the geometric one, because a
    half-life grows with about the logarithm of its gain. It comes within .045 of the recall of the whole grid
    (most often within .02; a test holds it), at a twenty-eighth of the cost.
    """
    weighed_curves = list(zip(posterior_of(known, others), GRID, known.pooled, strict=True))
    masses = [
        (strength, share * weight)
        for share, curve, weights in weighed_curves
        for strength, weight in zip(curve.start, weights, strict=True)
    ]
    mean = sum(strength * mass for strength, mass in masses)
    spread = math.sqrt(sum(mass * (strength - mean) ** 2 for strength, mass in masses))
    start = tuple(mean + spread * z for z in class_steps(CLASSES))
    gain = sum(share * curve.gain ** (1 / 3) for share, curve, _ in weighed_curves) ** 3
    return Estimate(Curve(start, _shared_out(masses, start), gain), since, known.checks, known.tested)


def _shared_out(masses: Iterable[tuple[float, float]], start: Vector) -> Vector:
    """Each mass to the two classes it lies between, the more the nearer."""
    weights, step = [0.0] * len(start), start[1] - start[0]
    for strength, mass in masses:
        place = min(max((strength - start[0]) / step, 0.0), len(start) - 1.000001)
        below, part = int(place), place - int(place)
        weights[below] += mass * (1 - part)
        weights[below + 1] += mass * part
    return normed(weights)


ASSUMED = estimate(Learned())
"""Before any answer: about a quarter is known 48 hours after one reading."""
