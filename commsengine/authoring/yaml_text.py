"""Bytes of a YAML file to text: refuses what no editor shows (NUL, UTF-16, tabs) before any parser sees it."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from commsengine.errors import InputError, Problem

MOST_BYTES = 1_000_000

_UTF16_OR_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)


def read_text(path: Path) -> str:
    """The text of a YAML file.

    Raises ``InputError`` for a file that is missing, unreadable, over 1 MB, not UTF-8, or holds tabs as indentation.
    """
    data = read_bytes(path, MOST_BYTES)
    file = str(path)
    if data.startswith(_UTF16_OR_32) or (data[:200].count(0) > len(data[:200]) // 4):
        raise _refused(file, (1, 1), "encoding", "The file is saved as UTF-16.", "Save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        cause = f"The byte 0x{data[error.start]:02X} is not UTF-8; the file was probably saved as Latin-1."
        raise _refused(file, place_of(before, len(before)), "encoding", cause, "Save it as UTF-8.") from None
    _refuse_unseen(file, text)
    _refuse_tabs(file, text)
    return text


def read_bytes(path: Path, most: int) -> bytes:
    """The bytes of a file a person named; at most ``most`` of them."""
    try:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.", "Check the path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a readable file"
        raise InputError(f"{path}: the file cannot be read ({reason}).", "Check the path and its rights.") from None
    if len(data) > most:
        cause = f"The file is larger than {most // 1_000_000} MB."
        fix = "Check that it is the right file; take out what does not belong there."
        raise _refused(str(path), (1, 1), "too_large", cause, fix)
    return data


def place_of(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset into a text."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _refuse_unseen(file: str, text: str) -> None:
    if found := _UNSEEN.search(text):
        name = "a NUL" if found[0] == "\x00" else f"the control character U+{ord(found[0]):04X}"
        cause = f"The file holds {name}, which no editor shows."
        raise _refused(file, place_of(text, found.start()), "control_character", cause, "Delete it.")


def _refuse_tabs(file: str, text: str) -> None:
    places = [place_of(text, found.end() - 1) for found in _TAB_INDENT.finditer(text)][:20]
    cause, fix = "This line is indented with a tab.", "Write spaces instead, two for each step."
    if places:
        raise InputError.of([Problem(file, line, column, "tab", cause, fix) for line, column in places])


def _refused(file: str, place: tuple[int, int], code: str, cause: str, fix: str) -> InputError:
    return InputError.of([Problem(file, *place, code, cause, fix)])
