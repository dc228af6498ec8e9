"""The memory model over whole arrays of people: the forgetting curve, the strength classes, growth, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from commsengine.recall import memory as product

Array = np.ndarray

LOG_DAY, LOG_LONGEST = float(np.log(24.0)), float(np.log(product.LONGEST))


@dataclass(frozen=True)
class Curve:
    """How a key point is forgotten and how readings slow that down; half-lives are logs of hours."""

    decay: float = product.DECAY
    median: float = product.HALF_LIFE
    spread: float = product.SPREAD
    by_right: float = product.RIGHT
    by_pass: float = product.PASS
    damping: float = product.DAMPING
    spacing: float = product.SPACING

    @property
    def scale(self) -> float:
        return float(2 ** (1 / self.decay) - 1)

    def left(self, hours: Array, strength: Array) -> Array:
        """R(dt; h) = (1 + K dt / h)^-d."""
        return np.exp(-self.decay * np.log1p(self.scale * np.maximum(hours, 0) * np.exp(-strength)))

    def bounded(self, hours: Array, strength: Array) -> Array:
        return np.clip(self.left(hours, strength), product.LEAST, product.MOST)

    def grown(self, strength: Array, left: Array, size: Array | float) -> Array:
        """The log half-life after one more exposure of this size, when so much was left of the last."""
        damped = size * np.exp(-self.damping * (strength - LOG_DAY))
        return strength + np.minimum(np.log1p(damped * np.expm1(self.spacing * (1 - left))), LOG_LONGEST - strength)


def classes(count: int, reach: float = product.WIDEST) -> tuple[Array, Array]:
    """Even steps of a standard normal, and their weights."""
    steps = np.linspace(-reach, reach, count)
    weight = np.exp(-(steps**2) / 2)
    return steps, weight / weight.sum()


def calibrated(decay: float, spread: float, share: float = 0.25, hours: float = 48.0, count: int = 21) -> float:
    """The median half-life with which ``share`` is known after ``hours``, over all classes."""
    steps, weight = classes(count)

    def too_much(log_median: float) -> float:
        curve = Curve(decay=decay)
        return float(weight @ curve.left(np.array(hours), log_median + spread * steps) - share)

    return float(np.exp(brentq(too_much, -20, 20)))
