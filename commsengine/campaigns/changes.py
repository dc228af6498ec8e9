"""What differs between two versions of a plan, by path, as its author writes it: ``messages.one-record.until``.

The walk goes over the plan's own fields as they are stored, so that a field that is added to plans is compared, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from commsengine.cadence.kinds_and_states import ChangeKind
from commsengine.cadence.plan import Plan

Path = tuple[str, ...]

ORDERED = {("messages",), ("audience", "roles"), ("phases",)}
"""Where the order of names says something: who comes first has the role, or the place in the day."""

ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One place of the plan; ``old`` and ``new`` are values as JSON has them, ``None`` where there was or is none.

    ``label`` says what stands there: the key point of a message, the file of a translation, "order" of an order.
    """

    path: str
    kind: ChangeKind
    old: Any
    new: Any
    label: str = ""


def changes_of(old: Plan, new: Plan) -> tuple[PlanChange, ...]:
    """Empty only for equal plans; notices are no part of it."""
    return tuple(_Walk(old, new).changes())


def template_changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[PlanChange]:
    """``message_templates`` by file name."""
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            path = f"message_templates/{name}" + ("" if "." in name else ".md")
            yield PlanChange(path, _kind(old.get(name), new.get(name)), old.get(name), new.get(name))


class _Walk:
    def __init__(self, old: Plan, new: Plan) -> None:
        self._trees = _as_written(old, short=False), _as_written(new, short=False)
        self._short = _as_written(old, short=True), _as_written(new, short=True)
        self._labels = {message.id: " ".join(message.key_point.split()) for message in (*old.written, *new.written)}

    def changes(self) -> Iterator[PlanChange]:
        return self._between((), *self._trees)

    def _between(self, path: Path, old: Any, new: Any) -> Iterator[PlanChange]:
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._by_name(path, old, new)
        elif _all(dict, old, new) and _named(old) and _named(new):
            yield from self._by_name(path, {each["id"]: each for each in old}, {each["id"]: each for each in new})
        elif _all(dict, old, new) or (_all(str, old, new) and _prose(*old, *new)):
            yield from self._by_place(path, old, new)
        elif old != new:
            yield self._change(path, old, new)

    def _by_name(self, path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[PlanChange]:
        for name in dict.fromkeys((*old, *new)):
            yield from self._between((*path, name), old.get(name, ABSENT), new.get(name, ABSENT))
        before, after = [name for name in old if name in new], [name for name in new if name in old]
        if path in ORDERED and before != after:
            yield PlanChange(_text(path), "changed", before, after, "order")

    def _by_place(self, path: Path, old: Sequence[Any], new: Sequence[Any]) -> Iterator[PlanChange]:
        # Steps, checks and texts that take turns have no names: those that are alike stand beside each other.
        if max(len(old), len(new)) == 1 and _all(str, old, new):
            yield from self._between(path, *(each[0] if each else ABSENT for each in (old, new)))
            return
        lines = SequenceMatcher(None, [_key(each) for each in old], [_key(each) for each in new], autojunk=False)
        for _tag, before, old_end, after, new_end in (code for code in lines.get_opcodes() if code[0] != "equal"):
            for step in range(max(old_end - before, new_end - after)):
                one = old[before + step] if before + step < old_end else ABSENT
                other = new[after + step] if after + step < new_end else ABSENT
                place = after + step if other is not ABSENT else before + step
                yield from self._between((*path, str(place + 1)), one, other)

    def _change(self, path: Path, old: Any, new: Any) -> PlanChange:
        before, after = (
            None if value is ABSENT or value == "" else _short(tree, path, value)
            for tree, value in zip(self._short, (old, new), strict=True)
        )
        return PlanChange(_text(path), _kind(before, after), before, after, self._label(path))

    def _label(self, path: Path) -> str:
        return self._labels.get(path[1], "") if path[0] == "messages" and len(path) > 1 else ""


def _as_written(plan: Plan, *, short: bool) -> dict[str, Any]:
    tree = plan.with_notices(()).model_dump(mode="json", exclude_defaults=short)
    for role in tree["audience"]["roles"].values():
        role.update(role.pop("columns", {}))  # as authors write them: beside the other keys
    if plan.experiment is not None:
        tree["experiment"]["arms"] = [arm.name for arm in plan.experiment.arms]
    return tree


def _short(tree: Any, path: Path, value: Any) -> Any:
    # A whole part is shown without what it has by default.
    if not isinstance(value, dict):
        return value
    for name in path:
        tree = _within(tree, name)
    return value if tree is None else tree


def _within(tree: Any, name: str) -> Any:
    if isinstance(tree, dict):
        return tree.get(name)
    if isinstance(tree, list) and _named(tree):
        return next((each for each in tree if each["id"] == name), None)
    return tree[int(name) - 1] if isinstance(tree, list) and name.isdigit() and int(name) <= len(tree) else None


def _named(values: Sequence[Any]) -> bool:
    return all("id" in each for each in values)


def _all(kind: type, *lists: Any) -> bool:
    both = [each for each in lists if isinstance(each, list)]
    return len(both) == len(lists) and any(both) and all(isinstance(value, kind) for some in both for value in some)


def _prose(*texts: str) -> bool:
    # Names and addresses are shown as one list; sentences one by one.
    return any(" " in text.strip() for text in texts)


def _key(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _kind(old: Any, new: Any) -> ChangeKind:
    if old is None:
        return "added"
    return "removed" if new is None else "changed"


def _text(path: Path) -> str:
    return ".".join(path)
