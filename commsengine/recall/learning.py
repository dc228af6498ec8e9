"""What the checks of a role say about how it forgets: a posterior over a grid of hypotheses, and its test.

1. Hypotheses: a role may start stronger or weaker (``theta``), gain less or more by each exposure (``gain``), be frail.
2. Each answer is forecast under every hypothesis before it is known, and weighs them by how well they did.
3. Under each hypothesis the weights of the classes are pooled over those who answered, shrunk towards the normal.
4. A role with few answers borrows what it lacks from the other roles of its campaign.
5. "Tested for this role" is claimed only once enough forecasts did better than the role's plain average.

Everything is a function of the answers in their order; what is stored between two days is only kept, never needed.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from commsengine.recall.memory import ALWAYS, Curve, Estimate, Event, State, Vector, fold, normed, recall_at, weighed
from commsengine.recall.memory import right_chance as chance_of

THETAS = (-6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0)

HALF_LIFE = 0.20176
"""Hours; with it, the hypotheses together hold that a quarter is known 48 hours after one reading."""

SHRINK = 40.0
"""So many people's worth the normal class weights count among the pooled ones."""

ROUNDS = 5
MOST_POOLED = 300
"""So many people, spread over all who answered, are enough to weigh the classes by."""

BORROWED = 20.0
"""A role with fewer answers of its own borrows what it lacks to so many from the others."""

ENOUGH_CHECKS = 50

NODES, NODE_WEIGHTS = (0.0, 1.3556262, 2.8569700), (0.5333333, 0.2220759, 0.0112574)
"""Gauss-Hermite: five classes that weigh a normal as well as many."""

USUAL_GROWTH = 1.935
"""The growth of a half-life of a day at which the mean gain of several hypotheses has the mean effect."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Hypotheses with the logs of their prior weights; ``evidence`` is how much an answer counts."""

    curves: tuple[Curve, ...]
    priors: Vector
    evidence: float


def _hypotheses() -> Iterator[tuple[Curve, float]]:
    for theta in THETAS:
        near = -(theta**2) / (2 * 2.0**2)
        for gain in (0.2, 1.0, 4.0):
            yield Curve.of(theta, gain, half_life=HALF_LIFE), near - math.log(gain) ** 2 / 2
        yield Curve.of(theta, 1.0, 1.0, half_life=HALF_LIFE), near - 0.7


GRID = Grid(tuple(curve for curve, _ in _hypotheses()), tuple(prior for _, prior in _hypotheses()), evidence=0.5)
"""Stronger or weaker from the start; gaining more or less; or frail. An answer counts half: one campaign's answers are
few and noisy, and a schedule that follows each of them does worse in every simulated world."""


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
    """What a role's answers said. ``likelihoods`` are the summed log likelihoods of the hypotheses, without the prior;
    ``pooled`` the weights of the classes under each.

    ``forecasts`` answers were forecast before they came, ``right`` of them were, ``error`` is the summed squared miss.
    """

    likelihoods: Vector
    pooled: tuple[Vector, ...]
    checks: int = 0
    forecasts: int = 0
    right: int = 0
    error: float = 0.0

    @property
    def tested(self) -> bool:
        # a hard mark to beat: the role's own average is known only from the end
        if self.forecasts < ENOUGH_CHECKS:
            return False
        share = self.right / self.forecasts
        return self.error / self.forecasts < share * (1 - share)


def nothing(grid: Grid = GRID) -> Learned:
    return Learned((0.0,) * len(grid.curves), tuple(curve.weights for curve in grid.curves))


def learn(
    known: Learned,
    checks: Sequence[Checked],
    answered: Iterable[tuple[Event, ...]],
    others: Sequence[Learned] = (),
    held_out: Sequence[Checked] = (),
    grid: Grid = GRID,
) -> Learned:
    """What is known after one more batch of answers; ``answered`` are all the events of those who ever answered.

    ``held_out`` are forecast and scored, but nothing is learned from them. The forecasts are those of before the batch.
    """
    posterior = posterior_of(known, others, grid)
    likelihoods, forecasts, right, error = list(known.likelihoods), known.forecasts, known.right, known.error
    for place, check in enumerate([*checks, *held_out]):
        recalled = recalls(known, check.before, check.answer.at, grid)
        chances = [chance_of(recall, check.answer.options) for recall in recalled]
        forecast = sum(weight * chance for weight, chance in zip(posterior, chances, strict=True))
        forecasts, right, error = forecasts + 1, right + check.right, error + (forecast - check.right) ** 2
        if place < len(checks):
            for n, chance in enumerate(chances):
                likelihoods[n] += math.log(chance if check.right else 1 - chance)
    pooled = _pooled([*answered], grid) if checks else known.pooled
    return Learned(tuple(likelihoods), pooled, known.checks + len(checks), forecasts, right, error)


