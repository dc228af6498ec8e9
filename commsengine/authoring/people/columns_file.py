"""``people-columns.yaml``: what the headings of a company's people files mean, once said and kept for the next file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from commsengine.authoring.people.columns import MAPPABLE
from commsengine.authoring.people.headings import LIKE_OURS, bare
from commsengine.authoring.yaml_parser import tree_of
from commsengine.authoring.yaml_text import read_text
from commsengine.errors import InputError, Problem
from commsengine.text import listed, near_names
from commsengine.translation import N_, _

FILE = "people-columns.yaml"
LEFT_OUT = "-"

_HEAD = """\
# What the headings of people files mean, for imports, plans' own people files and the watched folder.
# HEADING: one of our columns (docs/people.md), the name of an attribute, or "-" to leave the column out.
# Written by: commsengine people import FILE --map "HEADING=COLUMN"
"""


def load_columns(path: Path) -> dict[str, str]:
    """By heading; empty without a file. Raises ``InputError`` with every problem of the file."""
    if not path.exists():
        return {}
    text = read_text(path)
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        return {}
    tree = tree_of(text, str(path))
    problems = list(tree.problems)
    if not isinstance(tree.data, dict):
        fix = _("Write lines such as 'Kostenstelle: department'.")
        problems.append(tree.problem((1, 1), "not_a_mapping", _("The file is not made of 'key: value' lines."), fix))
        raise InputError.of(problems)
    for heading, column in tree.data.items():
        if fault := _fault(heading, column):
            problems.append(tree.problem(tree.key_place((heading,)), "bad_mapping", *fault))
    problems += [
        tree.problem(tree.key_place((heading,)), "bad_mapping", *fault) for heading, fault in _twice(tree.data)
    ]
    if problems:
        raise InputError.of(problems)
    return {str(heading): str(column) for heading, column in tree.data.items()}


def columns_text(columns: Mapping[str, str]) -> str:
    """The file, as ``load_columns`` reads it back."""
    lines = [f"{json.dumps(heading, ensure_ascii=False)}: {_written(column)}" for heading, column in columns.items()]
    return _HEAD + "".join(f"{line}\n" for line in lines)


def _written(column: str) -> str:
    return column if column in MAPPABLE else json.dumps(column, ensure_ascii=False)


def parse_map(written: Iterable[str]) -> dict[str, str]:
    """``HEADING=COLUMN`` each, by heading. Raises ``InputError`` for the first that cannot be used."""
    found: dict[str, str] = {}
    for each in written:
        heading, equals, column = (part.strip() for part in each.rpartition("="))
        if not equals or not heading:
            cause = _("'{written}' does not have the form HEADING=COLUMN.", written=each)
            raise InputError(cause, _('Write --map "Kostenstelle=department", or --map "Notes=-" to leave it out.'))
        column = column.lower() if column.lower() in MAPPABLE else column
        if fault := _fault(heading, column):
            raise InputError(*fault)
        found[heading] = column
    refuse_twice(found)
    return found


def refuse_twice(columns: Mapping[str, str]) -> None:
    """Raises ``InputError`` where two headings are one of our columns."""
    for _heading, fault in _twice(columns):
        raise InputError(*fault)


def unknown_headings(columns: Iterable[str], header: Iterable[str], file: str) -> list[Problem]:
    """The headings of these that no column of the file has."""
    there = {bare(each): each for each in header}
    return [_no_such(heading, list(there.values()), file) for heading in columns if bare(heading) not in there]


def _no_such(heading: str, header: list[str], file: str) -> Problem:
    near = near_names(heading, header, 2)
    fix = _("Did you mean {names}?", names=listed(near)) if near else _("There is: {names}.", names=", ".join(header))
    return Problem(file, 1, 1, "unknown_heading", _("No column is called '{heading}'.", heading=heading), fix)


def _fault(heading: object, column: object) -> tuple[str, str] | None:
    if not isinstance(column, str) or not column.strip():
        cause = _("'{heading}' does not say what it means.", heading=heading)
        return cause, _('Write one of our columns, the name of an attribute, or "-" to leave it out.')
    near = near_names(column, MAPPABLE, 1, LIKE_OURS)
    if column not in (*MAPPABLE, LEFT_OUT) and near:
        cause = _("'{column}' is not one of our columns.", column=column)
        return cause, _("Did you mean {names}?", names=listed(near))
    if not column.isprintable() or len(column) > 100:
        return _("'{heading}' cannot be called this.", heading=heading), _("Write a short name of an attribute.")
    return None


def _twice(columns: Mapping[str, str]) -> Iterable[tuple[str, tuple[str, str]]]:
    first: dict[str, str] = {}
    for heading, column in columns.items():
        if column in first and column != LEFT_OUT:
            cause = N_("'{first}' and '{second}' cannot both be '{column}'.")
            told = _(cause, first=first[column], second=heading, column=column)
            yield heading, (told, _('Map one of them to "-", which leaves it out.'))
        first.setdefault(column, heading)
