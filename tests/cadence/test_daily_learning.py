"""What a day's answers teach: each counts once, on the day it belongs to, and small roles borrow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest

from commsengine.cadence.daily_learning import LearnedRoles, count_at, learn_day
from commsengine.cadence.experiment import held_out
from commsengine.cadence.forecast import Fact, forecast
from commsengine.cadence.history import Answer, History, Touch
from commsengine.cadence.people import Person
from commsengine.recall.learning import estimate
from commsengine.recall.memory import ALWAYS, Event
from tests.builders import a_message, a_plan, running, someone, utc

CHECK = {"question": "Where?", "answers": ["Here", "There"], "right": "Here", "because": "It is here."}
PLAN = a_plan(a_message(checks=[CHECK]), follow_up=[])
START, DAY = utc("2027-01-11"), dt.timedelta(days=1)
MIDNIGHT = utc("2027-01-14")
SECOND = dt.timedelta(seconds=1)


def asked(number: int, at: dt.datetime, right: bool = True, department: str = "Sales") -> tuple[Person, History]:
    """Somebody whose second touch was on the morning before midnight, and who answered its check at this instant."""
    person = replace(someone(number), department=department)

    def suppose(touch: Touch) -> Sequence[Fact]:
        return (Answer(touch.campaign, touch.message, "check", at, "link", right),) if touch.number == 2 else ()

    return person, forecast(running(PLAN), person, History(), START, MIDNIGHT + DAY, suppose).history


def taught(people: Sequence[tuple[Person, History]], *days: dt.datetime) -> LearnedRoles:
    known = LearnedRoles()
    for day in days:
        known = learn_day(PLAN, known, people, day, one_by_one=True) or known
    return known


@pytest.mark.parametrize(
    ("after_midnight", "first_day"), [(-SECOND, 1), (0 * SECOND, 1), (SECOND, 0)], ids=["before", "at", "after"]
)
def test_every_answer_counts_once_also_that_of_midnight_itself(after_midnight: dt.timedelta, first_day: int) -> None:
    people = [asked(1, MIDNIGHT + after_midnight)]
    first = taught(people, MIDNIGHT)
    assert sum(each.checks for each in first.roles.values()) == first_day
    later = taught(people, MIDNIGHT, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY)
    assert (later.roles["sales"].checks, later.roles["others"].checks) == (1, 0)


def test_a_day_without_answers_teaches_nothing() -> None:
    people = [asked(1, MIDNIGHT - SECOND)]
    assert learn_day(PLAN, taught(people, MIDNIGHT), people, MIDNIGHT + DAY) is None


def test_a_role_in_which_nobody_answered_borrows_from_the_others_and_from_nobody_else() -> None:
    people = [asked(number, MIDNIGHT - SECOND) for number in range(40)]
    known = taught(people, MIDNIGHT)
    read = (Event(0.0, "read"),)
    borrowed, own = (known.estimates[role].memory(read).recall(48) for role in ("others", "sales"))
    alone = {role: estimate(known.roles[role]).memory(read).recall(48) for role in ("others", "sales")}
    assert borrowed > alone["others"] + 0.01
    assert own == alone["sales"]


def test_answers_are_counted_at_midnight_and_used_at_three() -> None:
    known = taught([asked(1, MIDNIGHT - SECOND)], MIDNIGHT)
    assert (known.counted_at, known.effective_at) == (MIDNIGHT, utc("2027-01-14 03:00"))
    assert count_at(utc("2027-01-14 23:59")) == MIDNIGHT
    assert LearnedRoles().counted_at == ALWAYS


def test_who_was_loaded_first_does_not_matter() -> None:
    people = [asked(number, MIDNIGHT - number * SECOND, right=number % 3 > 0) for number in range(1, 20)]
    assert taught(people, MIDNIGHT) == taught(people[::-1], MIDNIGHT)


def test_what_is_held_out_is_forecast_and_teaches_nothing() -> None:
    trial = a_plan(
        a_message(checks=[CHECK]), follow_up=[], experiment={"arms": ["recall", {"every": "48h"}], "hold_out": "0.2"}
    )
    people = [asked(number, MIDNIGHT - SECOND) for number in range(60)]
    out = sum(held_out(trial, person.id, "one-record", 2) for person, _ in people)
    known = learn_day(trial, LearnedRoles(), people, MIDNIGHT)
    assert known
    assert 0 < out < 60
    assert (known.roles["sales"].checks, known.roles["sales"].forecasts) == (60 - out, 60)


def test_answers_wait_until_they_are_those_of_ten_people_of_the_role() -> None:
    nine = [asked(number, MIDNIGHT - SECOND) for number in range(9)]
    tenth = asked(9, MIDNIGHT + DAY - SECOND)
    other = asked(10, MIDNIGHT - SECOND, department="Service")
    first = learn_day(PLAN, LearnedRoles(), [*nine, tenth, other], MIDNIGHT)
    assert first is None
    second = learn_day(PLAN, LearnedRoles(), [*nine, tenth, other], MIDNIGHT + DAY)
    assert second
    assert (second.roles["sales"].checks, second.roles["others"].checks) == (10, 0)
    assert learn_day(PLAN, second, [*nine, tenth, other], MIDNIGHT + 2 * DAY) is None


def test_what_measures_something_else_teaches_nothing() -> None:
    def before(person: Person, history: History) -> tuple[Person, History]:
        return person, replace(history, answers=tuple(replace(one, measures="baseline") for one in history.answers))

    people = [before(*asked(number, MIDNIGHT - SECOND)) for number in range(12)]
    assert learn_day(PLAN, LearnedRoles(), people, MIDNIGHT) is None
