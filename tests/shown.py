"""Pages of the documentation as somebody follows them: files are saved, commands typed, and what they say is compared.

In a page, a block ``sh`` has commands, and a block ``text`` after it what the last of them says; ``…`` stands for
anything. Dates and numbers differ from day to day and are not compared.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from commsengine.wiring import now
from tests.cli.terminal import Said

DOCS = Path(__file__).parent.parent / "docs"
WRITTEN = date(2026, 12, 1)
"""The day on which the examples were made."""
_SAVED = re.compile(r"[Ss]ave (?:this|it) as `([^`]+)`")
_CHANGED = re.compile(r"[Cc]hange (?:this|these) lines? in `([^`]+)`")
_VARIES = re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b|\d[\d.,:]*")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page, and the paragraph before it."""

    kind: str
    text: str
    before: str


def blocks(page: str) -> list[Block]:
    """The fenced blocks of ``docs/PAGE.md`` in their order."""
    parts = re.split(r"^```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), flags=re.M)
    return [_block(*pair) for pair in zip(parts[::2], parts[1::2], strict=False)]


def _block(before: str, inside: str) -> Block:
    kind, _, text = inside.partition("\n")
    return Block(kind, text, before.strip().split("\n\n")[-1])


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command of ours in a block, without the program's name; ``cd`` as well."""
    for line in text.splitlines():
        for part in line.split("&&"):
            words = shlex.split(part, comments=True)
            if words and words[0] == "commsengine":
                yield words[1:]


def follow(page: str, run: Callable[[list[str]], Said], folder: Path, skip: Callable[[list[str]], bool]) -> list[str]:
    """Does what a page says in the workspace ``folder``, and returns what is not as it says.

    With ``MEND_DOCS=1`` in the environment the page gets the lines that the program says now; read them.
    """
    wrong, said = [], Said(0, "", "")
    for block in blocks(page):
        if block.kind == "sh":
            for words in commands(block.text):
                if not skip(words):
                    said = run(words)
        elif block.kind == "text":
            wrong += _differences(page, block.text, said)
        elif saved := _SAVED.search(block.before):
            (folder / saved[1]).write_text(block.text, encoding="utf-8")
        elif changed := _CHANGED.search(block.before):
            _change(folder / changed[1], block.text)
    return wrong


def _change(file: Path, lines: str) -> None:
    """Each line takes the place of the line with the same key. Dates are as far from today as from ``WRITTEN``."""
    text = file.read_text(encoding="utf-8")
    lines = re.sub(r"\d{4}-\d\d-\d\d", lambda day: str(date.fromisoformat(day[0]) + (now().date() - WRITTEN)), lines)
    for line in lines.splitlines():
        key = line.partition(":")[0]
        text, count = re.subn(rf"^{re.escape(key)}:.*$", lambda _, line=line: line, text, count=1, flags=re.M)
        assert count, f"{file.name} has no line {key!r}"
    file.write_text(text, encoding="utf-8")


def _differences(page: str, shown: str, said: Said) -> list[str]:
    lines = (said.out + said.err).splitlines()
    real = "".join(f"{_fixed(line)}\n" for line in lines)
    wanted = "".join(_pattern(_fixed(line)) for line in shown.splitlines())
    if re.search("^" + wanted, real, re.M):
        return []
    if os.environ.get("MEND_DOCS"):
        file = DOCS / f"{page}.md"
        file.write_text(file.read_text(encoding="utf-8").replace(shown, _mended(shown, lines)), encoding="utf-8")
    return [f"{shown}\nis not what it says:\n{real}"]


def _mended(shown: str, lines: list[str]) -> str:
    """Each line as the program says it now, where one is like it."""
    now_said = {_fixed(line): line for line in lines}
    return "".join(f"{_nearest(line, now_said)}\n" for line in shown.splitlines())


def _nearest(line: str, now_said: dict[str, str]) -> str:
    if any(re.fullmatch(_pattern(_fixed(line)), f"{each}\n") for each in now_said):
        return line
    near = get_close_matches(_fixed(line), now_said, n=1)
    return now_said[near[0]] if near else line


def _pattern(line: str) -> str:
    return r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"


def _fixed(line: str) -> str:
    """A line without what differs from day to day."""
    return re.sub(r"[─ ]+", " ", _VARIES.sub("#", line)).strip()
