"""A validation error in the author's words: which key, what is wrong, what to write instead."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from commsengine.authoring.yaml_parser import Tree, YamlPath
from commsengine.errors import Problem
from commsengine.text import cut_short, listed, meant, near_names, near_or
from commsengine.translation import N_, _

_EXAMPLES = {
    "campaign": "campaign: crm-rollout",
    "title": N_("title: One customer record"),
    "owner": "owner: [dana@example.com]",
    "audience": "audience: {roles: {everybody: {rest: true}}}",
    "roles": "roles: {everybody: {rest: true}}",
    "messages": N_("messages: with at least one message below it"),
    "id": "id: one-record",
    "key_point": N_("key_point: the one thing people should remember"),
    "from": "from: kickoff",
    "until": "until: go_live + 14d",
    "cadence": "cadence: {every: 48h, times: 6}",
    "date": "date: 2027-03-15",
    "after": "after: 2 touches",
    "do": "do: remind",
    "question": N_("question: with the question people should answer"),
    "answers": N_("answers: with two to six answers"),
    "right": N_("right: and copy the right answer"),
    "because": N_("because: and why that answer is right"),
}
_NAMES = {
    r"^[a-z0-9_-]{1,64}$": N_("small letters, digits, - and _ (no folder, no ending)"),
    r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$": N_("a letter first, then letters, digits, - and _ (64 at most)"),
    r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$": N_("letters, digits, - and _ (64 at most, the first a letter or digit)"),
}
_NUMBERS = {"int": N_("a whole number"), "float": N_("a number")}
"""By the first word of the validator's error type."""
_BOUNDS = {
    "greater_than_equal": ("ge", N_("Write at least {number}.")),
    "greater_than": ("gt", N_("Write more than {number}.")),
    "less_than_equal": ("le", N_("Write at most {number}.")),
    "less_than": ("lt", N_("Write less than {number}.")),
}
_SHARES = {"recall_floor": "0.35", "target": "0.60", "share": "0.5", "hold_out": "0.15"}
"""Shares, which are written as a part of one: each key with a usual value."""
_SHAPES = {"str": N_("a text"), "dict": N_("keys of its own"), "list": N_("a list")}
_MAPPINGS = ("model_type", "dict_type", "mapping_type", "model_attributes_type")
_LISTS = ("tuple_type", "list_type")


def explain(error: ErrorDetails, tree: Tree, model: type[BaseModel]) -> Problem:
    loc: YamlPath = tuple(error["loc"])
    error_type, key = error["type"], _key(loc)
    if error_type == "extra_forbidden":
        return _unknown_key(loc, tree, model)
    if error_type == "missing":
        fix = _("Add '{line}'.", line=_(_EXAMPLES[key]) if key in _EXAMPLES else f"{key}: …")
        return tree.problem(tree.place(loc[:-1]), "missing", _("'{key}' is missing.", key=key), fix)
    if error_type == "value_error":
        return _own_words(error, tree)
    path = tree.nearest(tuple(part for part in loc if part != "[key]"))
    place = tree.key_place(path) if "[key]" in loc else tree.place(path)
    cause, fix = _words(error_type, error.get("ctx", {}), key, error["input"])
    return tree.problem(place, "bad_value", cause, fix)


def _words(error_type: str, ctx: Mapping[str, Any], key: str, written: object) -> tuple[str, str]:
    if error_type == "literal_error":
        return _not_a_choice(key, written, str(ctx["expected"]))
    if error_type in _BOUNDS or error_type.partition("_")[0] in (*_NUMBERS, "bool"):
        percent = _percent(written) if key in _SHARES else None
        if percent is not None:
            cause = _("'{key}' is a part of 1, not {written}.", key=key, written=_shown(written))
            return cause, _("Write {part:g}.", part=percent / 100)
        return _no_number(error_type, ctx, key, _shown(written))
    if error_type == "string_pattern_mismatch":
        letters = _(_NAMES.get(str(ctx["pattern"]), N_("letters and digits")))
        cause = _("'{key}' cannot be {written}.", written=_shown(written), key=key)
        return cause, _("Use {letters}.", letters=letters)
    if error_type in ("string_too_short", "too_short", "string_too_long", "too_long"):
        return _wrong_length(error_type, ctx, key)
    return _wrong_shape(error_type, key, written)


def _no_number(error_type: str, ctx: Mapping[str, Any], key: str, shown: str) -> tuple[str, str]:
    if wanted := _NUMBERS.get(error_type.partition("_")[0]):
        number, usual = _(wanted), _SHARES.get(key, "5")
        cause = _("'{key}' is not {number}: {written}.", key=key, number=number, written=shown)
        return cause, _("Write {number}, for example {usual}.", number=number, usual=usual)
    if error_type in _BOUNDS:
        bound, fix = _BOUNDS[error_type]
        return _("'{key}' is out of range: {written}.", key=key, written=shown), _(fix, number=ctx[bound])
    return _("'{key}' is neither true nor false: {written}.", key=key, written=shown), _("Write true or false.")


def _percent(written: object) -> float | None:
    # Somebody may have written a share in percent, as 35% or 35.
    try:
        number = float(str(written).strip().removesuffix("%"))
    except ValueError:
        return None
    return number if 5 <= number < 100 else None


