"""A file with a row of column names and rows of cells: CSV in any encoding or a workbook, found by what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from commsengine.authoring.people.csv_text import (
    MOST_LOOKED_AT,
    MOST_ROWS,
    Row,
    Score,
    csv_rows,
    delimiter_of,
    hint_of,
    lines_of,
    refused,
    too_many,
)
from commsengine.authoring.people.encodings import (
    Decoded,
    EncodingError,
    decoded,
    known_encoding,
    plain_utf8,
    shown,
    word_at,
)
from commsengine.authoring.people.understanding import Source
from commsengine.authoring.people.workbook import PACKED, is_workbook, read_sheet
from commsengine.authoring.yaml_text import read_blocks, read_bytes
from commsengine.errors import InputError, Problem
from commsengine.spool import Spool
from commsengine.text import cut_short
from commsengine.translation import N_, _, counted

MOST_FILE_BYTES = 500_000_000
MOST_SHOWN = 10_000
"""Lines from the top among which words are found that show the encoding."""


@dataclass(frozen=True)
class Table:
    """The header, how it was read, what is doubtful about that, and all rows that are not blank, from the top."""

    file: str
    source: Source
    header: list[str]
    everything: Rows
    advice: tuple[Problem, ...] = ()

    @property
    def header_line(self) -> int:
        return self.source.header_line

    @property
    def rows(self) -> Iterator[Row]:
        """The rows below the header, from the first one each time. Raises ``InputError`` where one is no CSV."""
        return (row for row in self.everything.all() if row[0] > self.header_line)


@dataclass(frozen=True)
class Rows:
    """Rows in memory, or lines that are parsed when they are asked for."""

    file: str
    kept: Sequence[Row] = ()
    lines: Sequence[str] = ()
    delimiter: str = ""
    skipped: int = 0

    def all(self) -> Iterator[Row]:
        return csv_rows(self.file, self.lines, self.delimiter, self.skipped) if self.delimiter else iter(self.kept)


def read_table(path: Path, score: Score, *, encoding: str = "", sheet: str = "") -> Table:
    """The table of a file; ``score`` tells its header from title rows above it.

    Raises ``InputError`` where the file is unreadable, empty, too large, wrongly quoted or no table.
    """
    file, start = str(path), next(read_blocks(path, MOST_FILE_BYTES), b"")
    data = read_bytes(path, MOST_FILE_BYTES) if start.startswith(PACKED) else start
    if is_workbook(file, data):
        found = read_sheet(file, data, score, sheet)
        source = Source(found.format, "", "", found.name)
        return _with_header(file, source, Rows(file, found.rows), score)
    _refuse_too_many(path)
    return _text_table(path, score, encoding)


def _refuse_too_many(path: Path) -> None:
    newlines = returns = 0
    block = b""
    for block in read_blocks(path, MOST_FILE_BYTES):
        newlines += block.count(b"\n")
        returns += block.count(b"\r")
    if max(newlines, returns) + (not block.endswith((b"\n", b"\r"))) > MOST_ROWS + 1:
        raise too_many(str(path), MOST_ROWS + 2)


def _text_table(path: Path, score: Score, encoding: str) -> Table:
    file = str(path)
    read, lines = _text_of(path, encoding)
    hint = hint_of(next(iter(lines), ""))
    skipped = 1 if hint else 0
    rows = Rows(file, (), lines, hint or delimiter_of(islice(lines, skipped, None), score), skipped)
    source = Source("csv", read.name, rows.delimiter, "", 1, read.words, repaired=read.repaired)
    table = _with_header(file, source, rows, score)
    return table if encoding else replace(table, advice=tuple(_doubts(table, read)))


def _with_header(file: str, source: Source, rows: Rows, score: Score) -> Table:
    top = list(islice(rows.all(), MOST_LOOKED_AT))
    if not top:
        fix = _("Write a first row with the column names, 'email' among them.")
        raise refused(file, 1, _("The file is empty."), fix)
    marks = [score(row) for _line, row in top]
    place = marks.index(max(marks))
    line, header = top[place]
    above = tuple(" ".join(filter(None, map(str.strip, row))) for _line, row in top[:place])
    header = [" ".join(cell.split()) for cell in header]
    return Table(file, replace(source, header_line=line, above=above), header, rows)


def _text_of(path: Path, encoding: str) -> tuple[Decoded, Spool[str]]:
    """How it was decoded, and its lines. What is surely UTF-8 is never in memory as a whole."""
    if not encoding:
        with suppress(EncodingError):
            lines = Spool(lines_of(plain_utf8(read_blocks(path, MOST_FILE_BYTES))))
            return Decoded("", "utf-8", shown("".join(islice(lines, MOST_SHOWN)))), lines
    read = _decoded(str(path), read_bytes(path, MOST_FILE_BYTES), encoding)
    return read, Spool(lines_of([read.text]))


def _decoded(file: str, data: bytes, encoding: str) -> Decoded:
    named = known_encoding(encoding) if encoding else ""
    if encoding and not named:
        cause = _("There is no encoding '{encoding}'.", encoding=encoding)
        raise InputError(cause, _("Write one such as 'utf-8', 'cp1252', 'mac-roman' or 'shift-jis'."))
    try:
        return decoded(data, named)
    except EncodingError as error:
        raise refused(file, data.count(b"\n", 0, error.offset) + 1, error.cause, error.fix) from None


def _doubts(table: Table, read: Decoded) -> Iterator[Problem]:
    for cause, fix in (_other_reading(read), _strays(read), _lost(read)):
        if cause:
            yield Problem(table.file, 0, 0, "check_encoding", cause, fix, "advice")


def _other_reading(read: Decoded) -> tuple[str, str]:
    if read.other is None or not read.words:
        return "", ""
    text = N_("The file may be {encoding} ('{word}') or {other} ('{other_word}'); it is read as {encoding}.")
    other = Decoded("", read.other[0]).name
    cause = _(text, encoding=read.name, word=read.words[0], other=other, other_word=cut_short(read.other[1]))
    return cause, _("If that is wrong, name the encoding, or save the file as 'CSV UTF-8'.")


def _strays(read: Decoded) -> tuple[str, str]:
    if not read.strays:
        return "", ""
    letters = counted(read.strays, "letter is", "letters are")
    cause = _("The file is UTF-8, but {letters} not, and read as Windows-1252.", letters=letters)
    return cause, _("Look at the names, and save the file as 'CSV UTF-8'.")


def _lost(read: Decoded) -> tuple[str, str]:
    if "\ufffd" not in read.text or read.strays:
        return "", ""
    word = word_at(read.text, read.text.index("\ufffd"))
    cause = _("Letters were lost before the file came here, as in '{word}'.", word=word)
    return cause, _("Export it once more, as 'CSV UTF-8'.")
