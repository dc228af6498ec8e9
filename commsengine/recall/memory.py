"""The memory estimate: how likely somebody still knows a key point, and when that falls below a floor.

A person's memory of one message is folded from what happened, nothing else. Times are hours since the person's first
touch of the message, probabilities run from 0 to 1. What this is, where it comes from and what must never be claimed
of it is in ``docs/recall.md``.

1. Forgetting is a power law: R(t) = (1 + K t / h)^-d, with K such that R is one half at the half-life h. [tables of
   Murre & Dros 2015]
2. People differ. A few classes of half-lives, over a wide normal, stand for all; each keeps a weight. [spread: the
   correlation within people who were tested minutes after a message, about .2]
3. The half-life starts such that a quarter of those who read a message once know it after 48 hours. [an assumption]
4. Each reading lengthens it, the more the more was forgotten [spacing: Cepeda et al. 2006]; a right answer lengthens it
   five times as much [Roediger & Karpicke 2006, their half-lives after two days and a week].
5. Whether a touch was read can only be guessed, so two memories are kept: of who read the last one, and who did not.
   [shares opened: industry figures of 2025]
6. A wrong answer lowers the belief in the strong classes, by Bayes' rule. It never shortens a half-life.
7. Some forget for good: a curve may be ``frail``, then those who forgot begin nearly afresh. [ours: without it, a
   simulated world of such people is overestimated by .15]
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, expm1, log1p
from typing import NamedTuple

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

READ_IF = {"sent": 0.10, "unseen": 0.30, "opened": 0.75, "acknowledged": 0.90, "read": 1.0}
"""The probability that it was read, by what is known of a touch. Opens are not seen here, so a touch without an answer
is ``unseen``: of internal mail 64 % is opened and three quarters of that read; who answers is among those."""

FIRST = 0.25
"""Below this probability of having read any, a reading counts as the first: the half-life starts, it does not grow."""

FALLS_TO, ANSWERED_FALLS_TO = math.log(1.5), math.log(3.0)
"""Over the start, in logs: what is left of the half-life of somebody frail who has forgotten, and who answers then."""

LEAST, MOST = 0.0001, 0.9999
PRECISE = 1e-5
ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)

Vector = tuple[float, ...]


class Event(NamedTuple):
    """One touch of a message as it went: its strongest signal, a key of ``READ_IF``, ``right`` or ``wrong``.

    ``at`` is in hours since the first touch, ``options`` are the answers there were to choose from.
    """

    at: float
    signal: str
    options: int = 4


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """How a group forgets: the classes' log half-lives after one reading, their weights, and what multiplies growth.

    ``frail`` is the share of those for whom forgetting undoes growth. Compared by identity: what was folded under one
    curve is kept for it.
    """

    start: Vector
    weights: Vector
    gain: float = 1.0
    frail: float = 0.0

    @classmethod
    def of(
        cls,
        theta: float = 0.0,
        gain: float = 1.0,
        frail: float = 0.0,
        *,
        classes: int = CLASSES,
        half_life: float = HALF_LIFE,
    ) -> Curve:
        start = tuple(math.log(half_life) + theta + SPREAD * z for z in class_steps(classes))
        return cls(start, class_weights(classes), gain, frail)


class Trace(NamedTuple):
    """One of the two memories: with probability ``chance`` it was left, ``since`` is its last exposure.

    ``strengths`` are the log half-lives by class.
    """

    chance: float
    since: float
    strengths: Vector


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What one person may know of one message: what the last touch left, and what is left of those before it.

    By class: ``evidence`` are log weights from answers, ``shares`` normed weights.
    """

    last: Trace
    before: Trace | None
    evidence: Vector
    shares: Vector

    @property
    def read(self) -> float:
        """E: the probability that any touch was read."""
        return self.last.chance + (self.before.chance if self.before else 0.0)

    @property
    def traces(self) -> Sequence[Trace]:
        return (self.last,) if self.before is None else (self.last, self.before)


@lru_cache(maxsize=8)
def class_steps(classes: int) -> Vector:
    return tuple(-WIDEST + 2 * WIDEST * n / (classes - 1) for n in range(classes))


@lru_cache(maxsize=8)
def class_weights(classes: int) -> Vector:
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
    strength = math.log(half_life)
    return exp(_longer(strength, size * _gain_left(strength, known)))


def _gain_left(strength: float, known: float) -> float:
    # the stronger it is already, the less there is to gain; the more was forgotten, the more
    return exp(DAMPING * (_LOG_DAY - strength)) * expm1(SPACING * (1 - known))


