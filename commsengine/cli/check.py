"""``check``: everything wrong with a plan at once, each with its place and its remedy; then advice."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import PLAN
from commsengine.cli.output import Progress, json_option, note, show_json
from commsengine.cli.workspace import with_workspace
from commsengine.translation import _, counted

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@click.argument("plans", metavar="PLAN...", type=PLAN, nargs=-1, required=True)
@json_option
@click.pass_context
@with_workspace
def check(wiring: Wiring, ctx: click.Context, plans: tuple[Path, ...], as_json: bool) -> None:
    """Check plans: errors with their place, then advice.

    Exit status 0: no error (advice is no error); 2: at least one.

    Example: commsengine check schedules/crm-rollout.yaml
    """
    plans = tuple(dict.fromkeys(plans))  # an overlay stands for its plan
    with Progress(_("Checking")):
        problems = [problem for path in plans for problem in wiring.check(path).problems]
    errors = sum(problem.severity == "error" for problem in problems)
    if as_json:
        show_json({"ok": not errors, "problems": [asdict(problem) for problem in problems]})
    else:
        for problem in sorted(problems, key=lambda problem: problem.severity != "error"):
            click.echo(str(problem))
        rest = len(problems) - errors
        wrong = counted(errors, "error", "errors") if errors else _("no errors")
        advice = counted(rest, "piece of advice", "pieces of advice") if rest else _("no advice")
        note(_("{plans}: {errors}, {advice}.", plans=counted(len(plans), "plan", "plans"), errors=wrong, advice=advice))
    ctx.exit(2 if errors else 0)
