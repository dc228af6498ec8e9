"""The index of "ask ten people", and the statistics it and the shares rest on, against published figures."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from commsengine.recall.statistics import Alike, Share, alike, chi_square_beyond, similarity


def table(**rows: tuple[int, ...]) -> dict[str, Counter[str]]:
    return {name: Counter(dict(zip("abcd", row, strict=False))) for name, row in rows.items()}


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_intervals_are_those_of_the_published_comparison(count: int, of: int, low: float, high: float) -> None:
    """Newcombe 1998, Stat. Med. 17, 857-872, table I, method 3."""
    share = Share(count, of)
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)


def test_a_share_of_nobody_may_be_anything() -> None:
    assert (Share(0, 0).share, Share(0, 0).low, Share(0, 0).high) == (0.0, 0.0, 1.0)
    assert Share(10, 10).high == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("statistic", "freedom"), [(3.841, 1), (5.991, 2), (7.815, 3), (9.488, 4), (18.307, 10), (24.996, 15)]
)
def test_five_in_a_hundred_lie_beyond_the_tabulated_chi_squares(statistic: float, freedom: int) -> None:
    assert chi_square_beyond(statistic, freedom) == pytest.approx(0.05, abs=0.0001)


def test_without_freedom_nothing_is_surprising() -> None:
    assert chi_square_beyond(0.0, 0) == chi_square_beyond(0.0, 3) == 1.0


def test_the_index_is_the_chance_of_the_same_answer_between_over_within() -> None:
    # between 6/10 x 4/10 + 4/10 x 6/10 = .48; within (6 x 5 + 4 x 3) / 90 = .4667 in both
    assert similarity(table(x=(6, 4), y=(4, 6))) == pytest.approx(0.48 / (42 / 90))


def test_groups_without_a_common_answer_have_index_nought() -> None:
    found = alike([table(x=(20, 0), y=(0, 20))])
    assert (found.index, found.verdict) == (0.0, "not alike")


def test_groups_that_all_give_one_answer_are_alike_whether_right_or_wrong() -> None:
    assert alike([table(x=(20,), y=(15,))]) == Alike("alike", 1.0, {"x": 20, "y": 15})


def test_the_group_that_stands_apart_is_named() -> None:
    found = alike([table(sales=(30, 5), service=(4, 31), office=(28, 7), board=(26, 6))])
    assert (found.verdict, found.differ, found.answers) == ("not alike", ("service",), 137)


def test_a_difference_that_may_be_an_accident_is_called_too_few_answers() -> None:
    found = alike([table(x=(5, 3, 2, 0), y=(2, 3, 2, 3))])
    assert found.verdict == ("alike" if (found.index or 0) >= 0.8 else "too few answers")
    assert alike([table(x=(7, 3), y=(3, 7))]).verdict == "too few answers"


def test_one_group_alone_cannot_be_compared() -> None:
    assert alike([table(x=(30, 5))]) == alike([]) == Alike()


def test_several_questions_weigh_by_their_answers() -> None:
    same, apart = table(x=(30, 0), y=(30, 0)), table(x=(10, 0), y=(0, 10))
    assert alike([same, apart]).index == pytest.approx((1.0 * 60 + 0.0 * 20) / 80)


def test_where_departments_do_not_differ_they_are_called_so_hardly_ever() -> None:
    dice = random.Random(7)  # noqa: S311 - dice
    wrong = 0
    for _ in range(200):
        rows = {name: Counter(dice.choices("abcd", (5, 2, 2, 1), k=15)) for name in ("x", "y", "z")}
        wrong += alike([rows]).verdict == "not alike"
    assert wrong <= 10
