"""Nothing is told of fewer than ten people, not by subtraction either, in one report or over many."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.recall.small_groups import (
    FEWEST,
    WEEK,
    Block,
    GroupAnswer,
    blocks,
    newest,
    newest_by,
    shown,
    total_of_all,
    week_of,
)
from tests.builders import utc

MONDAY = utc("2027-01-11")
HOUR = dt.timedelta(hours=1)


def told(number: int, hours: float, right: bool = True, question: int = 0) -> GroupAnswer:
    return GroupAnswer(f"p{number}", MONDAY + hours * HOUR, right, question)


@st.composite
def weeks_of_answers(draw: st.DrawFn) -> list[GroupAnswer]:
    people, weeks = draw(st.integers(1, 30)), draw(st.integers(1, 7))
    given_ = draw(st.lists(st.tuples(st.integers(1, people), st.integers(0, weeks * 168), st.booleans()), max_size=120))
    return [told(person, hours, right) for person, hours, right in given_]


def test_a_group_of_nine_is_hidden_and_one_of_ten_is_not() -> None:
    assert shown({"a": 9, "b": 10, "c": 0}) == {"b"}


def test_a_total_leaves_hidden_groups_out_unless_they_are_ten_together() -> None:
    assert not total_of_all({"a": 9, "b": 40})
    assert not total_of_all({"a": 4, "b": 5, "c": 40})
    assert total_of_all({"a": 4, "b": 6, "c": 40})
    assert total_of_all({"a": 10, "b": 0})


@given(st.lists(st.integers(0, 40), max_size=6))
def test_no_total_less_what_is_shown_tells_of_fewer_than_ten(numbers: list[int]) -> None:
    sizes = {str(place): number for place, number in enumerate(numbers)}
    covered = sizes if total_of_all(sizes) else {name: sizes[name] for name in shown(sizes)}
    rest = sum(covered.values()) - sum(sizes[name] for name in shown(sizes))
    assert rest == 0 or rest >= FEWEST


def test_a_block_closes_with_the_week_in_which_ten_people_have_answered() -> None:
    answers = [told(n, n) for n in range(9)] + [told(9, 170)]
    assert blocks(answers[:9], MONDAY + 9 * WEEK) == []
    assert blocks(answers, MONDAY + 2 * WEEK - HOUR) == []  # the week is not over
    assert blocks(answers, MONDAY + 2 * WEEK) == [Block(MONDAY, MONDAY + 2 * WEEK, tuple(answers))]


def test_one_person_who_answers_ten_times_is_still_one() -> None:
    assert blocks([told(1, n) for n in range(30)], MONDAY + WEEK) == []


def test_in_a_block_each_person_counts_once_with_the_newest_answer() -> None:
    answers = [*(told(n, n) for n in range(10)), told(3, 100, False)]
    [block] = blocks(answers, MONDAY + WEEK)
    assert (len(block.given), len(block.one_each)) == (11, 10)
    assert [one.right for one in block.one_each if one.person == "p3"] == [False]


def test_a_block_counts_until_half_of_its_people_have_newer_answers() -> None:
    first, second = [told(n, n, False) for n in range(12)], [told(n, 168 + n) for n in range(12)]
    assert newest(blocks(first + second, MONDAY + 2 * WEEK)) == second
    five_again = [*second[:5], *(told(n, 200 + n) for n in range(20, 27))]
    assert newest(blocks(first + five_again, MONDAY + 2 * WEEK)) == [*first, *five_again]
    six_again = [*second[:6], *(told(n, 200 + n) for n in range(20, 27))]
    assert newest(blocks(first + six_again, MONDAY + 2 * WEEK)) == six_again


@settings(max_examples=40)
@given(weeks_of_answers())
def test_every_figure_of_every_report_is_made_of_whole_blocks_of_ten_people(answers: list[GroupAnswer]) -> None:
    """So whatever is added to or subtracted from whatever, now or later, no remainder is smaller than a block."""
    reports = [blocks(answers, MONDAY + week * WEEK + HOUR) for week in range(9)]
    atoms = [block.one_each for block in reports[-1]]
    assert all(len({one.person for one in atom}) == len(atom) >= FEWEST for atom in atoms)
    for closed in reports:
        assert [block.one_each for block in closed] == atoms[: len(closed)]
        counted = newest(closed)
        whole = [atom for atom in atoms if set(atom) <= set(counted)]
        assert sum(map(len, whole)) == len(counted)


@settings(max_examples=15)
@given(weeks_of_answers())
def test_what_was_published_of_a_week_never_changes(answers: list[GroupAnswer]) -> None:
    reports = [blocks(answers, MONDAY + week * WEEK) for week in range(9)]
    for before, after in pairwise(reports):
        assert after[: len(before)] == before


def test_a_week_begins_on_monday() -> None:
    assert week_of(utc("2027-01-17 23:59")) == MONDAY


@given(weeks_of_answers(), st.integers(1, 5))
def test_by_kind_of_question_no_difference_of_figures_is_about_fewer_than_ten(
    answers: list[GroupAnswer], step: int
) -> None:
    asked = [GroupAnswer(one.person, one.at, one.right, (n * step) % 4) for n, one in enumerate(answers)]
    closed = blocks(asked, MONDAY + 9 * WEEK)
    found = newest_by(closed, {0: "why", 1: "how", 2: "how"})
    assert set(found) <= {"why", "how", ""}
    for block in closed:
        names = {0: "why", 1: "how", 2: "how", 3: ""}
        whole = {name: {id(one) for one in block.one_each if names[one.question] == name} for name in names.values()}
        shown_ = {name: {id(one) for one in theirs} & whole[name] for name, theirs in found.items()}
        assert all(some in (set(), whole[name]) for name, some in shown_.items())
        assert not any(shown_.values()) or all(len(each) in (0, *range(FEWEST, 99)) for each in whole.values())
    assert newest_by(closed, {}) == ({"": newest(closed)} if closed else {})
