"""Which touch carries which check, the order of its answers, and which point is made again."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from commsengine.cadence.check_questions import (
    answer_id,
    asks_of,
    check_of,
    offered_turn,
    order_of,
    telling,
    turn_of,
    unclear_turn,
)
from commsengine.cadence.history import Answer, TouchRow
from commsengine.cadence.plan import Message
from tests.builders import a_message, a_plan, someone, utc
from tests.cadence.telling import a_row

HOUR = dt.timedelta(hours=1)


def pool(size: int, ask: str = "acknowledge", answers: int = 4) -> Message:
    checks = [
        {"question": f"Question {n}?", "answers": [f"Answer {a}" for a in range(answers)], "right": "Answer 0",
         "because": f"Because {n}."}
        for n in range(size)
    ]  # fmt: skip
    more = {"input": {"question": "What?"}} if ask == "input" else {}
    return a_plan(a_message(ask=ask, checks=checks, **more)).messages[0]


@pytest.mark.parametrize("ask", ["acknowledge", "input", "commit", "nothing"])
def test_every_second_touch_carries_the_next_check_whatever_is_asked(ask: str) -> None:
    assert [turn_of(pool(3, ask), number) for number in range(1, 10)] == [
        None, 0, None, 1, None, 2, None, 0, None,
    ]  # fmt: skip


def test_a_message_that_asks_checks_has_one_on_every_touch() -> None:
    assert [turn_of(pool(2, "check"), number) for number in range(1, 6)] == [0, 1, 0, 1, 0]


def test_a_message_without_a_pool_has_none() -> None:
    assert [check_of(pool(0), number) for number in range(1, 6)] == [None] * 5


def test_to_test_oneself_there_is_the_check_that_was_carried_last() -> None:
    assert [offered_turn(pool(3), number) for number in range(1, 8)] == [2, 0, 0, 1, 1, 2, 2]


def test_the_order_of_the_answers_is_stable_for_a_person_and_differs_between_people() -> None:
    message = pool(2)
    orders = [order_of(message, 0, "crm", someone(n).id) for n in range(2400)]
    assert orders == [order_of(message, 0, "crm", someone(n).id) for n in range(2400)]
    counts = {order: orders.count(order) for order in set(orders)}
    assert len(counts) == 24  # each order comes up, about as often as any other
    assert max(counts.values()) < 2 * min(counts.values())
    assert [order_of(message, turn, "crm", "ana") for turn in (0, 1)] == [(1, 2, 3, 0), (0, 1, 3, 2)]


def test_a_rewritten_answer_has_another_name() -> None:
    assert answer_id("The customer record") != answer_id("The customer record.")
    assert len(answer_id("x" * 1000)) == 16


def with_kinds(**changes: object) -> Message:
    kinds = [{}, {"baseline": "true"}, {"transfer": "true"}]
    checks = [
        {"question": f"Q{n}?", "answers": ["a", "b"], "right": "a", "because": "So."} | kind
        for n, kind in enumerate(kinds)
    ]
    return a_plan(a_message(checks=checks, **changes)).messages[0]


def test_the_first_touch_asks_before_it_tells_and_the_rest_follow_one_later() -> None:
    message = with_kinds()
    assert [asks_of(message, number) for number in range(1, 8)] == [
        "baseline", "", "recall", "", "recall", "", "recall",
    ]  # fmt: skip
    assert [turn_of(message, number) for number in range(1, 8)] == [1, None, 0, None, 1, None, 0]
    assert [telling(message, number) for number in range(1, 8)] == [1, 1, 1, 2, 2, 3, 3]


def test_what_is_kept_for_the_end_is_asked_in_the_last_touch_alone_and_once() -> None:
    message = with_kinds()
    assert asks_of(message, 4, last=True) == "transfer"
    assert asks_of(message, 5, last=True, transferred=True) == "recall"
    assert asks_of(message, 1, last=True) == "baseline"
    assert turn_of(message, 4, "transfer") == 2
    offered = {offered_turn(message, number) for number in range(1, 20)}
    assert offered == {0, 1}  # nobody meets it by testing themselves


def test_what_a_touch_was_made_to_ask_stays_whatever_the_plan_says_now() -> None:
    assert turn_of(with_kinds(), 1, "") is None
    assert turn_of(pool(2), 1, "baseline") is None  # the plan has lost it
    assert turn_of(pool(2), 1, "recall") is not None


def rows(*days: str, **changes: object) -> list[TouchRow]:
    made = [a_row(day, message="one-record", **changes) for day in days]
    return [replace(row, key=f"k{n}", number=n) for n, row in enumerate(made, 1)]


def wrong(row: TouchRow, after: dt.timedelta = HOUR, *, right: bool = False) -> Answer:
    return Answer("crm", "one-record", "check", row.due_at + after, "link", right, key=row.key)


MADE = rows("2027-01-11 08:00", "2027-01-13 08:00", "2027-01-15 08:00", "2027-01-18 08:00")
NEXT = utc("2027-01-20 08:00")


def test_the_point_of_a_wrong_answer_is_made_again_once() -> None:
    message = pool(3)
    told = [unclear_turn(message, row.due_at, [wrong(MADE[1])], MADE) for row in MADE]
    assert told == [None, None, 0, None]


def test_the_newest_answer_counts() -> None:
    message, second = pool(3), wrong(MADE[1])
    again = wrong(MADE[3])
    assert unclear_turn(message, NEXT, [again, second], MADE) == 1
    assert unclear_turn(message, NEXT, [second, wrong(MADE[3], right=True)], MADE) is None


def test_a_late_answer_to_an_older_touch_is_about_that_touchs_check() -> None:
    late = wrong(MADE[1], MADE[3].due_at - MADE[1].due_at + HOUR)
    assert unclear_turn(pool(3), NEXT, [late], MADE) == 0


def test_an_answer_between_two_attempts_changes_nothing_of_the_touch() -> None:
    """The mail that is tried again is the mail that was tried."""
    assert unclear_turn(pool(3), MADE[2].due_at, [wrong(MADE[2], HOUR / 2)], MADE) is None


def test_what_was_skipped_or_carried_by_hand_is_no_next_touch() -> None:
    message = pool(3)
    for changes in ({"state": "skipped"}, {"kind": "personal"}):
        between = [replace(row, **changes) if row.key == "k3" else row for row in MADE]  # type: ignore[arg-type]
        assert unclear_turn(message, MADE[3].due_at, [wrong(MADE[1])], between) == 0


def test_other_answers_are_no_checks() -> None:
    said = replace(wrong(MADE[1]), kind="acknowledged", right=None)
    assert unclear_turn(pool(3), MADE[2].due_at, [said], MADE) is None


@pytest.mark.parametrize(
    ("every", "turns"),
    [(1, [None, 0, 1, 2, 0, 1]), (2, [None, 0, None, 1, None, 2]), (3, [None, None, 0, None, None, 1])],
)
def test_the_plan_says_every_how_many_touches_one_asks(every: int, turns: list[int | None]) -> None:
    checks = [{"question": f"{n}?", "answers": ["a", "b"], "right": "a", "because": "So."} for n in range(3)]
    message = a_plan(a_message(checks=checks, check_every=str(every))).messages[0]
    assert [turn_of(message, number) for number in range(1, 7)] == turns