def _wrong_length(error_type: str, ctx: Mapping[str, Any], key: str) -> tuple[str, str]:
    if error_type.endswith("long"):
        long = N_("'{key}' is too long.") if error_type == "string_too_long" else N_("'{key}' has too many entries.")
        return _(long, key=key), _("Write at most {number}.", number=ctx.get("max_length"))
    least = ctx.get("min_length", 1)
    if least == 1:
        return _("'{key}' is empty.", key=key), _("Write a text or a list there.")
    short = N_("'{key}' is too short.") if error_type == "string_too_short" else N_("'{key}' has too few entries.")
    return _(short, key=key), _("Write at least {number}.", number=least)


def _wrong_shape(error_type: str, key: str, written: object) -> tuple[str, str]:
    has = _("nothing") if written == "" else _(_SHAPES.get(type(written).__name__, N_("something else")))
    if error_type in _MAPPINGS:
        cause = _("'{key}' needs keys below it, but has {what}.", key=key, what=has)
        return cause, _("Write 'key: value' lines below it, or take it out.")
    if error_type in _LISTS:
        cause = _("'{key}' needs a list, but has {what}.", key=key, what=has)
        return cause, _("Write [a, b] or lines that begin with '- ', or take it out.")
    if error_type == "string_type":
        cause = _("'{key}' needs a text, but has {what}.", key=key, what=has)
        return cause, _("Write one text; put it in quotes if it has colons or brackets.")
    cause = _("'{key}' cannot be {written}.", key=key, written=_shown(written))
    return cause, _("See the key in docs/plan.md.")


def _not_a_choice(key: str, written: object, expected: str) -> tuple[str, str]:
    choices = re.findall(r"'([^']*)'", expected)
    asked = near_or(written, choices, "") if isinstance(written, str) else ""
    if written == key:  # the name of a key itself
        cause = _("The key '{key}' is not known here.", key=key)
    else:
        cause = _("'{key}' cannot be {written}.", written=_shown(written), key=key)
    return cause, f"{asked} {_('Write {choices}.', choices=listed(choices))}".strip()


def _unknown_key(loc: YamlPath, tree: Tree, model: type[BaseModel]) -> Problem:
    key, known = str(loc[-1]), _known_keys(model, loc[:-1])
    fix = meant(key, known, N_("key"))
    if not near_names(key, known) and (near := near_names(key, homes := _homes(model), 1)):
        asked = "" if near[0] == key else _("Did you mean {names}?", names=f"'{near[0]}'")
        belongs = _("It belongs to '{home}'.", home=homes[near[0]])
        fix = f"{asked} {belongs}".strip()
    cause = _("The key '{key}' is not known here.", key=key)
    return tree.problem(tree.key_place(tree.nearest(loc)), "unknown_key", cause, fix)


def _own_words(error: ErrorDetails, tree: Tree) -> Problem:
    # Our validators say 'cause; remedy' in one sentence, and begin with the key where they mean one.
    path, said = part_at_fault(error, tree), _said(error)
    cause, _mark, fix = _(said).partition("; ")
    key = _key(path)
    prefix = f"{key}: " if key and not said.startswith(f"'{key}") else ""
    fix = sentence(fix) or _("Change it, or take it out.")
    return tree.problem(tree.place(path), "bad_value", prefix + sentence(cause, capital=not prefix), fix)


def part_at_fault(error: ErrorDetails, tree: Tree) -> YamlPath:
    """The part of the file that an error is about: a whole mapping's error may begin with the key it means."""
    path = tree.nearest(tuple(part for part in error["loc"] if part != "[key]"))
    named = re.match(r"'(\w+)", _said(error)) if error["type"] == "value_error" else None
    below = (*path, named[1]) if named else path
    return below if below in tree.values else path


def _said(error: ErrorDetails) -> str:
    return str(error.get("ctx", {}).get("error", error["msg"]))


def sentence(text: str, *, capital: bool = True) -> str:
    text = text.strip()
    if not text:
        return ""
    first = text[0].upper() if capital else text[0]
    return first + text[1:] + ("" if text[-1] in ".?!" else ".")


def _key(loc: YamlPath) -> str:
    return next((str(part) for part in reversed(loc) if isinstance(part, str) and part != "[key]"), _("the file"))


def _shown(written: object) -> str:
    if not isinstance(written, str):
        return _(_SHAPES.get(type(written).__name__, str(written)))
    return f"'{cut_short(written)}'"


def _known_keys(model: type[BaseModel], loc: YamlPath) -> list[str]:
    """The keys that the format knows at a location, as authors write them."""
    kind: Any = model
    for part in loc:
        kind = _inside(kind, part)
    return list(_fields(kind))


def _homes(model: Any, home: str = "") -> dict[str, str]:
    """Each key of the format that stands below another, with the name of the other."""
    found: dict[str, str] = {}
    for key, field in _fields(model).items():
        kind = field
        while parts := get_args(_bare(kind)):
            kind = parts[-1] if parts[-1] is not Ellipsis else parts[0]
        found = {**_homes(kind, key), **found, **({key: home} if home else {})}
    return found


def _inside(kind: Any, part: str | int) -> Any:
    if fields := _fields(kind):
        return fields.get(str(part))
    parts = get_args(_bare(kind)) or (None,)
    return parts[0] if isinstance(part, int) else parts[-1]


def _fields(kind: Any) -> dict[str, Any]:
    """What stands below a mapping of ours, by the keys that authors write; empty for any other type."""
    kind = _bare(kind)
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}


def _bare(kind: Any) -> Any:
    while get_origin(kind) in (Annotated, Union, types.UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    return kind
