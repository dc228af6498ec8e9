"""The forgetting and relearning tables, beside what the model says. Savings is not recall: a shape is compared."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from benchmarks.recall.memory import Array, Curve, calibrated, classes

DATA = Path(__file__).parent / "data"
SUBJECTS = ("ebbinghaus_1885", "mack_1927", "seitz_1927", "dros_2015")
THEIRS = {
    "default (d .20, spread 4)": (0.042, 0.077, 0.078, 0.070),
    "one class, d .15": (0.042, 0.070, 0.062, 0.065),
    "one class, d .1542 (FSRS-6)": (0.040, 0.071, 0.067, 0.068),
    "one class, d .5 (FSRS-5)": (0.233, 0.264, 0.304, 0.277),
    "exponential": (0.327, 0.365, 0.397, 0.366),
    "Ebbinghaus's equation": (0.017, 0.052, 0.082, 0.095),
    "free power law": (0.019, 0.043, 0.027, 0.048),
}
"""The specification's figures."""

WITHIN = 0.0015
CHAPTER_VIII = 0.024


def savings() -> tuple[Array, dict[str, Array]]:
    with (DATA / "forgetting_savings.csv").open() as file:
        rows = list(csv.DictReader(file))
    hours = np.array([float(row["interval_hours"]) for row in rows])
    return hours, {name: np.array([float(row[name]) for row in rows]) for name in SUBJECTS}


def assumed(hours: Array, count: int = 21) -> Array:
    """The mean curve of those who read once."""
    curve = Curve()
    steps, weight = classes(count)
    return curve.left(hours[:, None], np.log(curve.median) + curve.spread * steps) @ weight


def one_class(hours: Array, decay: float) -> Array:
    """One strength for everybody, a quarter left after 48 hours."""
    return Curve(decay=decay).left(hours, np.array(np.log(calibrated(decay, 0.0))))


def ebbinghaus(hours: Array) -> Array:
    """100 k / ((log10 t)^c + k), t in minutes."""
    return 1.84 / (np.log10(hours * 60) ** 1.25 + 1.84)


def free(hours: Array, found: Array) -> tuple[Array, float]:
    """The power law with decay and half-life fitted to this very column."""

    def curve(at: Array) -> Array:
        return Curve(decay=float(np.exp(at[0]))).left(hours, np.array(at[1]))

    best = minimize(
        lambda at: ((curve(at) - found) ** 2).sum(),
        [np.log(0.15), 0.0],
        method="Nelder-Mead",
        options={"maxiter": 2000},
    )
    return curve(best.x), float(np.exp(best.x[0]))


def rmse(left: Array, right: Array) -> float:
    return float(np.sqrt(((left - right) ** 2).mean()))


def relearned() -> Array:
    """Savings on days 2 to 6 of relearning every 24 hours, a row for each length of the series."""
    with (DATA / "ebbinghaus_repeated_learning.csv").open() as file:
        rows = list(csv.DictReader(file))
    needed = np.array([[float(row[f"day{day}"]) / float(row["n_series"]) - 1 for day in range(1, 7)] for row in rows])
    return 1 - needed[:, 1:] / needed[:, :1]


def growth(found: Array) -> Array:
    """Recall before each of five daily relearnings that count as a right answer; the median half-life fitted by row."""
    curve = Curve()
    steps, weight = classes(21)

    def days(start: float) -> Array:
        strength, recalled = start + curve.spread * steps, []
        for _ in range(5):
            left = curve.bounded(np.array(24.0), strength)
            recalled.append(weight @ left)
            strength = curve.grown(strength, left, curve.by_right)
        return np.array(recalled)

    def fitted(row: Array) -> Array:
        return days(minimize_scalar(lambda at: ((days(at) - row) ** 2).sum(), bounds=(-10, 10), method="bounded").x)

    return np.array([fitted(row) for row in found])


def show() -> bool:
    hours, columns = savings()
    models: dict[str, Callable[[Array], Array]] = {
        "default (d .20, spread 4)": assumed,
        "one class, d .15": lambda at: one_class(at, 0.15),
        "one class, d .1542 (FSRS-6)": lambda at: one_class(at, 0.1542),
        "one class, d .5 (FSRS-5)": lambda at: one_class(at, 0.5),
        "exponential": lambda at: 2 ** (-at / 24.0),
        "Ebbinghaus's equation": ebbinghaus,
    }
    print("Forgetting tables: RMSE over 7 intervals, one trained subject a column; in brackets the specification's")
    print(f"{'':30s}" + "".join(f"{name:>18s}" for name in SUBJECTS))
    good = True
    for name, model in models.items():
        errors = [rmse(model(hours), columns[subject]) for subject in SUBJECTS]
        good &= all(abs(error - theirs) <= WITHIN for error, theirs in zip(errors, THEIRS[name], strict=True))
        _line(name, [f"{error:.3f} ({theirs:.3f})" for error, theirs in zip(errors, THEIRS[name], strict=True)])
    fits = [free(hours, columns[subject]) for subject in SUBJECTS]
    errors = [rmse(fit, columns[subject]) for (fit, _), subject in zip(fits, SUBJECTS, strict=True)]
    good &= all(error <= theirs + WITHIN for error, theirs in zip(errors, THEIRS["free power law"], strict=True))
    _line(
        "free power law",
        [f"{error:.3f} ({theirs:.3f})" for error, theirs in zip(errors, THEIRS["free power law"], strict=True)],
    )
    _line("  its d", [f"{decay:.3f}" for _, decay in fits])
    pooled = np.sqrt(np.mean([rmse(assumed(hours), columns[subject]) ** 2 for subject in SUBJECTS]))
    found = relearned()
    grown = rmse(growth(found), found)
    print(f"default, pooled: {pooled:.3f} (0.068)   growth on Ebbinghaus's chapter VIII: {grown:.3f} ({CHAPTER_VIII})")
    return bool(good and pooled <= 0.068 + WITHIN and grown <= CHAPTER_VIII + WITHIN)


def _line(name: str, cells: list[str]) -> None:
    print(f"{name:30s}" + "".join(f"{cell:>18s}" for cell in cells))
