from __future__ import annotations

from typing import Any

import pytest

from commsengine.cadence.kinds_and_states import CHANNELS
from commsengine.cadence.plan import Plan
from commsengine.content.text_check import TRIALS, TextProblem, check_texts
from tests.builders import a_message, a_plan
from tests.content.desk import SHIPPED, WIIFM, a_full_plan

COLUMNS = ["email", "name", "depot"]


def problems(plan: Plan, **templates: str) -> list[TextProblem]:
    return check_texts(plan, {**SHIPPED, **templates}, COLUMNS)


def one(plan: Plan, **templates: str) -> TextProblem:
    found = problems(plan, **templates)
    assert len(found) == 1
    return found[0]


def test_a_good_plan_with_the_shipped_templates_has_no_problem() -> None:
    assert problems(a_full_plan()) == []
    assert check_texts(a_full_plan(), SHIPPED, None) == []


def test_columns_that_somebody_has_are_known() -> None:
    assert problems(a_plan(a_message(text="{{ person.depot }}"))) == []


def test_an_undefined_column_has_its_path_line_and_near_names() -> None:
    found = one(a_plan(a_message(), a_message(id="b", text="Hi\n{{ person.depo }}")))
    assert found == TextProblem(
        ("messages", 1, "text"), "", 2, "'person.depo' is not defined", "Did you mean person.depot?"
    )


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"key_point": "{{ x }}"}, ("messages", 0, "key_point")),
        ({"subject": "{{ x }}"}, ("messages", 0, "subject")),
        ({"wiifm": {"sales": {"why": "{{ x }}"}}}, ("messages", 0, "wiifm", "sales", "why")),
        ({"ask": "input", "input": {"question": "{{ x }}"}}, ("messages", 0, "input", "question")),
        (
            {"checks": [{"question": "a", "answers": ["b", "c"], "right": "b", "because": "{{ x }}"}]},
            ("messages", 0, "checks", 0, "because"),
        ),
    ],
)
def test_every_text_of_a_message_is_checked(changes: dict[str, Any], path: tuple[str | int, ...]) -> None:
    assert one(a_plan(a_message(**changes))).path == path


def test_the_wiifm_of_the_plan_is_checked() -> None:
    assert one(a_plan(wiifm={"sales": {**WIIFM, "results": "{{ milestones.golive }}"}})).path == (
        "wiifm",
        "sales",
        "results",
    )


def test_a_wrong_template_is_named_with_its_line() -> None:
    found = one(a_plan(), reminder="# x\n{{ person.frist_name }}")
    assert (found.template, found.line, found.path) == ("reminder.md", 2, ())
    assert found.fix == "Did you mean person.first_name?"
    assert one(a_plan(), **{"layout.html": "<p>\n<b class={{ role }}>x</b>"}).template == "layout.html"


@pytest.mark.parametrize(
    "text", ["[a](http://x.example.com)", "x\n[a](javascript:alert(1))", "![a](https://x.example.com/y.png)"]
)
def test_links_and_images_that_would_not_work_are_told(text: str) -> None:
    assert one(a_plan(a_message(text=text))).line == text.count("\n") + 1


def test_all_problems_come_at_once() -> None:
    assert (
        len(problems(a_plan(a_message(key_point="{{ a }}", text="{{ b }} {{ c }}"), wiifm={"sales": {"why": "{{ d"}})))
        == 4
    )


def test_what_only_shows_when_rendered_is_found_too() -> None:
    found = one(a_plan(), wiifm="# x\n" + "word " * 8_000)
    assert (found.template, found.message) == ("wiifm.md", "the text has more than 32,000 characters")


def test_every_text_is_tried_by_every_channel() -> None:
    for kind in ("message", "commitment"):
        assert [channel for each, channel, number in TRIALS if each == kind and number == 1] == sorted(CHANNELS)
