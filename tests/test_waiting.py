"""No test fails because its machine is slow: who waits for an event, and who measures a span, allows a minute or more.

What is a promise about time is in ``benchmarks``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LEAST = 60
"""Seconds; what is shorter is written as a number here and there, what is longer is ``PATIENCE``."""

WAITS = {"wait", "join", "communicate", "wait_for", "wait_until", "result"}
CLOCKS = {"monotonic", "perf_counter"}


def hasty(tree: ast.Module) -> Iterator[int]:
    """The lines that give something less time than that. A wait that must be in vain may be short."""
    in_vain = {
        node.operand for node in ast.walk(tree) if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node not in in_vain and called(node) in WAITS:
            given = [word.value for word in node.keywords if word.arg == "timeout"]
            given += node.args[:1] if called(node) in ("wait", "join") else []
            if any(map(is_short, given)):
                yield node.lineno
        elif isinstance(node, ast.Compare):
            few = zip(node.ops, node.comparators, strict=True)
            short = any(isinstance(how, ast.Lt | ast.LtE) and is_short(limit) for how, limit in few)
            if short and asks_a_clock(node.left):
                yield node.lineno
        elif isinstance(node, ast.BinOp) and is_a_deadline(node):
            yield node.lineno


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def asks_a_clock(tree: ast.expr) -> bool:
    return any(isinstance(node, ast.Call) and called(node) in CLOCKS for node in ast.walk(tree))


def is_a_deadline(sum_: ast.BinOp) -> bool:
    return isinstance(sum_.op, ast.Add) and is_short(sum_.right) and asks_a_clock(sum_.left)


def is_short(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float) and value.value < LEAST


def test_every_wait_is_long_enough_for_a_busy_machine() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line}"
        for path in sorted(TESTS.rglob("*.py"))
        for line in hasty(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "assert happened.wait(5)",
        "process.communicate(timeout=20)",
        "assert wait_until(here, timeout=1.5)",
        "assert time.monotonic() - began < 5",
        "until = time.monotonic() + 30",
    ],
)
def test_these_eyes_see_what_is_hasty(line: str) -> None:
    assert list(hasty(ast.parse(line))) == [1]


@pytest.mark.parametrize(
    "line", ["assert not happened.wait(0.1)", "process.wait(PATIENCE)", "assert time.monotonic() - began >= 0.4"]
)
def test_these_eyes_leave_alone_what_is_not(line: str) -> None:
    assert list(hasty(ast.parse(line))) == []
