"""The simulated truth: worlds that remember in different ways, and people who open, read and answer by chance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.recall.memory import Array, Curve, calibrated

ACKNOWLEDGES = 0.45  # of those who open
READS_IF_ACKNOWLEDGED, READS_IF_OPENED = 0.95, 0.70
SLIP, GUESS = 0.05, 0.25
DAY = 24.0


@dataclass(frozen=True)
class World:
    name: str
    curve: Curve
    falls_back: bool = False


def worlds() -> dict[str, World]:
    assumed = Curve()
    steeper = Curve(0.35, calibrated(0.35, 2.4), 2.4, by_right=8, by_pass=1.6, damping=0.2)
    return {
        "A": World("as assumed", assumed),
        "B": World("steeper", steeper),
        "C": World("weak memory: 15 % after 48 h", replace(assumed, median=calibrated(0.2, 4.0, 0.15))),
        "D": World("readings five times weaker", replace(assumed, by_pass=0.5)),
        "E": World("strong memory: 40 % after 48 h", replace(assumed, median=calibrated(0.2, 4.0, 0.40))),
        "G": World("who has forgotten falls back", assumed, falls_back=True),
    }


@dataclass(frozen=True)
class Signals:
    """What a schedule sees of one day's touches, and what it does not: ``opened``."""

    opened: Array
    acknowledged: Array
    answered: Array
    right: Array


class People:
    """Seeds x people of one world. The draws of a day are the same whatever was sent before."""

    def __init__(self, world: World, days: int, seeds: int, people: int, first_seed: int) -> None:
        self.world = world
        draws = [np.random.default_rng([first_seed, seed]) for seed in range(seeds)]
        normal = np.stack([draw.standard_normal(people) for draw in draws])
        self.start = np.log(world.curve.median) + world.curve.spread * normal
        self.opens = np.stack([draw.beta(6.4, 3.6, people) for draw in draws])
        self.answers = np.stack([draw.beta(3.5, 6.5, people) for draw in draws])
        self.chance = np.stack([draw.random((days + 1, 6, people)) for draw in draws], axis=2)
        self.half = self.start.copy()
        self.since = np.zeros((seeds, people))
        self.read = np.zeros((seeds, people), bool)

    def recall(self, hours: float) -> Array:
        return np.where(self.read, self.world.curve.bounded(hours - self.since, self.half), 0.0)

    def receive(self, day: int, who: Array, checked: Array, *, alone: bool = False) -> Signals:
        """The people in ``who`` get a message, in ``checked`` with a question; ``alone``, and the message after it."""
        hours, curve = day * DAY, self.world.curve
        opening, acking, answering, reading, knowing, guessing = self.chance[day]
        opened = who & (opening < self.opens)
        acknowledged = opened & (acking < ACKNOWLEDGES)
        answered = opened & checked & (answering < self.answers)
        reads = opened & (answered | (reading < np.where(acknowledged, READS_IF_ACKNOWLEDGED, READS_IF_OPENED)))
        if alone:
            reads &= ~checked | answered | acknowledged
        left = self.recall(hours)
        knows = self.read & (knowing < left)
        right = answered & (guessing < np.where(knows, 1 - SLIP, GUESS))
        grown = curve.grown(self.half, left, np.where(answered & knows, curve.by_right, curve.by_pass))
        if self.world.falls_back:
            fallen = np.minimum(self.half, self.start + np.log(np.where(answered, 3.0, 1.5)))
            grown = np.where(knows, grown, fallen)
        self.half = np.where(reads & self.read, grown, self.half)
        self.since = np.where(reads, hours, self.since)
        self.read = self.read | reads
        return Signals(opened, acknowledged, answered, right)
