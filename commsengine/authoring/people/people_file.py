"""people.csv: who works here, as a spreadsheet saved it, with every row that cannot be used named with its reason.

``column`` of a problem is the number of the cell in its row (A is 1, B is 2), as a spreadsheet counts.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from commsengine.authoring.people.clocks import clocks_of
from commsengine.authoring.people.columns import Columns, choose_columns
from commsengine.authoring.people.csv_text import Row, Score
from commsengine.authoring.people.headings import bare, names_columns
from commsengine.authoring.people.managers import Claim, Refusal, Somebody, Staff, circles_among, with_managers
from commsengine.authoring.people.people_row import Directory, ReadPerson, RowRules, person_of, unguarded
from commsengine.authoring.people.survey import Tally, departments_alike, doubts_about, looks_like_footer, survey_of
from commsengine.authoring.people.table import Table, read_table
from commsengine.authoring.people.understanding import CountedSample, Groups, Understanding
from commsengine.cadence.people import COLUMNS, KNOWN, Person
from commsengine.cadence.plan import WEEKDAYS
from commsengine.cadence.population import NOBODY, Population
from commsengine.errors import Problem
from commsengine.spool import KeyIndex, Spool, batches
from commsengine.translation import N_, _, counted

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class PeopleFile:
    """The usable people as they will be, in the order of the file, and a problem or more for each other row.

    ``read`` counts rows, ``columns`` are those of the file, ``kept`` those that it lacks and the directory has for
    somebody in it. ``present`` are the ids of people of the directory who stand in rejected rows; ``nameless`` are the
    lines of rejected rows that may be anybody's. ``returning`` says by id who has left and would be active again.
    ``understood`` says what stands in the file and how it was read; ``leaving`` are the ids of active people whom the
    file marks as left, ``gone`` all whom it has as left.
    """

    people: Sequence[Person]
    rejected: tuple[Problem, ...]
    read: int
    columns: tuple[str, ...]
    kept: tuple[str, ...]
    advice: tuple[Problem, ...]
    present: frozenset[str]
    nameless: tuple[int, ...]
    returning: Mapping[str, Problem]
    understood: Understanding = field(default_factory=Understanding)
    leaving: frozenset[str] = frozenset()
    gone: CountedSample = field(default_factory=CountedSample)

    @property
    def wrong_rows(self) -> int:
        return len({problem.line for problem in self.rejected})

    @property
    def returned(self) -> tuple[str, ...]:
        return tuple(person.email for person in self.people if person.id in self.returning) if self.returning else ()

    def without_returning(self) -> PeopleFile:
        """With the rows that would end somebody's ``left`` among the rejected ones."""
        staying = Spool(person for person in self.people if person.id not in self.returning)
        rejected = _in_order([*self.rejected, *self.returning.values()])
        present = self.present | self.returning.keys()
        return replace(self, people=staying, rejected=rejected, returning={}, present=present)


@dataclass
class _Reading:
    table: Table
    rules: RowRules
    guests: bool
    people: Spool[Claim] = field(default_factory=Spool)
    rejected: list[Problem] = field(default_factory=list)
    unread: list[Somebody] = field(default_factory=list)
    nameless: list[int] = field(default_factory=list)
    present: set[str] = field(default_factory=set)
    known_columns: set[str] = field(default_factory=set)
    known_managers: Counter[str] = field(default_factory=Counter)
    returning: dict[str, Problem] = field(default_factory=dict)
    ids: KeyIndex = field(default_factory=KeyIndex)
    emails: KeyIndex = field(default_factory=KeyIndex)
    groups: Groups = field(default_factory=Groups)
    statuses: Counter[str] = field(default_factory=Counter)
    regions: dict[str, int] = field(default_factory=dict)
    dns: dict[int, str] = field(default_factory=dict)
    advice: list[Problem] = field(default_factory=list)
    count: int = 0

    def problem(self, line: int, column: str, code: str, cause: str, fix: str) -> Problem:
        return Problem(self.table.file, line, self.rules.columns.place(column), code, cause, fix)

    def reject(self, line: int, column: str, code: str, cause: str, fix: str) -> None:
        self.rejected.append(self.problem(line, column, code, cause, fix))

    def advise(self, line: int, column: str, code: str, cause: str, fix: str) -> None:
        self.advice.append(replace(self.problem(line, column, code, cause, fix), severity="advice"))


