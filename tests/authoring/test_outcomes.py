"""``check`` on outcomes: what they name exists, and what an experiment can find is foretold."""

from __future__ import annotations

from pathlib import Path

import pytest

from commsengine.authoring.check import check
from commsengine.cadence.people import Person
from commsengine.cadence.population import ListedPeople
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.errors import Problem
from tests.authoring.written import PLAN, write
from tests.builders import someone

TEMPLATES = load_templates(shipped_folder(), None)
OUTCOME = "outcomes: {first_call: {title: The first call is logged, by: go_live}}\n"
TWO = "outcomes: {first_call: {title: A call, by: go_live}, course: {title: A course, by: go_live}}\n"
TRIAL = "experiment: {arms: [recall, every: 48h], outcome: first_call, day: go_live%s}\n"
ENDS = "id: one-record\n    repeat_until: done"


def told(folder: Path, text: str, people: list[Person] | None = None) -> list[Problem]:
    some = people or [someone(0, department="Sales"), someone(1, department="Support")]
    return list(check(write(folder, text), root=folder, people=ListedPeople(tuple(some)), templates=TEMPLATES).problems)


def with_outcomes(outcomes: str, message: str = "id: one-record") -> str:
    return PLAN.replace("audience:\n", f"{outcomes}audience:\n").replace("id: one-record", message)


def tried(supposed: str = "", cadence: str = "{recall_floor: 0.35}") -> str:
    return with_outcomes(OUTCOME + TRIAL % supposed).replace("{every: 48h, times: 6}", cadence)


@pytest.mark.parametrize(
    ("text", "code", "fix"),
    [
        (with_outcomes("", ENDS), "done_what", "outcomes: {first_call"),
        (with_outcomes(TWO, ENDS), "done_what", "Write 'outcome:' with one of 'first_call' or 'course'."),
        (with_outcomes(OUTCOME, "id: one-record\n    outcome: frist_call"), "unknown_outcome", "'first_call'?"),
        (with_outcomes(OUTCOME.replace("by: go_live", "by: golive")), "unknown_milestone", "Did you mean 'go_live'?"),
        (with_outcomes(OUTCOME.replace(", by: go_live", "")), "missing", ""),
        (with_outcomes(TRIAL % "").replace("{every: 48h, times: 6}", "{recall_floor: 0.35}"), "unknown_outcome", ""),
        (tried().replace("day: go_live", "day: kickoff"), "early_day", "Write a later day, such as go_live + 14d."),
        (tried().replace(", day: go_live", ""), "bad_value", "write 'outcome' and 'day' both"),
        (tried(", suppose: {base: 0.9, lift: 0.3}"), "bad_value", "more than 1"),
    ],
)  # fmt: skip
def test_a_slip_is_one_error_with_its_remedy(text: str, code: str, fix: str, tmp_path: Path) -> None:
    errors = [problem for problem in told(tmp_path, text) if problem.severity == "error"]
    assert [problem.code for problem in errors] == [code], errors
    assert fix in str(errors[0])
    assert errors[0].line > 0


def test_a_sound_plan_with_outcomes_has_nothing_to_be_said_of_them(tmp_path: Path) -> None:
    text = with_outcomes(OUTCOME, ENDS)
    assert [problem.code for problem in told(tmp_path, text)] == []
    idle = told(tmp_path, with_outcomes(TWO, "id: one-record\n    outcome: course"))
    assert [(problem.code, problem.severity) for problem in idle] == [("idle_outcome", "advice")]


def power_of(folder: Path, text: str, size: int) -> str:
    people = [someone(number, department="Sales" if number % 3 else "Support") for number in range(size)]
    (found,) = (problem for problem in told(folder, text, people) if problem.code in ("power", "no_power"))
    return f"{found.message} {found.fix}"


def test_the_power_of_an_experiment_is_foretold(tmp_path: Path) -> None:
    small = power_of(tmp_path, tried(), 120)
    assert "If 30 in 100 do it with 'recall' and 10 more with 'every 48h'" in small
    assert "(120 people in both)" in small
    assert "A chance of 80 in 100 needs a difference of " in small
    large = power_of(tmp_path, tried(", suppose: {base: 0.2, lift: 0.2}"), 400)
    assert "If 20 in 100 do it with 'recall' and 20 more" in large
    assert large.endswith("Nothing needs to be changed.")


def test_roles_of_fewer_than_ten_tell_nothing(tmp_path: Path) -> None:
    assert "No role of the experiment has ten people or more" in power_of(tmp_path, tried(), 12)
