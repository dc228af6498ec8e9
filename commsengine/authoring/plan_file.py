"""A plan file: read and validated, with all its problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commsengine.authoring.draft import Draft
from commsengine.authoring.languages.overlay import Overlay, overlay_problems, overlays_of, plan_of, with_overlays
from commsengine.authoring.rules import advice, dates, ladder, names, outcomes, recall, roles, texts
from commsengine.authoring.secrets_in_files import leaks, masked
from commsengine.authoring.validate import Shaped, shape
from commsengine.authoring.workspace_file import load_workspace
from commsengine.authoring.yaml_parser import read_tree
from commsengine.cadence.plan import Plan, Workspace
from commsengine.errors import InputError, Problem
from commsengine.translation import _

WORKSPACE_FILE = "workspace.yaml"

_FILLERS: dict[str, Any] = {
    "campaign": "campaign",
    "title": "title",
    "owner": ["somebody@example.com"],
    "audience": {"roles": {"everybody": {"rest": "true"}}},
    "id": "message",
    "key_point": "key point",
    "from": "2000-01-01",
    "until": "2099-12-31",
    "cadence": {"every": "48h", "times": "5"},
}
_FILLERS["messages"] = [{key: _FILLERS[key] for key in ("id", "key_point", "from", "until", "cadence")}]
_SUBJECTS = (names, dates, ladder, roles, texts, recall, outcomes, advice)


@dataclass(frozen=True)
class Review:
    """What could be read of a plan (``None``: nothing sound remained), and all that is to be said about it.

    ``overlays`` are its texts in other languages, where the plan itself is sound.
    """

    draft: Draft | None
    problems: tuple[Problem, ...]
    roster: Path | None = None
    overlays: tuple[Overlay, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")


def review_plan(path: Path, *, root: Path) -> Review:
    """Every problem that shows in the plan, its overlays and ``workspace.yaml`` alone. ``root`` is the workspace.

    ``path`` may be that of an overlay: its plan is meant. Raises ``InputError`` only for a file that is not there.
    """
    path = plan_of(path)
    try:
        tree = read_tree(path)
    except InputError as error:
        if not error.problems:
            raise
        return Review(None, tuple(masked(error.problems)))
    shaped = shape(tree, Plan, dict(_FILLERS))
    problems = [*leaks(str(path), tree.source), *shaped.problems]
    if shaped.value is None:
        return Review(None, ordered(problems))
    draft = Draft(shaped.value, shaped.tree, tree.data)
    roster, missing = _roster(draft, path, root)
    workspace, faults = _workspace(root)
    problems += _kept([*_by_rules(draft, workspace), *faults, *missing], shaped)
    if any(problem.severity == "error" for problem in problems):
        return Review(draft, ordered(problems), roster)
    overlays, flaws = overlays_of(path, draft.plan, draft.plan.language or workspace.language)
    problems += [*flaws, *(problem for overlay in overlays for problem in overlay_problems(overlay, draft.plan))]
    return Review(with_overlays(draft, overlays), ordered(problems), roster, tuple(overlays))


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """In the order of the file, each once, secrets struck out."""
    known = dict.fromkeys(masked(problems))
    return tuple(sorted(known, key=lambda problem: (problem.file, problem.line, problem.column)))


def _workspace(root: Path) -> tuple[Workspace, list[Problem]]:
    try:
        return load_workspace(root / WORKSPACE_FILE), []
    except InputError as error:
        return Workspace(), list(error.problems)


def _by_rules(draft: Draft, workspace: Workspace) -> Iterator[Problem]:
    for subject in _SUBJECTS:
        for rule in subject.RULES:
            yield from rule(draft)
    yield from dates.repeats_fit(draft)
    yield from dates.clock_changes(draft, {draft.plan.send.time_zone})
    yield from dates.windows_in_gaps(draft, {draft.plan.send.time_zone})
    yield from dates.windows_open(draft, workspace)
    yield from dates.budget_is_stricter(draft, workspace)
    yield from recall.fits_the_mode(draft, workspace)


def _kept(problems: Iterable[Problem], shaped: Shaped[Any]) -> list[Problem]:
    # Some problems only follow from a faulty part that was cut out: a role left empty, advice on what remained.
    around = {path[:length] for path in shaped.cut for length in range(len(path) + 1)}
    places = {shaped.tree.keys.get(path, shaped.tree.values.get(path)) for path in around}
    kept = [problem for problem in problems if (problem.line, problem.column) not in places]
    return [problem for problem in kept if problem.severity == "error"] if shaped.cut else kept


def _roster(draft: Draft, path: Path, root: Path) -> tuple[Path | None, list[Problem]]:
    # The people file must lie in the workspace, whatever links lead there.
    name = draft.plan.audience.people
    if name is None:
        return None, []
    roster, at = path.parent / name, ("audience", "people")
    if "\x00" in name or not roster.resolve().is_relative_to(root.resolve()):
        cause, fix = _("'{name}' is outside the workspace.", name=name), _("Put the people file beside the plan.")
        return None, [draft.error(at, "outside", cause, fix)]
    if not roster.is_file():
        cause = _("There is no file '{name}' beside the plan.", name=name)
        return None, [draft.error(at, "no_people_file", cause, _("Check its name, or take 'people' out."))]
    return roster, []
