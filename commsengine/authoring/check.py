"""``check``: a plan together with its people and templates, every error and every piece of advice at once."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commsengine.authoring.draft import Draft
from commsengine.authoring.languages.overlay import Overlay, name_of
from commsengine.authoring.people.people_file import PeopleFile, load_people
from commsengine.authoring.plan_file import WORKSPACE_FILE, Review, ordered, review_plan
from commsengine.authoring.rules import dates, names, outcomes, recall, roles
from commsengine.authoring.validation_errors import sentence
from commsengine.authoring.workspace_file import load_workspace
from commsengine.authoring.yaml_parser import Place
from commsengine.cadence.plan import Plan, Workspace
from commsengine.cadence.population import NOBODY, ListedPeople, Population
from commsengine.cadence.translations import canonical, wider
from commsengine.content.plan_texts import text_name
from commsengine.content.text_check import TextProblem, check_names, check_texts
from commsengine.errors import InputError, Problem
from commsengine.text import place_of
from commsengine.translation import _, counted

TEMPLATES = "message_templates"


@dataclass(frozen=True)
class CheckResult:
    """``plan`` is None where there are errors; ``people`` is None where they are not known yet.

    ``roster`` is the plan's own people file, if it has one.
    """

    plan: Plan | None
    people: Population | None
    problems: tuple[Problem, ...]
    roster: PeopleFile | None = None

    @property
    def ok(self) -> bool:
        return not any(problem.severity == "error" for problem in self.problems)


def check(
    plan_path: Path,
    *,
    root: Path,
    people: Population | None,
    templates: Mapping[str, str],
    beside: Sequence[Problem] = (),
    columns: Mapping[str, str] | None = None,
    today: dt.date | None = None,
) -> CheckResult:
    """Check a plan against its people file, or else against ``people``, the directory.

    ``beside`` is what is wrong with people and templates themselves; ``columns`` says what headings of a people file
    mean, ``today`` is the last day of whom it switches off. Raises ``InputError`` only for a plan file that is
    not there; everything else is in ``problems``.
    """
    review = review_plan(plan_path, root=root)
    roster, problems = _roster(review, people, columns, today)
    found = people if review.roster is None else ListedPeople(tuple(roster.people)) if roster else None
    columns_there = None if found is None else found.columns
    if review.draft is not None:
        problems += _text_problems(review.draft, review.errors, columns_there, templates)
        problems += names.templates_exist(review.draft, [name for name in templates if "." not in name])
        problems += _with_people(review.draft, found) if found else []
        problems += _languages_served(review, _workspace(root), found)
    for overlay in review.overlays:
        problems += _overlay_problems(review.draft, overlay, columns_there, templates) if review.draft else []
    everything = ordered([*review.problems, *problems, *beside])
    sound = not any(problem.severity == "error" for problem in everything)
    plan = review.draft.plan if review.draft is not None and sound else None
    return CheckResult(plan, found, everything, roster)


def _roster(
    review: Review, directory: Population | None, columns: Mapping[str, str] | None, today: dt.date | None
) -> tuple[PeopleFile | None, list[Problem]]:
    if review.roster is None:
        return None, []
    try:
        roster = load_people(
            review.roster, directory=NOBODY if directory is None else directory, mapping=columns, today=today
        )
    except InputError as error:
        return None, list(error.problems)
    returning = [replace(problem, severity="advice") for problem in roster.returning.values()]
    return roster, [*roster.rejected, *roster.advice, *returning]


def _workspace(root: Path) -> Workspace:
    try:
        return load_workspace(root / WORKSPACE_FILE)
    except InputError:  # the review says so
        return Workspace()


def _overlay_problems(
    draft: Draft, overlay: Overlay, columns: Collection[str] | None, templates: Mapping[str, str]
) -> list[Problem]:
    theirs = draft.plan.in_language(overlay.language)
    flaws = [(text_name(theirs, flaw.path), flaw) for flaw in check_names(theirs, {}, columns)]
    written = Draft(theirs, overlay.tree, {})
    return [
        _problem(written, replace(flaw, path=overlay.paths[name]), templates)
        for name, flaw in flaws
        if name in overlay.texts
    ]


def _languages_served(review: Review, workspace: Workspace, people: Population | None) -> Iterator[Problem]:
    """Advice on the languages of the people, and on those of the company, in which the plan has no texts."""
    draft = review.draft
    if draft is None:
        return
    own = draft.plan.language or workspace.language
    there = {own, *(overlay.language for overlay in review.overlays)}
    speak = Counter[str]()
    for group in people.groups(draft.plan) if people is not None else ():
        spoken = wider(group.first.language)
        speak.update({spoken[0]: group.people} if spoken and not there & {*spoken} else {})
    company = [code for code in map(canonical, workspace.languages) if code and not there & {*wider(code)}]
    lacking = [*(code for code, _number in speak.most_common()), *(code for code in company if code not in speak)]
    if not lacking or own in lacking:
        return
    told = [_("{code} ({people})", code=code, people=counted(speak[code], "person", "people")) for code in lacking]
    cause = _(
        "The plan has no texts in: {languages}. These people get it in {own}.",
        languages=", ".join(told),
        own=name_of(own),
    )
    fix = _("To start one: commsengine translate {plan} --to {code}", plan=draft.tree.file, code=lacking[0])
    yield draft.advice(("title",), "language_without_texts", cause, fix)


def _with_people(draft: Draft, people: Population) -> Iterator[Problem]:
    for rule in (*roles.PEOPLE_RULES, *dates.PEOPLE_RULES, *recall.PEOPLE_RULES, *outcomes.PEOPLE_RULES):
        yield from rule(draft, people)
    zones = {group.first.time_zone for group in people.groups(draft.plan)} - {""}
    yield from dates.clock_changes(draft, zones - {draft.plan.send.time_zone})
    yield from dates.windows_in_gaps(draft, zones - {draft.plan.send.time_zone})


def _text_problems(
    draft: Draft, errors: Sequence[Problem], columns: Collection[str] | None, templates: Mapping[str, str]
) -> list[Problem]:
    # A plan with other errors is not rendered on trial.
    found = (check_names if errors else check_texts)(draft.plan, templates, columns)
    known = {(error.line, error.column) for error in errors}
    new = [flaw for flaw in found if flaw.template or draft.tree.place(flaw.path) not in known]
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
    return draft.tree.problem(place, "text", cause, fix)


def _named(source: str, start: int, message: str) -> Place | None:
    """Where the name that a message quotes is written, from ``start`` on."""
    quoted = re.search(r"'(?:\w+\.)?([^']+)'", message)  # of 'person.depot' the field, of a link all
    found = source.find(quoted[1], start) if quoted else -1
    return place_of(source, found) if found >= 0 else None


def _line_start(source: str, line: int) -> int:
    return sum(len(text) for text in source.splitlines(keepends=True)[: line - 1])
