"""Text as quoted-printable (RFC 2045), piece by piece: pieces are encoded once and joined in any order."""

from __future__ import annotations

import binascii
import re
from typing import NewType

Quoted = NewType("Quoted", bytes)
"""ASCII in lines of at most 76 characters that end with CRLF; none begins with a dot. Two joined are one again."""

_NO_BREAK = b"=\n"
_AS_IT_IS = re.compile(r"[ -<>-~]+")  # one line of plain ASCII, as most values and all links are
_LINE = 75
_DOTS = re.compile(rb"^\.+", re.MULTILINE)
_LONG = re.compile(rb"^(.{74,})(=(?:20|09)\n)", re.MULTILINE)


def quoted(text: str) -> Quoted:
    """Any text; its line ends become CRLF, and half a surrogate pair becomes ``?``.

    What is joined to it goes on in the same line of the text unless that ends with a line end.
    """
    if _AS_IT_IS.fullmatch(text):
        lines = "=\r\n".join([text[start : start + _LINE] for start in range(0, len(text), _LINE)])
        if not (lines.startswith(".") or "\n." in lines):
            return Quoted(f"{lines}=\r\n".encode())
    return _quoted(text) if text else Quoted(b"")


def _quoted(text: str) -> Quoted:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    # The letter behind it keeps b2a_qp from filling the last line, which may need its "=".
    encoded = binascii.b2a_qp(f"{lines}x".encode("utf-8", "replace"))[:-1]
    if not encoded.endswith(b"\n"):
        encoded += _NO_BREAK
    if encoded.startswith(b".") or b"\n." in encoded:
        encoded = _DOTS.sub(lambda dots: (b"=2E" + _NO_BREAK) * len(dots[0]), encoded)
    if b"=20\n" in encoded or b"=09\n" in encoded:  # b2a_qp does not count the blank at the end of a line
        encoded = _LONG.sub(rb"\1=\n\2", encoded)
    return Quoted(encoded.replace(b"\n", b"\r\n"))
