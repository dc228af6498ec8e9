"""How an overlay is written: in the order of the plan, with what each text is translated from above it.

Nothing that a translator wrote is lost: comments stay where they are, and texts that the plan has no more stand at the
end as comments, from where they come back when the plan has them again. The same plan and file give the same bytes.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commsengine.authoring.languages.comments import BEHIND, comments_of
from commsengine.authoring.languages.overlay import CHANGED, Overlay, name_of, said_above, same
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.cadence.plan import Plan
from commsengine.cadence.translations import says

WIDTH = 110
_PLAIN = re.compile(r"[^\W\d_](?:[^:#\n]|:(?! |$)|(?<! )#)*")
_WORDS_OF_YAML = {"yes", "no", "true", "false", "on", "off", "null", "y", "n"}
GONE = "# gone: "


@dataclass
class Updated:
    """The file as it is to be, and what is left to do, by name: in the order of the plan."""

    text: str = ""
    missing: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def updated(plan: Plan, file: Path, language: str, own: str, before: Overlay | None) -> Updated:
    """The overlay of a plan in ``language`` that is to stand in ``file``; ``own`` is the language of the plan."""
    writer = _Writer(plan, file, language, own, before)
    text = writer.written()
    needed = plan.to_translate
    missing = [name for name in plan.texts if name in needed and name not in writer.texts]
    return Updated(text, missing, [name for name in plan.texts if name in writer.was], list(writer.gone))


class _Writer:
    def __init__(self, plan: Plan, file: Path, language: str, own: str, before: Overlay | None) -> None:
        self._plan, self._file, self._language, self._own = plan, file, language, own
        self._sources = dict(plan.texts)
        notes = comments_of(before.tree) if before else {}
        below, kept = _gone_before(notes.pop(BEHIND, []))
        self._below = below
        self._notes = dict[str, tuple[str, ...]]()
        for path, lines in notes.items() if before else ():
            assert before is not None  # noqa: S101 - the comments are its
            name = _name_of(before, path)
            self._notes[name] = (*self._notes.get(name, ()), *said_above(lines, own).notes)
        self.texts, self.was = dict[str, str](), dict[str, str]()
        self.gone: dict[str, str] = {}
        self._settle(before, kept)

    def _settle(self, before: Overlay | None, kept: Mapping[str, str]) -> None:
        # which text stands where: by its name, or else by what it was made of
        old = {**before.texts, **before.unknown} if before else {}
        made_of = dict(before.sources) if before else {}
        marked = before.marked if before else {}
        memory = {" ".join(made_of[name].split()): old[name] for name in old if name in made_of and name not in marked}
        for name, source in self._sources.items():
            own, stale = old.get(name), same(made_of.get(name), source) is False or name in marked
            found = memory.get(" ".join(source.split()))
            if own and not (stale and found):
                self.texts[name] = own
                first = marked.get(name, made_of.get(name, source))
                self.was |= {name: first} if stale and not same(first, source) else {}
            elif found or name in kept:
                self.texts[name] = found or kept[name]
            elif not says(source) and not name.endswith(".link"):
                self.texts[name] = source
        used = set(self.texts.values())
        self.gone = {
            name: text for name, text in kept.items() if text.rstrip("\n") not in {t.rstrip("\n") for t in used}
        }
        for name, text in old.items():
            if text not in used:
                self.gone[name if name not in self.gone else f"{name} ({len(self.gone)})"] = text

    # -- lines ------------------------------------------------------------------------------------

    def written(self) -> str:
        tree: dict[str, Any] = {}
        for name in [*self._sources, *(name for name in self.texts if name not in self._sources)]:
            if name in self.texts or (says(self._sources[name]) and not name.endswith(".link")):
                _put(tree, name.split("."), name)
        body = [line for key in tree for line in ("", *self._mapping({key: tree[key]}, "", 0))]
        return "\n".join([*self._head(), *body, *self._tail()]) + "\n"

    def _head(self) -> list[str]:
        plan = f"{self._file.name.split('.')[0]}{self._file.suffix}"
        return [
            f"## The texts of {plan} in {name_of(self._language)}: write each below its original.",
            f"## A text left empty is not translated yet; until then its message is sent in {name_of(self._own)}.",
            f"## '# {CHANGED}' marks a text that has changed in the plan: translate it again and delete that line.",
        ]

    def _mapping(self, node: Mapping[str, Any], name: str, depth: int) -> Iterator[str]:
        indent = "  " * depth
        for key, child in node.items():
            below = f"{name}.{key}" if name else key
            yield from self._noted(below, indent)
            leaf = child if isinstance(child, str) else child.get("text") if key == "commit" else None
            if isinstance(leaf, str):
                yield from self._above(leaf, indent)
                yield from _entry(f"{indent}{key}:", self.texts.get(leaf, ""), depth + 1)
            else:
                yield f"{indent}{key}:"
                if below == "messages":
                    yield from self._messages(child, depth + 1)
                elif all(part.isdigit() for part in child):
                    yield from self._items(child, below, depth + 1)
                else:
                    yield from self._mapping(child, below, depth + 1)

    def _messages(self, node: Mapping[str, Any], depth: int) -> Iterator[str]:
        indent = "  " * depth
        for key, child in node.items():
            yield ""
            yield from self._noted(f"messages.{key}", indent)
            yield f"{indent}- id: {key}"
            yield from self._mapping(child, f"messages.{key}", depth + 1)

    def _items(self, node: Mapping[str, Any], name: str, depth: int) -> Iterator[str]:
        indent = "  " * depth
        for key, child in node.items():
            below = f"{name}.{key}"
            yield from self._noted(below, indent)
            if isinstance(child, str):
                yield from self._above(child, indent)
                yield from _entry(f"{indent}-", self.texts.get(child, ""), depth + 1)
            else:
                yield from _as_item(list(self._mapping(child, below, depth + 1)), indent)

    def _noted(self, name: str, indent: str) -> Iterator[str]:
        return (f"{indent}{note}" for note in self._notes.pop(name, ()))

    def _above(self, name: str, indent: str) -> Iterator[str]:
        if name in self.was:
            yield from _comment(CHANGED, self.was[name], indent)
        if name in self._sources:
            yield from _comment(self._own, self._sources[name], indent)

    def _tail(self) -> Iterator[str]:
        left = [note for notes in self._notes.values() for note in notes]  # of parts that are gone
        yield from ("", *self._below, *left) if self._below or left or self.gone else ()
        if self.gone:
            yield "## The plan has no such texts any more. Delete what you do not need."
        for name, text in self.gone.items():
            yield f"{GONE}{name}"
            yield from (f"#   {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def _name_of(overlay: Overlay, path: YamlPath) -> str:
    """That of a text, or of the part around several, by where it stands in the file."""
    parts = [str(part) for part in path]
    message = overlay.tree.at(path[:2]) if path[:1] == ("messages",) and len(path) > 1 else None
    if isinstance(message, Mapping):
        parts[1] = str(message.get("id", path[1]))
    return ".".join(parts[:-1] if parts[2:] in (["commit", "text"], ["text", "0"]) else parts)


def _gone_before(lines: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """What stands below everything else: notes of people, and the texts that were gone already."""
    notes, gone, under = list[str](), dict[str, list[str]](), ""
    for line in lines:
        if line.startswith(GONE):
            under = line.removeprefix(GONE).strip()
            gone[under] = []
        elif under and (line.startswith("#   ") or line == "#"):
            gone[under].append(line[4:])
        elif not line.startswith("## "):
            under = ""
            notes.append(line)
    return notes, {name: "\n".join(text) for name, text in gone.items()}


def _put(tree: dict[str, Any], parts: Sequence[str], name: str) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
    tree[parts[-1]] = name


def _as_item(lines: list[str], indent: str) -> Iterator[str]:
    first = next(place for place, line in enumerate(lines) if not line.lstrip().startswith("#"))
    yield from (f"{indent}{line.lstrip()}" if place < first else line for place, line in enumerate(lines[:first]))
    yield f"{indent}- {lines[first].lstrip()}"
    yield from lines[first + 1 :]


def _comment(word: str, text: str, indent: str) -> Iterator[str]:
    first, *rest = textwrap.wrap(
        f"{word}: {' '.join(text.split())}",
        WIDTH - len(indent) - 2,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield f"{indent}# {first}"
    yield from (f"{indent}# {line}" for line in rest)


def _entry(begin: str, text: str, depth: int) -> Iterator[str]:
    lines = text.removesuffix("\n").split("\n")
    folds = " ".join(text.split()) == text.removesuffix("\n")
    if len(lines) > 1 and _can_be_block(text):
        yield f"{begin} {_marked('|', text)}"
        yield from (f"{'  ' * depth}{line}" if line else "" for line in lines)
    elif folds and len(begin) + len(text) > WIDTH and _can_be_block(text):
        yield f"{begin} {_marked('>', text)}"
        width = WIDTH - 2 * depth
        wrapped = textwrap.wrap(text.strip(), width, break_long_words=False, break_on_hyphens=False)
        yield from (f"{'  ' * depth}{line}" for line in wrapped)
    else:
        yield f"{begin} {_scalar(text)}"


def _marked(sign: str, text: str) -> str:
    return sign if text.endswith("\n") else f"{sign}-"


def _can_be_block(text: str) -> bool:
    lines = text.split("\n")
    whole = all(line.isprintable() and line == line.rstrip() for line in lines)
    return whole and bool(text.strip()) and not text[0].isspace() and not text.endswith("\n\n")


def _scalar(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.casefold() not in _WORDS_OF_YAML and text == text.strip()
    return text if plain and text.isprintable() else json.dumps(text, ensure_ascii=False)