def _longer(strength: float, gained: float) -> float:
    longer = strength + log1p(gained)
    return longer if longer < _LOG_LONGEST else _LOG_LONGEST


_LOG_DAY, _LOG_LONGEST = math.log(24.0), math.log(LONGEST)


def _left(hours: float, strength: float) -> float:
    """R within its bounds, by log half-life."""
    return float(min(max((1 + K * max(hours, 0.0) * math.exp(-strength)) ** -DECAY, LEAST), MOST))


# -- one person and message -----------------------------------------------------------------------


def fold(curve: Curve, events: tuple[Event, ...]) -> State:
    """The state after these events, in order of time; it depends on nothing else."""
    if events:
        return _folded(curve, events)
    return State(Trace(0.0, 0.0, curve.start), None, (0.0,) * len(curve.start), curve.weights)


@lru_cache(maxsize=50_000)
def _folded(curve: Curve, events: tuple[Event, ...]) -> State:
    # kept, because people who get the same touches and say nothing remember alike
    return after(curve, fold(curve, events[:-1]), events[-1])


def after(curve: Curve, state: State, event: Event) -> State:
    if event.signal in ("right", "wrong"):
        return _answered(curve, state, event)
    if event.signal == "unseen":
        return _unseen(curve, state, event.at)
    share, read = READ_IF[event.signal], state.read
    chance = 1 - (1 - read) * (1 - share)
    if event.signal == "sent":  # it moves nothing but the chance that any was read
        last = Trace(chance - (read - state.last.chance), state.last.since, state.last.strengths)
        return State(last, state.before, state.evidence, state.shares)
    strengths = curve.start
    if read >= FIRST:
        last, before = state.last, state.before
        held, grown = last.strengths, _passed(curve, last, event.at)
        if before is not None:
            part, older = last.chance / read, _passed(curve, before, event.at)
            held = tuple([o + part * (s - o) for s, o in zip(held, before.strengths, strict=True)])
            grown = [o + part * (g - o) for g, o in zip(grown, older, strict=True)]
        strengths = tuple([h + share * (g - h) for h, g in zip(held, grown, strict=True)])
    return State(Trace(chance, event.at, strengths), None, state.evidence, state.shares)


def _unseen(curve: Curve, state: State, at: float) -> State:
    # it is unknown whether the touch was read: two memories from here on
    read, share = state.read, READ_IF["unseen"]
    last, before = state.last, state.before
    strengths = curve.start
    if read >= FIRST:
        grown = _passed(curve, last, at)
        rest = 1 - read
        if before is None:
            strengths = tuple([last.chance * g + rest * s for g, s in zip(grown, curve.start, strict=True)])
        else:
            by_class = zip(grown, _passed(curve, before, at), curve.start, strict=True)
            strengths = tuple([last.chance * g + before.chance * o + rest * s for g, o, s in by_class])
    if read == 0:
        return State(Trace(share, at, strengths), None, state.evidence, state.shares)
    merged = Trace((1 - share) * read, last.since, last.strengths) if before is None else _merged(last, before, share)
    return State(Trace(share, at, strengths), merged, state.evidence, state.shares)


def _merged(last: Trace, before: Trace, share: float) -> Trace:
    read = last.chance + before.chance
    part = last.chance / read
    strengths = [o + part * (s - o) for s, o in zip(last.strengths, before.strengths, strict=True)]
    return Trace((1 - share) * read, before.since + part * (last.since - before.since), tuple(strengths))


def _answered(curve: Curve, state: State, event: Event) -> State:
    # an answer weighs the classes, and each grows by the share of those who knew it and those who just read it
    read, guess, right = state.read, 1 / event.options, event.signal == "right"
    last, before = state.last, state.before
    part = last.chance / read if read else 0.0
    by_right, by_reading = RIGHT * curve.gain, PASS * curve.gain
    strengths, evidence = [], []
    for g, log_weight in enumerate(state.evidence):
        strength = last.strengths[g]
        left = _left(event.at - last.since, strength)
        gain_left = _gain_left(strength, left)
        knew, just_read = _longer(strength, by_right * gain_left), _longer(strength, by_reading * gain_left)
        if before is not None:
            older, left_of_older = before.strengths[g], _left(event.at - before.since, before.strengths[g])
            gain_left = _gain_left(older, left_of_older)
            knew = part * knew + (1 - part) * _longer(older, by_right * gain_left)
            just_read = part * just_read + (1 - part) * _longer(older, by_reading * gain_left)
            strength, left = older + part * (strength - older), left_of_older + part * (left - left_of_older)
        knows = read * left
        chance = guess + (1 - SLIP - guess) * knows
        evidence.append(log_weight + math.log(chance if right else 1 - chance))
        if read >= FIRST:
            did_know = knows * (1 - SLIP if right else SLIP)
            share = did_know / (did_know + (1 - knows) * (guess if right else 1 - guess))
            just_read += curve.frail * (min(strength, curve.start[g] + ANSWERED_FALLS_TO) - just_read)
            strengths.append(share * knew + (1 - share) * just_read)
    believed = tuple(evidence) if read > 0 else state.evidence
    exposed = Trace(1.0, event.at, tuple(strengths) or curve.start)
    return State(exposed, None, believed, weighed(curve.weights, believed))


