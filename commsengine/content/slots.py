"""Where a value stands in a text, and how it gets in: as literal text, whatever it contains.

A template is rendered with *marks* in place of values, then turned into HTML, plain text and Slack text; only then
is each mark replaced, escaped for that output. No value ever passes through Markdown, so none can become markup; and
what was made with marks (a skeleton) serves everybody who gets the same text.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from commsengine.content.quoted_printable import Quoted, quoted
from commsengine.text import BREAKS, UNSEEN
from commsengine.translation import direction, isolated

OPEN, URL, CLOSE = "\ue000", "\ue001", "\ue002"
LONGEST = 1_000
"""Characters of one value that are shown; a cell of people.csv is not a place for a novel."""

_MARK = re.compile(f"([{OPEN}{URL}])([cs])([0-9a-f]*){CLOSE}")
_MARK_CHARACTERS = re.compile(f"[{OPEN}{URL}{CLOSE}]")
_UNSEEN = re.compile(f"[{UNSEEN}{BREAKS}{OPEN}{URL}{CLOSE}]+")
_ISOLATES = re.compile("[\u2068\u2069]")
_BLANKS = re.compile(r"\s+")

_FORMATTING = re.compile(r"(?<!\w)([*_~`])(?=\S)")
_MENTION = re.compile(r"@(?=here|channel|everyone)", re.IGNORECASE)
_INVISIBLE = "\u2060"


class Slot(str):
    """A value that differs from person to person; ``name`` says which, as a template writes it."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, name: str, value: str) -> Slot:
        slot = super().__new__(cls, value)
        slot.name = name
        return slot


class Prose(str):
    """Markdown on purpose: a text of the plan, with marks already in it."""

    __slots__ = ()


def mark(value: Any) -> Any:
    """What every ``{{ }}`` writes: prose as it is, anything else as a mark."""
    if isinstance(value, Slot):
        return f"{OPEN}s{value.name.encode().hex()}{CLOSE}"
    if isinstance(value, Prose | Markup) or value == "":
        return value
    return f"{OPEN}c{clean(str(value)).encode().hex()}{CLOSE}"


def slotted(value: Any, values: MutableMapping[str, str]) -> Any:
    # A long list of texts would make long marks.
    if isinstance(value, Mapping):
        return {name: slotted(one, values) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [slotted(one, values) for one in value]
    if type(value) is not str or not value:
        return value
    name = f"given.{len(values)}"
    values[name] = clean(value)
    return Slot(name, values[name])


def unmarked(source: str) -> str:
    # An author must not be able to write a mark by hand.
    return _MARK_CHARACTERS.sub("", source)


def clean(value: str) -> str:
    """One line of visible characters, at most ``LONGEST``."""
    if not value.isprintable():
        value = _ISOLATES.sub("", value)
        value = _BLANKS.sub(" ", _UNSEEN.sub(" ", value))
    return value.strip()[:LONGEST]


def visible_lines(text: str) -> list[str]:
    """Line by line, whole, and without anything that could steer a terminal."""
    return [_BLANKS.sub(" ", _UNSEEN.sub(" ", line)).strip() for line in text.split("\n")]


def is_link_mark(url: str) -> bool:
    found = _MARK.fullmatch(url)
    return bool(found) and found[2] == "s" and bytes.fromhex(found[3]).startswith(b"links.")  # type: ignore[index]


def in_url(url: str) -> str:
    # Values in a URL are percent-encoded when the marks are filled in.
    return url.replace(OPEN, URL)


def holds_value(text: str) -> bool:
    return OPEN in text or URL in text


@dataclass(frozen=True, slots=True)
class Output:
    """How a value is written into one kind of text: as text, and as an address."""

    text: Callable[[str], str]
    address: Callable[[str], str]


def escape_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_text(text: str) -> str:
    # An invisible word joiner breaks what Slack would read as markup or mention.
    escaped = escape_slack(text)
    if escaped.isalnum():
        return escaped
    return _MENTION.sub("@" + _INVISIBLE, _FORMATTING.sub(r"\1" + _INVISIBLE, escaped))


def _in_json(write: Callable[[str], str]) -> Callable[[str], str]:
    return lambda value: json.dumps(write(value), ensure_ascii=False)[1:-1]


PLAIN = Output(str, str)
HTML = Output(html.escape, html.escape)
SLACK = Output(slack_text, escape_slack)
SLACK_JSON = Output(_in_json(slack_text), _in_json(escape_slack))


@cache
def _apart(write: Callable[[str], str]) -> Callable[[str], str]:
    return lambda value: write(isolated(value))


@cache
def _percent_encoded(write: Callable[[str], str]) -> Callable[[str], str]:
    return lambda value: write(quote(value, safe=""))


_quoted_value = lru_cache(maxsize=4096)(quoted)


class Skeleton:
    """A finished text with named gaps. ``names`` are the values it needs."""

    __slots__ = ("_gaps", "_parts", "_quoted_parts", "names")

    def __init__(self, marked: str, output: Output) -> None:
        self._parts = [""]
        self._gaps: dict[tuple[str, Callable[[str], str]], list[int]] = {}
        end = 0
        for found in _MARK.finditer(marked):
            self._parts[-1] += marked[end : found.start()]
            self._add(found[1] == URL, found[2], bytes.fromhex(found[3]).decode(), output)
            end = found.end()
        self._parts[-1] += marked[end:]
        self._quoted_parts: list[Quoted] = []
        self.names = frozenset(name for name, _ in self._gaps)

    @property
    def fixed(self) -> str:
        """What is the same for everybody, with a line end in each gap."""
        return "\n".join(self._parts)

    def _add(self, inside_url: bool, mark_of: str, content: str, output: Output) -> None:
        write = _apart(output.text) if direction() == "rtl" else output.text
        if inside_url:
            write = _percent_encoded(output.address)
        elif mark_of == "s" and content.startswith("links."):
            write = output.address
        if mark_of == "c":
            self._parts[-1] += write(content)
        else:
            self._gaps.setdefault((content, write), []).append(len(self._parts))
            self._parts += ["", ""]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text for one person; ``values`` must have every name, already ``clean``."""
        parts = self._parts.copy()
        for (name, write), places in self._gaps.items():
            written = write(values[name])
            for place in places:
                parts[place] = written
        return "".join(parts)

    def fill_quoted(self, values: Mapping[str, str]) -> Quoted:
        """The same as quoted-printable. What is the same for everybody is encoded once."""
        if not self._quoted_parts:
            self._quoted_parts = [quoted(part) for part in self._parts]
        parts = self._quoted_parts.copy()
        for (name, write), places in self._gaps.items():
            written = _quoted_value(write(values[name]))
            for place in places:
                parts[place] = written
        return Quoted(b"".join(parts))
