"""The figures of the house, counted from the source: folders, names, functions, prose. ``python -m benchmarks.house``.

``--json`` prints them as data. Exit status 1 when a figure misses its goal. ``--laid-out CHECKOUT`` counts the lines of
code of another checkout as the formatter of today lays them out, without ``fmt: skip``: so two commits compare.
"""

from __future__ import annotations

import ast
import io
import json
import re
import statistics
import subprocess
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1] / "commsengine"
CLOSED_WORDS = {"state", "kind", "verdict", "channel", "standing", "outcome", "grade", "skip"}
"""Parameters and fields of these names hold a word of a closed list, so their type is a ``Literal``."""

A_CHANNEL = "slack"
"""Counted outside its own files; ``email`` is also the name of a column."""

AN_ANSWER_KIND = "heard_enough"
"""The other kinds are also words of plans (``input``, ``check``)."""

OWN_ROOMS = ("channels/slack", "resolvers/slack", "slack_app/", "sandbox/slack")

Functions = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Figure:
    """One count with its goal: ``least`` and ``most`` are inclusive, ``None`` means no bound."""

    name: str
    value: float
    most: float | None = None
    least: float | None = None
    where: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def goal(self) -> str:
        bounds = [f"≥ {self.least:g}"] if self.least is not None else []
        return ", ".join(bounds + ([f"≤ {self.most:g}"] if self.most is not None else []))


@dataclass(frozen=True)
class Source:
    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def sources() -> list[Source]:
    paths = [path for path in sorted(ROOT.rglob("*.py")) if "migrations" not in path.parts]
    return [Source(path, text := path.read_text(encoding="utf-8"), ast.parse(text)) for path in paths]


# -- folders and names ----------------------------------------------------------------------------


def folders(files: list[Source]) -> Iterator[Figure]:
    sizes = Counter(file.path.parent for file in files if file.path.name != "__init__.py")
    commands = sizes.pop(ROOT / "cli", 0)
    largest = max(sizes, key=lambda folder: sizes[folder])
    yield Figure("files", len(files))
    yield Figure("files in the fullest folder", sizes[largest], most=25, where=(largest.name,))
    yield Figure("files of the command line", commands, most=32)


def names(files: list[Source]) -> Iterator[Figure]:
    folders_of: dict[str, set[str]] = defaultdict(set)
    for file in files:
        if file.path.name not in ("__init__.py", "__main__.py"):
            folders_of[file.path.name].add(file.path.parent.relative_to(ROOT).as_posix())
    twice = {name: places for name, places in folders_of.items() if len(places) > 1}
    shown = tuple(f"{name}: {', '.join(sorted(places))}" for name, places in sorted(twice.items()))
    yield Figure("file names in two folders", len(twice), where=shown)
    classes: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes[node.name].append(file.name)
    doubled = tuple(f"{name}: {', '.join(where)}" for name, where in sorted(classes.items()) if len(where) > 1)
    yield Figure("public class names twice", len(doubled), most=0, where=doubled)


# -- functions ------------------------------------------------------------------------------------


def functions(file: Source) -> Iterator[Functions]:
    return (node for node in ast.walk(file.tree) if isinstance(node, Functions))


def documented(node: ast.AST) -> ast.Expr | None:
    """The docstring's own statement."""
    body = getattr(node, "body", [])
    first = body[0] if isinstance(body, list) and body else None
    return first if isinstance(first, ast.Expr) and _is_text(first) else None


def _is_text(node: ast.stmt | None) -> bool:
    """A statement that is a string and nothing else."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def code_lines(file: Source) -> set[int]:
    """The numbers of lines that hold code: no blank line, comment or docstring."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(file.text).readline):
        if token.type not in SILENT:
            found.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(file.tree):
        body = getattr(node, "body", None)
        for each in body if isinstance(body, list) else ():
            if (
                isinstance(each, ast.Expr)
                and isinstance(each.value, ast.Constant)
                and isinstance(each.value.value, str)
            ):
                found.difference_update(range(each.lineno, (each.end_lineno or each.lineno) + 1))
    return found


SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip


def lengths(files: list[Source]) -> Iterator[Figure]:
    measured: list[tuple[int, str]] = []
    for file in files:
        lines = code_lines(file)
        for node in functions(file):
            inside = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            measured.append((sum(line in lines for line in inside), f"{file.name}:{node.lineno} {node.name}"))
    counts = sorted(count for count, _ in measured)
    longest = tuple(f"{count} {where}" for count, where in sorted(measured, reverse=True)[:5])
    yield Figure("function lines, median", statistics.median(counts), most=8)
    yield Figure("function lines, 90th percentile", counts[int(len(counts) * 0.9)], most=18)
    yield Figure("function lines, longest", counts[-1], most=45, where=longest)


def pass_through(files: list[Source]) -> Figure:
    """Methods that hand their own parameters to one function of another module, and do nothing else."""
    found = tuple(
        f"{file.name}:{node.lineno} {node.name}"
        for file in files
        for holder in file.tree.body
        if isinstance(holder, ast.ClassDef)
        for node in holder.body
        if isinstance(node, ast.FunctionDef) and _passes_on(node, _modules(file))
    )
    return Figure("methods that only pass on", len(found), most=0, where=found)


