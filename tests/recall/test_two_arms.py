"""Two arms over several roles: the difference, its interval, and the chance to find one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.outcomes import coverage, powers
from commsengine.recall.two_arms import Stratum, found, more_done, power, smallest_lift

strata = st.lists(
    st.builds(
        lambda n, m, a, b: Stratum(round(a * n), n, round(b * m), m),
        st.integers(0, 60),
        st.integers(0, 60),
        st.floats(0, 1),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=5,
)


def test_of_one_role_it_is_the_plain_difference() -> None:
    more = more_done([Stratum(30, 50, 20, 40)])
    assert more is not None
    assert more.value == pytest.approx(0.6 - 0.5)
    assert more.low < 0 < more.high


def test_an_example_by_hand() -> None:
    """Two roles, worked out by hand from the formulas of Sato and Klingenberg."""
    more = more_done([Stratum(10, 20, 5, 20), Stratum(30, 40, 20, 40)])
    assert more is not None
    assert more.value == pytest.approx(0.25)
    slope = ((400 * 5 - 400 * 10) / 1600 + (1600 * 20 - 1600 * 30) / 6400) / 30**2
    level = ((10 * 15 + 5 * 10) / 80 + (30 * 20 + 20 * 10) / 160) / 30**2
    z = 1.959964
    middle = 0.25 + z * z * slope / 2
    half = (middle**2 - 0.25**2 + z * z * level) ** 0.5
    assert (more.low, more.high) == pytest.approx((middle - half, middle + half))


def test_roles_are_compared_within_themselves() -> None:
    """Each role does the same in both arms, and the arms hold different shares of the roles: no difference."""
    more = more_done([Stratum(9, 10, 81, 90), Stratum(9, 90, 1, 10)])
    assert more is not None
    assert more.value == pytest.approx(0)
    assert not found(more)


def test_without_both_arms_there_is_no_difference() -> None:
    assert more_done([]) is None
    assert more_done([Stratum(5, 10, 0, 0)]) is None
    assert not found(None)


@given(strata)
def test_the_interval_holds_the_value_and_turns_with_the_arms(seen: list[Stratum]) -> None:
    more = more_done(seen)
    turned = more_done([Stratum(one.other_did, one.other_of, one.did, one.of) for one in seen])
    if more is None or turned is None:
        assert more is turned is None
        return
    assert -1 <= more.low <= more.value + 1e-9
    assert more.value - 1e-9 <= more.high <= 1
    assert (turned.value, turned.low, turned.high) == pytest.approx((-more.value, -more.high, -more.low), abs=1e-9)


def test_power_is_the_same_each_time_and_grows_with_people_and_lift() -> None:
    few, many = [(20, 20), (15, 15)], [(100, 100), (75, 75)]
    assert power(few, 0.3, 0.2) == power(few, 0.3, 0.2)
    assert power(few, 0.3, 0.2) < power(few, 0.3, 0.4) < power(many, 0.3, 0.4)
    assert power(many, 0.3, 0.0) == pytest.approx(0.05, abs=0.02)
    assert power([(200, 200)], 0.3, 0.2) > 0.95
    assert power([], 0.3, 0.2) == 0


def test_the_smallest_lift_is_found_as_often_as_wanted() -> None:
    sizes = [(60, 60), (40, 40)]
    least = smallest_lift(sizes, 0.3)
    assert least is not None
    assert power(sizes, 0.3, least - 0.02) < 0.8 < power(sizes, 0.3, least + 0.02)
    assert smallest_lift([(2, 2)], 0.3) is None


@pytest.mark.slow
def test_interval_alarms_and_power_hold_over_some_companies() -> None:
    """The short form of benchmarks/outcomes.py; its bounds are as wide as chance makes so few."""
    seen = coverage(400)
    assert seen.covered >= 0.92
    assert seen.alarms <= 0.08
    groups = powers(500, audiences=10)
    assert max(group.off for group in groups) < 0.10
