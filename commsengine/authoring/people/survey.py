"""What only a whole file tells: the order of its dates, the form of its names, footers, departments that look alike."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from commsengine.authoring.people.columns import Columns
from commsengine.authoring.people.headings import bare
from commsengine.authoring.people.person_names import NameForm, NameForms
from commsengine.authoring.people.table import Table
from commsengine.authoring.people.understanding import Groups
from commsengine.authoring.people.written_dates import DateForms, Order
from commsengine.cadence.people import Person
from commsengine.errors import Problem
from commsengine.text import listed, near_names
from commsengine.translation import _

MOST_COMPARED = 300
"""Departments among which slips are looked for."""

_DATES = ("left", "leave")
_FOOTER_WORDS = (
    "total|totals|grand total|sum|count|rows?|records?|number of|employees|summe|gesamt|anzahl|datensätze|"
    "mitarbeiter|somme|nombre|suma|recuento|exported|exportiert|export|generated|created|erstellt|report|"
    "bericht|printed|gedruckt|stand|as of|per|date|datum|page|seite|página|généré|exporté|generado|exportado|"
    "confidential|vertraulich|confidentiel|confidencial|internal|intern|end of|ende|fin de|©|copyright|source|"
    "quelle|applied filters|filter"
)
_FOOTER = re.compile(rf"(?i)\W*({_FOOTER_WORDS})\b")


@dataclass(frozen=True)
class Survey:
    """In which order each column of dates is written, and the form of the names."""

    orders: Mapping[str, Order]
    names: NameForm


def survey_of(table: Table, columns: Columns) -> Survey:
    dates = {name: DateForms() for name in _DATES if name in columns.places}
    everywhere, names = DateForms(), NameForms()
    for _line, row in table.rows:
        if dates:
            _count_dates(row, dates, everywhere, columns)
        names.count(_name(row, columns))
    return Survey({name: forms.order or everywhere.order for name, forms in dates.items()}, names.form)


def _count_dates(row: Sequence[str], dates: Mapping[str, DateForms], everywhere: DateForms, columns: Columns) -> None:
    for cell in row:
        everywhere.count(cell.strip())
    for name, forms in dates.items():
        for place in columns.places[name]:
            forms.count(row[place].strip() if place < len(row) else "")


def _name(row: Sequence[str], columns: Columns) -> str:
    parts = [columns.places[name][0] for name in ("first_name", "last_name") if name in columns.places]
    places = parts or columns.places.get("name", ())[:1]
    return " ".join(row[place].strip() for place in places if place < len(row))


def looks_like_footer(row: Sequence[str]) -> bool:
    """A row of one or two cells without an address, that counts something or says where the file comes from."""
    if all(row[:3]) and len(row) > 2:
        return False
    filled = [cell.strip() for cell in row if cell.strip()]
    if len(filled) > 2 or any("@" in cell for cell in filled):
        return False
    return bool(_FOOTER.match(filled[0])) or len(filled[0].split()) > 4


@dataclass
class Tally:
    """Counts of people as they will be, taken one by one; ``departments`` in the order of their first lines.

    ``lost`` is the first line with a letter of a name lost, and the name.
    """

    today: dt.date | None
    says_who_left: bool
    people: int = 0
    lacking: Counter[str] = field(default_factory=Counter)
    countries: set[str] = field(default_factory=set)
    departments: Counter[str] = field(default_factory=Counter)
    first_lines: dict[str, int] = field(default_factory=dict)
    lost: tuple[int, str] | None = None
    groups: Groups = field(default_factory=Groups)
    leaving: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)

    def add(self, person: Person, line: int, *, works: bool, returns: bool) -> None:
        """``works``: the directory has them as one who has not left; ``returns``: as one who has, and would be back."""
        self.people += 1
        self.countries.add(person.country)
        self.lacking.update([name for name in _LOOKED_FOR if not getattr(person, name)])
        if person.department:
            self.departments[person.department] += 1
            self.first_lines.setdefault(person.department, line)
        if self.lost is None and _LOST.search(person.name):
            self.lost = line, person.name
        if returns:
            self.returned.add(person.id)
        if person.left:
            self._has_a_last_day(person, person.left, works=works)

    def _has_a_last_day(self, person: Person, left: dt.date, *, works: bool) -> None:
        self.groups.add("gone", person.email)
        if works:
            self.leaving.add(person.id)
        if self.says_who_left:
            self.groups.add("left" if self.today is None or left <= self.today else "leaving", person.email)


_LOOKED_FOR = ("name", "department", "manager", "time_zone")


def departments_alike(counts: Counter[str]) -> tuple[tuple[str, ...], ...]:
    """Departments of the same letters, and rare ones with nearly the name of a large one."""
    by_letters: dict[str, list[str]] = defaultdict(list)
    for name, _count in counts.most_common():
        by_letters[bare(name)].append(name)
    same = [tuple(names) for names in by_letters.values() if len(names) > 1]
    return (*same, *_slips(counts, {name for names in same for name in names}))


def _slips(counts: Counter[str], known: set[str]) -> Iterator[tuple[str, ...]]:
    if len(counts) > MOST_COMPARED:
        return
    large = [name for name, count in counts.items() if count >= 5]
    for name, count in counts.items():
        near = near_names(name, large, 1, 0.88) if count <= 2 and len(name) > 4 and name not in known else []
        if near and re.sub(r"\D", "", near[0]) == re.sub(r"\D", "", name):
            yield (near[0], name)


def doubts_about(table: Table, columns: Columns, seen: Tally, alike: Sequence[tuple[str, ...]]) -> Iterator[Problem]:
    """Advice about people as they will be: departments that look alike, names with lost letters."""
    for names in alike:
        line = seen.first_lines[names[-1]]
        cause = _("These departments look alike: {names}.", names=listed(names, "and"))
        fix = _("Write them the same, if they are one.")
        yield _advice(table, columns, line, "department", "departments_alike", cause, fix)
    if seen.lost is not None:
        line, name = seen.lost
        cause = _("A letter of '{name}' may be lost.", name=name)
        fix = _("Export the file once more, as 'CSV UTF-8'.")
        yield _advice(table, columns, line, "name", "lost_letter", cause, fix)


_LOST = re.compile(r"[^\W\d_]\?|\?[^\W\d_]|\ufffd")


def _advice(table: Table, columns: Columns, line: int, column: str, code: str, cause: str, fix: str) -> Problem:
    return Problem(table.file, line, columns.place(column), code, cause, fix, "advice")
