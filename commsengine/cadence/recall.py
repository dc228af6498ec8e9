"""The memory estimate: how likely somebody still knows a key point, and when that falls below a floor.

A person's memory of one message is folded from what happened, nothing else. Times are hours since the person's first
touch of the message, probabilities run from 0 to 1. What this is, where it comes from and what must never be claimed
of it is in ``docs/recall.md``; the figures in parentheses are its parameters.

1. Forgetting is a power law: R(t) = (1 + K t / h)^-d, with K such that R is one half at the half-life h.
2. People differ. Nine classes of half-lives, spread evenly over a wide normal, stand for all; each keeps a weight.
3. The half-life starts such that a quarter of those who read a message once know it after 48 hours: an assumption.
4. Each reading lengthens it, the more the more was forgotten (spacing); a right answer lengthens it five times as much.
5. A sending is read with a probability only; E is the probability that any was.
6. A wrong answer lowers the belief in the strong classes. It never shortens a half-life.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

DECAY = 0.20
K = 2 ** (1 / DECAY) - 1
"""Makes R one half at the half-life."""

HALF_LIFE = 0.38160
"""Hours; the median after one reading. It solves "a quarter is known after 48 hours" for 21 classes. Never shown."""

SPREAD, WIDEST = 4.0, 2.5
"""Standard deviation of the log half-life between people, and how many of them the classes reach to either side."""

CLASSES = 9

RIGHT, PASS = 12.9, 2.58
"""Growth by a right answer, and by a reading: a fifth of it (one laboratory figure; it may be a half, or a 20th)."""

DAMPING, SPACING = 0.364, 0.8
LONGEST = 43_800.0
"""Hours: no half-life grows beyond five years."""

SLIP = 0.05
"""How often somebody who knows the answer presses another."""

READ_IF = {"sent": 0.10, "unseen": 0.48, "opened": 0.75, "acknowledged": 0.90}
"""The probability that it was read, by what is known of a touch. Where opens cannot be seen, and here they never are,
every sending counts as ``unseen``: 64 % of internal mail is opened, and three quarters of that is read."""

FIRST = 0.25
"""Below this probability of having read any, a reading counts as the first: the half-life starts, it does not grow."""

LEAST, MOST = 0.0001, 0.9999

ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One touch of a message as it went: its strongest signal, a key of ``READ_IF``, ``right`` or ``wrong``.

    ``at`` is in hours since the first touch, ``options`` are the answers there were to choose from.
    """

    at: float
    signal: str
    options: int = 4


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """How a group forgets: the classes' log half-lives after one reading, their weights, and what multiplies growth.

    Compared by identity: what was folded under one curve is kept for it.
    """

    start: Vector
    weights: Vector
    gain: float = 1.0

    @classmethod
    def of(cls, theta: float = 0.0, gain: float = 1.0, classes: int = CLASSES) -> Curve:
        """The assumed curve, with ``theta`` added to the log half-lives."""
        start = tuple(math.log(HALF_LIFE) + theta + SPREAD * z for z in class_steps(classes))
        return cls(start, class_weights(classes), gain)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What one person may know of one message. ``read`` is E, ``since`` the last exposure.

    By class: ``strengths`` are log half-lives, ``evidence`` log weights from answers, ``shares`` normed weights.
    """

    read: float
    since: float
    strengths: Vector
    evidence: Vector
    shares: Vector


@lru_cache(maxsize=8)
def class_steps(classes: int) -> Vector:
    """Standard deviations from the median, evenly over the reach."""
    return tuple(-WIDEST + 2 * WIDEST * n / (classes - 1) for n in range(classes))


@lru_cache(maxsize=8)
def class_weights(classes: int) -> Vector:
    """The weights before any answer: normal."""
    return normed(math.exp(-z * z / 2) for z in class_steps(classes))


def normed(weights: Iterable[float]) -> Vector:
    given = tuple(weights)
    total = sum(given)
    return tuple(weight / total for weight in given)


# -- forgetting -----------------------------------------------------------------------------------


def retention(hours: float, half_life: float) -> float:
    """R: the probability that it is known ``hours`` after an exposure."""
    return float((1 + K * max(hours, 0.0) / half_life) ** -DECAY)


def growth(half_life: float, known: float, size: float) -> float:
    """The half-life after one more exposure of this ``size`` (RIGHT, PASS), when ``known`` was left of the last."""
    return math.exp(math.log(half_life) + _growth(math.log(half_life), known, size))


def _growth(strength: float, known: float, size: float) -> float:
    """The same as an addition to a log half-life."""
    damped = size * math.exp(-DAMPING * (strength - _LOG_DAY))
    return min(math.log1p(damped * math.expm1(SPACING * (1 - known))), _LOG_LONGEST - strength)


_LOG_DAY, _LOG_LONGEST = math.log(24.0), math.log(LONGEST)


def _left(hours: float, strength: float) -> float:
    """R within its bounds, by log half-life."""
    return float(min(max((1 + K * max(hours, 0.0) * math.exp(-strength)) ** -DECAY, LEAST), MOST))


# -- one person and message -----------------------------------------------------------------------


def fold(curve: Curve, events: tuple[Event, ...]) -> State:
    """The state after these events, in order of time; it depends on nothing else."""
    return _folded(curve, events) if events else _unread(curve)


@lru_cache(maxsize=50_000)
def _folded(curve: Curve, events: tuple[Event, ...]) -> State:
    """Kept, because people who get the same touches and say nothing remember alike."""
    return after(curve, fold(curve, events[:-1]), events[-1])


def _unread(curve: Curve) -> State:
    return State(0.0, 0.0, curve.start, (0.0,) * len(curve.start), curve.weights)


def after(curve: Curve, state: State, event: Event) -> State:
    """The state after one more event."""
    if event.signal in ("right", "wrong"):
        return _answered(curve, state, event)
    share = READ_IF[event.signal]
    read = 1 - (1 - state.read) * (1 - share)
    if event.signal == "sent":
        return State(read, state.since, state.strengths, state.evidence, state.shares)
    strengths = state.strengths
    if state.read >= FIRST:
        hours, size = event.at - state.since, PASS * curve.gain
        strengths = tuple(s + share * _growth(s, _left(hours, s), size) for s in strengths)
    return State(read, event.at, strengths, state.evidence, state.shares)


def _answered(curve: Curve, state: State, event: Event) -> State:
    hours, guess, right = event.at - state.since, 1 / event.options, event.signal == "right"
    strengths, evidence = [], []
    for strength, log_weight in zip(state.strengths, state.evidence, strict=True):
        left = _left(hours, strength)
        knows = state.read * left
        chance = guess + (1 - SLIP - guess) * knows
        evidence.append(log_weight + math.log(chance if right else 1 - chance))
        if state.read < FIRST:
            strengths.append(strength)
            continue
        knew = knows * (1 - SLIP if right else SLIP)
        did_not = (1 - knows) * (guess if right else 1 - guess)
        share = knew / (knew + did_not)
        small, large = _growth(strength, left, PASS * curve.gain), _growth(strength, left, RIGHT * curve.gain)
        strengths.append(strength + share * large + (1 - share) * small)
    believed = tuple(evidence) if state.read > 0 else state.evidence
    return State(1.0, event.at, tuple(strengths), believed, weighed(curve.weights, believed))


def weighed(weights: Vector, evidence: Vector) -> Vector:
    """The classes' weights after these log weights."""
    most = max(evidence)
    return normed(weight * math.exp(log_weight - most) for weight, log_weight in zip(weights, evidence, strict=True))