def posterior_of(known: Learned, others: Sequence[Learned] = (), grid: Grid = GRID) -> Vector:
    """The weights of the hypotheses. The other roles' answers count together as many as this role lacks."""
    theirs, lacking = sum(other.checks for other in others), max(0.0, BORROWED - known.checks)
    share = min(1.0, lacking / theirs) if theirs else 0.0
    logs = [
        prior + grid.evidence * (own + share * sum(other.likelihoods[n] for other in others))
        for n, (prior, own) in enumerate(zip(grid.priors, known.likelihoods, strict=True))
    ]
    most = max(logs)
    return normed(math.exp(log - most) for log in logs)


def recalls(known: Learned, events: tuple[Event, ...], at: float, grid: Grid = GRID) -> list[float]:
    """The recall of one person at ``at`` hours under each hypothesis."""
    return [recall_at(state, at) for state in states_of(known, events, grid)]


def states_of(known: Learned, events: tuple[Event, ...], grid: Grid = GRID) -> list[State]:
    folded = [(fold(curve, events), weights) for curve, weights in zip(grid.curves, known.pooled, strict=True)]
    return [replace(state, shares=weighed(weights, state.evidence)) for state, weights in folded]


def _pooled(answered: Sequence[tuple[Event, ...]], grid: Grid) -> tuple[Vector, ...]:
    some = answered[:: -(-len(answered) // MOST_POOLED) or 1]
    scale = len(answered) / len(some) if some else 1.0
    return tuple(_pooled_under(curve, some, scale) for curve in grid.curves)


def _pooled_under(curve: Curve, answered: Sequence[tuple[Event, ...]], scale: float) -> Vector:
    evidence = [fold(curve, events).evidence for events in answered]
    chances = [[math.exp(each - max(logs)) for each in logs] for logs in evidence]
    start = role = curve.weights
    for _ in range(ROUNDS):
        sums = [SHRINK * weight for weight in start]
        for chance in chances:
            shares = [weight * each for weight, each in zip(role, chance, strict=True)]
            total = sum(shares) / scale
            sums = [before + share / total for before, share in zip(sums, shares, strict=True)]
        role = normed(sums)
    return role


def estimate(known: Learned, others: Sequence[Learned] = (), since: dt.datetime = ALWAYS) -> Estimate:
    """The frozen value that decisions are made with: all hypotheses in one curve of five classes.

    It has the mean and the spread of all half-lives that the hypotheses hold possible, their mean effect of growth and
    their share of the frail. For a person without an answered question it comes within .025 of the recall of the whole
    grid; for others it may be lower by up to .12, which asks for a touch too many. A test holds both. It costs a
    fiftieth.
    """
    weighed_curves = list(zip(posterior_of(known, others), GRID.curves, known.pooled, strict=True))
    masses = [
        (strength, share * weight)
        for share, curve, weights in weighed_curves
        for strength, weight in zip(curve.start, weights, strict=True)
    ]
    mean = sum(strength * mass for strength, mass in masses)
    spread = math.sqrt(sum(mass * (strength - mean) ** 2 for strength, mass in masses))
    growth = sum(share * math.log1p(USUAL_GROWTH * curve.gain) for share, curve, _ in weighed_curves)
    frail = sum(share * curve.frail for share, curve, _ in weighed_curves)
    nodes = [(-node, weight) for node, weight in zip(NODES[:0:-1], NODE_WEIGHTS[:0:-1], strict=True)]
    nodes += zip(NODES, NODE_WEIGHTS, strict=True)
    start = tuple(mean + spread * node for node, _ in nodes)
    curve = Curve(start, normed(weight for _, weight in nodes), math.expm1(growth) / USUAL_GROWTH, frail)
    return Estimate(curve, since, known.checks, known.tested)


ASSUMED = estimate(nothing())
"""Before any answer: about a quarter is known 48 hours after one reading."""
