"""people.csv: who works here, as a spreadsheet saved it, with every row that cannot be used named with its reason.

``column`` of a problem is the number of the cell in its row (A is 1, B is 2), as a spreadsheet counts.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from commsengine.authoring.people.csv_text import CsvText, read_csv
from commsengine.authoring.people.people_row import Directory, ReadPerson, person_of, unguarded
from commsengine.authoring.people.understanding import Understanding
from commsengine.cadence.people import COLUMNS, KNOWN, Person
from commsengine.cadence.plan import WEEKDAYS
from commsengine.errors import InputError, Problem
from commsengine.text import near_names, near_or
from commsengine.translation import _

_SQUASHED = {re.sub(r"[^a-z]", "", name): name for name in KNOWN} | {"mail": "email", "emailaddress": "email"}

MAPPABLE = (*KNOWN, "first_name", "last_name", "status")
"""What a column may be mapped to, besides an attribute."""

LIKE_OURS = 0.85
"""So like the name of a column is a heading that is probably a slip; 'level' is not yet 'leave'."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class PeopleFile:
    """The usable people as they will be, in the order of the file, and a problem or more for each other row.

    ``read`` counts rows, ``columns`` are those of the file, ``kept`` those that it lacks and the directory has for
    somebody in it. ``present`` are the ids of whom the directory knows, in rejected rows too; ``nameless`` are the
    lines of rejected rows that may be anybody's. ``returning`` says by id who has left and would be active again.
    ``understood`` says what stands in the file and how it was read; ``leaving`` are the ids of active people whom the
    file marks as left.
    """

    people: tuple[Person, ...]
    rejected: tuple[Problem, ...]
    read: int
    columns: tuple[str, ...]
    kept: tuple[str, ...]
    advice: tuple[Problem, ...]
    present: frozenset[str]
    nameless: tuple[int, ...]
    returning: Mapping[str, Problem]
    understood: Understanding = Understanding()
    leaving: frozenset[str] = frozenset()

    @property
    def wrong_rows(self) -> int:
        return len({problem.line for problem in self.rejected})

    @property
    def returned(self) -> tuple[str, ...]:
        return tuple(person.email for person in self.people if person.id in self.returning)

    def without_returning(self) -> PeopleFile:
        """With the rows that would end somebody's ``left`` among the rejected ones."""
        staying = tuple(person for person in self.people if person.id not in self.returning)
        rejected = _in_order([*self.rejected, *self.returning.values()])
        return replace(self, people=staying, rejected=rejected, returning={})


@dataclass
class _Reading:
    file: str
    columns: dict[str, int]
    directory: Directory
    people: list[tuple[int, Person]] = field(default_factory=list)
    rejected: list[Problem] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    nameless: list[int] = field(default_factory=list)
    known: list[Person] = field(default_factory=list)
    returning: dict[str, Problem] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    emails: dict[str, int] = field(default_factory=dict)

    def problem(self, line: int, column: str, code: str, cause: str, fix: str) -> Problem:
        return Problem(self.file, line, self.columns.get(column, 0) + 1, code, cause, fix)

    def reject(self, line: int, column: str, code: str, cause: str, fix: str) -> None:
        self.rejected.append(self.problem(line, column, code, cause, fix))


def load_people(
    path: Path,
    *,
    directory: Sequence[Person] = (),
    encoding: str = "",
    sheet: str = "",
    mapping: Mapping[str, str] | None = None,
    guests: bool = False,
    today: dt.date | None = None,
) -> PeopleFile:
    """Read a people file. What it has no column for is, for everybody in the ``directory``, as it is there.

    ``encoding`` and ``sheet`` come before what is found out. ``mapping`` says by heading what a column is: one of
    ``MAPPABLE``, ``-`` to leave it out, or the name of an attribute. ``guests`` takes guests too. ``today`` is the last
    day of those who are switched off and have no date; without it they are left out, unless they are known.

    Raises ``InputError`` where the file itself cannot be used; a bad row is in ``rejected`` instead.
    """
    text = read_csv(path)
    reading = _Reading(text.file, _columns(text), Directory(directory))
    own = {name: index for name, index in reading.columns.items() if name in KNOWN}
    attributes = {name: index for name, index in reading.columns.items() if name and name not in KNOWN}
    width, count = len(text.header), 0
    for line, row in text.rows:
        count += 1
        if not _too_wide(reading, text, line, row):
            _take(reading, line, person_of(row + [""] * (width - len(row)), own, attributes, reading.directory))
    if "manager" in own:
        _managers(reading)
    people, columns = _with_managers(reading), (*own, *attributes)
    returning = {person.id: reading.returning[person.id] for person in people if person.id in reading.returning}
    advice = tuple(_slips(text, reading.columns))
    present = frozenset(person.id for person in reading.known)
    rejected, kept, nameless = _in_order(reading.rejected), _kept(reading.known, columns), tuple(reading.nameless)
    return PeopleFile(people, rejected, count, columns, kept, advice, present, nameless, returning)


def _in_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))


def _kept(known: Sequence[Person], columns: Sequence[str]) -> tuple[str, ...]:
    lacking = [name for name in KNOWN if name not in columns and name != "id"]
    ours = [name for name in lacking if any(getattr(person, name) not in ("", None, ()) for person in known)]
    attributes = {name for person in known for name in person.attributes}
    return (*ours, *sorted(attributes.difference(columns)))