def recall_at(state: State, at: float) -> float:
    """q: the probability that it is known at ``at``, in hours since the first touch."""
    hours = max(at - state.since, 0.0) * K
    known: float = sum(
        share * (1 + hours * math.exp(-strength)) ** -DECAY
        for share, strength in zip(state.shares, state.strengths, strict=True)
    )
    return min(max(state.read * known, LEAST), MOST)


def right_chance(known: float, options: int) -> float:
    """The chance of a right answer by somebody who knows it with this probability; one may guess, and one may slip."""
    guess = 1 / options
    return guess + (1 - SLIP - guess) * known


# -- a role's estimate, and what it says of one person ----------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """How a role forgets, as far as it is known. Frozen while a day is decided.

    It is in use from ``since`` on. ``checks`` says how many answers it was learned from, ``tested`` whether they show
    that it beats a plain average.
    """

    curve: Curve
    since: dt.datetime = ALWAYS
    checks: int = 0
    tested: bool = False

    def memory(self, events: tuple[Event, ...]) -> Memory:
        """What somebody of this role may know after these events."""
        return Memory(self.curve, fold(self.curve, events))


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """One person's memory of one message, as their role is estimated."""

    curve: Curve
    state: State

    def recall(self, at: float) -> float:
        """The probability that it is known at ``at``."""
        return recall_at(self.state, at)

    def then(self, event: Event) -> Memory:
        """The memory after one more event."""
        return Memory(self.curve, after(self.curve, self.state, event))

    def falls_below(self, floor: float, within: float = 1 / 60) -> float:
        """When recall falls below ``floor``, if nothing more happens, to ``within`` so many hours.

        Never much later than the longest half-life after the last exposure.
        """
        since = self.state.since
        return since + _lasts(self.state, floor, within)


@lru_cache(maxsize=10_000)
def _lasts(state: State, floor: float, within: float) -> float:
    """Hours from the last exposure on; halved between bounds that each lie four times as far as the one before."""
    if recall_at(state, state.since) < floor:
        return 0.0
    low, high = 0.0, 1.0
    while recall_at(state, state.since + high) >= floor and high < LONGEST:
        low, high = high, high * 4
    while high - low > within:
        middle = (low + high) / 2
        low, high = (middle, high) if recall_at(state, state.since + middle) >= floor else (low, middle)
    return high
