"""A YAML file as plain text values, each with its place; limits are kept on the events, before anything grows.

Every scalar stays the text that was written (``no``, ``0123`` and ``9:30`` do not bite), quoted or not. Aliases, tags
and several documents are refused: a plan needs none of them, and a few hundred bytes of aliases can fill a memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from commsengine.authoring.yaml_text import fault_of, read_text
from commsengine.errors import InputError, Problem
from commsengine.text import place_of, shown_unseen, unseen_in
from commsengine.translation import _

MOST_DEPTH = 40
MOST_NODES = 100_000
MOST_PROBLEMS = 100

_NOTHING = ("", "null", "~")
_HASH = re.compile(r"[ \t]+(#[^\s#].*?)\s*$")
"""A comment that may be the rest of a text: one that is meant as such has a blank behind its '#'."""
_BRACKETS = re.compile(rf"[\[{{](?:\s*[\[{{]){{{MOST_DEPTH}}}")

YamlPath = tuple[str | int, ...]
Place = tuple[int, int]


@dataclass
class Tree:
    """What a file says. ``values`` has the place of every node, ``keys`` of every key; lines and columns from 1."""

    file: str
    source: str
    data: Any
    values: dict[YamlPath, Place] = field(default_factory=dict)
    keys: dict[YamlPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    cut_short: dict[YamlPath, str] = field(default_factory=dict)
    """Texts without quotes that end before a '#' which may belong to them, each with what follows it."""

    def problem(self, place: Place, code: str, cause: str, fix: str) -> Problem:
        return Problem(self.file, *place, code, cause, fix)

    def place(self, path: YamlPath) -> Place:
        """Where to point for a path, or for the nearest part above it that was written."""
        path = self.nearest(path)
        scalar = isinstance(self.at(path), str)
        return self.values[path] if scalar or path not in self.keys else self.keys[path]

    def key_place(self, path: YamlPath) -> Place:
        return self.keys.get(path) or self.place(path)

    def at(self, path: YamlPath) -> Any:
        node = self.data
        for part in path:
            node = node[part]
        return node

    def nearest(self, loc: YamlPath) -> YamlPath:
        # Parts of the location that the author did not write are passed over.
        path: YamlPath = ()
        for part in loc:
            path = (*path, part) if (*path, part) in self.values else path
        return path


def read_tree(path: Path) -> Tree:
    """Read one YAML file. Raises ``InputError`` where reading cannot go on; lesser faults are in ``problems``."""
    source = read_text(path)
    return _Reader(str(path), source).read()


def tree_of(source: str, file: str = "") -> Tree:
    """The same of a text that was read before."""
    return _Reader(file, source).read()


class _Reader:
    def __init__(self, file: str, source: str) -> None:
        self.tree = Tree(file, source, None)
        self.nodes = 0
        self.lines = source.split("\n")

    def read(self) -> Tree:
        try:
            self._refuse_brackets()
            self._document(YAML(typ="safe", pure=True).parse(self.tree.source))
        except MarkedYAMLError as error:
            place, cause, fix = fault_of(error, self.tree.source)
            raise self._stop(place, "yaml", cause, fix) from None
        except (YAMLError, RecursionError, ValueError):
            raise self._stop((1, 1), "yaml", _("This is not valid YAML."), _("Check quotes and indentation.")) from None
        return self.tree

    def _refuse_brackets(self) -> None:
        # A parser looks far ahead for what a run of brackets might become; this search answers at once.
        if found := _BRACKETS.search(self.tree.source):
            raise self._too_deep(place_of(self.tree.source, found.end() - 1))

    def _too_deep(self, place: Place) -> InputError:
        cause = _("The file is nested more than {most} levels deep.", most=MOST_DEPTH)
        return self._stop(place, "too_deep", cause, _("Take out the surplus brackets or indentation."))

    def _document(self, stream: Iterator[Any]) -> None:
        started = False
        for event in stream:
            if (
                isinstance(event, events.ScalarEvent)
                and not started
                and event.value in ("", "null", "~")
                and not event.tag
            ):
                continue  # a bare '---': nothing is written yet
            if isinstance(event, events.DocumentStartEvent) and started:
                fix = _("Keep one document: take out this '---'.")
                raise self._stop(_place(event), "several_documents", _("A second document begins here."), fix)
            if isinstance(event, events.NodeEvent):
                started = True
                self.tree.data = self._node(event, stream, (), 1)
            elif isinstance(event, events.StreamEndEvent) and not started:
                fix = _("Write its keys, or begin with 'commsengine init'.")
                raise self._stop((1, 1), "empty", _("The file is empty."), fix)

    def _node(self, event: Any, stream: Iterator[Any], path: YamlPath, depth: int) -> Any:
        self._refuse(event, depth)
        self.tree.values[path] = _place(event)
        if isinstance(event, events.MappingStartEvent):
            return self._mapping(stream, path, depth)
        if isinstance(event, events.SequenceStartEvent):
            return self._sequence(stream, path, depth)
        if not event.style and (behind := self._behind(event)):
            self.tree.cut_short[path] = behind
        return self._scalar(event)

    def _behind(self, event: Any) -> str:
        line = self.lines[event.end_mark.line] if event.end_mark.line < len(self.lines) else ""
        found = _HASH.match(line, event.end_mark.column)
        return found[1] if found and event.value else ""

    def _scalar(self, event: Any) -> str:
        # An escape such as "\0" brings in what the file itself may not hold.
        written: str = event.value
        if unseen := unseen_in(written) or (_("a carriage return") if "\r" in written else ""):
            cause = _("A backslash writes {unseen} into this text, which is invisible.", unseen=unseen)
            self._note(_place(event), "control_character", cause, _("Take it out."))
            return shown_unseen(re.sub("\r\n?", " ", written))  # so that other faults of it are found too
        return written

    def _sequence(self, stream: Iterator[Any], path: YamlPath, depth: int) -> list[Any]:
        items: list[Any] = []
        for event in stream:
            if isinstance(event, events.CollectionEndEvent):
                break
            items.append(self._node(event, stream, (*path, len(items)), depth + 1))
        return items

    def _mapping(self, stream: Iterator[Any], path: YamlPath, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for event in stream:
            if isinstance(event, events.CollectionEndEvent):
                break
            self._refuse(event, depth)
            if not isinstance(event, events.ScalarEvent):
                fix = _("Write a word, a colon and a space; put a text that begins with [ or { in quotes.")
                raise self._stop(_place(event), "key", _("This key is a list or a mapping."), fix)
            self._entry(items, event, stream, path, depth)
        return items

    def _entry(self, items: dict[str, Any], key: Any, stream: Iterator[Any], path: YamlPath, depth: int) -> None:
        name = self._scalar(key)
        own = (*path, name)
        if name in items:
            line = self.tree.keys[own][0]
            cause = _("The key '{name}' is written twice; the first is in line {line}.", name=name, line=line)
            self._note(_place(key), "duplicate_key", cause, _("Keep one of them."))
            kept = self.tree.values, self.tree.keys  # read on, so that faults inside are found too
            self.tree.values, self.tree.keys = {}, {}
            self._node(next(stream), stream, own, depth + 1)
            self.tree.values, self.tree.keys = kept
            return
        self.tree.keys[own] = _place(key)
        items[name] = self._node(next(stream), stream, own, depth + 1)

    def _refuse(self, event: Any, depth: int) -> None:
        self.nodes += 1
        if isinstance(event, events.AliasEvent) or event.anchor:
            cause = _("'&{name}' is a YAML anchor, which is not allowed here.", name=event.anchor)
            if isinstance(event, events.AliasEvent):
                cause = _("'*{name}' is a YAML alias, which is not allowed here.", name=event.anchor)
            raise self._stop(_place(event), "alias", cause, _("Write the text out, or in quotes if it is one."))
        if depth > MOST_DEPTH:
            raise self._too_deep(_place(event))
        if self.nodes > MOST_NODES:
            cause = _("The file has more than {most:,} values.", most=MOST_NODES)
            raise self._stop(_place(event), "too_many", cause, _("Check that it is the right file."))
        if event.tag:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            cause = _("'{tag}' is a YAML tag, which is not allowed here.", tag=tag)
            self._note(_place(event), "tag", cause, _("Take it out."))

    def _note(self, place: Place, code: str, cause: str, fix: str) -> None:
        self.tree.problems.append(self.tree.problem(place, code, cause, fix))
        if len(self.tree.problems) >= MOST_PROBLEMS:
            raise InputError.of(self.tree.problems)

    def _stop(self, place: Place, code: str, cause: str, fix: str) -> InputError:
        return InputError.of([*self.tree.problems, self.tree.problem(place, code, cause, fix)])


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1
