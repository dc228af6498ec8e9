"""How one change of a plan is drawn."""

from __future__ import annotations

import click
import pytest

from commsengine.campaigns.changes import PlanChange
from commsengine.cli.difference.shown_changes import MOST_LINES, shown

LONG = "Every customer conversation is logged in one record, whoever has it, on the same day and in full sentences."
EVIL = "\x1b[2J\u202etxet\x07"


def drawn(*changes: PlanChange, width: int = 100, full: bool = False) -> list[str]:
    return [click.unstyle(line) for line in shown(changes, width, full=full)]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("16:30", "18:00", '~ path  "16:30" → "18:00"'),
        (3, 2, "~ path  3 → 2"),
        (True, False, "~ path  true → false"),
        (["a@x.example"], ["a@x.example", "b@x.example"], "~ path  [a@x.example] → [a@x.example, b@x.example]"),
        ("", "x\n", None),
    ],
)
def test_a_short_value_is_one_line(old: object, new: object, line: str | None) -> None:
    found = drawn(PlanChange("path", "changed", old, new))
    assert found == ([line] if line else ["~ path", "  + x"])


def test_what_comes_and_goes_has_one_sign() -> None:
    message = {
        "id": "new",
        "to": ["sales"],
        "cadence": {"every": "48h"},
        "follow_up": [{"after": "2 touches", "do": "remind"}],
    }
    lines = [
        "id: new",
        "to: [sales]",
        "cadence:",
        "  every: 48h",
        "follow_up:",
        "  - after: 2 touches",
        "    do: remind",
    ]
    assert drawn(PlanChange("messages.new", "added", None, message)) == [
        "+ messages.new",
        *(f"  + {line}" for line in lines),
    ]
    gone = drawn(PlanChange("messages.new", "removed", message, None))
    assert gone == ["- messages.new", *(f"  - {line}" for line in lines)]
    assert drawn(PlanChange("messages.m.follow_up", "added", None, [])) == ["+ messages.m.follow_up  []"]


def test_the_words_that_differ_are_bold() -> None:
    new = LONG.replace("one record", "two records")
    head, old_line, new_line = shown([PlanChange("text", "changed", LONG, new)], 200)
    assert click.style("one", fg="red", bold=True, underline=True) in old_line
    assert click.style("records", fg="green", bold=True, underline=True) in new_line
    assert click.unstyle(new_line) == f"  + {new}"
    assert head == click.style("~ text", fg="yellow", bold=True)


def test_two_texts_without_a_likeness_are_not_compared_by_word() -> None:
    _head, *lines = shown([PlanChange("text", "changed", LONG, "x" * 120)], 300)
    assert not any("\x1b[1m" in line for line in lines)


def test_lines_fit_the_terminal() -> None:
    lines = drawn(PlanChange("text", "changed", LONG, LONG.replace("one", "our")), width=60)
    assert max(map(len, lines)) <= 60
    assert [line[2] for line in lines[1:]] == ["-", "-", "+", "+"]


def test_only_the_lines_around_a_change_are_shown() -> None:
    old = "\n".join(f"line {n}" for n in range(9))
    lines = drawn(PlanChange("text", "changed", old, old.replace("line 4", "row 4")))
    assert lines == ["~ text", "    …", "    line 3", "  - line 4", "  + row 4", "    line 5", "    …"]


def test_a_change_that_nobody_sees_is_told() -> None:
    assert drawn(PlanChange("text", "changed", "a\nb", "a\nb\n"))[1:] == ["    only spaces or line ends differ"]


def test_a_long_text_shows_something_of_both_sides() -> None:
    old, new = ("\n".join(f"{word} {n}" for n in range(30)) for word in ("old", "wholly new and other"))
    change = PlanChange("text", "changed", old, new)
    lines = drawn(change)
    assert len(lines) == MOST_LINES + 2
    assert ["  - old 0" in lines, "  + wholly new and other 0" in lines] == [True, True]
    assert lines[-1] == "    … 48 more lines: --full shows all"
    assert len(drawn(change, full=True)) == 61


@pytest.mark.parametrize("kind", ["added", "changed"])
@pytest.mark.parametrize("text", [EVIL, f"{EVIL} {LONG}", f"{EVIL}\n{EVIL}"])
def test_words_of_others_give_a_terminal_no_orders(kind: str, text: str) -> None:
    change = PlanChange(f"wiifm.{EVIL}", kind, "old" if kind == "changed" else None, text)  # type: ignore[arg-type]
    said = "\n".join(click.unstyle(line) for line in shown([change], 100))
    assert not any(sign in said for sign in ("\x1b", "\u202e", "\x07"))
    assert "\\u001b[2J" in said
