"""people.csv: who works here, as a spreadsheet saved it, with every row that cannot be used named with its reason.

``column`` of a problem is the number of the cell in its row (A is 1, B is 2), as a spreadsheet counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from commsengine.authoring.csv_text import CsvText, read_csv
from commsengine.authoring.near import meant, near_names
from commsengine.authoring.people_row import KNOWN, CellError, person_of, unguarded
from commsengine.cadence.people import Person
from commsengine.errors import InputError, Problem

_SQUASHED = {re.sub(r"[^a-z]", "", name): name for name in KNOWN} | {"mail": "email", "emailaddress": "email"}


@dataclass(frozen=True)
class PeopleFile:
    """The usable people, in the order of the file, and a problem or more for each other row. ``read`` counts rows."""

    people: tuple[Person, ...]
    rejected: tuple[Problem, ...]
    read: int


@dataclass
class _Reading:
    file: str
    columns: dict[str, int]
    people: list[tuple[int, Person]] = field(default_factory=list)
    rejected: list[Problem] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    ids: dict[str, int] = field(default_factory=dict)
    emails: dict[str, int] = field(default_factory=dict)

    def reject(self, line: int, column: str, code: str, cause: str, fix: str) -> None:
        self.rejected.append(Problem(self.file, line, self.columns.get(column, 0) + 1, code, cause, fix))


def load_people(path: Path, *, known: Collection[str] = ()) -> PeopleFile:
    """Read a people file. ``known`` are addresses in the directory already, which may be managers.

    Raises ``InputError`` where the file itself cannot be used; a bad row is in ``rejected`` instead.
    """
    text = read_csv(path)
    reading = _Reading(text.file, _columns(text))
    own = {name: index for name, index in reading.columns.items() if name in KNOWN}
    attributes = {name: index for name, index in reading.columns.items() if name and name not in KNOWN}
    width, count = len(text.header), 0
    for line, row in text.rows:
        count += 1
        if _too_wide(reading, text, line, row):
            continue
        person, faults = person_of(row + [""] * (width - len(row)), own, attributes)
        if person.email:
            reading.seen.add(person.email)
        _take(reading, line, person, faults)
    _managers(reading, {address.lower() for address in known})
    return PeopleFile(_with_managers(reading), tuple(sorted(reading.rejected, key=lambda p: (p.line, p.column))), count)


def _name(heading: str) -> str:
    """Our name of a column, however its heading is spelt; other headings stay as they are."""
    return _SQUASHED.get(re.sub(r"[^a-z]", "", heading.lower()), heading)


def _columns(text: CsvText) -> dict[str, int]:
    """Where each column stands. Raises ``InputError`` for a header that cannot be used."""
    columns: dict[str, int] = {}
    problems = []
    if "" in text.header:
        columns[""] = text.header.index("")
    for index, heading in enumerate(text.header):
        name = _name(unguarded(heading))
        if name and name in columns:
            cause, fix = f"The column '{name}' stands there twice.", "Keep one of them."
            problems.append(Problem(text.file, text.header_line, index + 1, "duplicate_column", cause, fix))
        elif name:
            columns[name] = index
    if "email" not in columns:
        problems.append(_no_email(text))
    if problems:
        raise InputError.of(problems)
    return columns


def _no_email(text: CsvText) -> Problem:
    near = near_names("email", [heading for heading in text.header if heading], 1)
    fix = "Name the column of the addresses 'email' in the first row."
    if any("@" in cell for cell in text.header):
        fix = "The first row seems to be a person; put the column names above it."
    fix = f"Rename '{near[0]}' to 'email'." if near and near[0] != "email" else fix
    return Problem(text.file, text.header_line, 1, "missing_column", "The column 'email' is missing.", fix)


def _too_wide(reading: _Reading, text: CsvText, line: int, row: list[str]) -> bool:
    if len(row) <= len(text.header) and "" not in reading.columns:
        return False
    spare = [i for i, cell in enumerate(row) if cell.strip() and (i >= len(text.header) or not text.header[i])]
    if spare:
        cause = "This cell stands in a column without a name."
        fix = "Name the column in the first row, or put a cell that holds the delimiter in quotes."
        reading.rejected.append(Problem(reading.file, line, spare[0] + 1, "unnamed_column", cause, fix))
    return bool(spare)


def _take(reading: _Reading, line: int, person: Person, faults: list[CellError]) -> None:
    for fault in faults:
        reading.reject(line, fault.column, fault.code, fault.message, fault.fix)
    if faults:
        return
    if first := reading.ids.get(person.id):
        cause = f"The id '{person.id}' is taken by line {first}."
        column = "id" if "id" in reading.columns else "email"
        reading.reject(line, column, "duplicate_id", cause, "Give each person an id of their own, or take one row out.")
    elif first := reading.emails.get(person.email):
        cause = f"The address '{person.email}' has another id in line {first}."
        reading.reject(line, "email", "duplicate_email", cause, "Keep one row for each person.")
    else:
        reading.ids[person.id] = reading.emails[person.email] = line
        reading.people.append((line, person))


def _managers(reading: _Reading, known: set[str]) -> None:
    """Reject whoever has a manager that nobody knows, or that is, by some way, their own manager."""
    above = {person.email: person.manager for _, person in reading.people}
    names = reading.seen | known
    circles = _circles(above)
    bad = set[str]()
    for line, person in reading.people:
        if person.manager and person.manager not in names:
            bad.add(person.email)
            fix = meant(person.manager, names, "address") if len(names) <= 5000 else "Check the address."
            fix = fix if fix.startswith("Did") else "Add the manager's row, or correct the address."
            cause = f"The manager '{person.manager}' is neither in this file nor in the directory."
            reading.reject(line, "manager", "unknown_manager", cause, fix)
        elif person.email in circles:
            bad.add(person.email)
            cause = f"Managers form a circle: {circles[person.email]}."
            fix = "Leave the cell empty for whoever is at the top."
            reading.reject(line, "manager", "manager_loop", cause, fix)
    reading.people = [(line, person) for line, person in reading.people if person.email not in bad]


def _circles(above: dict[str, str]) -> dict[str, str]:
    """Who stands in a circle of managers, with the circle written out."""
    done, found = set[str](), dict[str, str]()
    for start in above:
        way: dict[str, None] = {}
        at = start
        while at in above and at not in done and at not in way:
            way[at] = None
            at = above[at]
        if at in way:
            ring = list(way)[list(way).index(at) :]
            found |= dict.fromkeys(ring, " → ".join([*ring[:5], *(["…"] if len(ring) > 5 else []), ring[0]]))
        done.update(way)
    return found


def _with_managers(reading: _Reading) -> tuple[Person, ...]:
    managers = {person.manager for _, person in reading.people if person.manager}
    return tuple(replace(p, is_manager=True) if p.email in managers else p for _, p in reading.people)
