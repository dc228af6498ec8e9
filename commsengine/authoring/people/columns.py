"""Which column of a file is which of ours: by its heading, by what stands in it, and by what the company said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from commsengine.authoring.people.employment import is_status, says_yes_or_no
from commsengine.authoring.people.headings import (
    PRIVATE_ADDRESS,
    bare,
    field_of,
    near_column,
    sensitive,
    short_heading,
)
from commsengine.authoring.people.no_values import no_value
from commsengine.authoring.people.table import Table
from commsengine.authoring.people.written_dates import is_date
from commsengine.cadence.people import KNOWN
from commsengine.errors import InputError, Problem
from commsengine.text import listed, near_names
from commsengine.translation import N_, _

MAPPABLE = (*KNOWN, "first_name", "last_name", "status")
"""What a column may be mapped to, besides an attribute; ``-`` leaves it out."""

MOST_NAMED = 3
MOST_SAMPLED = 200
"""Rows in which it is looked up what stands in a column."""

STATUS_FIELDS = ("status", "enabled", "blocked", "account_control")
_KIND_FIELDS = ("user_type", "bot", "guest")
_NAME_FIELDS = ("preferred_name", "first_name", "last_name", "second_last_name")
_MERGED = ("email", "phone", "name", "manager", "left")
"""For these fields the next column fills in where the first is empty."""

_ELSE = N_("left out by the mapping")


@dataclass(frozen=True)
class Columns:
    """Where each field stands, first choice first; ``attributes`` and ``ignored`` by heading.

    ``advice`` is what looks like a slip; ``spare`` are the places without a heading.
    """

    places: Mapping[str, tuple[int, ...]]
    attributes: Mapping[str, int]
    ignored: Mapping[str, str]
    spare: tuple[int, ...] = ()
    advice: tuple[Problem, ...] = ()

    @cached_property
    def says_who_left(self) -> bool:
        return any(name in self.places for name in ("left", *STATUS_FIELDS))

    @cached_property
    def says_employment(self) -> bool:
        return len(self.places["email"]) > 1 or any(name in self.places for name in (*STATUS_FIELDS, *_KIND_FIELDS))

    @cached_property
    def manager_parts(self) -> tuple[int, ...]:
        return tuple(
            self.places[name][0] for name in ("manager_first_name", "manager_last_name") if name in self.places
        )

    @cached_property
    def own(self) -> tuple[str, ...]:
        """Our columns that the file has, in the order in which it has them."""
        first = {name: places[0] for name, places in self.places.items()}
        found = {_column(name): place for name, place in sorted(first.items(), key=lambda pair: -pair[1])}
        return tuple(sorted(found.keys() & set(KNOWN), key=found.__getitem__))

    def place(self, column: str) -> int:
        """The number of the column's cell, from 1."""
        found = [places[0] for name, places in self.places.items() if _column(name) == column]
        return min(found, default=self.attributes.get(column, 0)) + 1

    def headings(self, header: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """From which headings each of our columns is read, first choice first; ``status`` says who works here."""
        shown = [short_heading(heading) for heading in header]
        parts = {"name": [name for name in _NAME_FIELDS if name in self.places], "status": []}
        found: dict[str, tuple[str, ...]] = {}
        for name in sorted(self.places, key=self.places.__getitem__):
            column = "status" if name in (*STATUS_FIELDS, *_KIND_FIELDS) else _column(name)
            if column == "status":
                parts["status"].append(name)
            if parts.get(column):
                found[column] = (" + ".join(shown[self.places[part][0]] for part in parts[column]),)
            elif column in KNOWN:
                found[column] = tuple(shown[place] for place in self.places[name])
        return found


def _column(name: str) -> str:
    if name in _NAME_FIELDS:
        return "name"
    if name in STATUS_FIELDS:
        return "left"
    return "manager" if name.startswith("manager") else name


@dataclass
class _Choice:
    header: list[str]
    sample: list[list[str]]
    found: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # rank and place, by field
    attributes: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def cells(self, place: int) -> list[str]:
        cells = (row[place].strip() for row in self.sample if place < len(row))
        return [cell for cell in cells if cell and not no_value(cell)]

    def share(self, place: int, test: Callable[[str], object]) -> float:
        """The part of the filled cells for which the test holds; 1 where none is filled."""
        cells = self.cells(place)
        return sum(1 for cell in cells if test(cell)) / len(cells) if cells else 1.0


def choose_columns(table: Table, mapping: Mapping[str, str], unguarded: Callable[[str], str]) -> Columns:
    """Raises ``InputError`` for a header without addresses, or with a column twice."""
    header = [unguarded(heading) for heading in table.header]
    choice = _Choice(header, [row for _line, row in islice(table.rows, MOST_SAMPLED)])
    mapped = {bare(heading): target for heading, target in mapping.items()}
    for place, heading in enumerate(header):
        if heading:
            _place(choice, place, heading, mapped.get(bare(heading)))
    _in_context(choice)
    _addresses(choice)
    places = _settled(table, choice)
    if "email" not in places:
        choice.problems.append(_no_email(table, choice))
    if choice.problems:
        raise InputError.of(choice.problems)
    spare = tuple(place for place, heading in enumerate(header) if not heading)
    columns = Columns(places, choice.attributes, choice.ignored, spare)
    return replace(columns, advice=(*_doubts(table, columns), *_strange_statuses(table, choice)))


def _place(choice: _Choice, place: int, heading: str, target: str | None) -> None:
    why = sensitive(heading)
    if why == "password" or (target is None and why):
        known = field_of(heading)
        if known and known[0] == "private_email" and why == PRIVATE_ADDRESS:
            choice.found.setdefault("private_email", []).append((known[1], place))
        choice.ignored[heading] = why
    elif target == "-":
        choice.ignored[heading] = _ELSE
    elif target in MAPPABLE:
        choice.found.setdefault(target, []).append((-1, place))
    elif target is None and (known := _meant(choice, place, heading)):
        choice.found.setdefault(known[0], []).append((known[1], place))
    else:
        _keep(choice, place, target or short_heading(heading))


def _keep(choice: _Choice, place: int, name: str) -> None:
    if name in choice.attributes:
        choice.problems.append(_twice(place, name))
    choice.attributes.setdefault(name, place)


def _twice(place: int, name: str) -> Problem:
    cause, fix = _("There are two columns '{name}'.", name=name), _("Keep one of them.")
    return Problem("", 0, place + 1, "duplicate_column", cause, fix)


def _meant(choice: _Choice, place: int, heading: str) -> tuple[str, int] | None:
    known = _IN_CONTEXT.get(bare(heading)) or field_of(heading)
    if known is None or known[0] in ("name_or_last", "name_or_first"):
        return known
    name = known[0]
    if name == "region_or_status":
        return ("status", 0) if choice.cells(place) and choice.share(place, is_status) > 0.5 else ("region", 1)
    if (
        name == "id"
        and bare(heading) == "userid"
        and choice.share(place, _SLACK_ID.fullmatch) > 0.5
        and choice.cells(place)
    ):
        return ("slack_id", 0)
    test = _HOLDS.get(name)
    ours = name in KNOWN and bare(heading) == bare(name)
    return known if ours or test is None or choice.share(place, test) >= 0.5 else None


_IN_CONTEXT = {
    "name": ("name_or_last", 0),
    "nom": ("name_or_last", 0),
    "nombre": ("name_or_first", 0),
    "naam": ("name_or_last", 0),
    "nome": ("name_or_first", 0),
    "cognome": ("last_name", 0),
}
"""Headings that name the whole where they stand alone, and a part beside the other part."""

_SLACK_ID = re.compile(r"[UW][A-Z0-9]{4,30}")
_HOLDS: Mapping[str, Callable[[str], object]] = {
    "email": lambda cell: "@" in cell,
    "slack_id": _SLACK_ID.fullmatch,
    "days": lambda cell: not cell.replace(".", "").replace(",", "").isdigit(),
    "left": is_date,
    "status": is_status,
    "enabled": says_yes_or_no,
    "blocked": says_yes_or_no,
    "bot": says_yes_or_no,
    "guest": says_yes_or_no,
    "account_control": str.isdigit,
    "dn": lambda cell: "=" in cell,
}
"""For headings that prove nothing alone: what most cells of the column must hold."""


def _in_context(choice: _Choice) -> None:
    whole, either = choice.found.pop("name_or_last", []), choice.found.pop("name_or_first", [])
    for rank, place in whole:
        part = "first_name" in choice.found or any(other != place for _rank, other in either)
        beside = choice.found.get("first_name") or either
        full = (
            part
            and "last_name" not in choice.found
            and _holds_first_name(choice, place, beside[0][1] if beside else place)
        )
        known = "last_name" if part and "last_name" not in choice.found and not full else "name"
        choice.found.setdefault(known, []).append((rank, place))
    for rank, place in either:
        choice.found.setdefault("first_name" if "last_name" in choice.found else "name", []).append((rank, place))


def _holds_first_name(choice: _Choice, place: int, first: int) -> bool:
    rows = [row for row in choice.sample if max(place, first) < len(row) and row[first].strip()]
    return bool(rows) and sum(row[first].strip() in row[place] for row in rows) * 2 > len(rows)


def _addresses(choice: _Choice) -> None:
    # Private addresses are read only where there are no others.
    private = choice.found.pop("private_email", [])
    if private and "email" not in choice.found:
        choice.found["email"] = private
        for _rank, place in private:
            choice.ignored.pop(choice.header[place], None)


def _settled(table: Table, choice: _Choice) -> dict[str, tuple[int, ...]]:
    places: dict[str, tuple[int, ...]] = {}
    for name, found in choice.found.items():
        inside = sorted(found)
        seen: dict[str, int] = {}
        for _rank, place in inside:
            if seen.setdefault(bare(choice.header[place]), place) != place:
                choice.problems.append(_twice(place, _column(name)))
        kept = len(inside) if name in _MERGED else 1
        places[name] = tuple(place for _rank, place in inside[:kept])
        for _rank, place in inside[kept:]:
            choice.attributes.setdefault(short_heading(choice.header[place]), place)
    choice.problems[:] = [replace(each, file=table.file, line=table.header_line) for each in choice.problems]
    return places


def _no_email(table: Table, choice: _Choice) -> Problem:
    with_address = [
        heading
        for place, heading in enumerate(choice.header)
        if heading and choice.cells(place) and choice.share(place, lambda cell: "@" in cell) > 0.5
    ]
    near = with_address or near_names("email", [heading for heading in choice.header if heading], 1)
    fix = _("Name the column of the addresses 'email' in the first row.")
    if any("@" in cell for cell in choice.header):
        fix = _("The first row seems to be a person; put the column names above it.")
    rename = N_("Rename '{column}' to 'email', or add --map '{column}=email'.")
    fix = _(rename, column=near[0]) if near and near[0] != "email" else fix
    return Problem(table.file, table.header_line, 1, "missing_column", _("The column 'email' is missing."), fix)


def _doubts(table: Table, columns: Columns) -> Iterator[Problem]:
    # A heading that is nearly one of our columns would pass for an attribute in silence.
    for heading, place in columns.attributes.items():
        near = near_column(heading)
        if near and near[0] not in columns.places and not field_of(heading) and _column(near[0]) not in columns.own:
            cause = _("'{heading}' is not one of our columns, so it is kept as an attribute.", heading=heading)
            fix = _("Did you mean {names}?", names=f"'{near[1]}'")
            yield Problem(table.file, table.header_line, place + 1, "near_column", cause, fix, "advice")
    place = columns.places["email"][0]
    if field_of(table.header[place]) == ("private_email", 0):
        cause, fix = _("The only addresses are private ones."), _("Add a column of work addresses, if there are any.")
        yield Problem(table.file, table.header_line, place + 1, "private_addresses", cause, fix, "advice")


def _strange_statuses(table: Table, choice: _Choice) -> Iterator[Problem]:
    """A column of statuses in words that we do not know: who of them has left is not seen."""
    for heading, place in choice.attributes.items():
        found = field_of(heading)
        words = list(dict.fromkeys(choice.cells(place)))[:MOST_NAMED]
        if found and found[0] in ("status", "enabled", "blocked") and words:
            text = N_("The column '{heading}' says {words}, which we do not know; everybody is taken as active.")
            cause = _(text, heading=heading, words=listed(words, "and"))
            fix = _("Take out the rows of those who have left, or write 'inactive'.")
            yield Problem(table.file, table.header_line, place + 1, "unknown_status", cause, fix, "advice")