def load_people(
    path: Path,
    *,
    directory: Population = NOBODY,
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
    table = read_table(path, _scored(mapping or {}), encoding=encoding, sheet=sheet)
    columns = choose_columns(table, mapping or {}, unguarded)
    reading = _Reading(table, _rules(table, columns, Directory(directory), today), guests)
    below: list[Row] = []
    for some in batches(_rows_of_people(table, below)):
        reading.rules.directory.look_up((row for _line, row in some), columns)
        for line, row in some:
            _read_row(reading, line, row)
    return _finished(reading, _with_managers(reading), tuple(_in_words(row) for _line, row in below))


def _scored(mapping: Mapping[str, str]) -> Score:
    fields = {bare(heading): target for heading, target in mapping.items()}

    def score(row: Sequence[str]) -> int:
        mapped = [fields[bare(cell)] for cell in row if bare(cell) in fields]
        return names_columns(row) + len(mapped) + 100 * ("email" in mapped)

    return score if mapping else names_columns


def _rules(table: Table, columns: Columns, directory: Directory, today: dt.date | None) -> RowRules:
    survey = survey_of(table, columns)
    region = "".join(table.header[place] for place in columns.places.get("region", ()))
    strict = bare(region) == "region"
    return RowRules(columns, columns.own, directory, survey.orders, survey.names, strict, today, Counter())


def _rows_of_people(table: Table, below: list[Row]) -> Iterator[Row]:
    """Every row but repeated headers; what stands under the last person stays in ``below``."""
    header = table.header
    for line, row in table.rows:
        if looks_like_footer(row):
            below.append((line, row))
            continue
        if below:
            yield from below
            below.clear()
        if row[0].strip() != header[0] or [" ".join(cell.split()) for cell in row] != header:
            yield line, row  # reports that are printed in pages have their header on each


def _in_words(row: Sequence[str]) -> str:
    return " ".join(filter(None, map(str.strip, row)))


def _read_row(reading: _Reading, line: int, row: list[str]) -> None:
    width = len(reading.table.header)
    reading.count += 1
    if _too_wide(reading, line, row, width):
        return
    row += [""] * (width - len(row))
    for place in reading.rules.columns.places.get("dn", ()):
        reading.dns[line] = row[place].strip()
    _take(reading, line, person_of(row, reading.rules))


def _too_wide(reading: _Reading, line: int, row: list[str], width: int) -> bool:
    if len(row) <= width and not reading.rules.columns.spare:
        return False
    header = reading.table.header
    spare = [i for i, cell in enumerate(row) if cell.strip() and (i >= width or not header[i])]
    if spare:
        reading.nameless.append(line)  # a row that is out of step: which cell is the address is not sure
        cause = _("This cell is in a column without a name.")
        fix = _("Name the column in the first row, or put a cell that holds the delimiter in quotes.")
        reading.rejected.append(Problem(reading.table.file, line, spare[0] + 1, "unnamed_column", cause, fix))
    return bool(spare)


def _take(reading: _Reading, line: int, row: ReadPerson) -> None:
    if row.known:
        reading.present.add(row.known.id)  # until the row is accepted
        reading.known_columns |= _filled_columns(row.known)
    if _left_out(reading, row):
        return
    if row.status:
        reading.statuses[row.status] += 1
    if row.unknown_region:
        reading.regions.setdefault(row.unknown_region, line)
    if row.faults and row.employment == "left":
        row = _leaver(row)
    for fault in row.faults:
        reading.reject(line, fault.column, fault.code, fault.message, fault.fix)
    if row.faults:
        reading.nameless += [line] if row.known is None and not row.person.email else []
        reading.unread.append(Somebody(row.person.email, row.person.name, row.person.id, line))
    elif _is_new(reading, line, row.person):
        _accept(reading, line, row)


def _is_new(reading: _Reading, line: int, person: Person) -> bool:
    if first := reading.ids.get(person.id):
        cause = _("The id '{id}' is taken by line {line}.", id=person.id, line=first)
        column = "id" if "id" in reading.rules.own else "email"
        fix = _("Give each person an id of their own, or take one row out.")
        reading.reject(line, column, "duplicate_id", cause, fix)
    elif first := reading.emails.get(person.email):
        cause = _("The address '{email}' has another id in line {line}.", email=person.email, line=first)
        reading.reject(line, "email", "duplicate_email", cause, _("Keep one row for each person."))
    return not first


def _accept(reading: _Reading, line: int, row: ReadPerson) -> None:
    person = row.person
    reading.ids.add(person.id, line)
    reading.emails.add(person.email, line)
    known = row.known
    if known:
        reading.present.discard(known.id)
        reading.known_managers[known.manager.lower()] += 1
    works = known is not None and known.left is None
    reading.people.append(Claim(line, person, row.managers, known.manager if known else None, works))
    if row.renamed:
        reading.groups.add("renamed", f"'{row.renamed}' → '{person.name}'")
    if row.known and row.known.left and not person.left:
        email, day = row.known.email, row.known.left
        cause = _(
            "{email} is marked as left on {day}, and this row would make them active again.", email=email, day=day
        )
        fix = _("Write the day again, or take the column out; if they are back, add --yes --because TEXT.")
        reading.returning[person.id] = reading.problem(line, "left", "returns", cause, fix)


def _left_out(reading: _Reading, row: ReadPerson) -> bool:
    """Guests, bots, and people who left and of whom neither the directory nor the row knows enough, are named only."""
    shown = row.person.email or row.person.name or row.person.id
    if row.employment == "machine" or (row.employment == "guest" and not reading.guests):
        reading.groups.add(row.employment, shown)
        return True
    if row.employment == "left" and row.known is None and (row.faults or not row.person.left):
        reading.groups.add("gone", shown)
        return True
    return False


def _leaver(row: ReadPerson) -> ReadPerson:
    # Accounts of those who left lose their address, name or manager: what is known of them stays.
    if row.known is None or any(fault.column == "left" for fault in row.faults):
        return row
    return replace(row, person=replace(row.known, left=row.person.left), faults=[], managers=(row.known.manager,))


def _staff(reading: _Reading) -> Staff:
    unread = {each.email for each in reading.unread if each.email}

    def rows() -> Iterator[Somebody]:
        for claim in reading.people:
            person, dn = claim.person, reading.dns.get(claim.line, "")
            yield Somebody(person.email, person.name, person.id, claim.line, person.left is not None, dn)
        yield from reading.unread

    return Staff(rows, lambda email: email in reading.emails or email in unread, reading.rules.directory.people)


def _with_managers(reading: _Reading) -> Sequence[Claim]:
    if "manager" not in reading.rules.own:
        return reading.people
    managed = with_managers(reading.people, _staff(reading))
    if managed.useless:
        return _without_managers(reading, managed.refused)
    for refusal in managed.refused:
        _give_up(reading, refusal.claim, refusal.code, refusal.cause, refusal.fix)
    for claim in managed.own:
        cause = _("{email} is their own manager, so they are taken to be at the top.", email=claim.person.email)
        reading.advise(claim.line, "manager", "own_manager", cause, _("Leave the cell empty."))
    rings = circles_among(managed.above)
    if not rings:
        return managed.people
    for claim in managed.people:
        if claim.person.email in rings:
            cause = _("Managers form a circle: {circle}.", circle=rings[claim.person.email])
            _give_up(reading, claim, "manager_loop", cause, _("Leave the cell empty for the person at the top."))
    return Spool(claim for claim in managed.people if claim.person.email not in rings)


def _give_up(reading: _Reading, claim: Claim, code: str, cause: str, fix: str) -> None:
    if claim.known_manager is not None:
        reading.present.add(claim.person.id)
    reading.reject(claim.line, "manager", code, cause, fix)


def _without_managers(reading: _Reading, refused: Sequence[Refusal]) -> Sequence[Claim]:
    """One error for a column of managers that are all unknown; the rest of the file is read."""
    text = N_("None of the {count:,} managers, such as '{manager}', is in this file or in the directory.")
    cause = _(text, count=len(refused), manager=refused[0].claim.named[0])
    fix = _("Add the column that holds these ids or names, or write the managers' addresses.")
    reading.reject(reading.table.header_line, "manager", "unknown_managers", cause, fix)
    return Spool(claim.under(claim.known_manager or "") for claim in reading.people)


def _finished(reading: _Reading, placed: Sequence[Claim], below: tuple[str, ...]) -> PeopleFile:
    rules, columns = reading.rules, (*reading.rules.own, *reading.rules.columns.attributes)
    seen = Tally(rules.today, says_who_left=rules.columns.says_who_left)
    people = Spool(_marked(reading, placed, seen))
    understood = _understood(reading, seen, below)
    doubts = doubts_about(reading.table, rules.columns, seen, understood.alike)
    advice = (*reading.table.advice, *rules.columns.advice, *_in_order([*reading.advice, *_unknown(reading), *doubts]))
    return PeopleFile(
        people,
        _in_order(reading.rejected),
        reading.count,
        columns,
        _kept(reading.known_columns, columns),
        advice,
        frozenset(reading.present),
        tuple(reading.nameless),
        {person: problem for person, problem in reading.returning.items() if person in seen.returned},
        understood,
        frozenset(seen.leaving),
        seen.groups.sample("gone"),
    )


def _unknown(reading: _Reading) -> Iterator[Problem]:
    header = reading.table.header_line
    for status, count in reading.statuses.items():
        text = N_("{people} the status '{status}', which we do not know; they are taken as active.")
        cause = _(text, people=counted(count, "person has", "people have"), status=status)
        fix = _("If they have left, write 'inactive', or give them a last day.")
        yield replace(reading.problem(header, "left", "unknown_status", cause, fix), severity="advice")
    if reading.regions:
        region, line = next(iter(reading.regions.items()))
        cause = _("'{region}' is not a region with holidays of its own, so the cell counts as empty.", region=region)
        fix = _("Write a region such as 'BY' for Bavaria, if its holidays matter.")
        yield replace(reading.problem(line, "region", "unknown_region", cause, fix), severity="advice")


def _understood(reading: _Reading, seen: Tally, below: tuple[str, ...]) -> Understanding:
    rules, groups = reading.rules, reading.groups
    # a list of phone numbers need not tell
    clocks = {"country", "time_zone"} & set(rules.columns.places) and len(clocks_of(seen.countries)) > 1
    header = [unguarded(heading) for heading in reading.table.header]
    return Understanding(
        replace(reading.table.source, below=below),
        rules.columns.headings(header),
        tuple(rules.columns.attributes),
        rules.columns.ignored,
        seen.people,
        seen.lacking["name"],
        seen.lacking["department"],
        seen.lacking["manager"],
        seen.lacking["time_zone"] if clocks else 0,
        seen.groups.sample("left"),
        seen.groups.sample("leaving"),
        groups.sample("guest"),
        groups.sample("machine"),
        groups.sample("gone"),
        dict(rules.emptied.most_common()),
        groups.sample("renamed"),
        departments_alike(seen.departments),
    )


def _in_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))


