"""Bytes of a YAML file to text: refuses what no editor shows (NUL, UTF-16, tabs) before any parser sees it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ruamel.yaml.error import MarkedYAMLError

from commsengine.errors import InputError, Problem
from commsengine.text import UNSEEN_IN_LINES, place_of, unseen_in
from commsengine.translation import N_, _

MOST_BYTES = 1_000_000
BLOCK = 1 << 20
"""Bytes of a large file that are in memory at once."""

MOST_TOLD = 20
"""The most places that are shown of one kind of fault; a file full of it has one cause."""

_BYTE_ORDER = (
    (codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"),
)  # fmt: skip
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)

_INDENT = N_("Line it up with the lines above that belong together.")
_WORDS = (
    ("mapping values are not allowed", N_("There is a colon here where none is expected."),
     N_("If it is part of a text, put the whole text in quotes; else check the indentation.")),
    ("unexpected end of stream", N_("A quotation mark is opened here and never closed."), N_("Close it.")),
    ("found unexpected document separator", N_("A quotation mark is opened and not closed before '---'."),
     N_("Close it.")),
    ("could not find expected ':'", N_("This line has no colon."),
     N_("Write 'key: value', or indent it if it continues the text above.")),
    ("cannot start any token", N_("A value cannot begin with this character."), N_("Put the text in quotes.")),
    ("expected ',' or ']'", N_("A list opened with '[' is not closed."),
     N_("Close it with ']', with commas between its items.")),
    ("expected ',' or '}'", N_("A mapping opened with '{' is not closed."),
     N_("Close it with '}', with commas between its entries.")),
    ("expected the node content", N_("A value is missing here, or a bracket is not closed."),
     N_("Write the value, or close the bracket.")),
    ("expected <block end>, but found '<scalar>'", N_("Text goes on after the end of a quoted text."),
     N_("Put the whole text in one pair of quotes.")),
    ("expected <block end>", N_("This line does not fit the indentation of the lines above."), _INDENT),
    ("sequence entries are not allowed", N_("A list item cannot begin here."), N_("Begin the list on a new line.")),
    ("unknown escape character", N_("A backslash in double quotes needs a known letter after it."),
     N_("Write two backslashes, or use single quotes.")),
    ("expected '<document start>'", N_("This line does not belong to the lines above."), _INDENT),
    ("found undefined tag handle", N_("A YAML tag is not allowed here."),
     N_("Take it out, or put the text in quotes.")),
    ("while scanning a directive", N_("A line that begins with '%' is not allowed here."),
     N_("Put the text in quotes.")),
)  # fmt: skip


def read_text(path: Path) -> str:
    """The text of a YAML file.

    Raises ``InputError`` for a file that is missing, unreadable, over 1 MB, not UTF-8, or holds tabs as indentation.
    """
    text = read_utf8(path)
    if problems := _faults(str(path), text):
        raise InputError.of(problems)
    return text


def read_utf8(path: Path) -> str:
    """The text of a file of at most 1 MB. Raises ``InputError`` when it is missing, unreadable or not UTF-8."""
    data = read_bytes(path, MOST_BYTES)
    if encoding := _wide(data):
        cause = _("The file is saved as {encoding}.", encoding=encoding)
        raise _refused(str(path), (1, 1), "encoding", cause, _("Save it as UTF-8."))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before, byte = data[: error.start].decode("utf-8-sig"), data[error.start]
        cause = _("The byte 0x{byte:02X} is not UTF-8; the file was probably saved as Latin-1.", byte=byte)
        raise _refused(str(path), place_of(before, len(before)), "encoding", cause, _("Save it as UTF-8.")) from None


def read_bytes(path: Path, most: int) -> bytes:
    """At most ``most`` bytes. Raises ``InputError`` where the file is missing, unreadable or larger."""
    with _opened(path) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise _too_large(path, most)
    return data


def read_blocks(path: Path, most: int) -> Iterator[bytes]:
    """As ``read_bytes``, up to ``BLOCK`` bytes at a time."""
    size = 0
    with _opened(path) as stream:
        while block := stream.read(BLOCK):
            size += len(block)
            if size > most:
                raise _too_large(path, most)
            yield block


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError:
        raise InputError(_("{path}: there is no such file.", path=path), _("Check the path.")) from None
    except PermissionError:
        fix = _("Run the command as the account it belongs to, or give this one the right to read it.")
        raise InputError(_("{path}: this account may not read the file.", path=path), fix) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or _("not a readable file")
        cause = _("{path}: the file cannot be read ({reason}).", path=path, reason=reason)
        raise InputError(cause, _("Check the path and its rights.")) from None


def _too_large(path: Path, most: int) -> InputError:
    cause = _("The file is larger than {most} MB.", most=most // 1_000_000)
    fix = _("Check that it is the right file; take out what does not belong there.")
    return _refused(str(path), (1, 1), "too_large", cause, fix)


def fault_of(error: MarkedYAMLError, source: str) -> tuple[tuple[int, int], str, str]:
    # An unclosed quote is shown where it opens.
    message = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    opened = "quoted scalar" in message and error.context_mark is not None
    if opened or "could not find expected ':'" in message:
        mark = error.context_mark or mark
    place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    last = source.count("\n") + 1
    for words, cause, fix in _WORDS:
        if words in message:
            return (min(place[0], last), place[1]), _(cause), _(fix)
    fix = _("Check the quotes and the indentation of this line and the one above.")
    return place, _("This is not valid YAML here."), fix


def _wide(data: bytes) -> str:
    start = data[:200]
    marked = next((name for mark, name in _BYTE_ORDER if data.startswith(mark)), "")
    return marked or ("UTF-16" if start.count(0) > len(start) // 4 else "")


def _faults(file: str, text: str) -> list[Problem]:
    problems = []
    for found in islice(UNSEEN_IN_LINES.finditer(text), MOST_TOLD):
        cause = _("The file contains {unseen}, which no editor shows.", unseen=unseen_in(found[0]))
        problems.append(Problem(file, *place_of(text, found.start()), "control_character", cause, _("Delete it.")))
    for found in islice(_TAB_INDENT.finditer(text), MOST_TOLD):
        cause, fix = _("This line is indented with a tab."), _("Write spaces instead, two for each step.")
        problems.append(Problem(file, *place_of(text, found.end() - 1), "tab", cause, fix))
    return problems


def _refused(file: str, place: tuple[int, int], code: str, cause: str, fix: str) -> InputError:
    return InputError.of([Problem(file, *place, code, cause, fix)])
