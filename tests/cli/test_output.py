"""What the helpers of ``cli/output.py`` show."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator

import pytest

from commsengine.cli.output import PAGE, Progress, show_json_rows, table
from tests.cli.terminal import Screen
from tests.waiting import expect


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize(
    ("term", "seen"), [("xterm", "\rSimulating … 40%, "), ("dumb", "Simulating …\n"), ("", "Simulating …\n")]
)
def test_slow_work_shows_that_it_goes_on(monkeypatch: pytest.MonkeyPatch, term: str, seen: str) -> None:
    monkeypatch.setenv("TERM", term)
    with contextlib.redirect_stderr(Screen()) as screen, Progress("Simulating", slow=1, step=0.005) as progress:
        progress(0.4)
        expect(lambda: seen in screen.getvalue())
    shown = screen.getvalue()
    assert shown.count("\n") == (term != "xterm")
    assert shown.rpartition("\r")[2].strip() == "" or term != "xterm", "the line is gone at the end"


def test_quick_work_shows_nothing() -> None:
    with contextlib.redirect_stderr(Screen()) as screen, Progress("Simulating", slow=10**6, step=0.005):
        pass
    assert screen.getvalue() == ""


def test_what_is_no_terminal_gets_no_progress() -> None:
    with contextlib.redirect_stderr(io.StringIO()) as piped, Progress("Simulating") as progress:
        progress(0.5)
    assert progress.thread is None
    assert piped.getvalue() == ""


def test_a_table_is_drawn_while_its_rows_come() -> None:
    drawn: list[int] = []

    def rows() -> Iterator[tuple[str, int]]:
        for number in range(2 * PAGE):
            drawn.append(len(piped.getvalue().splitlines()))
            yield ("日本" if number == 1 else "a name that is wider" if number > PAGE else "name"), number

    with contextlib.redirect_stdout(io.StringIO()) as piped:
        assert table(["person", "number"], rows(), right=["number"]) == 2 * PAGE
    assert drawn[0] == drawn[PAGE - 1] == 0
    assert drawn[PAGE] == drawn[-1] == PAGE + 2  # a heading and its rule
    lines = piped.getvalue().splitlines()
    assert lines[:4] == ["person   number", "─" * 15, "name          0", "日本          1"]
    assert lines[-1] == "a name that is wider     1999"
    assert len(lines) == 2 * PAGE + 2


def test_a_table_too_wide_for_its_terminal_is_folded() -> None:
    with contextlib.redirect_stdout(Screen()) as screen:
        table(["key", "text"], [("4f1c9a0b7d2e", "word " * 40)], whole=["key"])
    lines = screen.getvalue().splitlines()
    assert len(lines) > 4
    assert [line for line in lines if "4f1c9a0b7d2e" in line]


def test_rows_of_json_are_written_while_they_come() -> None:
    def rows() -> Iterator[dict[str, str]]:
        for name in ("Ana", "Jürgen"):
            assert name not in piped.getvalue()
            yield {"name": name}
        assert '{"name": "Ana"},\n' in piped.getvalue()

    with contextlib.redirect_stdout(io.StringIO()) as piped:
        show_json_rows("people", rows(), campaign="crm")
    assert json.loads(piped.getvalue()) == {"campaign": "crm", "people": [{"name": "Ana"}, {"name": "Jürgen"}]}
    with contextlib.redirect_stdout(io.StringIO()) as piped:
        show_json_rows("people", iter(()))
    assert json.loads(piped.getvalue()) == {"people": []}
