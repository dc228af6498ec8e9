"""Overlays: ``PLAN.de.yaml`` beside ``PLAN.yaml`` has the texts of the plan in German, and nothing else.

It is made as the plan is, of the same keys and ids. What is empty there is not translated yet. Above a text may stand
what it was translated from (``# en: …``): so it is known when the plan says something else by now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError

from commsengine.authoring.draft import Draft
from commsengine.authoring.languages.comments import comments_of
from commsengine.authoring.rules.texts import texts_can_be_sent
from commsengine.authoring.secrets_in_files import leaks
from commsengine.authoring.yaml_parser import Tree, YamlPath, read_tree
from commsengine.cadence.plan import (
    Audience,
    Check,
    Input,
    Message,
    Milestone,
    Phase,
    Plan,
    PlannedCommitment,
    PlannedOutcome,
    Role,
)
from commsengine.cadence.translations import canonical, wider
from commsengine.errors import InputError, Problem
from commsengine.text import listed, near_or
from commsengine.translation import N_, _, has_catalog

ENDINGS = (".yaml", ".yml")
CHANGED = "changed, was"
"""Marks a text of which the source has changed."""

MOST_LISTED = 10
"""Texts that are missing or outdated, each with its place; of the others, how many."""

_LISTS = re.compile(r"\.(answers|choices)\.\d+$")
"""Texts that people choose from: one that was made of another answer would count as the wrong one."""


# -- which files ----------------------------------------------------------------------------------


def known_language(code: str) -> str:
    """The code as it is written for good (``pt-BR``); empty for what is no language of the CLDR."""
    try:
        return canonical(code) if canonical(code) and Locale.parse(canonical(code).replace("-", "_")) else ""
    except (ValueError, UnknownLocaleError):
        return ""


def name_of(language: str) -> str:
    """``German``, in English as terminals are."""
    return str(Locale.parse(language.replace("-", "_")).get_display_name("en") or language)


def overlay_path(plan: Path, language: str) -> Path:
    """The file that has, or is to have, the texts of a plan in a language."""
    return next((path for code, path in overlay_files(plan) if code == language), plan.with_suffix(f".{language}.yaml"))


def overlay_files(plan: Path) -> list[tuple[str, Path]]:
    """The overlays beside a plan, each with what stands in its name for the language."""
    beside = (path for path in plan.parent.glob(f"{_globbed(plan.stem)}.?*.*") if path.suffix in ENDINGS)
    named = ((path.name.removeprefix(f"{plan.stem}.").removesuffix(path.suffix), path) for path in beside)
    found = [(known_language(code) or code, path) for code, path in named if code and "." not in code]
    return sorted((code, path) for code, path in found if known_language(code) or not _is_plan(path))


def plan_of(path: Path) -> Path:
    """The plan that a file is an overlay of; else the file itself."""
    stem, _dot, code = path.stem.rpartition(".")
    if path.suffix not in ENDINGS or not stem or not code or not path.is_file():
        return path
    plans = (path.with_name(stem + ending) for ending in (path.suffix, *ENDINGS))
    plan = next((plan for plan in plans if plan.is_file()), path)
    return plan if plan != path and (known_language(code) or not _is_plan(path)) else path


def _is_plan(path: Path) -> bool:
    try:
        return bool(re.search(r"^[\s{]*([\"']?)campaign\1\s*:", path.read_text(encoding="utf-8"), re.MULTILINE))
    except (OSError, ValueError):
        return False


def _globbed(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


# -- what stands in one ---------------------------------------------------------------------------


@dataclass
class Overlay:
    """One file, read beside its plan. Texts are known by their name in the plan, and ``paths`` says where each stands.

    ``texts`` are those that are there; ``sources`` what some were translated from, as far as that is written above;
    ``marked`` is what the plan said before, where a text is marked as outdated; ``unknown`` are texts of which the plan
    has none (any more).
    """

    language: str
    tree: Tree
    texts: dict[str, str] = field(default_factory=dict)
    paths: dict[str, YamlPath] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    marked: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    unknown_paths: dict[YamlPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def outdated(self, plan: Plan) -> list[str]:
        """The texts that were made of something else than the plan says now."""
        return [
            name
            for name, text in plan.texts.items()
            if name in self.texts and (name in self.marked or same(self.sources.get(name), text) is False)
        ]

    def missing(self, plan: Plan) -> list[str]:
        needed = plan.to_translate
        return [name for name in plan.texts if name in needed and name not in self.texts]

    def usable(self, plan: Plan) -> dict[str, str]:
        """The texts that may be read: all, but for answers and choices that were made of others."""
        outdated = set(self.outdated(plan))
        return {name: text for name, text in self.texts.items() if not (name in outdated and _LISTS.search(name))}

    def place(self, name: str) -> YamlPath:
        """Where a text stands, or the nearest part around it that is there."""
        path: YamlPath = ()
        for part in name.split("."):
            path = next((p for p in self._below(path) if _named(self.tree, p) == part), path)
        return self.paths.get(name, path)

    def _below(self, path: YamlPath) -> Iterator[YamlPath]:
        node = self.tree.at(path)
        keys = node if isinstance(node, Mapping) else range(len(node)) if isinstance(node, list) else ()
        return ((*path, key) for key in keys)


def same(source: str | None, text: str) -> bool | None:
    """Whether a text says what its translation was made of, but for where lines end; ``None`` where that is unknown."""
    return None if source is None else source.split() == text.split()


def read_overlay(path: Path, language: str, plan: Plan, own: str) -> Overlay:
    """``own`` is the language of the plan. Raises ``InputError`` where the file cannot be read at all."""
    overlay = Overlay(language, read_tree(path))
    overlay.problems += [*leaks(str(path), overlay.tree.source), *overlay.tree.problems]
    if not isinstance(overlay.tree.data, Mapping):
        _note(overlay, (), "not_a_mapping", _("The file is not made of 'key: value' lines."), _("Write 'title: …'."))
        return overlay
    _Reader(overlay, plan).read()
    _remember(overlay, own)
    return overlay


def _note(overlay: Overlay, path: YamlPath, code: str, cause: str, fix: str) -> None:
    overlay.problems.append(overlay.tree.problem(overlay.tree.key_place(path), code, cause, fix))


def _named(tree: Tree, path: YamlPath) -> str:
    if len(path) == 2 and path[0] == "messages" and isinstance(tree.at(path), Mapping):
        return str(tree.at(path).get("id", path[1]))
    return str(path[-1])


class _Reader:
    """Gives each text its name in the plan. What has none there is a problem, at its place."""

    def __init__(self, overlay: Overlay, plan: Plan) -> None:
        self._overlay, self._tree = overlay, overlay.tree
        self._names = dict.fromkeys([*plan.texts, *_unwritten(plan)])
        self._inner = {name.rsplit(".", depth)[0] for name in self._names for depth in range(1, name.count(".") + 1)}
        self._seen: set[str] = set()

    def read(self) -> None:
        self._node((), "")

    def _node(self, path: YamlPath, name: str) -> None:
        node = self._tree.at(path)
        if isinstance(node, str):
            self._text(path, name, node)
        elif name in self._names and not (isinstance(node, list) and len(node) == 1):
            cause = _("'{key}' is one text in the plan.", key=path[-1])
            _note(self._overlay, path, "bad_value", cause, _("Write one text."))
        elif name and name not in self._inner and name not in self._names:
            self._unknown(path, name)
        elif isinstance(node, list):
            self._items(path, name, node)
        else:
            for key in node:
                if not (key == "id" and len(path) == 2):
                    self._node((*path, key), f"{name}.{key}" if name else key)

    def _items(self, path: YamlPath, name: str, items: list[Any]) -> None:
        if name == "messages":
            for place in range(len(items)):
                self._message((*path, place))
            return
        wanted = self._fits(path, name, len(items))
        for place in range(len(items)):
            if wanted and place >= wanted:
                self._keep((*path, place), f"{name}.{place}")
            else:
                self._node((*path, place), f"{name}.{place}")

    def _message(self, path: YamlPath) -> None:
        node = self._tree.at(path)
        found = node.get("id") if isinstance(node, Mapping) else None
        if not isinstance(found, str) or not found:
            fix = _("Begin it with '- id: ' and the id that it has in the plan.")
            _note(self._overlay, path, "missing", _("This message has no 'id'."), fix)
            return
        if found in self._seen:
            cause = _("The message '{id}' is here twice.", id=found)
            _note(self._overlay, (*path, "id"), "duplicate_message", cause, _("Write its texts together."))
        self._seen.add(found)
        self._node(path, f"messages.{found}")

    def _fits(self, path: YamlPath, name: str, given: int) -> int:
        wanted = sum(part.removeprefix(f"{name}.").isdigit() for part in {*self._names, *self._inner} if part != name)
        if wanted and given != wanted:
            cause = N_("'{key}' has {given} here and {wanted} in the plan.")
            cause = _(cause, key=path[-1], given=given, wanted=wanted)
            _note(self._overlay, path, "wrong_number", cause, _("Write one for each of the plan, in its order."))
        return wanted

    def _text(self, path: YamlPath, name: str, text: str) -> None:
        name = next((one for one in (name, f"{name}.text", name.removesuffix(".0")) if one in self._names), name)
        if name in self._names:
            self._overlay.paths[name] = path
            self._overlay.texts |= {name: text} if text.strip() else {}
        elif name not in self._inner:
            self._unknown(path, name)
        elif text.strip():
            cause = _("'{key}' is more than one text in the plan.", key=path[-1])
            _note(
                self._overlay, path, "bad_value", cause, _("Write it as the plan does, with the same keys or a list.")
            )

    def _keep(self, path: YamlPath, name: str) -> None:
        for at, one, text in _leaves(self._tree.at(path), path, name):
            self._overlay.unknown[one] = text
            self._overlay.unknown_paths[at] = one

    def _unknown(self, path: YamlPath, name: str) -> None:
        self._keep(path, name)
        around, _dot, key = name.rpartition(".")
        beside = [part.rpartition(".")[2] for part in (*self._names, *self._inner) if part.rpartition(".")[0] == around]
        here = [] if around and around not in self._inner and around not in self._names else sorted(set(beside))
        _note(self._overlay, path, *_what_is_wrong(name, key, here))


def _unwritten(plan: Plan) -> Iterator[str]:
    # texts that an overlay may have though the plan has none: a page of its own to read more on
    return (f"messages.{message.id}.link" for message in plan.messages)


def _leaves(node: Any, path: YamlPath, name: str) -> Iterator[tuple[YamlPath, str, str]]:
    if isinstance(node, str):
        yield from [(path, name, node)] if node.strip() else []
        return
    parts = node.items() if isinstance(node, Mapping) else enumerate(node)
    for key, value in parts:
        if key != "id":
            yield from _leaves(value, (*path, key), f"{name}.{key}")


def _what_is_wrong(name: str, key: str, here: list[str]) -> tuple[str, str, str]:
    if key in _NO_TEXTS:
        cause = _("'{key}' is not a text; the plan sets it for every language.", key=key)
        return "no_text", cause, _("Take it out.")
    if re.fullmatch(r"messages\.[^.]+", name):
        cause = _("The plan has no message '{id}'.", id=key)
        return "unknown_message", cause, near_or(key, here, _("Take it out, or run 'commsengine translate'."))
    cause = _("The plan has no text '{key}' here.", key=key)
    fix = _("It has {names}.", names=listed(here, "and")) if here and not key.isdigit() else _("Take it out.")
    return "unknown_text", cause, near_or(key, here, fix)


_MODELS = (Plan, Milestone, Phase, Audience, Role, PlannedOutcome, Message, Input, Check, PlannedCommitment)
_AROUND = {
    "milestones",
    "phases",
    "outcomes",
    "audience",
    "roles",
    "wiifm",
    "messages",
    "input",
    "checks",
    "commit",
    "id",
}
_NO_TEXTS = {
    field.alias or name
    for model in _MODELS
    for name, field in model.model_fields.items()
    if name not in (*model.WORDS, *_AROUND)
}
"""Keys of a plan that are the same in every language."""


# -- what it was translated from ------------------------------------------------------------------


def _remember(overlay: Overlay, own: str) -> None:
    by_path = {**overlay.unknown_paths, **{path: name for name, path in overlay.paths.items()}}
    for path, lines in comments_of(overlay.tree).items():
        name = by_path.get(path) or by_path.get(_first_text(overlay.tree, path))
        if name:
            told = said_above(lines, own)
            overlay.sources |= {name: told.source} if told.source is not None else {}
            overlay.marked |= {name: told.was} if told.was is not None else {}


def _first_text(tree: Tree, path: YamlPath) -> YamlPath:
    # "- question: …": what stands above the item stands above its first text
    node = tree.at(path) if path in tree.values else None
    first = next(iter(node), None) if isinstance(node, Mapping) else None
    return (*path, first) if first is not None and first != "id" else path


@dataclass(frozen=True, slots=True)
class Above:
    """What stands above a text: its ``source``, what that ``was`` before, and ``notes`` of people."""

    source: str | None = None
    was: str | None = None
    notes: tuple[str, ...] = ()


def said_above(lines: list[str], own: str) -> Above:
    told: dict[str, list[str]] = {}
    notes, under = list[str](), ""
    for line in lines:
        begun = re.fullmatch(rf"# ({re.escape(own)}|{CHANGED}):(.*)", line)
        if begun:
            under = begun[1]
            told[under] = [begun[2].strip()]
        elif under and line.startswith("#   "):
            told[under].append(line[1:].strip())
        elif not line.startswith("## "):
            under = ""
            notes.append(line)
    whole = {key: " ".join(filter(None, parts)) for key, parts in told.items()}
    return Above(whole.get(own), whole.get(CHANGED), tuple(notes))


# -- what is to be said about one -----------------------------------------------------------------


def overlays_of(plan_path: Path, plan: Plan, own: str) -> tuple[list[Overlay], list[Problem]]:
    """Those beside a plan, and what is wrong with files that are none."""
    found, problems = list[Overlay](), list[Problem]()
    for code, path in overlay_files(plan_path):
        if flaw := _flaw_of_language(path, code, own):
            problems.append(flaw)
            continue
        try:
            found.append(read_overlay(path, code, plan, own))
        except InputError as error:
            problems += error.problems
    return found, problems


def _flaw_of_language(path: Path, code: str, own: str) -> Problem | None:
    if not known_language(code):
        cause = _("'{code}' is not a known language.", code=code)
        fix = _("Name the file by a code, such as {name}.de.yaml or .pt-BR.yaml.", name=path.name.split(".")[0])
        return Problem(str(path), 1, 1, "unknown_language", cause, fix)
    if code in wider(own):
        cause = _("The plan itself is in {language}.", language=code)
        return Problem(
            str(path), 1, 1, "own_language", cause, _("Write these texts into the plan, and delete the file.")
        )
    return None


def with_overlays(draft: Draft, overlays: list[Overlay]) -> Draft:
    """The plan with everything of it that can be read in other languages."""
    found = {overlay.language: texts for overlay in overlays if (texts := overlay.usable(draft.plan))}
    return replace(draft, plan=draft.plan.model_copy(update={"translations": found}))


def overlay_problems(overlay: Overlay, plan: Plan) -> Iterator[Problem]:
    """Every problem of an overlay, and advice about what is missing in it or outdated."""
    yield from overlay.problems
    draft = Draft(plan, overlay.tree, overlay.tree.data if isinstance(overlay.tree.data, Mapping) else {})
    yield from texts_can_be_sent(draft)
    yield from _links(overlay)
    yield from _each_once(overlay, plan)
    yield from _to_do(overlay, plan)


def _links(overlay: Overlay) -> Iterator[Problem]:
    for name, text in overlay.texts.items():
        if name.endswith(".link") and not text.startswith("https://"):
            place = overlay.tree.place(overlay.paths[name])
            yield overlay.tree.problem(place, "link", _("A link starts with https://."), _("Write the whole address."))


def _each_once(overlay: Overlay, plan: Plan) -> Iterator[Problem]:
    # two choices that read the same would be one for people
    theirs = plan.model_copy(update={"translations": {overlay.language: overlay.texts}})
    for message in theirs.in_language(overlay.language).messages:
        lists = [(f"{n}.answers", check.answers) for n, check in enumerate(message.checks)]
        named = [(f"messages.{message.id}.checks.{name}", texts) for name, texts in lists]
        if message.input:
            named.append((f"messages.{message.id}.input.choices", message.input.choices))
        for name, texts in named:
            alike = [" ".join(text.casefold().split()) for text in texts]
            for place, text in enumerate(alike):
                if text in alike[:place] and f"{name}.{place}" in overlay.texts:
                    at = overlay.tree.place(overlay.paths[f"{name}.{place}"])
                    yield overlay.tree.problem(at, "twice", _("Two of these are the same."), _("Write each once."))


def _to_do(overlay: Overlay, plan: Plan) -> Iterator[Problem]:
    language = name_of(overlay.language)
    yield from _listed(overlay, MISSING, overlay.missing(plan), language)
    yield from _listed(overlay, OUTDATED, overlay.outdated(plan), language)
    tree = overlay.tree
    if not has_catalog(overlay.language):
        cause = _("There are no buttons and pages in {language}, so the plan is not sent in it.", language=language)
        fix = _("Add a catalog to the workspace: locale/{code}.po.", code=overlay.language.replace("-", "_"))
        yield _advice(tree, (1, 1), "no_catalog", cause, fix)


@dataclass(frozen=True, slots=True)
class _ToDo:
    code: str
    cause: str
    more: str
    fix: str


MISSING = _ToDo(
    "missing_translation",
    N_("'{name}' is missing in {language}."),
    N_("{more} more texts are missing in {language}."),
    N_("Write it. Until then its message is sent in the language of the plan."),
)
OUTDATED = _ToDo(
    "outdated_translation",
    N_("'{name}' in {language} is outdated: the plan has changed the text since."),
    N_("{more} more texts in {language} are outdated."),
    N_("Translate it again; 'commsengine translate' shows the text that it was made from."),
)


def _listed(overlay: Overlay, kind: _ToDo, names: list[str], language: str) -> Iterator[Problem]:
    tree = overlay.tree
    for name in names[:MOST_LISTED]:
        cause = _(kind.cause, name=name, language=language)
        yield _advice(tree, tree.place(overlay.place(name)), kind.code, cause, _(kind.fix))
    if len(names) > MOST_LISTED:
        cause = _(kind.more, more=len(names) - MOST_LISTED, language=language)
        fix = _(
            "See them all: commsengine translate {plan} --to {code}",
            plan=plan_of(Path(tree.file)),
            code=overlay.language,
        )
        yield _advice(tree, (1, 1), kind.code, cause, fix)


def _advice(tree: Tree, place: tuple[int, int], code: str, cause: str, fix: str) -> Problem:
    return replace(tree.problem(place, code, cause, fix), severity="advice")


LEFT_TO_TRANSLATE = frozenset({"unknown_text", "unknown_message", "no_text", "wrong_number"})
"""What is wrong with an overlay and 'translate' puts right: the text goes to the end of the file."""
