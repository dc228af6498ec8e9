"""What the product believes of many people at once: its fold, its learning and its cheap estimate, over arrays.

Every number comes from the product; ``agreement.py`` holds that every value does too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.recall.memory import Array, Curve
from benchmarks.recall.worlds import GUESS, SLIP
from commsengine.recall import learning, memory

CURVE = Curve()
UNSEEN, ACKNOWLEDGED = memory.READ_IF["unseen"], memory.READ_IF["acknowledged"]


@dataclass(frozen=True)
class Hypotheses:
    """By role and hypothesis: the start and weights of the classes, gain and share of the frail."""

    start: Array  # roles x hypotheses x classes
    weights: Array
    gain: Array  # roles x hypotheses
    frail: Array


@dataclass(frozen=True)
class Touched:
    """The touches of one day, as flat arrays over all people. ``alone`` marks a question without an answer."""

    hours: float
    sent: Array
    acknowledged: Array
    answered: Array
    right: Array
    alone: Array | None = None

    @property
    def as_others_know_it(self) -> Touched:
        """An answered check as no more than an acknowledgement."""
        none = np.zeros_like(self.answered)
        return replace(self, acknowledged=self.acknowledged | self.answered, answered=none, right=none)


class Beliefs:
    """Two traces of every person under every hypothesis: of who read the last touch, and who did not."""

    def __init__(self, given: Hypotheses, role: Array, kind: type = np.float32) -> None:
        self.role, self.kind = role, kind
        self.start, self.gain, self.frail = (v.astype(kind) for v in (given.start, given.gain, given.frail))
        self.weights = given.weights.astype(kind)
        self.is_frail = bool((given.frail > 0).any())
        shape = (len(role), *given.start.shape[1:])
        self.chance, self.since = np.zeros((2, len(role)), kind), np.zeros((2, len(role)), kind)
        self.half = np.stack([self.start[role]] * 2)
        self.evidence = np.zeros(shape, kind)

    @property
    def read(self) -> Array:
        return self.chance.sum(0)

    def shares(self, who: Array | slice = slice(None)) -> Array:
        share = self.weights[self.role[who]] * np.exp(self.evidence[who])
        return share / share.sum(-1, keepdims=True)

    def recall(self, hours: float, who: Array | slice = slice(None)) -> Array:
        """q, by person and hypothesis."""
        left = sum(
            self.chance[n][who][:, None, None]
            * CURVE.left((hours - self.since[n][who])[:, None, None], self.half[n][who])
            for n in (0, 1)
        )
        return np.clip((self.shares(who) * left).sum(-1), memory.LEAST, memory.MOST)

    def recall_if_read(self, read_at: float, hours: float) -> Array:
        """q had everybody read a touch at ``read_at``."""
        everybody = np.arange(len(self.role))
        half = self._means(self._passed(read_at, everybody), everybody)
        half = np.where((self.read < memory.FIRST)[:, None, None], self.start[self.role], half)
        left = CURVE.left(np.full((1, 1, 1), hours - read_at, self.kind), half)
        return np.clip((self.shares() * left).sum(-1), memory.LEAST, memory.MOST)

    def _left(self, hours: float, who: Array, *, bounded: bool = True) -> list[Array]:
        of = CURVE.bounded if bounded else CURVE.left
        return [of((hours - self.since[n][who])[:, None, None], self.half[n][who]).astype(self.kind) for n in (0, 1)]

    def _grown(self, who: Array, left: list[Array], size: float) -> list[Array]:
        by = self.kind(size) * self.gain[self.role[who]][:, :, None]
        return [CURVE.grown(self.half[n][who], left[n], by) for n in (0, 1)]

    def _passed(self, hours: float, who: Array) -> list[Array]:
        left = self._left(hours, who, bounded=False)
        grown = self._grown(who, left, memory.PASS)
        if not self.is_frail:
            return grown
        frail, fallen = self.frail[self.role[who]][:, :, None], self.start[self.role[who]] + self.kind(memory.FALLS_TO)
        return [grown[n] + frail * (1 - left[n]) * (np.minimum(self.half[n][who], fallen) - grown[n]) for n in (0, 1)]

    def _means(self, of: list[Array], who: Array) -> Array:
        total = np.maximum(self.read[who], 1e-9)
        return sum(self.chance[n][who][:, None, None] * of[n] for n in (0, 1)) / total[:, None, None]

    def fold(self, day: Touched) -> None:
        told = day.sent
        if day.alone is not None:
            told = day.sent & ~day.alone
            self.chance[0] += np.where(day.alone, (1 - self.read) * self.kind(memory.READ_IF["sent"]), 0)
        who = np.flatnonzero(told)
        if not len(who):
            return
        begun, read = self.start[self.role[who]], self.read[who]
        first = (read < memory.FIRST)[:, None, None]
        passed, held = self._passed(day.hours, who), self._means([self.half[0][who], self.half[1][who]], who)
        answered, said = day.answered[who], day.acknowledged[who] & ~day.answered[who]
        seen = read[:, None, None] * self._means(passed, who) + (1 - read)[:, None, None] * begun
        acked = held + self.kind(ACKNOWLEDGED) * (self._means(passed, who) - held)
        last = np.where(first, begun, np.where(said[:, None, None], acked, seen))
        chance = np.where(said, 1 - (1 - read) * (1 - ACKNOWLEDGED), UNSEEN)
        if answered.any():
            last[answered] = self._answered(day, who[answered], held[answered], first[answered])
            chance[answered] = 1.0
        before = (self.chance[:, who] * self.since[:, who]).sum(0) / np.maximum(read, 1e-9)
        self.since[1][who], self.half[1][who] = (
            np.where(read > 0, before, day.hours),
            np.where(first & (read == 0)[:, None, None], begun, held),
        )
        self.chance[1][who] = np.where(said | answered, 0.0, (1 - UNSEEN) * read)
        self.since[0][who], self.half[0][who], self.chance[0][who] = day.hours, last, chance

    def _answered(self, day: Touched, who: Array, held: Array, first: Array) -> Array:
        right, begun, left = day.right[who][:, None, None], self.start[self.role[who]], self._left(day.hours, who)
        knows = sum(self.chance[n][who][:, None, None] * left[n] for n in (0, 1))
        chance = GUESS + (1 - SLIP - GUESS) * knows
        evidence = np.log(np.where(right, chance, 1 - chance))
        self.evidence[who] += np.where((self.read[who] > 0)[:, None, None], evidence, 0)
        knew = knows * np.where(right, 1 - SLIP, SLIP)
        share = knew / (knew + (1 - knows) * np.where(right, GUESS, 1 - GUESS))
        told = self._means(self._grown(who, left, memory.PASS), who)
        if self.is_frail:
            fallen = np.minimum(held, begun + self.kind(memory.ANSWERED_FALLS_TO))
            told = told + self.frail[self.role[who]][:, :, None] * (fallen - told)
        larger = self._means(self._grown(who, left, memory.RIGHT), who)
        return np.where(first, begun, share * larger + (1 - share) * told)


def grid_for(roles: int, grid: learning.Grid) -> Hypotheses:
    """The product's hypotheses, the same for every role."""
    each = (
        np.array([curve.start for curve in grid.curves]),
        np.array([curve.weights for curve in grid.curves]),
        np.array([curve.gain for curve in grid.curves]),
        np.array([curve.frail for curve in grid.curves]),
    )
    return Hypotheses(*(np.stack([values] * roles) for values in each))


