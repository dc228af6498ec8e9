from __future__ import annotations

from itertools import pairwise

import pytest

from commsengine.cadence.plan import ANGLES
from commsengine.content.texts_by_touch import sides
from tests.builders import BEN, a_message, a_plan
from tests.content.desk import CAST, WIIFM, a_renderer, a_touch


def said(own: tuple[str, ...], plans: tuple[str, ...] = (), *, until: int = 8) -> list[str]:
    return ["+".join(sides(own, plans, number)) for number in range(1, until)]


def test_the_first_time_says_the_text_why_and_your_job() -> None:
    assert sides(("text",), ANGLES, 1) == ("text", "why", "your_job")
    assert sides((), ("skills", "results"), 1) == ("skills",)


def test_texts_take_turns_round_and_round() -> None:
    assert said(("text", "text 2", "text 3")) == ["text", "text 2", "text 3", "text", "text 2", "text 3", "text"]


def test_eleven_texts_stand_in_the_order_of_the_author() -> None:
    texts = ("text", *(f"text {number}" for number in range(2, 12)))
    assert said(texts, until=13) == [*texts, "text"]


def test_after_the_texts_come_the_messages_own_sides() -> None:
    assert said(("text", "text 2", "why", "skills")) == [
        "text+why", "text 2", "skills", "why", "text", "text 2", "skills"
    ]  # fmt: skip


def test_what_the_plan_says_goes_with_the_first_time_alone() -> None:
    assert said(("text", "text 2"), ANGLES, until=5) == ["text+why+your_job", "text 2", "text", "text 2"]


def test_a_message_without_words_of_its_own_takes_those_of_the_plan() -> None:
    assert said((), ANGLES) == ["why+your_job", "skills", "measures", "results", "why", "your_job", "skills"]


def test_nothing_comes_twice_in_a_row_where_nothing_came_first() -> None:
    assert said(("skills", "results"), until=5) == ["skills", "results", "skills", "results"]


def test_without_any_text_nothing_is_said() -> None:
    assert said(()) == [""] * 7


@pytest.mark.parametrize("message", ["one-record", "input"])
@pytest.mark.parametrize("texts", [["One.", "Two."], ["One.", "Two.", "Three."]])
def test_no_text_comes_twice_in_a_row(message: str, texts: list[str]) -> None:
    plan = a_plan(
        a_message(text=texts),
        a_message(id="input", ask="input", input={"question": "What must never get harder?"}, text=texts),
    )
    renderer = a_renderer(plan)
    for channel in ("email", "slack"):
        shown = [renderer.touch(a_touch(message, n, channel=channel), BEN, CAST).text for n in range(1, 13)]
        bodies = ["\n".join(line for line in text.splitlines() if "https://" not in line) for text in shown]
        assert all(before != after for before, after in pairwise(bodies))


def test_each_time_shows_its_own_text_by_mail_and_slack() -> None:
    renderer = a_renderer(a_plan(a_message(text=["First words.", "Second words."]), wiifm={"sales": WIIFM}))
    for channel in ("email", "slack"):
        first, second, third = (renderer.touch(a_touch(number=n, channel=channel), BEN, CAST) for n in (1, 2, 3))
        shown = [f"{one.text} {one.blocks}" for one in (first, second, third)]
        assert ["First words." in text for text in shown] == [True, False, True]
        assert ["Second words." in text for text in shown] == [False, True, False]
        assert [WIIFM["why"] in text for text in shown] == [True, False, False]
