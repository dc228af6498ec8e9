"""``docs/their-bugs.md`` and these tests say the same, both ways: each thread has its test, each test its line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parents[2] / "docs/their-bugs.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| (.+?) \| (.+?) \| (.+?) \| `(test_\w+)` \|$", re.MULTILINE)
_THREADS = re.compile(r"([A-Za-z][\w-]*)((?: #\d+,?)+)")

Line = tuple[str, str, str]  # the test's name, what went wrong elsewhere, what cannot happen here


def lines_of_the_page() -> list[Line]:
    return [(test, they, here) for _, they, here, test in _ROW.findall(PAGE)]


def lines_of_the_tests() -> Iterator[Line]:
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and file != Path(__file__):
                they, _, here = " ".join((ast.get_docstring(node) or "").split()).partition(" Here: ")
                yield node.name, capital(they.removeprefix("They: ")), capital(here)


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def test_the_page_and_the_tests_say_the_same() -> None:
    assert sorted(lines_of_the_page()) == sorted(lines_of_the_tests())
    assert len(lines_of_the_page()) == PAGE.count("`test_")


def test_each_thread_is_named_in_the_name_of_its_test() -> None:
    for threads, *_, test in _ROW.findall(PAGE):
        named = "_".join(
            "_".join([project.lower().replace("-", "_"), *re.findall(r"\d+", numbers)])
            for project, numbers in _THREADS.findall(threads)
        )
        assert test.startswith(f"test_{named}_"), threads
        assert re.sub(_THREADS, "", threads).strip(" ,") == "", threads


def test_each_project_is_told_where_it_is() -> None:
    told = set(re.findall(r"^- (\S+): `[\w-]+/[\w.-]+`$", PAGE, re.MULTILINE))
    assert told == {project for threads, *_ in _ROW.findall(PAGE) for project, _ in _THREADS.findall(threads)}
