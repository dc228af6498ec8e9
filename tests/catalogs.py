"""The catalog of all texts that people read, from code and templates. ``make catalogs`` brings the files up to date.

``commsengine/locale/en`` is English: an entry without a translation reads as it stands in the code.
"""

from __future__ import annotations

import ast
import inspect
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "commsengine" / "locale"
KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "counted": (2, 3)}
METHODS = [
    ("commsengine/cli/**.py", "tests.catalogs:commands"),
    ("commsengine/**.py", "python"),
    ("**.html", "jinja2"),
    ("**.txt", "jinja2"),
    ("**.md", "jinja2"),
]
OPTIONS = {pattern: {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"} for pattern, _ in METHODS}


def commands(source: IO[bytes], keywords: Any, tags: Any, options: Any) -> Iterator[tuple[int, str, Any, list[str]]]:
    """The texts of a file of the command line, with the help that stands in the docstrings of its commands."""
    text = source.read()
    yield from extract_python(io.BytesIO(text), keywords, tags, options)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and any(_makes_command(each) for each in node.decorator_list):
            yield node.lineno, "", inspect.cleandoc(ast.get_docstring(node) or ""), []


def _makes_command(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(function, ast.Attribute) and function.attr in ("command", "group")


def extracted() -> Catalog:
    found = Catalog(project="commsengine", locale="en", charset="utf-8")
    for folder in ("commsengine", "message_templates"):
        for file, _line, message, comments, context in extract_from_dir(
            ROOT / folder, [(pattern.removeprefix("commsengine/"), way) for pattern, way in METHODS], OPTIONS, KEYWORDS
        ):
            found.add(message, None, [(f"{folder}/{file}", 0)], auto_comments=comments, context=context)
    return found


def catalog_files() -> Iterable[Path]:
    return sorted(LOCALES.glob("*/LC_MESSAGES/*.po"))


def renewed(path: Path, texts: Catalog) -> tuple[bytes, bytes]:
    """The catalog of one language with the texts of today, as text (.po) and compiled (.mo)."""
    with path.open("rb") as stream:
        catalog = read_po(stream, locale=path.parts[-3])
    catalog.update(texts, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    written, compiled = io.BytesIO(), io.BytesIO()
    write_po(written, catalog, width=100, omit_header=False, sort_output=True, include_lineno=False)
    write_mo(compiled, catalog)
    return written.getvalue(), compiled.getvalue()


if __name__ == "__main__":
    today = extracted()
    for file in catalog_files():
        text, compiled = renewed(file, today)
        file.write_bytes(text)
        file.with_suffix(".mo").write_bytes(compiled)
