from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from commsengine.cadence.plan import ANGLES
from commsengine.content.texts_by_touch import angles
from tests.builders import BEN, a_message, a_plan
from tests.content.desk import CAST, WIIFM, a_renderer, a_touch

SUBSETS = [chosen for size in range(6) for chosen in combinations(ANGLES, size)]


def test_the_first_touch_says_why_and_your_job() -> None:
    assert angles(ANGLES, 1) == ("why", "your_job")
    assert angles(("skills", "results"), 1) == ("skills",)


def test_later_touches_begin_with_what_was_not_said_yet() -> None:
    later = [angles((*ANGLES, "text"), number) for number in range(2, 9)]
    assert later == [("skills",), ("measures",), ("results",), ("why",), ("your_job",), ("text",), ("skills",)]


def test_without_any_text_there_is_no_angle() -> None:
    assert [angles((), number) for number in (1, 2, 3)] == [(), (), ()]


@pytest.mark.parametrize("told", SUBSETS, ids="-".join)
@pytest.mark.parametrize("message", ["one-record", "input"])
def test_no_text_comes_twice_in_a_row(told: tuple[str, ...], message: str) -> None:
    plan = a_plan(
        a_message(),
        a_message(id="input", ask="input", input={"question": "What must never get harder?"}),
        wiifm={"sales": {angle: WIIFM[angle] for angle in told}},
    )
    renderer = a_renderer(plan)
    for channel in ("email", "slack"):
        shown = [renderer.touch(a_touch(message, n, channel=channel), BEN, CAST).text for n in range(1, 13)]
        bodies = ["\n".join(line for line in text.splitlines() if "https://" not in line) for text in shown]
        assert all(before != after for before, after in pairwise(bodies))


def test_reminders_never_repeat_their_words_in_a_row() -> None:
    renderer = a_renderer()
    shown = [renderer.touch(a_touch("input", n, kind="remind", channel="slack"), BEN, CAST).text for n in range(2, 9)]
    bodies = [text.rsplit("\n", 1)[0] for text in shown]
    assert all(before != after for before, after in pairwise(bodies))