class Roles:
    """What the answers teach: the posterior of every role over the grid."""

    def __init__(self, roles: int, people: int, grid: learning.Grid = learning.GRID, kind: type = np.float32) -> None:
        self.grid, self.count = grid, roles
        self.role = np.repeat(np.arange(roles), people)
        self.given = grid_for(roles, grid)
        self.beliefs = Beliefs(self.given, self.role, kind)
        self.normal = self.beliefs.weights.copy()
        self.likelihoods = np.zeros((roles, len(grid.curves)))
        self.answered = np.zeros(len(self.role), bool)
        self.checks = np.zeros(roles, int)

    def posterior(self) -> Array:
        logs = np.array(self.grid.priors) + self.grid.evidence * self.likelihoods
        weight = np.exp(logs - logs.max(1, keepdims=True))
        return weight / weight.sum(1, keepdims=True)

    def recall(self, hours: float) -> Array:
        """The forecast of every person: the average over the posterior."""
        return (self.posterior()[self.role] * self.beliefs.recall(hours)).sum(-1)

    def learn(self, day: Touched) -> None:
        who = np.flatnonzero(day.answered)
        if len(who):
            chance = GUESS + (1 - SLIP - GUESS) * self.beliefs.recall(day.hours, who)
            logs = np.log(np.where(day.right[who][:, None], chance, 1 - chance))
            np.add.at(self.likelihoods, self.role[who], logs.astype(float))
            np.add.at(self.checks, self.role[who], 1)
            self.answered[who] = True
        self.beliefs.fold(day)
        if len(who):
            self._pool()

    def _pool(self) -> None:
        who = np.flatnonzero(self.answered)
        chance = np.exp(self.beliefs.evidence[who] - self.beliefs.evidence[who].max(-1, keepdims=True))
        role = self.role[who]
        starts = np.searchsorted(role, np.arange(self.count))
        present = np.unique(role)
        weights = self.normal.copy()
        for _ in range(learning.ROUNDS):
            shares = weights[role] * chance
            shares /= shares.sum(-1, keepdims=True)
            sums = learning.SHRINK * self.normal
            sums[present] += np.add.reduceat(shares, starts[present], axis=0)
            weights = sums / sums.sum(-1, keepdims=True)
        self.beliefs.weights = weights

    def estimate(self) -> Hypotheses:
        """The cheap value that decisions are made with: one curve of five classes for every role."""
        posterior = self.posterior()
        mass = posterior[:, :, None] * self.beliefs.weights
        mean = (mass * self.given.start).sum((1, 2))
        spread = np.sqrt((mass * (self.given.start - mean[:, None, None]) ** 2).sum((1, 2)))
        nodes = np.array([-node for node in learning.NODES[:0:-1]] + list(learning.NODES))
        weights = np.array([*learning.NODE_WEIGHTS[:0:-1], *learning.NODE_WEIGHTS])
        growth = (posterior * np.log1p(learning.USUAL_GROWTH * self.given.gain)).sum(1)
        return Hypotheses(
            (mean[:, None] + spread[:, None] * nodes)[:, None, :],
            np.tile(weights / weights.sum(), (self.count, 1))[:, None, :],
            (np.expm1(growth) / learning.USUAL_GROWTH)[:, None],
            (posterior * self.given.frail).sum(1)[:, None],
        )


def as_decided(roles: Roles, days: list[Touched]) -> Beliefs:
    """What a decision goes by: everything that happened, folded under today's estimate."""
    beliefs = Beliefs(roles.estimate(), roles.role, roles.beliefs.kind)
    for day in days:
        beliefs.fold(day)
    return beliefs
