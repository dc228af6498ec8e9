"""Sheets of a workbook (xlsx, xlsm, xlsb, xls, ods) as rows of text, and what a file is that is no table of ours."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from commsengine.authoring.people.csv_text import MOST_LOOKED_AT, MOST_ROWS, Row, Score, refused, too_many
from commsengine.text import meant
from commsengine.translation import N_, _

MOST_UNPACKED = 2_000_000_000
"""Bytes that a packed workbook may have when it is unpacked."""

_SAVE = N_("Open it in the program it comes from and save it as .xlsx or as 'CSV UTF-8'.")


@dataclass(frozen=True)
class WorkbookSheet:
    """One sheet: its rows that are not blank, with their numbers."""

    format: str
    name: str
    rows: list[Row]


PACKED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How workbooks begin, and other packed files: only the whole tells which."""


def is_workbook(file: str, data: bytes) -> bool:
    """Whether the bytes are a workbook, whatever the ending says. Raises ``InputError`` for other known formats."""
    if other := _other_format(data):
        cause = _("The file is {format}, not a table.", format=_(other))
        raise refused(file, 0, cause, _(_SAVE), "not_a_table")
    return data.startswith(PACKED)


def _other_format(data: bytes) -> str:
    start = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if data.startswith(b"%PDF"):
        return N_("a PDF")
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<head")):
        return N_("a web page")
    if start.startswith((b"<?xml", b"<workbook")):
        return N_("XML")
    if data.startswith((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        return N_("a packed archive")
    return _packed_format(data) if data.startswith(b"PK\x03\x04") else ""


def _packed_format(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            size = sum(each.file_size for each in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return N_("a damaged workbook")
    if size > MOST_UNPACKED:
        return N_("a workbook of more than 2 GB")
    if any(name.startswith(("Index/", "Index.zip")) for name in names):
        return N_("a Numbers document")
    if any(name.startswith("word/") for name in names):
        return N_("a text document")
    known = any(re.match(r"xl/workbook|content\.xml$", name) for name in names)
    return "" if known else N_("a packed archive")


def read_sheet(file: str, data: bytes, score: Score, wanted: str) -> WorkbookSheet:
    """The sheet named ``wanted`` (or its number from 1), else the first that names columns of ours.

    Raises ``InputError`` for a workbook that is locked, damaged or empty, and a sheet that is not there.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415 - few need it

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = _chosen(file, book, wanted)
        sheets = [WorkbookSheet(_format(data), name, _rows(file, book.get_sheet_by_name(name))) for name in names]
    except PasswordError:
        cause, fix = _("The workbook is locked with a password."), _("Save a copy without a password.")
        raise refused(file, 0, cause, fix, "locked") from None
    except CalamineError as error:
        locked = "EncryptedPackage".encode("utf-16-le") in data
        cause = _("The workbook is locked with a password.") if locked else _("The workbook cannot be read.")
        fix = _("Save a copy without a password.") if locked else _(_SAVE)
        raise refused(file, 0, cause, fix, "locked" if locked else "damaged") from error
    return _best(file, sheets, score)


def _best(file: str, sheets: Sequence[WorkbookSheet], score: Score) -> WorkbookSheet:
    filled = [sheet for sheet in sheets if sheet.rows]
    if not filled:
        fix = _("Write a first row with the column names, 'email' among them.")
        raise refused(file, 1, _("The file is empty."), fix)
    marks = [max(score(row) for _line, row in sheet.rows[:MOST_LOOKED_AT]) for sheet in filled]
    enough = max(marks) // 100 * 100  # the first sheet with addresses comes before a later one with more columns
    return next(sheet for sheet, mark in zip(filled, marks, strict=True) if mark >= enough)


def _chosen(file: str, book: Any, wanted: str) -> list[str]:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415 - few need it

    sheets = [each for each in book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    names = [each.name for each in sheets]
    if wanted:
        if wanted.isdigit() and wanted not in names and 1 <= int(wanted) <= len(names):
            return [names[int(wanted) - 1]]
        found = [name for name in names if name.casefold() == wanted.casefold()]
        if not found:
            cause = _("The workbook has no sheet '{sheet}'.", sheet=wanted)
            raise refused(file, 0, cause, meant(wanted, names, N_("sheet")), "unknown_sheet")
        return found[:1]
    shown = [each.name for each in sheets if each.visible == SheetVisibleEnum.Visible]
    return shown or names


def _format(data: bytes) -> str:
    if not data.startswith(b"PK"):
        return "xls"
    return "ods" if b"opendocument.spreadsheet" in data[:200] or b"content.xml" in data[:4000] else "xlsx"


def _rows(file: str, sheet: Any) -> list[Row]:
    rows = []
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        row = [_text(cell) for cell in cells]
        if any(map(str.strip, row)):
            rows.append((line, row))
            if len(rows) > MOST_ROWS + 1:
                raise too_many(file, line)
    return rows


def _text(cell: object) -> str:
    """As a person reads the cell: 12345.0 is 12345, a day without a time is a day."""
    return cell if isinstance(cell, str) else _WRITTEN[type(cell)](cell)


_WRITTEN: dict[type, Callable[[Any], str]] = {
    float: lambda cell: str(int(cell)) if cell.is_integer() else repr(cell),
    int: str,
    bool: lambda cell: "TRUE" if cell else "FALSE",
    dt.date: str,
    dt.datetime: lambda cell: str(cell.date()) if cell.time() == dt.time() else str(cell),
    dt.time: str,
    dt.timedelta: str,
}
