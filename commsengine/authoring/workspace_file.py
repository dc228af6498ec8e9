"""``workspace.yaml``: the rules over all campaigns of a company."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from commsengine.authoring.secrets_in_files import leaks, masked
from commsengine.authoring.validate import shape
from commsengine.authoring.yaml_parser import Tree, read_tree
from commsengine.cadence.plan import Workspace
from commsengine.errors import InputError, Problem
from commsengine.translation import _


def load_workspace(path: Path) -> Workspace:
    """The rules in ``path``; the defaults where there is no such file. Raises ``InputError`` with all its problems."""
    if not path.exists():
        return Workspace()
    tree = read_tree(path)
    shaped = shape(tree, Workspace, {})
    problems = [*leaks(str(path), tree.source), *shaped.problems]
    if shaped.value is not None:
        problems += _rules(shaped.value, tree)
    if problems or shaped.value is None:
        raise InputError.of(list(dict.fromkeys(masked(problems))))
    return shaped.value


def _rules(workspace: Workspace, tree: Tree) -> Iterator[Problem]:
    for index, out in enumerate(workspace.black_out):
        if out.last < out.first:
            place, cause = tree.place(("black_out", index)), _("These black-out days end before they begin.")
            yield tree.problem(place, "ends_before_start", cause, _("Write the earlier day first."))
    if workspace.language not in workspace.languages and "languages" in tree.data:
        cause = _("The language '{language}' is none of the 'languages'.", language=workspace.language)
        yield tree.problem(tree.place(("language",)), "unknown_language", cause, _("Add it to 'languages'."))
