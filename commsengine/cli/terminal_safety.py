r"""What reaches a terminal is text, never an order to it: what it would obey is written out, such as ``\u001b``.

Names, questions, texts and servers' replies are other people's words. The notation is that of JSON, so that JSON
keeps its values. Our own styles go by ``bare``, around text that was written out before.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
import unicodedata
from collections.abc import Iterable
from typing import Any, TextIO, cast

from commsengine.text import UNSEEN

_ORDERS = re.compile(f"[{UNSEEN}\r\u061c\u200e\u200f\u206a-\u206f]")
"""Controls but the line feed (and the tab, which becomes a blank), marks that turn the direction, and half letters."""


def written_out(text: str) -> str:
    """Each control and each mark of direction in digits; lines stay lines."""
    if text.isprintable():
        return text
    plain = text.replace("\r\n", "\n").replace("\t", " ")
    return _ORDERS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", plain)


def in_one_line(value: object) -> str:
    # A value that is part of a line cannot begin a line of its own.
    return written_out(" ".join(str(value).splitlines()))


class WrittenOut:
    def __init__(self, stream: TextIO) -> None:
        self.bare = stream

    def write(self, text: str) -> int:
        self.bare.write(written_out(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # click would write to it, past us
            raise AttributeError(name)
        return getattr(self.bare, name)


LOOK_ALIKES = {
    "→": "->", "←": "<-", "–": "-", "—": "-", "−": "-", "…": "...", "·": ".", "•": "*", "×": "x", "€": "EUR",
    "‘": "'", "’": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‹": "'", "›": "'",
    "─": "-", "│": "|", "✓": "x", "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "AE",
    "œ": "oe", "Œ": "OE",
}  # fmt: skip
"""For a terminal without the letter; of one with an accent, the letter without it stands in its place."""

PLAIN = "commsengine.plain"


def _look_alike(letter: str) -> str:
    found = LOOK_ALIKES.get(letter) or unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return found if found.isprintable() and found else "?"


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_look_alike, error.object[error.start : error.end])), error.end


codecs.register_error(PLAIN, _in_plain_letters)


def with_look_alikes(stream: TextIO) -> TextIO:
    """A stream that fails on no letter. Piped, it is UTF-8 where only ASCII was promised, so that nothing is lost."""
    if hasattr(stream, "reconfigure"):
        name = codecs.lookup(stream.encoding).name
        if name == "ascii" and not stream.isatty():
            stream.reconfigure(encoding="utf-8", errors=stream.errors)
        elif not name.startswith("utf"):
            stream.reconfigure(errors=PLAIN)
    return stream


def guarded(stream: TextIO) -> TextIO:
    return stream if isinstance(stream, WrittenOut) else cast("TextIO", WrittenOut(with_look_alikes(stream)))


def guard_stdout() -> None:
    # Not before a command begins: what completes words in a shell has tabs to write.
    # A stdout that was closed before the process began goes nowhere.
    sys.stdout = guarded(sys.stdout or open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - to the end


def bare(stream: TextIO) -> TextIO:
    return stream.bare if isinstance(stream, WrittenOut) else stream
