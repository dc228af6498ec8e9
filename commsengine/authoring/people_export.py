"""People as CSV that a spreadsheet opens without running anything: cells that look like formulas are guarded."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from commsengine.cadence.people import COLUMNS, KNOWN, Person
from commsengine.cadence.plan import WEEKDAYS

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


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
