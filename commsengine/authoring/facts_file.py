"""A CSV file of outcome facts: who did it, what, when, each with its line; what it says is judged elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from commsengine.authoring.people.people_row import unguarded
from commsengine.authoring.people.table import Table, read_table
from commsengine.errors import InputError, Problem
from commsengine.text import near_names
from commsengine.translation import _

_COLUMNS = {
    **dict.fromkeys(("email", "mail", "emailaddress"), "email"),
    **dict.fromkeys(("id", "personid"), "id"),
    "outcome": "outcome",
    **dict.fromkeys(("at", "date", "day", "doneat", "doneon"), "at"),
}


@dataclass(frozen=True, slots=True)
class ToldFact:
    """A row, or an item of a list: ``person`` is an address or an id, ``place`` its line or its number from 0.

    ``named`` is the outcome as written; it and ``at`` may be empty. ``ref`` is what the system that tells it calls it.
    """

    place: int
    person: str
    named: str = ""
    at: str = ""
    ref: str = ""


def load_facts(path: Path) -> tuple[list[ToldFact], Mapping[str, int]]:
    """The rows, and the number of each column, from 1. Raises ``InputError`` where the file cannot be used."""
    text = read_table(path, _named)
    columns = _columns(text)
    rows = [_fact(line, {name: _cell(row, place) for name, place in columns.items()}) for line, row in text.rows]
    return rows, {name: place + 1 for name, place in columns.items()}


def _named(row: Sequence[str]) -> int:
    return len({name for cell in row if (name := _COLUMNS.get(re.sub(r"[^a-z]", "", unguarded(cell).lower())))})


def _cell(row: list[str], place: int) -> str:
    return unguarded(row[place].strip()) if place < len(row) else ""


def _fact(line: int, cells: Mapping[str, str]) -> ToldFact:
    person = cells.get("id") or cells.get("email", "")
    return ToldFact(line, person, cells.get("outcome", ""), cells.get("at", ""))


def _columns(text: Table) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, heading in enumerate(text.header):
        name = _COLUMNS.get(re.sub(r"[^a-z]", "", unguarded(heading).lower()))
        if name and name in found:
            cause = _("There are two columns '{name}'.", name=name)
            raise InputError.of([_problem(text, place + 1, cause, _("Keep one of them."))])
        if name:
            found[name] = place
    if "email" not in found and "id" not in found:
        near = near_names("email", [heading for heading in text.header if heading], 1)
        fix = _("Name the column of the addresses 'email' in the first row.")
        fix = _("Rename '{column}' to 'email'.", column=near[0]) if near else fix
        raise InputError.of([_problem(text, 1, _("There is no column 'email' or 'id' that says who did it."), fix)])
    if "at" not in found:
        cause, fix = (
            _("There is no column 'date' that says when it was done."),
            _("Add a column 'date', such as 2027-03-15."),
        )
        raise InputError.of([_problem(text, 1, cause, fix)])
    return found


def _problem(text: Table, column: int, cause: str, fix: str) -> Problem:
    return Problem(text.file, text.header_line, column, "missing_column", cause, fix)
