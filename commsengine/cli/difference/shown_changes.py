"""What changes, place by place: short values as ``old → new``, texts as changed lines with the changed words bold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.terminal_safety import in_one_line
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.cadence.kinds_and_states import ChangeKind
    from commsengine.campaigns.changes import PlanChange

SIGNS: dict[ChangeKind, str] = {"added": "+", "removed": "-", "changed": "~"}
COLOURS = {"+": "green", "-": "red", "~": "yellow"}
MOST_LINES = 12
"""Of one change; ``--full`` shows all."""

ONE_LINE = 100
"""Columns of an old and a new value side by side; wider ones are below each other, where they are compared."""

SHORTEST = 40
"""Columns that a text has on the narrowest terminal."""

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_ALIKE = 0.4
"""From this likeness on, the words that differ between two lines are marked; below it, the lines are two texts."""

_ONLY_ENDS = N_("only spaces or line ends differ")


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    """``sign`` is ``+``, ``-``, or a blank for what stays."""

    sign: str
    words: tuple[_Word, ...]

    @classmethod
    def of(cls, sign: str, text: str) -> _Line:
        return cls(sign, (_Word(text),))


def shown(changes: Sequence[PlanChange], width: int, *, full: bool = False) -> Iterator[str]:
    """Lines with our own styles and no others, each at most ``width`` columns where words allow it."""
    for change in changes:
        head, lines = _of(change, width)
        yield head
        drawn = [line for each in lines for line in _wrapped(each, max(width - 4, SHORTEST))]
        kept = drawn if full or len(drawn) <= MOST_LINES + 1 else _cut(drawn)
        yield from (_styled(line) for line in kept)
        if len(kept) < len(drawn):
            more = counted(len(drawn) - len(kept), "more line", "more lines")
            yield click.style(_("    … {lines}: --full shows all", lines=more), dim=True)


def _cut(lines: Sequence[_Line]) -> list[_Line]:
    # Something of what goes and of what comes.
    runs = [list(run) for _sign, run in groupby(lines, lambda line: line.sign)]
    each = max(MOST_LINES // len(runs), 2)
    return [line for run in runs for line in run[:each]][:MOST_LINES]


def _of(change: PlanChange, width: int) -> tuple[str, list[_Line]]:
    sign = SIGNS[change.kind]
    head = click.style(f"{sign} {in_one_line(change.path)}", fg=COLOURS[sign], bold=True)
    old, new = (_value(value) for value in (change.old, change.new))
    shown = f"{old} → {new}" if change.kind == "changed" else new if change.kind == "added" else old
    if _is_short(change, shown, min(width, ONE_LINE) - len(change.path) - 4):
        order = click.style(_(" (their order)"), dim=True) if change.label == "order" else ""
        return f"{head}  {in_one_line(shown)}{order}", []
    if change.kind == "changed" and isinstance(change.old, str) and isinstance(change.new, str):
        return head, list(_text_lines(change.old, change.new)) or [_Line.of(" ", _(_ONLY_ENDS))]
    gone = [_Line.of("-", line) for line in _lines(change.old)] if change.old is not None else []
    come = [_Line.of("+", line) for line in _lines(change.new)] if change.new is not None else []
    return head, gone + come


def _is_short(change: PlanChange, shown: str, room: int) -> bool:
    flat = not any(isinstance(value, dict) or "\n" in str(value) for value in (change.old, change.new))
    return flat and not any(_nested(value) for value in (change.old, change.new)) and len(shown) <= room


def _nested(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict | list) for each in value)


# -- values as authors write them -------------------------------------------------------------------


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_bare(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else _bare(value)


def _bare(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_bare(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return _value(value)
    return value if isinstance(value, str) else json.dumps(value)


def _lines(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.splitlines() or [""]
    if isinstance(value, dict):
        return [line for name, each in value.items() for line in _named(name, each)]
    if _nested(value):
        return [line for each in value for line in _item(each)]
    return [_value(value)]


def _named(name: str, value: Any) -> list[str]:
    inner = _lines(value)
    if isinstance(value, dict) or _nested(value) or len(inner) > 1:
        return [f"{name}:", *(f"  {line}" for line in inner)]
    return [f"{name}: {inner[0]}"]


def _item(value: Any) -> list[str]:
    return [f"{'- ' if number == 0 else '  '}{line}" for number, line in enumerate(_lines(value))]


# -- texts ------------------------------------------------------------------------------------------


def _text_lines(old: str, new: str) -> Iterator[_Line]:
    before, after = old.splitlines(), new.splitlines()
    parts = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    if all(part[0] == "equal" for part in parts):
        return
    for place, (tag, start, end, new_start, new_end) in enumerate(parts):
        if tag == "equal":
            yield from _context(before[start:end], first=place == 0, last=place == len(parts) - 1)
        else:
            yield from _replaced(before[start:end], after[new_start:new_end])


def _context(lines: Sequence[str], *, first: bool, last: bool) -> Iterator[_Line]:
    # One line on each side of what changes, if it says anything.
    said = [line for line in lines if line.strip()]
    kept = [*([] if first else said[:1]), *([] if last else said[-1:])]
    if len(said) > len(kept):
        kept.insert(0 if first else 1, "…")
    yield from (_Line.of(" ", line) for line in (said if len(said) <= len(kept) else kept))


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[_Line]:
    pairs = [_by_word(one, other) for one, other in zip(old, new, strict=False)]
    yield from (pair[0] for pair in pairs)
    yield from (_Line.of("-", line) for line in old[len(pairs) :])
    yield from (pair[1] for pair in pairs)
    yield from (_Line.of("+", line) for line in new[len(pairs) :])


def _by_word(old: str, new: str) -> tuple[_Line, _Line]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    match = SequenceMatcher(None, before, after, autojunk=False)
    if match.ratio() < _ALIKE:
        return _Line.of("-", old), _Line.of("+", new)
    parts = match.get_opcodes()
    gone = [_Word("".join(before[start:end]), tag != "equal") for tag, start, end, _s, _e in parts if end > start]
    come = [_Word("".join(after[start:end]), tag != "equal") for tag, _s, _e, start, end in parts if end > start]
    return _Line("-", tuple(gone)), _Line("+", tuple(come))


def _wrapped(line: _Line, width: int) -> Iterator[_Line]:
    row, used = list[_Word](), 0
    for word in _broken(line.words):
        if used and used + len(word.text) > width and word.text.strip():
            yield _Line(line.sign, tuple(row))
            row, used = [], 0
        if row or word.text.strip() or not used:
            row.append(word)
            used += len(word.text)
    yield _Line(line.sign, tuple(row))


def _broken(words: Iterable[_Word]) -> Iterator[_Word]:
    for word in words:
        yield from (_Word(in_one_line(part), word.new) for part in re.findall(r"\s+|\S+", word.text))


def _styled(line: _Line) -> str:
    colour = COLOURS.get(line.sign)
    parts = ((new, "".join(word.text for word in words)) for new, words in groupby(line.words, lambda word: word.new))
    words = "".join(
        click.style(text, fg=colour, bold=new or None, underline=new or None, dim=colour is None or None)
        for new, text in parts
        if text
    )
    return f"  {click.style(line.sign, fg=colour) if colour else ' '} {words}".rstrip()