def _passed(curve: Curve, trace: Trace, at: float) -> list[float]:
    # the log half-lives after a reading, written out: most of a decision's time is spent here
    hours, size, frail = max(at - trace.since, 0.0) * K, PASS * curve.gain, curve.frail
    grown = []
    for strength, start in zip(trace.strengths, curve.start, strict=True):
        left = (1 + hours * exp(-strength)) ** -DECAY
        longer = strength + log1p(size * exp(DAMPING * (_LOG_DAY - strength)) * expm1(SPACING * (1 - left)))
        longer = longer if longer < _LOG_LONGEST else _LOG_LONGEST
        if frail:
            fallen = start + FALLS_TO
            longer += frail * (1 - left) * ((strength if strength < fallen else fallen) - longer)
        grown.append(longer)
    return grown


def weighed(weights: Vector, evidence: Vector) -> Vector:
    most = max(evidence)
    return normed(weight * math.exp(log_weight - most) for weight, log_weight in zip(weights, evidence, strict=True))


def recall_at(state: State, at: float) -> float:
    """q: the probability that it is known at ``at``, in hours since the first touch."""
    return _known(_parts(state), at)


def _parts(state: State) -> list[tuple[float, float, float]]:
    """What recall is the sum of, by memory and class: its weight, since when it fades, and how fast (K / h)."""
    return [
        (trace.chance * share, trace.since, K * exp(-strength))
        for trace in state.traces
        for share, strength in zip(state.shares, trace.strengths, strict=True)
    ]


def _known(parts: Iterable[tuple[float, float, float]], at: float) -> float:
    known = 0.0
    for weight, since, rate in parts:
        hours = at - since
        known += weight * (1 + hours * rate) ** -DECAY if hours > 0 else weight
    return min(max(known, LEAST), MOST)


def right_chance(known: float, options: int) -> float:
    """The chance of a right answer by a person who knows it with this probability; people guess and slip."""
    guess = 1 / options
    return guess + (1 - SLIP - guess) * known


def forget() -> None:
    # what is kept saves work; every value is the same without
    _folded.cache_clear()
    _falls.cache_clear()
    _then.cache_clear()


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
        return Memory(self.curve, fold(self.curve, events))


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """One person's memory of one message, as their role is estimated."""

    curve: Curve
    state: State

    def recall(self, at: float) -> float:
        return recall_at(self.state, at)

    def then(self, event: Event) -> Memory:
        return Memory(self.curve, _then(self.curve, self.state, event))

    def falls_below(self, floor: float, soonest: float, latest: float, within: float = 0.25) -> float:
        """When recall falls below ``floor`` if nothing more happens, in hours, to ``within`` so many.

        ``soonest`` if it has fallen by then, ``latest`` if it has not.
        """
        return _falls(self.state, floor, soonest, latest, within)


@lru_cache(maxsize=10_000)
def _then(curve: Curve, state: State, event: Event) -> State:
    return after(curve, state, event)


@lru_cache(maxsize=10_000)
def _falls(state: State, floor: float, low: float, high: float, within: float) -> float:
    # by false position over log time (the Illinois rule): over it, recall falls almost straight
    parts = _parts(state)
    above = _known(parts, low) - floor
    if above < 0:
        return low
    below = _known(parts, high) - floor
    if below >= 0:
        return high
    since, side = state.last.since, 0
    start, end = log1p(max(low - since, 0.0)), log1p(high - since)
    while expm1(end) - expm1(start) > within:
        middle = (start * below - end * above) / (below - above)
        found = _known(parts, since + expm1(middle)) - floor
        if abs(found) < PRECISE:
            return since + expm1(middle)
        if found > 0:
            start, above, below, side = middle, found, below / 2 if side == 1 else below, 1
        else:
            end, below, above, side = middle, found, above / 2 if side == -1 else above, -1
    return since + expm1(end)
