"""What ``content`` finds in the texts and templates of a plan, told with file, line and column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from commsengine.authoring.draft import Draft
from commsengine.authoring.explain import sentence
from commsengine.authoring.yaml_text import place_of
from commsengine.authoring.yaml_tree import Place
from commsengine.cadence.people import Person
from commsengine.content.check import TextProblem, check_names, check_texts
from commsengine.errors import Problem

TEMPLATES = "message_templates"


def texts_told(
    draft: Draft, errors: Sequence[Problem], people: Sequence[Person] | None, templates: Mapping[str, str]
) -> list[Problem]:
    """Unknown names, faulty syntax and unsafe links. A plan with other errors is not rendered on trial."""
    found = (check_names if errors else check_texts)(draft.plan, templates, people)
    told = {(error.line, error.column) for error in errors}
    new = [flaw for flaw in found if flaw.template or draft.tree.place(flaw.path) not in told]
    return [_problem(draft, flaw, templates) for flaw in new]


def _problem(draft: Draft, flaw: TextProblem, templates: Mapping[str, str]) -> Problem:
    cause, fix = sentence(flaw.message), sentence(flaw.fix)
    if flaw.template:
        source = templates.get(flaw.template.removesuffix(".md"), "")
        place = _named(source, _line_start(source, flaw.line), flaw.message) or (flaw.line, 1)
        return Problem(f"{TEMPLATES}/{flaw.template}", *place, "template", cause, fix)
    path = draft.tree.nearest(flaw.path)
    place = draft.tree.place(path)
    source = draft.tree.source
    if path == flaw.path:
        start = _line_start(source, place[0]) + place[1] - 1
        if source[start : start + 1] == "|":  # line by line as it will be read: the flaw's own line can be shown
            place = (min(place[0] + flaw.line, source.count("\n") + 1), 1)
            start = _line_start(source, place[0])
        place = _named(source, start, flaw.message) or place
    return Problem(draft.tree.file, *place, "text", cause, fix)


def _named(source: str, start: int, message: str) -> Place | None:
    """Where the name that a message quotes is written, from ``start`` on."""
    quoted = re.search(r"'([^']+)'", message)
    found = source.find(quoted[1].rpartition(".")[2], start) if quoted else -1
    return place_of(source, found) if found >= 0 else None


def _line_start(source: str, line: int) -> int:
    return sum(len(text) for text in source.splitlines(keepends=True)[: line - 1])
