from __future__ import annotations

import pytest

from commsengine.content.markdown import read
from commsengine.content.talking_points import Part, TalkingPoints, parts_of
from tests.builders import BEN
from tests.content.desk import CAST, RENDERER, SHIPPED, a_full_plan, a_renderer


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("# With Ben\n\nHello.\n\n## Say\n\nFirst.\n\n- One\n- Two\n\n> Quoted\n\n## What to avoid\n\n- Push",
         [("Say", ("First.", "One", "Two", "Quoted")), ("What to avoid", ("Push",))]),
        ("# With Ben\n\nJust talk.\n\n- Listen", [("With Ben", ("Just talk.", "Listen"))]),
        ("Just talk.", [("", ("Just talk.",))]),
        ("## Empty\n\n## Say\n\nA line\nin two.", [("Say", ("A line in two.",))]),
        ("", []),
    ],
)  # fmt: skip
def test_every_line_stands_under_its_heading(source: str, parts: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(part.title, part.lines) for part in parts_of(read(source))] == parts


def test_a_template_gets_one_row_a_line_with_the_heading_before_the_first() -> None:
    talk = TalkingPoints("", (Part("Say", ("One", "Two")), Part("What to avoid", ("Push",))))
    assert talk.rows == [
        {"title": "Say", "text": "One"}, {"title": "", "text": "Two"}, {"title": "What to avoid", "text": "Push"},
    ]  # fmt: skip


def test_the_parts_of_a_call_have_the_persons_values() -> None:
    parts = dict_of(RENDERER.talking_points(["one-record", "input"], "sales", BEN, CAST, ["e-mail on Monday"]))
    assert parts["Why we do this"][0] == "Two lists cost us orders."
    assert parts["What it brings Ben as Account manager"][0] == "In daily work: You log each call once."
    assert parts["Questions to ask"][0] == "What must never get harder?"
    assert "You know this work, and we do not." in parts["Say that their knowledge is needed"][0]
    assert "Do not promise anything that you cannot keep." in parts["What to avoid"]


def test_a_template_of_ones_own_keeps_its_own_headings() -> None:
    own = a_renderer(a_full_plan(), {**SHIPPED, "talking_points": "# Hallo\n\n## Bitte nicht\n\n- Drängen."})
    assert dict_of(own.talking_points("one-record", "sales", BEN, CAST)) == {"Bitte nicht": ("Drängen.",)}


def dict_of(talk: TalkingPoints) -> dict[str, tuple[str, ...]]:
    return {part.title: part.lines for part in talk.parts}
