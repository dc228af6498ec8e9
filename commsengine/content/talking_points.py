"""What to say in a call or a visit: a text to read, and the same by its headings, so that no line loses its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from commsengine.content.markdown import Tokens, plain_inline


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, and the lines that stand under it."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TalkingPoints:
    """``text`` can be read aloud; ``parts`` are its parts. What stands above the first heading is in the text only."""

    text: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def rows(self) -> list[dict[str, str]]:
        """One row a line for a template: ``text``, and with the first line of each part its ``title``."""
        return [
            {"title": "" if number else part.title, "text": line}
            for part in self.parts
            for number, line in enumerate(part.lines)
        ]


def parts_of(tokens: Tokens) -> tuple[Part, ...]:
    """One part for each heading; a text that has no headings but its title is a single part."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for heading, text in _pieces(tokens):
        if heading == "h1" and len(parts) == 1:
            parts[0] = (text, parts[0][1])
        elif heading:
            parts.append((text, []))
        else:
            parts[-1][1].append(text)
    below = [part for part in parts[1:] if part[1]] or parts
    return tuple(Part(title, tuple(lines)) for title, lines in below if lines)


def _pieces(tokens: Tokens) -> Iterator[tuple[str, str]]:
    for place, token in enumerate(tokens):
        if token.type == "inline":
            before = tokens[place - 1]
            yield before.tag if before.type == "heading_open" else "", plain_inline(token.children or [])
        elif token.type in ("fence", "code_block"):
            yield "", token.content.rstrip()
