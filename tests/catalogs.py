"""The catalog of all texts that people read, from code and templates. ``make catalogs`` brings the files up to date.

``commsengine/locale/en`` is English: an entry without a translation reads as it stands in the code. It has all texts,
each other language those that people read by mail, in Slack and on pages.
"""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from commsengine import __version__, translation
from commsengine.authoring.catalog_file import is_translated, pairs
from commsengine.authoring.catalog_file import names_in as _places  # noqa: F401 - beside ``slips``
from commsengine.authoring.catalog_file import slips as slips_of
from commsengine.translation import DOMAIN, ENGLISH, TO_TRANSLATE

ROOT = Path(__file__).parents[1]
LOCALES = Path(translation.LOCALES)
HEADER = "# Texts of commsengine. 'make catalogs' renews the list; write after msgstr what is to be read instead."
NEW_LANGUAGE = (
    "# Texts of mails, Slack and pages. Copy this file into the folder 'locale' of your workspace,\n"
    "# name it after the language, such as pl.po, and write after each msgstr what people are to read."
)
SAME = ROOT / "tests" / "corpus" / "same_as_english.json"
"""By language the texts that read the same in it."""
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
    "commsengine/runner.py", "commsengine/errors.py", "commsengine/links.py", "commsengine/cadence/plan.py",
    "commsengine/cadence/time_notation.py", "commsengine/cadence/sequence.py", "commsengine/cadence/audience.py",
    "commsengine/content/grammar.py", "commsengine/content/templates.py", "commsengine/content/text_check.py",
    "commsengine/content/recipe.py", "commsengine/content/markdown.py", "commsengine/content/person_values.py",
    "commsengine/channels/server_url.py", "commsengine/channels/mime.py", "commsengine/channels/slack_refusals.py",
    "commsengine/store/database.py", "commsengine/store/schema.py", "commsengine/store/copies/",
    "commsengine/store/recovery.py", "commsengine/store/people", "commsengine/store/campaigns.py",
    "commsengine/store/erasure.py", "commsengine/store/refusals.py", "commsengine/engine/owner_lock.py",
    "commsengine/engine/journal.py", "commsengine/engine/state_folder.py", "commsengine/engine/engine.py",
    "commsengine/campaigns/apply.py", "commsengine/campaigns/notices.py", "commsengine/campaigns/outcome_facts.py",
    "commsengine/reports/why.py", "commsengine/web/facts_webhook.py", "commsengine/content/slips.py",
    "commsengine/campaigns/saved_difference.py", "commsengine/campaigns/move_to_server.py",
    "commsengine/store/campaign_facts/seals.py", "commsengine/store/workers/",
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


@cache
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
    if path.parts[-3] == "fr":
        for each in catalog:
            each.string = each.string or ""  # a text that is new
            each.string = (
                tuple(map(_unbroken, each.string)) if isinstance(each.string, tuple) else _unbroken(each.string)
            )
    written, compiled = io.BytesIO(), io.BytesIO()
    write_po(written, catalog, width=100, omit_header=False, sort_output=True, include_lineno=False)
    write_mo(compiled, catalog)
    return written.getvalue(), compiled.getvalue()


def _unbroken(text: str) -> str:
    """A French text whose signs : ; ? ! « » begin and end no line alone."""
    return re.sub(r"(?<=«) | (?=»)|(?<=\S) (?=[:;?!](?:[\s*»”)`<]|$))", "\u00a0", text)


def begun(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def missing(catalog: Catalog) -> list[str]:
    """The texts that have no translation, and are not listed as the same in this language."""
    same = json.loads(SAME.read_text(encoding="utf-8")).get(str(catalog.locale), [])
    return [
        text for each in catalog if each.id and not is_translated(each) for text in [_one(each)] if text not in same
    ]


def slips(catalog: Catalog) -> list[str]:
    """What is wrong with translations, each with its text."""
    found = [f"{_one(each)!r}: {cause} {fix}" for each in catalog for cause, fix in slips_of(each)]
    return found + [f"{_one(each)!r}: {said}" for each in catalog if each.id for said in _style(each, catalog)]


def _style(entry: Message, catalog: Catalog) -> Iterator[str]:
    if str(catalog.locale) == ENGLISH:
        return
    for _text, written in pairs(entry):
        prose = re.sub("`[^`]*`|<[^>]*>", "", written)
        if '"' in prose:
            yield "Write the quotes of the language, not straight ones."
        if "..." in prose:
            yield "Write … as one sign."
        if any("  " in line.strip() for line in prose.splitlines()):
            yield "It has two blanks in a row."


def _one(entry: Message) -> str:
    return entry.id if isinstance(entry.id, str) else entry.id[0]


def to_translate(texts: Catalog) -> bytes:
    """The list of texts for a new language."""
    found, written = Catalog(), io.BytesIO()  # its language decides how many plural forms there are
    for each in for_people(texts):
        if each.id:  # the first has the header
            found[each.id] = each
    found.project, found.version, found.header_comment, found.fuzzy = DOMAIN, __version__, NEW_LANGUAGE, False
    found.creation_date = found.revision_date = BEGAN
    write_po(written, found, width=100, sort_output=True, include_lineno=False)
    return written.getvalue()


if __name__ == "__main__":
    today, failed = extracted(), False
    Path(TO_TRANSLATE).write_bytes(to_translate(today))
    for file in sorted({*catalog_files(), *map(begun, sys.argv[1:])}):
        text, compiled = renewed(file, today)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
        file.with_suffix(".mo").write_bytes(compiled)
        catalog = read_po(io.BytesIO(text), locale=file.parts[-3])
        for slip in slips(catalog):
            print(f"{file}: {slip}", file=sys.stderr)
            failed = True
        if file.parts[-3] != ENGLISH:
            print(f"{file.parts[-3]}: {len(missing(catalog))} texts are not translated", file=sys.stderr)
    sys.exit(failed)