def _modules(file: Source) -> set[str]:
    """The names under which the file knows other modules of the house."""
    imported = [node for node in file.tree.body if isinstance(node, ast.ImportFrom)]
    return {
        alias.asname or alias.name
        for node in imported
        if (node.module or "").startswith("commsengine")
        for alias in node.names
        if (ROOT.parent / (node.module or "").replace(".", "/") / f"{alias.name}.py").exists()
    }


def _passes_on(node: ast.FunctionDef, modules: set[str]) -> bool:
    body = [each for each in node.body if each is not documented(node)]
    if len(body) == 1 and isinstance(body[0], ast.With):
        body = body[0].body
    if len(body) != 1 or not isinstance(body[0], ast.Return | ast.Expr):
        return False
    call = body[0].value
    if isinstance(call, ast.Call) and len(call.args) == 1 and isinstance(call.args[0], ast.Lambda):
        call = call.args[0].body
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return False
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return (
        isinstance(call.func.value, ast.Name)
        and call.func.value.id in modules
        and all(isinstance(value, ast.Name) for value in given)
    )


# -- closed lists of words ------------------------------------------------------------------------


def plain_words(files: list[Source]) -> Figure:
    files = [file for file in files if file.name != "store/tables.py"]  # storage keeps text
    found = tuple(sorted(place for file in files for place in _plain_words(file)))
    return Figure("states, kinds and verdicts typed as str", len(found), most=0, where=found)


def _plain_words(file: Source) -> Iterator[str]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.arg) and node.arg in CLOSED_WORDS and _is_str(node.annotation):
            yield f"{file.name}:{node.lineno} {node.arg}"
        field = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(field, ast.Name) and field.id in CLOSED_WORDS and _is_str(node.annotation):
            yield f"{file.name}:{node.lineno} {field.id}"


def _is_str(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation) in ("str", "str | None")


def naming(files: list[Source], word: str) -> tuple[str, ...]:
    """The files in which this word stands as a string of its own."""
    return tuple(
        file.name
        for file in files
        if not file.name.startswith(OWN_ROOMS)
        and any(isinstance(node, ast.Constant) and node.value == word for node in ast.walk(file.tree))
    )


# -- prose ----------------------------------------------------------------------------------------


def prose(files: list[Source]) -> Iterator[Figure]:
    code = sum(len(code_lines(file)) for file in files)
    every = [node for file in files for node in functions(file)]
    with_docstring = sum(documented(node) is not None for node in every)
    comments = sum(
        token.type == tokenize.COMMENT and "fmt:" not in token.string and "noqa" not in token.string
        for file in files
        for token in tokenize.generate_tokens(io.StringIO(file.text).readline)
    )
    skips = sum(file.text.count("# fmt: skip") for file in files)
    yield Figure("lines of code", code)
    yield Figure("functions with a docstring, %", round(100 * with_docstring / len(every), 1), most=35)
    yield Figure("comments per hundred lines", round(100 * comments / code, 1), least=2, most=4)
    yield Figure("fmt: skip", skips, most=25)


def figures() -> list[Figure]:
    files = sources()
    channels, kinds = naming(files, A_CHANNEL), naming(files, AN_ANSWER_KIND)
    return [
        *folders(files),
        *names(files),
        *lengths(files),
        pass_through(files),
        plain_words(files),
        Figure("files that name a channel", len(channels), most=6, where=channels),
        Figure("files that name an answer kind", len(kinds), most=7, where=kinds),
        *prose(files),
    ]


def laid_out(checkout: Path) -> int:
    """Lines of code, each file laid out by the formatter alone."""
    total = 0
    for path in sorted((checkout / "commsengine").rglob("*.py")):
        if "migrations" not in path.parts:
            plain = re.sub(r" *# fmt: skip", "", path.read_text(encoding="utf-8"))
            command = [sys.executable, "-m", "ruff", "format", "--config", str(ROOT.parent / "pyproject.toml"), "-"]
            text = subprocess.run(command, input=plain, capture_output=True, text=True, check=True).stdout
            total += len(code_lines(Source(path, text, ast.parse(text))))
    return total


def main() -> int:
    if "--laid-out" in sys.argv:
        print(laid_out(Path(sys.argv[sys.argv.index("--laid-out") + 1])))
        return 0
    counted = figures()
    if "--json" in sys.argv:
        print(json.dumps([{**vars(figure), "kept": figure.kept} for figure in counted], indent=2))
        return 0
    for figure in counted:
        print(f"{figure.name:<42}{figure.value:>9g}   {figure.goal:<10}{'' if figure.kept else '  missed'}")
        if "--where" in sys.argv:
            print("".join(f"    {place}\n" for place in figure.where), end="")
    return int(not all(figure.kept for figure in counted))


if __name__ == "__main__":
    sys.exit(main())
