"""Rows of a CSV file as programs write it, each with its line: comma, semicolon, tab or bar, any end of line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from commsengine.errors import InputError, Problem
from commsengine.translation import _

MOST_ROWS = 1_000_000
MOST_CELL = csv.field_size_limit()
"""Characters in one cell; longer ones come from a quote that was never closed."""

Row = tuple[int, list[str]]
Score = Callable[[Sequence[str]], int]
"""How well a row names columns; 0 for a row that names none."""

MOST_LOOKED_AT = 30
"""Rows from the top among which the column names stand."""

MOST_SCANNED = 1000
"""Lines from the top among which those rows are, however many are blank or in quotes."""

_DELIMITERS = ",;\t|"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def hint_of(first: str) -> str:
    """The delimiter that Excel may name in a first line: ``sep=;``"""
    hint = first.strip().strip('"')
    return hint[4:] if hint.startswith("sep=") and len(hint) == 5 else ""


def delimiter_of(lines: Iterable[str], score: Score) -> str:
    """The one with which a row near the top names columns best, else the most frequent one of the first line."""
    start = "".join(islice(lines, MOST_SCANNED))[:50_000].lstrip("\r\n")
    first = (start.splitlines() or [""])[0]

    def likeliness(delimiter: str) -> tuple[int, int, bool]:
        rows = islice(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter), MOST_LOOKED_AT)
        return max(map(score, _until_fault(rows)), default=0), first.count(delimiter), delimiter == ","

    return max(_DELIMITERS, key=likeliness)


def _until_fault(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error:
        return


def csv_rows(file: str, lines: Iterable[str], delimiter: str, skipped: int = 0) -> Iterator[Row]:
    """Each row that is not blank, with the line on which it begins, ``skipped`` lines below the top.

    Raises ``InputError`` where it is no CSV.
    """
    reader = csv.reader(islice(lines, skipped, None), delimiter=delimiter, strict=True)
    begins, count = skipped + 1, 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise refused(file, begins, *_csv_fault(str(error))) from None
        if any(map(str.strip, row)):
            count += 1
            if count > MOST_ROWS + 1:
                raise too_many(file, begins)
            yield begins, row
        begins = skipped + reader.line_num + 1


def lines_of(texts: Iterable[str]) -> Iterator[str]:
    """Each line with its end; every text begins a line."""
    # a StringIO would hold four bytes for each letter
    return (found[0] for text in texts for found in _LINE.finditer(text))


def _csv_fault(said: str) -> tuple[str, str]:
    if "field limit" in said:
        cause = _("A cell has more than {most:,} characters.", most=MOST_CELL)
        return cause, _("Close the quotation mark, or shorten the cell.")
    if "end of data" in said:
        cause = _("A quotation mark is opened in this row and never closed.")
        return cause, _("Close it, or double it if it is meant.")
    return _("This row is not proper CSV."), _("Put cells with quotes in quotes, and double the quotes inside.")


def too_many(file: str, line: int) -> InputError:
    return refused(file, line, _("The file has more than {most:,} rows.", most=MOST_ROWS), _("Split it in parts."))


def refused(file: str, line: int, cause: str, fix: str, code: str = "csv") -> InputError:
    return InputError.of([Problem(file, line, 1, code, cause, fix)])
