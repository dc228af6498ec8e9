import pytest

from commsengine.cadence.history import Answer, Question
from commsengine.cadence.kinds_and_states import STANDINGS
from commsengine.cadence.standing import standing
from tests.cadence.telling import a_row, got_it, outcome, question

ROW = a_row("2027-01-11 14:00")
OPEN, SETTLED = question("2027-01-12"), question("2027-01-12", "2027-01-13")
ENOUGH = got_it("2027-01-12", kind="heard_enough")
RIGHT, WRONG = (got_it(f"2027-01-{13 - right}", kind="check", right=bool(right)) for right in (1, 0))


@pytest.mark.parametrize(
    ("answers", "questions", "expected"),
    [
        ((got_it("2027-01-12"), ENOUGH), (OPEN,), "heard enough"),
        ((got_it("2027-01-12", kind="not_for_me"),), (), "heard enough"),
        ((RIGHT,), (OPEN,), "asked"),
        ((RIGHT, WRONG), (SETTLED,), "not recalled"),  # the last check counts
        ((WRONG, RIGHT, got_it("2027-01-20")), (), "not recalled"),  # by its instant, not by its place
        ((RIGHT,), (), "recalled"),
        ((got_it("2027-01-12", kind="input"),), (), "acknowledged"),
        ((), (SETTLED,), "reached"),
    ],
)
def test_the_first_that_holds_is_the_standing(
    answers: tuple[Answer, ...], questions: tuple[Question, ...], expected: str
) -> None:
    assert standing([ROW], answers, questions) == expected
    assert expected in STANDINGS


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("sent", "reached"),
        ("uncertain", "reached"),
        ("failed", "not reached"),
        ("skipped", "not reached"),
        ("retry", "not reached"),
    ],
)
def test_only_what_left_has_reached_somebody(state: str, expected: str) -> None:
    assert standing([a_row("2027-01-11 14:00", state=state)], (), ()) == expected


@pytest.mark.parametrize(("told", "expected"), [("objects", "reached"), ("away", "not reached"), ("", "not reached")])
def test_an_open_call_has_reached_nobody_until_they_talked(told: str, expected: str) -> None:
    outcomes = [outcome("2027-01-12", told)] if told else []
    assert standing([a_row("2027-01-11 14:00", kind="personal")], (), (), outcomes) == expected
