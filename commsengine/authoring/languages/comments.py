"""The comments of a YAML file, each with the part of the file that it stands above or beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ruamel.yaml import YAML, events

from commsengine.authoring.yaml_parser import Tree, YamlPath

BEHIND: YamlPath = ("",)
"""Where the comments are that stand below everything else."""


def comments_of(tree: Tree) -> dict[YamlPath, list[str]]:
    """The lines of comment by what they belong to: without indentation, ``#`` included."""
    starts, found = _first_on_line(tree), dict[YamlPath, list[str]]()
    for line, text, alone in _comments(tree.source):
        below = min((start for start in starts if start > line), default=None) if alone else line
        path = BEHIND if below is None else starts.get(below, BEHIND)
        found.setdefault(path, []).append(text)
    return found


def _first_on_line(tree: Tree) -> Mapping[int, YamlPath]:
    """The outermost part that begins on each line; on one with a ``-``, the item."""
    starts: dict[int, YamlPath] = {}
    for path, (line, _column) in {**tree.values, **tree.keys}.items():
        if path and (line not in starts or len(path) < len(starts[line])):
            starts[line] = path
    return starts


def _comments(source: str) -> Iterator[tuple[int, str, bool]]:
    """Line (from 1), text, and whether it stands there alone."""
    lines, taken = source.splitlines(), _text_spans(source)
    for number, line in enumerate(lines, 1):
        for place, letter in enumerate(line):
            if letter == "#" and (place == 0 or line[place - 1].isspace()) and not _within(taken, (number, place)):
                yield number, line[place:].rstrip(), not line[:place].strip()
                break


def _within(spans: list[tuple[tuple[int, int], tuple[int, int]]], place: tuple[int, int]) -> bool:
    return any(first <= place < last for first, last in spans)


def _text_spans(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    # that of a text in several lines reaches to where the next part begins, comments not included
    found = []
    for event in YAML(typ="safe", pure=True).parse(source):
        if isinstance(event, events.ScalarEvent):
            start, end = event.start_mark, event.end_mark
            found.append(((start.line + 1, start.column), (end.line + 1, end.column)))
    return found
