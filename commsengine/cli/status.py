"""``status``: the books of every campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.output import at_rest, count, json_option, say, show_json, table, title, waits_for, when
from commsengine.cli.workspace import with_workspace

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@json_option
@with_workspace
def status(wiring: Wiring, as_json: bool) -> None:
    """Show the books of every campaign: who is meant, what was sent, what came back.

    Touches ever made are claimed + sending + sent + retry + failed + uncertain + skipped.

    Example: commsengine status
    """
    from commsengine.reports import status

    found = status.status(
        wiring.store, wiring.clock(), stop_file=wiring.stop_is_there(), recall=True, decisions=wiring.decisions
    )
    if as_json:
        show_json(found)
        return
    title(_engine(found["engine"]))
    for rest in found["engine"]["resting"]:
        say(f"{at_rest(rest, wiring.clock())} {waits_for(rest)}")
    if not found["campaigns"]:
        click.echo("No plan is applied yet: commsengine apply PLAN")
    for campaign in found["campaigns"]:
        _show(campaign)


def _engine(engine: Mapping[str, Any]) -> str:
    from commsengine.engine.state_folder import STOPPED

    if engine["stop_file"]:
        return STOPPED
    if engine["hold"]:
        return f"The engine is on hold: {engine['hold']['reason']} Then: commsengine release"
    if engine["beat_at"] is None:
        return "No engine has run yet: commsengine run, or commsengine tick from cron."
    runs = "runs" if engine["state"] == "running" else "does not run"
    return f"The engine {runs}; last beat {when(engine['beat_at'])} on {engine['host']}."


def _show(campaign: Mapping[str, Any]) -> None:
    skipped = campaign["touches"]["skipped"]
    counts = {**campaign["touches"], "skipped": sum(skipped.values())}
    click.echo()
    title(f"{campaign['title']} ({campaign['campaign']}): {campaign['state']}")
    if campaign["paused"] and campaign["paused"]["by"] == "engine":
        click.echo(
            f"The engine paused it {when(campaign['paused']['since'])}: {campaign['paused']['reason']}. When that is "
            f"put right: commsengine resume {campaign['campaign']}"
        )
    click.echo(
        f"{count(campaign['audience'], 'person', 'people')}; {count(sum(counts.values()), 'touch', 'touches')} made, "
        f"{campaign['acknowledged']:,} acknowledged, {count(campaign['follow_ups_open'], 'follow-up')} open."
    )
    table(list(counts), [[f"{number:,}" for number in counts.values()]], right=list(counts))
    for reason, number in sorted(skipped.items()):
        say(f"  skipped: {number:,} {reason}")
    _recall(campaign["recall"])


def _recall(roles: Sequence[Mapping[str, Any]]) -> None:
    told = [
        f"{role['role']} {role['mean']:.0%} ({role['low']:.0%} to {role['high']:.0%}, n = {role['people']:,}, "
        f"{'tested' if role['tested'] else 'assumed curve'})"
        for role in roles
        if role["mean"] is not None
    ]
    if told:
        hidden = sum(role["hidden"] for role in roles)
        more = f"; {count(hidden, 'role has', 'roles have')} too few people to be shown" if hidden else ""
        click.echo(f"Estimated recall: {', '.join(told)}{more}.")
