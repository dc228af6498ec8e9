"""``translate``: the texts of a plan in another language, in a file beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import PLAN
from commsengine.cli.output import json_option, note, say, show_json
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _, counted, has_catalog

if TYPE_CHECKING:
    from commsengine.authoring.languages.update import Translated
    from commsengine.wiring import Wiring

MOST_SHOWN = 20


@click.command()
@click.argument("plan", type=PLAN)
@click.option("--to", "language", required=True, metavar="CODE", help=N_("The language, such as de, fr or pt-BR."))
@click.option("--dry-run", is_flag=True, help=N_("Only show what is missing and outdated."))
@json_option
@with_workspace
def translate(wiring: Wiring, plan: Path, language: str, dry_run: bool, as_json: bool) -> None:
    """Start the file with a plan's texts in another language, or update it.

    Each translation is below the text of the plan. Existing ones stay; those whose text has changed since are marked.

    Example: commsengine translate schedules/crm-rollout.yaml --to de
    """
    from commsengine.authoring.languages.update import translated
    from commsengine.authoring.plan_file import review_plan

    review = review_plan(plan, root=wiring.folder)
    own_errors = [problem for problem in review.errors if Path(problem.file) == plan]
    if review.draft is None or own_errors:
        raise InputError.of(own_errors or review.problems)
    found = translated(review.draft.plan, plan, language, review.draft.plan.language or wiring.rules.language)
    if found.changed and not dry_run:
        found.write()
    if as_json:
        show_json(_as_data(plan, found, written=found.changed and not dry_run))
    else:
        _tell(plan, found, dry_run=dry_run)


def _as_data(plan: Path, found: Translated, *, written: bool) -> dict[str, object]:
    new = found.updated
    return {
        "plan": str(plan),
        "file": str(found.file),
        "language": found.language,
        "written": written,
        "missing": new.missing,
        "outdated": new.outdated,
        "gone": new.gone,
        "catalog": has_catalog(found.language),
    }


def _tell(plan: Path, found: Translated, *, dry_run: bool) -> None:
    new = found.updated
    for names, text in (
        ([] if found.begun else new.missing, N_("missing: {name}")),
        (new.outdated, N_("outdated: {name}")),
        (new.gone, N_("not in the plan any more: {name}")),
    ):
        for name in names[:MOST_SHOWN]:
            say(_(text, name=name))
        if len(names) > MOST_SHOWN:
            say(_(text, name=_("{more} more", more=len(names) - MOST_SHOWN)))
    state = N_("Nothing was written.") if dry_run else N_("Started.") if found.begun else N_("Updated.")
    state = state if found.changed or dry_run else N_("It is up to date.")
    told = _(
        "{file}: {missing} missing, {outdated} outdated. {state}",
        file=found.file,
        missing=counted(len(new.missing), "text", "texts"),
        outdated=len(new.outdated),
        state=_(state),
    )
    note(told)
    if not has_catalog(found.language):
        code = found.language.replace("-", "_")
        note(_("There are no buttons and pages in this language yet: add locale/{code}.po.", code=code))
    left = new.missing or new.outdated
    fix = N_("Write the texts, then: commsengine check {plan}") if left else N_("Next: commsengine check {plan}")
    note(_(fix, plan=plan))
