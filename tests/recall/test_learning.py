"""What a role's answers say: the worked example, and what must hold of every batch of answers."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from commsengine.recall.learning import (
    GRID,
    THETAS,
    Checked,
    Grid,
    Learned,
    estimate,
    learn,
    nothing,
    posterior_of,
    recalls,
)
from commsengine.recall.memory import Curve, Event, right_chance

OPENED = (Event(0.0, "opened"),)


def answers(right: int, wrong: int, at: float = 48.0) -> list[Checked]:
    return [Checked(OPENED, Event(at, "right" if n < right else "wrong")) for n in range(right + wrong)]


def everything(checks: list[Checked]) -> list[tuple[Event, ...]]:
    return [(*check.before, check.answer) for check in checks]


def learned(
    checks: list[Checked], known: Learned | None = None, others: tuple[Learned, ...] = (), grid: Grid = GRID
) -> Learned:
    return learn(known or nothing(grid), checks, everything(checks), others, grid=grid)


GAINS = (0.05, 0.2, 1.0, 4.0)
WORKED = Grid(
    tuple(Curve.of(theta, gain) for theta in THETAS for gain in GAINS),
    tuple(-(theta**2) / 18 - log(gain) ** 2 / 4.5 for theta in THETAS for gain in GAINS),
    evidence=1.0,
)
"""The hypotheses of the worked example: a wider prior, nobody frail, and every answer counted in full."""


def near(expected: float) -> object:
    return pytest.approx(expected, abs=0.001)


def test_a_role_of_twenty_one_of_whom_twenty_answer() -> None:
    before = of_the_grid(nothing(WORKED), OPENED, 48, WORKED)
    assert (before, right_chance(before, 4)) == (near(0.208), near(0.396))
    known = learned(answers(14, 6), grid=WORKED)
    posterior = posterior_of(known, grid=WORKED)
    by_theta = [sum(posterior[n : n + 4]) for n in range(0, len(posterior), 4)]
    assert by_theta == [near(each) for each in (0.001, 0.010, 0.095, 0.409, 0.419, 0.065, 0.002)]
    assert sum(theta * weight for theta, weight in zip(THETAS, by_theta, strict=True)) == near(4.312)
    assert [sum(posterior[n::4]) for n in range(4)] == [near(each) for each in (0.058, 0.239, 0.425, 0.278)]
    assert of_the_grid(known, OPENED, 48, WORKED) == near(0.391)
    assert of_the_grid(known, (*OPENED, Event(48, "right")), 96, WORKED) == near(0.691)
    assert of_the_grid(known, (*OPENED, Event(48, "wrong")), 96, WORKED) == near(0.526)


def of_the_grid(known: Learned, events: tuple[Event, ...], at: float, grid: Grid = GRID) -> float:
    """The forecast of all hypotheses together."""
    weights = posterior_of(known, grid=grid)
    return sum(w * recall for w, recall in zip(weights, recalls(known, events, at, grid), strict=True))


UNANSWERED = [
    tuple(Event(at, "unseen") for at in (0.0, 24.0, 72.0)),
    tuple(Event(at, "unseen") for at in (0.0, 24.0, 48.0, 168.0, 192.0, 360.0)),
    (Event(0, "acknowledged"), Event(26, "unseen"), Event(48, "acknowledged"), Event(170, "unseen")),
]
ANSWERED = (Event(0, "unseen"), Event(26, "right"), Event(48, "unseen"), Event(170, "right"), Event(362, "wrong"))


@pytest.mark.parametrize("said", [(0, 0), (14, 6), (5, 15), (140, 60), (30, 170)])
def test_the_one_curve_that_decides_says_nearly_what_the_whole_grid_says(said: tuple[int, int]) -> None:
    known = learned(answers(*said)) if any(said) else nothing()
    for events in UNANSWERED:
        assert all(abs(miss) < 0.025 for miss in misses(known, events))
    assert all(-0.12 < miss < 0.01 for miss in misses(known, ANSWERED))  # where it misses, it forgets too soon


def misses(known: Learned, events: tuple[Event, ...]) -> list[float]:
    ats = [events[-1].at + hours for hours in (24, 72, 240)]
    return [estimate(known).memory(events).recall(at) - of_the_grid(known, events, at) for at in ats]


def test_right_answers_raise_the_estimate_and_wrong_ones_lower_it() -> None:
    start = estimate(nothing()).memory(OPENED).recall(48)
    assert estimate(learned(answers(30, 0))).memory(OPENED).recall(48) > start + 0.1
    assert estimate(learned(answers(0, 30))).memory(OPENED).recall(48) < start - 0.05


def test_a_role_borrows_from_the_others_what_it_lacks_and_no_more() -> None:
    others = (learned(answers(190, 10)),)
    alone, shared = learned(answers(1, 2)), learned(answers(1, 2), others=others)
    moved = estimate(shared, others).memory(OPENED).recall(48) - estimate(alone).memory(OPENED).recall(48)
    assert moved > 0.05
    many = learned(answers(8, 12))
    assert posterior_of(many, others) == posterior_of(many)


def test_nothing_is_called_tested_before_fifty_forecasts_that_beat_the_plain_average() -> None:
    known = learned(answers(20, 29))
    assert not known.tested
    apart = [*answers(40, 10, at=1.0), *answers(5, 45, at=2_000.0)]  # soon after they know it, long after they do not
    for _ in range(2):
        known = learned(apart, known)
    assert (known.checks, known.forecasts, known.tested) == (249, 249, True)
    same = learned(answers(25, 25))
    assert not same.tested  # the first forecasts are those of the prior, and no better than the average


def test_what_is_held_out_is_forecast_and_not_learned_from() -> None:
    kept, out = answers(14, 6), answers(0, 10)
    known = learn(nothing(), kept, everything(kept), held_out=out)
    assert posterior_of(known) == posterior_of(learned(kept))
    assert (known.checks, known.forecasts, known.right) == (20, 30, 14)


def test_two_batches_are_weighed_like_one_up_to_the_pooling() -> None:
    first, second = answers(7, 3), answers(7, 3)
    step = learned(first)
    both = learn(step, second, everything([*first, *second]))
    assert (both.checks, both.right) == (20, 14)
    assert both.pooled == learned([*first, *second]).pooled


def test_the_gate_opens_at_fifty_forecasts_and_not_before() -> None:
    good = replace(nothing(), checks=49, forecasts=49, right=25, error=4.9)
    assert (good.tested, replace(good, forecasts=50).tested) == (False, True)
