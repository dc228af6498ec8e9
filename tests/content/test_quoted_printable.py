"""Pieces of quoted-printable: whatever is joined reads back as the texts one behind the other, in lines that travel."""

from __future__ import annotations

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsengine.content.quoted_printable import quoted
from tests.content.test_hostile import HOSTILE

AWKWARD = [*HOSTILE, " ", "\t", "\r", "\n", ".\n.", "...", *("x" * length + end for length in (73, 74, 75, 76, 77)
           for end in ("", " ", " \n", "\t\n", ".", "\n.", "é", "="))]  # fmt: skip
PIECES = st.lists(st.text(max_size=90) | st.sampled_from(AWKWARD), max_size=5)


def as_read(data: bytes) -> str:
    return quopri.decodestring(data).decode().replace("\r\n", "\n")


def meant(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.encode("utf-8", "replace").decode()


@given(PIECES)
def test_pieces_read_as_their_texts_and_every_line_may_travel(pieces: list[str]) -> None:
    data = b"".join(map(quoted, pieces))
    assert as_read(data) == "".join(map(meant, pieces))
    *lines, rest = data.split(b"\r\n")
    assert rest == b""
    for line in lines:
        assert line.isascii()
        assert len(line) <= 76
        assert not line.startswith(b".")
        assert not line.endswith((b" ", b"\t"))
        assert not {b"\r", b"\n", b"\0"} & {bytes([byte]) for byte in line}


@pytest.mark.parametrize(
    ("text", "data"),
    [("", b""), ("a", b"a=\r\n"), ("a\n", b"a\r\n"), (".a", b"=2E=\r\na=\r\n"), ("=\r\n", b"=3D\r\n"),
     ("x" * 80, b"x" * 75 + b"=\r\nxxxxx=\r\n")],
)  # fmt: skip
def test_a_piece_ends_its_line(text: str, data: bytes) -> None:
    assert quoted(text) == data
