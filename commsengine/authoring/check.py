"""``check``: a plan together with its people and templates, every error and every piece of advice at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commsengine.authoring import audiences, dates, recalls, references
from commsengine.authoring.draft import Draft
from commsengine.authoring.people_file import PeopleFile, load_people
from commsengine.authoring.plan_file import Review, ordered, review_plan
from commsengine.authoring.text_check import texts_told
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.errors import InputError, Problem


@dataclass(frozen=True)
class CheckResult:
    """``plan`` is None where there are errors; ``people`` is None where nobody is known yet.

    ``roster`` is the plan's own people file, if it has one.
    """

    plan: Plan | None
    people: tuple[Person, ...] | None
    problems: tuple[Problem, ...]
    roster: PeopleFile | None = None

    @property
    def ok(self) -> bool:
        return not any(problem.severity == "error" for problem in self.problems)


def check(
    plan_path: Path,
    *,
    root: Path,
    people: Sequence[Person] | None,
    templates: Mapping[str, str],
    beside: Sequence[Problem] = (),
) -> CheckResult:
    """Check a plan against its people file, or else against ``people``, the directory.

    ``beside`` is what is wrong with people and templates themselves; it is told together with the rest. Raises
    ``InputError`` only for a plan file that is not there; everything else is in ``problems``.
    """
    review = review_plan(plan_path, root=root)
    roster, problems = _roster(review, people or ())
    found = people if review.roster is None else roster.people if roster else None
    if review.draft is not None:
        problems += texts_told(review.draft, review.errors, found, templates)
        problems += references.templates_exist(review.draft, [name for name in templates if "." not in name])
        problems += _with_people(review.draft, found) if found else []
    told = ordered([*review.problems, *problems, *beside])
    sound = not any(problem.severity == "error" for problem in told)
    plan = review.draft.plan if review.draft is not None and sound else None
    return CheckResult(plan, tuple(found) if found is not None else None, told, roster)


def _roster(review: Review, directory: Sequence[Person]) -> tuple[PeopleFile | None, list[Problem]]:
    if review.roster is None:
        return None, []
    try:
        roster = load_people(review.roster, directory=directory)
    except InputError as error:
        return None, list(error.problems)
    returning = [replace(problem, severity="advice") for problem in roster.returning.values()]
    return roster, [*roster.rejected, *roster.advice, *returning]


def _with_people(draft: Draft, people: Sequence[Person]) -> Iterator[Problem]:
    for rule in (*audiences.PEOPLE_RULES, *recalls.PEOPLE_RULES):
        yield from rule(draft, people)
    zones = {person.time_zone for person in people if person.time_zone}
    yield from dates.clock_changes(draft, zones - {draft.plan.send.time_zone})
    yield from dates.windows_in_gaps(draft, zones - {draft.plan.send.time_zone})
