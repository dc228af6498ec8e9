"""Every fault of docs/faults.md is a test or a long run that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/faults.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| F\d", line)
]


def known_tests() -> set[str]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("test_*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_matrix_is_whole() -> None:
    assert [row[0] for row in ROWS] == [f"F{number}" for number in range(1, 41)]


def test_each_row_names_tests_of_its_number_that_exist() -> None:
    existing = known_tests()
    for number, row in enumerate(ROWS, 1):
        named = re.findall(r"`(test_\w+)`", row[3])
        assert set(named) <= existing, row[0]
        assert any(name.startswith(f"test_f{number:02d}_") for name in named), row[0]


def test_each_long_run_that_is_named_exists() -> None:
    runs = {path.stem.replace("_", "-") for path in (ROOT / "benchmarks/faults").glob("*.py")}
    named = {name.replace("_", "-") for row in ROWS for name in re.findall(r"run `([\w-]+)`", row[3])}
    assert named <= runs
