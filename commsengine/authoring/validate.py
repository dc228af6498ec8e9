"""From a YAML tree to a validated value, with every problem of the file at once.

A validator stops looking at what stands around a fault. So the faulty parts are cut out, the rest is read again, and so
on until the rest is sound: then the rules over several fields can speak about it too, in the same report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from commsengine.authoring.validation_errors import explain, part_at_fault
from commsengine.authoring.yaml_parser import MOST_PROBLEMS, Place, Tree, YamlPath
from commsengine.errors import Problem
from commsengine.translation import _

ROUNDS = 30

Model = TypeVar("Model", bound=BaseModel)


@dataclass
class Shaped(Generic[Model]):
    """``value`` is what remained after cutting out ``cut``; ``None`` where nothing sound remained."""

    value: Model | None
    tree: Tree
    cut: list[YamlPath] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def shape(tree: Tree, model: type[Model], fillers: dict[str, Any]) -> Shaped[Model]:
    """Validate a tree. ``fillers`` stand in for keys that are missing at the top or in a list there."""
    if not isinstance(tree.data, dict):
        cause, fix = _("The file is not made of 'key: value' lines."), _("Begin it with a key, for example 'title: …'.")
        wrong = tree.problem(tree.place(()), "not_a_mapping", cause, fix)
        return Shaped(None, tree, [], [*tree.problems, wrong])
    shaped: Shaped[Model] = Shaped(None, tree, [], list(tree.problems))
    for _round in range(ROUNDS):
        try:
            shaped.value = model.model_validate(shaped.tree.data)
            return shaped
        except ValidationError as invalid:
            errors = _independent(invalid.errors(include_url=False))
        causes = [error for error in errors if not _a_consequence(error, shaped)][:MOST_PROBLEMS]
        shaped.problems += [explain(error, shaped.tree, model) for error in causes]
        if len(shaped.problems) >= MOST_PROBLEMS or not _cut_out(shaped, errors, fillers):
            return shaped
    return shaped


def _independent(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    # A list may only seem too short because its items are faulty.
    locs = [tuple(error["loc"]) for error in errors]
    return [
        error
        for error, loc in zip(errors, locs, strict=True)
        if error["type"] != "too_short" or not any(other[: len(loc)] == loc != other for other in locs)
    ]


def _a_consequence(error: ErrorDetails, shaped: Shaped[Any]) -> bool:
    # The error only says that something was cut out there, or inside of it.
    loc = shaped.tree.nearest(tuple(error["loc"]))
    whole = tuple(error["loc"])
    return any(cut[: len(loc)] == loc and (error["type"] != "missing" or cut == whole) for cut in shaped.cut)


def _cut_out(shaped: Shaped[Any], errors: Iterable[ErrorDetails], fillers: dict[str, Any]) -> bool:
    paths = {_to_cut(error, shaped.tree) for error in errors}
    for path in sorted(paths, key=str, reverse=True):
        _remove(shaped, path, fillers)
    return bool(paths) and () not in paths


def _to_cut(error: ErrorDetails, tree: Tree) -> YamlPath:
    """The value itself; where a value is missing and cannot be filled in, what needed it."""
    loc = tuple(error["loc"])
    if error["type"] != "missing":
        return part_at_fault(error, tree)
    return loc if _fillable(loc) else tree.nearest(loc[:-1])


def _fillable(path: YamlPath) -> bool:
    return len(path) == 1 or (len(path) == 3 and path[0] == "messages")


def _remove(shaped: Shaped[Any], path: YamlPath, fillers: dict[str, Any]) -> None:
    if not path:
        return
    if path in shaped.tree.values:
        data, shifts = _without(shaped.tree.data, path), _shifts(shaped.tree, path)
        shaped.tree = _with(shaped.tree, data, path, shifts)
        shaped.cut = [_shifted(cut, shifts) for cut in shaped.cut]
        path = path if isinstance(path[-1], str) else path[:-1]
    if _fillable(path) and path[-1] in fillers:
        data = _filled(shaped.tree.data, path, fillers[str(path[-1])])
        shaped.tree = _with(shaped.tree, data, path, {})
    shaped.cut.append(path)


def _filled(node: Any, path: YamlPath, value: Any) -> Any:
    head, rest = path[0], path[1:]
    if isinstance(node, list):
        return [_filled(v, rest, value) if i == head else v for i, v in enumerate(node)]
    return {**node, head: _filled(node[head], rest, value) if rest else value}


def _without(node: Any, path: YamlPath) -> Any:
    head, rest = path[0], path[1:]
    if isinstance(node, list):
        return [_without(v, rest) if i == head else v for i, v in enumerate(node) if rest or i != head]
    return {k: _without(v, rest) if k == head else v for k, v in node.items() if rest or k != head}


def _shifts(tree: Tree, path: YamlPath) -> dict[YamlPath, YamlPath]:
    # The items behind one that is cut out move up.
    last, around = path[-1], path[:-1]
    if not isinstance(last, int):
        return {}
    count = len(tree.at(around))
    return {(*around, index): (*around, index - 1) for index in range(last + 1, count)}


def _shifted(path: YamlPath, shifts: dict[YamlPath, YamlPath]) -> YamlPath:
    for length in range(len(path), 0, -1):
        if path[:length] in shifts:
            return shifts[path[:length]] + path[length:]
    return path


def _with(tree: Tree, data: Any, gone: YamlPath, shifts: dict[YamlPath, YamlPath]) -> Tree:
    def moved(places: dict[YamlPath, Place]) -> dict[YamlPath, Place]:
        kept = {path: place for path, place in places.items() if path[: len(gone)] != gone}
        return {_shifted(path, shifts): place for path, place in kept.items()}

    return Tree(tree.file, tree.source, data, moved(tree.values), moved(tree.keys))
