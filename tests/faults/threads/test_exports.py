"""Exports: threads in which a spreadsheet ran what somebody had typed into a form.

Our rule: whatever a spreadsheet would take for a formula is guarded by an apostrophe, in cells and in headings.
"""

from __future__ import annotations

import csv
from dataclasses import replace

from tests.authoring.exported import exported
from tests.builders import someone

RUN = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
PAYLOADS = (
    '=HYPERLINK("http://evil.example","x")', "=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "＝1+1", "＋1", "－1",
    "＠SUM(1)", "=cmd|'/c calc'!A0", " =1+1", "+49 30 1234",
)  # fmt: skip


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines()))


def test_jogetworkflow_20_a_name_was_a_formula_in_the_export() -> None:
    """They: what people had typed as a name was run as a formula by whoever opened the export.

    Here: in no column does a cell of the export begin like a formula.
    """
    people = [
        replace(someone(number), name=bad, job=bad, department=bad, phone=bad, attributes={"note": bad})
        for number, bad in enumerate(PAYLOADS)
    ]
    rows = cells(exported(people))
    assert len(rows) == 1 + len(PAYLOADS)
    assert [cell for row in rows for cell in row if cell.lstrip(" ").startswith(RUN)] == []


def test_brightdata_54_the_header_row_was_forgotten() -> None:
    """They: cells were guarded and headings were not, and headings came from somebody's data as well.

    Here: a heading that looks like a formula is guarded like any cell.
    """
    [header, row] = cells(exported([someone(1, attributes={bad: bad for bad in PAYLOADS})]))
    assert len(header) == len(row) > len(PAYLOADS)
    assert [heading for heading in header if heading.lstrip(" ").startswith(RUN)] == []
    assert {f"'{bad}" for bad in PAYLOADS} <= set(header)