def _filled_columns(person: Person) -> set[str]:
    return {name for name in KNOWN if getattr(person, name) not in ("", None, ())} | person.attributes.keys()


def _kept(known: Collection[str], columns: Sequence[str]) -> tuple[str, ...]:
    lacking = set(known).difference(columns) - {"id"}
    return (*(name for name in KNOWN if name in lacking), *sorted(lacking.difference(KNOWN)))


def _marked(reading: _Reading, placed: Sequence[Claim], seen: Tally) -> Iterator[Person]:
    """The people with ``is_manager`` where they lead somebody, in the file or beside it."""
    beside = Counter[str]()
    for manager, people in reading.rules.directory.people.values("manager").items():
        beside[manager.lower()] += people
    leading = (beside - reading.known_managers).keys() | {claim.person.manager.lower() for claim in placed}
    for claim in placed:
        leads = claim.person.email in leading
        person = claim.person if claim.person.is_manager == leads else replace(claim.person, is_manager=leads)
        seen.add(person, claim.line, works=claim.works, returns=person.id in reading.returning)
        yield person


def export_people(people: Iterable[Person], attributes: Iterable[str]) -> Iterator[str]:
    """The lines of a people.csv that ``load_people`` reads back as the same people: the header, then one for each.

    ``attributes`` are the columns of their own that any of them has. Lines end in CRLF.
    """
    own = sorted(set(attributes) - set(KNOWN))
    line = csv.writer(_Line()).writerow
    yield line([guarded(name) for name in (*KNOWN, *own)])
    for person in people:
        plain = [str(getattr(person, column)) for column in COLUMNS]
        extra = [person.attributes.get(name, "") for name in own]
        yield line([guarded(cell) for cell in (*plain, *_dated(person), *extra)])


class _Line:
    # a writer of CSV returns what the write of its file returns
    def write(self, line: str) -> str:
        return line


def guarded(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.lstrip(" \n").startswith(FORMULA) or cell.startswith(FORMULA) else cell


def _dated(person: Person) -> tuple[str, str, str]:
    days = "" if person.days is None else " ".join(WEEKDAYS[day] for day in sorted(person.days))
    leave = "; ".join(f"{first}..{last}" for first, last in person.leave)
    return days, leave, str(person.left or "")
