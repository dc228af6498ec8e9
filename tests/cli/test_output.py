"""What the helpers of ``cli/output.py`` show."""

from __future__ import annotations

import contextlib
import io

import pytest

from commsengine.cli.output import Progress
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
