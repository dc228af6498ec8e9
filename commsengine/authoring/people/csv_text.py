"""A CSV file as spreadsheets save it: any of their encodings and delimiters, each row with its line."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commsengine.authoring.yaml_text import read_bytes
from commsengine.errors import InputError, Problem
from commsengine.translation import _

MOST_ROWS = 1_000_000
MOST_FILE_BYTES = 500_000_000
MOST_CELL = csv.field_size_limit()
"""Characters in one cell; longer ones come from a quote that was never closed."""

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class CsvText:
    """The header with its line, and the rows behind it."""

    file: str
    header: list[str]
    header_line: int
    rows: Iterator[tuple[int, list[str]]]


def read_csv(path: Path) -> CsvText:
    """Read a CSV file. Raises ``InputError`` where it is unreadable, empty, too large or wrongly quoted."""
    data = read_bytes(path, MOST_FILE_BYTES)
    if data.count(b"\n") + (not data.endswith(b"\n")) > MOST_ROWS + 1:
        raise _too_many(str(path), MOST_ROWS + 2)
    text, hint = _without_hint(_decoded(str(path), data))
    rows = _rows(str(path), text, hint or _delimiter(text), 1 if hint else 0)
    line, header = next(rows, (1, []))
    if not header:
        fix = _("Write a first row with the column names, 'email' among them.")
        raise _refused(str(path), 1, _("The file is empty."), fix)
    return CsvText(str(path), [cell.strip() for cell in header], line, rows)


def _decoded(file: str, data: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _tried(file, data, encoding)
    start = data[:400]
    if start.count(0) > len(start) // 4:
        return _tried(file, data, "utf-16-le" if start[1:2] == b"\x00" else "utf-16-be")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _tried(file, data, "cp1252")


def _tried(file: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte, name = data[error.start], encoding.upper()
        cause = _("The byte 0x{byte:02X} is no letter in {encoding}.", byte=byte, encoding=name)
        raise _refused(file, line, cause, _("Save the file as 'CSV UTF-8'.")) from None


def _without_hint(text: str) -> tuple[str, str]:
    # Excel may name the delimiter in a first line: sep=;
    first, _end, rest = text.partition("\n")
    hint = first.strip().strip('"')
    return (rest, hint[4:]) if hint.startswith("sep=") and len(hint) == 5 else (text, "")


def _delimiter(text: str) -> str:
    header = text.lstrip("\r\n").partition("\n")[0]
    return max(_DELIMITERS, key=lambda delimiter: (header.count(delimiter), delimiter == ","))


def _rows(file: str, text: str, delimiter: str, line: int) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    offset, begins, count = line, line + 1, 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refused(file, begins, *_csv_fault(str(error))) from None
        if any(row):
            count += 1
            if count > MOST_ROWS + 1:
                raise _too_many(file, begins)
            yield begins, row
        begins = offset + reader.line_num + 1


def _csv_fault(said: str) -> tuple[str, str]:
    if "field limit" in said:
        cause = _("A cell has more than {most:,} characters.", most=MOST_CELL)
        return cause, _("Close the quotation mark, or shorten the cell.")
    if "end of data" in said:
        cause = _("A quotation mark is opened in this row and never closed.")
        return cause, _("Close it, or double it if it is meant.")
    return _("This row is not proper CSV."), _("Put cells with quotes in quotes, and double the quotes inside.")


def _too_many(file: str, line: int) -> InputError:
    return _refused(file, line, _("The file has more than {most:,} rows.", most=MOST_ROWS), _("Split it in parts."))


def _refused(file: str, line: int, cause: str, fix: str) -> InputError:
    return InputError.of([Problem(file, line, 1, "csv", cause, fix)])
