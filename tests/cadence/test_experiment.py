"""An experiment: arms by chance and for ever, checks held out, and a difference that owns its uncertainty."""

from __future__ import annotations

from collections import Counter

import pytest

from commsengine.cadence.experiment import arm_of, held_out
from commsengine.cadence.forecast import forecast, no_answers
from commsengine.cadence.history import History
from commsengine.cadence.plan import Plan
from commsengine.recall.statistics import difference, share_of
from tests.builders import a_message, a_plan, running, someone, utc

BY_RECALL = {"recall_floor": "0.35", "target": "0.6", "by": "go_live"}


def trial(**changes: object) -> Plan:
    message = a_message(cadence=BY_RECALL, follow_up=[])
    return a_plan(message, experiment={"arms": ["recall", {"every": "48h"}], **changes})


def test_arms_are_drawn_evenly_and_never_change() -> None:
    plan = trial()
    arms = [arm_of(plan, f"p{number}") for number in range(4_000)]
    assert arms == [arm_of(trial(), f"p{number}") for number in range(4_000)]
    counts = Counter(arm.name for arm in arms if arm is not None)
    assert set(counts) == {"recall", "every 48h"}
    assert all(1_850 < count < 2_150 for count in counts.values())


def test_another_seed_is_another_draw_and_a_share_leaves_the_others_out() -> None:
    first, second = ([arm_of(trial(seed=seed), f"p{n}") for n in range(200)] for seed in (0, 1))
    assert first != second
    some = [arm_of(trial(share=0.25), f"p{n}") for n in range(4_000)]
    assert 900 < sum(arm is not None for arm in some) < 1_100


def test_whoever_is_in_an_arm_by_the_calendar_gets_it_by_the_calendar() -> None:
    plan, start = trial(), utc("2027-01-04")
    people = {
        arm.name: person for n in range(20) for person in [someone(n)] for arm in [arm_of(plan, person.id)] if arm
    }
    seen = {
        name: forecast(running(plan), person, History(), start, utc("2027-03-15"), no_answers).touches
        for name, person in people.items()
    }
    assert len(seen["every 48h"]) > len(seen["recall"])


def test_a_fifteenth_or_so_of_the_checks_is_held_out() -> None:
    out = sum(held_out(trial(), f"p{n}", "one-record", number) for n in range(500) for number in (2, 4, 6, 8))
    assert 250 < out < 350
    assert not held_out(a_plan(), "p1", "one-record", 2)


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
)
def test_wilsons_interval_is_that_of_the_literature(right: int, of: int, low: float, high: float) -> None:
    """Newcombe 1998, table I."""
    found = share_of(right, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 20), 0.6791, 1.0)],
)
def test_the_interval_of_a_difference_is_that_of_the_literature(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998 b, table II, method 10."""
    found = difference(*([True] * right + [False] * (of - right) for right, of in (one, other)))
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_nothing_is_said_of_an_empty_arm() -> None:
    assert difference([True], []) is None


@pytest.mark.parametrize(
    ("arms", "said"),
    [(["recall"], "at least 2"), (["recall", "recall"], "the same"), (["recal", "recall"], "is not an arm")],
)
def test_an_experiment_that_cannot_be_meant_is_refused(arms: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        a_plan(experiment={"arms": arms})