def _slips(text: CsvText, columns: Mapping[str, int]) -> Iterator[Problem]:
    # A heading that is nearly one of our columns would pass for an attribute in silence.
    for heading, index in columns.items():
        near = near_names(re.sub(r"[^a-z]", "", heading.lower()), _SQUASHED, 1, LIKE_OURS)
        if heading not in KNOWN and near and _SQUASHED[near[0]] not in columns:
            cause = _("'{heading}' is not one of our columns, so it is kept as an attribute.", heading=heading)
            fix = _("Did you mean {names}?", names=f"'{_SQUASHED[near[0]]}'")
            yield Problem(text.file, text.header_line, index + 1, "near_column", cause, fix, "advice")


def _name(heading: str) -> str:
    # A heading that is none of our columns stays as it is.
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
            cause, fix = _("The column '{name}' stands there twice.", name=name), _("Keep one of them.")
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
    fix = _("Name the column of the addresses 'email' in the first row.")
    if any("@" in cell for cell in text.header):
        fix = _("The first row seems to be a person; put the column names above it.")
    fix = _("Rename '{column}' to 'email'.", column=near[0]) if near and near[0] != "email" else fix
    return Problem(text.file, text.header_line, 1, "missing_column", _("The column 'email' is missing."), fix)


def _too_wide(reading: _Reading, text: CsvText, line: int, row: list[str]) -> bool:
    if len(row) <= len(text.header) and "" not in reading.columns:
        return False
    spare = [i for i, cell in enumerate(row) if cell.strip() and (i >= len(text.header) or not text.header[i])]
    if spare:
        reading.nameless.append(line)  # a row that is out of step: which cell is the address is not sure
        cause = _("This cell stands in a column without a name.")
        fix = _("Name the column in the first row, or put a cell that holds the delimiter in quotes.")
        reading.rejected.append(Problem(reading.file, line, spare[0] + 1, "unnamed_column", cause, fix))
    return bool(spare)


def _take(reading: _Reading, line: int, row: ReadPerson) -> None:
    person = row.person
    reading.seen.update({person.email} - {""})
    reading.known += [row.known] if row.known else []
    for fault in row.faults:
        reading.reject(line, fault.column, fault.code, fault.message, fault.fix)
    if row.faults:
        reading.nameless += [line] if row.known is None and not person.email else []
        return
    if first := reading.ids.get(person.id):
        cause = _("The id '{id}' is taken by line {line}.", id=person.id, line=first)
        column = "id" if "id" in reading.columns else "email"
        fix = _("Give each person an id of their own, or take one row out.")
        reading.reject(line, column, "duplicate_id", cause, fix)
    elif first := reading.emails.get(person.email):
        cause = _("The address '{email}' has another id in line {line}.", email=person.email, line=first)
        reading.reject(line, "email", "duplicate_email", cause, _("Keep one row for each person."))
    else:
        reading.ids[person.id] = reading.emails[person.email] = line
        reading.people.append((line, person))
        _stays_left(reading, line, row)


def _stays_left(reading: _Reading, line: int, row: ReadPerson) -> None:
    if row.known and row.known.left and not row.person.left:
        email, day = row.known.email, row.known.left
        cause = _("{email} is marked as left on {day}, and this empty cell would end that.", email=email, day=day)
        fix = _("Write the day again, or take the column out; if they are back, add --yes to the import, or to apply.")
        reading.returning[row.person.id] = reading.problem(line, "left", "returns", cause, fix)


def _managers(reading: _Reading) -> None:
    above = {person.email: person.manager for _line, person in reading.people}
    names = reading.seen | reading.directory.by_email.keys()
    proposed = names if len(names) <= 5000 else ()
    circles = _circles(above)
    bad = set[str]()
    for line, person in reading.people:
        if person.manager and person.manager not in names:
            bad.add(person.email)
            fix = near_or(person.manager, proposed, _("Add the manager's row, or correct the address."))
            cause = _("The manager '{manager}' is neither in this file nor in the directory.", manager=person.manager)
            reading.reject(line, "manager", "unknown_manager", cause, fix)
        elif person.email in circles:
            bad.add(person.email)
            cause = _("Managers form a circle: {circle}.", circle=circles[person.email])
            fix = _("Leave the cell empty for whoever is at the top.")
            reading.reject(line, "manager", "manager_loop", cause, fix)
    reading.people = [(line, person) for line, person in reading.people if person.email not in bad]


def _circles(above: dict[str, str]) -> dict[str, str]:
    """The address of each person in a circle of managers, with the circle written out."""
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
    people = [person for _line, person in reading.people]
    beside = (person for person in reading.directory.people if person.id not in reading.ids)
    managers = {each.manager.lower() for each in (*beside, *people)}
    changed = {each.email for each in people if each.is_manager != (each.email in managers)}
    return tuple(replace(each, is_manager=not each.is_manager) if each.email in changed else each for each in people)


def export_people(people: Sequence[Person]) -> str:
    """A people.csv that ``load_people`` reads back as the same people. Header included, lines end in CRLF."""
    attributes = sorted({name for person in people for name in person.attributes} - set(KNOWN))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([guarded(name) for name in (*KNOWN, *attributes)])
    for person in people:
        plain = [str(getattr(person, column)) for column in COLUMNS]
        extra = [person.attributes.get(name, "") for name in attributes]
        writer.writerow([guarded(cell) for cell in (*plain, *_dated(person), *extra)])
    return out.getvalue()


def guarded(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.lstrip(" \n").startswith(FORMULA) or cell.startswith(FORMULA) else cell


def _dated(person: Person) -> tuple[str, str, str]:
    days = "" if person.days is None else " ".join(WEEKDAYS[day] for day in sorted(person.days))
    leave = "; ".join(f"{first}..{last}" for first, last in person.leave)
    return days, leave, str(person.left or "")
