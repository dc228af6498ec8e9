from __future__ import annotations

import pytest

from commsengine.content.slots import (
    HTML,
    PLAIN,
    SLACK,
    SLACK_JSON,
    Prose,
    Skeleton,
    Slot,
    clean,
    mark,
    slack_text,
    unmarked,
)

NAME = mark(Slot("person.name", "Ben"))


def test_a_gap_is_filled_and_escaped_for_its_output() -> None:
    values = {"person.name": '<b>"A" & B</b>'}
    assert Skeleton(f"Hi {NAME}!", PLAIN).fill(values) == 'Hi <b>"A" & B</b>!'
    assert Skeleton(f"Hi {NAME}!", HTML).fill(values) == "Hi &lt;b&gt;&quot;A&quot; &amp; B&lt;/b&gt;!"
    assert Skeleton(f"Hi {NAME}!", SLACK).fill(values) == 'Hi &lt;b&gt;"A" &amp; B&lt;/b&gt;!'
    assert Skeleton(f'"Hi {NAME}!"', SLACK_JSON).fill(values) == '"Hi &lt;b&gt;\\"A\\" &amp; B&lt;/b&gt;!"'


def test_a_skeleton_knows_its_gaps_and_keeps_fixed_values() -> None:
    skeleton = Skeleton(f"{mark('a<b')} {NAME} {NAME}", HTML)
    assert skeleton.names == {"person.name"}
    assert skeleton.fill({"person.name": "Ana"}) == "a&lt;b Ana Ana"
    assert skeleton.fill({"person.name": "Ben"}) == "a&lt;b Ben Ben"


def test_prose_stays_markdown_and_an_empty_value_of_a_person_still_leaves_a_gap() -> None:
    assert mark(Prose("**x**")) == "**x**"
    assert Skeleton(mark(Slot("person.job", "")), PLAIN).fill({"person.job": "Engineer"}) == "Engineer"


def test_nobody_can_write_a_mark_by_hand() -> None:
    assert unmarked(f"x{NAME}y") == "xs" + b"person.name".hex() + "y"
    assert clean(NAME) == "s" + b"person.name".hex()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("  Ben ", "Ben"),
        ("a\r\nBcc: x", "a Bcc: x"),
        ("a\x00b\x85c\u2028d", "a b c d"),
        ("abc\u202edcba", "abc dcba"),
        ("José 李 👩‍💻", "José 李 👩‍💻"),
        ("\ud800x", "x"),
        ("x" * 5000, "x" * 1000),
    ],
)
def test_a_value_is_one_line_of_visible_characters(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@pytest.mark.parametrize(
    "text", ["<!channel>", "<@U012>", "<!subteam^S1>", "<#C1>", "<https://x|y>", "@here", "@channel", "@Everyone"]
)
def test_no_text_can_mention_or_link_in_slack(text: str) -> None:
    shown = slack_text(text)
    assert "<" not in shown
    assert "@here" not in shown
    assert "@channel" not in shown
    assert "@everyone" not in shown.lower()


def test_slack_shows_formatting_signs_as_written_and_leaves_addresses_alone() -> None:
    assert slack_text("*bold*").replace("\u2060", "") == "*bold*"
    assert slack_text("*bold*") != "*bold*"
    assert slack_text("ben_ortiz@example.com") == "ben_ortiz@example.com"
