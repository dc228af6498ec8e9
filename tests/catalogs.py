"""The catalog of all texts that people read, from code and templates. ``make catalogs`` brings the files up to date.

``commsengine/locale/en`` is English: an entry without a translation reads as it stands in the code. It has all texts,
each other language those that people read by mail, in Slack and on pages.
"""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Formatter
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from commsengine import __version__, translation
from commsengine.translation import DOMAIN, ENGLISH

ROOT = Path(__file__).parents[1]
LOCALES = Path(translation.LOCALES)
HEADER = "# Texts of commsengine. 'make catalogs' renews the list; write after msgstr what is to be read instead."
BEGAN = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
"""Written in place of the day, so that the same texts give the same file."""
KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "counted": (2, 3)}
METHODS = [
    ("commsengine/**.py", "tests.catalogs:python"),
    ("**.html", "jinja2"),
    ("**.txt", "jinja2"),
    ("**.md", "jinja2"),
]
TERMINAL = (
    "commsengine/cli/", "commsengine/authoring/", "commsengine/sandbox/", "commsengine/planning/",
    "commsengine/resolvers/", "commsengine/settings.py", "commsengine/environment.py", "commsengine/wiring.py",
    "commsengine/runner.py", "commsengine/errors.py", "commsengine/cadence/plan.py",
    "commsengine/cadence/time_notation.py", "commsengine/content/grammar.py", "commsengine/content/templates.py",
    "commsengine/content/text_check.py", "commsengine/content/slips.py",
)  # fmt: skip
"""Where texts stand that only a terminal shows: it speaks English, and no other catalog has them."""
OPTIONS = {pattern: {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"} for pattern, _ in METHODS}


def python(source: IO[bytes], keywords: Any, _tags: Any, **_options: Any) -> Iterator[tuple[int, str, Any, list[str]]]:
    """The texts of a file, also those within f-strings, and the help that is the docstring of a command."""
    for node in ast.walk(ast.parse(source.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in keywords:
            texts = [each.value if isinstance(each, ast.Constant) else None for each in node.args]
            yield node.lineno, node.func.id, texts, []
        if isinstance(node, ast.FunctionDef) and any(_makes_command(each) for each in node.decorator_list):
            yield node.lineno, "", inspect.cleandoc(ast.get_docstring(node) or ""), []


def _makes_command(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(function, ast.Attribute) and function.attr in ("command", "group")


def extracted() -> Catalog:
    found = Catalog(locale=ENGLISH)
    for folder in ("commsengine", "message_templates"):
        for file, _line, message, comments, context in extract_from_dir(
            ROOT / folder, [(pattern.removeprefix("commsengine/"), way) for pattern, way in METHODS], OPTIONS, KEYWORDS
        ):
            found.add(message, None, [(f"{folder}/{file}", 0)], auto_comments=comments, context=context)
    return found


def for_people(texts: Catalog) -> Catalog:
    """The texts that mails, Slack and pages show."""
    found = Catalog(locale=ENGLISH)
    for each in texts:
        if each.id and not all(place.startswith(TERMINAL) for place, _line in each.locations):
            found.add(each.id, None, each.locations, auto_comments=each.auto_comments, context=each.context)
    return found


def catalog_files() -> Iterable[Path]:
    return sorted({LOCALES / ENGLISH / "LC_MESSAGES" / f"{DOMAIN}.po", *LOCALES.glob("*/LC_MESSAGES/*.po")})


def renewed(path: Path, texts: Catalog) -> tuple[bytes, bytes]:
    """The catalog of one language with the texts of today, as text (.po) and compiled (.mo).

    One that is not there yet is begun. The same texts give the same bytes.
    """
    catalog = read_po(io.BytesIO(path.read_bytes() if path.exists() else b""), locale=path.parts[-3])
    catalog.project, catalog.version, catalog.header_comment, catalog.fuzzy = DOMAIN, __version__, HEADER, False
    catalog.creation_date = catalog.revision_date = BEGAN
    wanted = texts if path.parts[-3] == ENGLISH else for_people(texts)
    catalog.update(wanted, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    written, compiled = io.BytesIO(), io.BytesIO()
    write_po(written, catalog, width=100, omit_header=False, sort_output=True, include_lineno=False)
    write_mo(compiled, catalog)
    return written.getvalue(), compiled.getvalue()


def slips(catalog: Catalog) -> list[str]:
    """The texts whose translation has other names in ``{}`` or ``%()s`` than the text, or an open brace."""
    return [
        str(entry.id)
        for entry in catalog
        if entry.id
        for text, written in _pairs(entry)
        if written and _places(written) != _places(text)
    ]


def _pairs(entry: Message) -> list[tuple[str, str]]:
    if isinstance(entry.id, str):
        return [(entry.id, str(entry.string))]
    return [(entry.id[min(number, 1)], form) for number, form in enumerate(entry.string)]


def _places(text: str) -> tuple[set[str], set[str]] | None:
    try:
        braces = {str(name) for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return None
    return braces, set(re.findall(r"%\((\w+)\)s", text))


if __name__ == "__main__":
    today, wrong = extracted(), False
    for file in catalog_files():
        text, compiled = renewed(file, today)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
        file.with_suffix(".mo").write_bytes(compiled)
        for slip in slips(read_po(io.BytesIO(text), locale=file.parts[-3])):
            print(f"{file}: write the names in braces as in the text: {slip!r}", file=sys.stderr)
            wrong = True
    sys.exit(wrong)
