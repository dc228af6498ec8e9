"""``phases``: what each phase was to reach, its review, and the word that opens its gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.arguments import CAMPAIGN
from commsengine.cli.output import json_option, note, say, show_json, table, tell_zone, title, when
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.errors import InputError
from commsengine.text import listed
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.reports.phases.measures import PhaseState
    from commsengine.reports.phases.phase_review import PhaseReview
    from commsengine.store.records import CampaignRecord
    from commsengine.wiring import Wiring

MEASURED = {True: N_("reached"), False: N_("not reached"), None: N_("not known")}


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@click.option("--review", "reviewed", metavar="NAME", help=N_("Print the review of this phase."))
@click.option("--open", "opened", metavar="NAME", help=N_("Open the gate of this phase: the messages after it begin."))
@click.option("--because", metavar="TEXT", help=N_("Why, for the record; only with --open."))
@json_option
@with_workspace
def phases(
    wiring: Wiring, campaign: str, reviewed: str | None, opened: str | None, because: str | None, as_json: bool
) -> None:
    """Show the goal of each phase and what is reached; review it, open its gate.

    With 'gate: true', messages that begin after a phase wait until you open its gate. You may open it before the phase
    ends, and it stays open.

    Example: commsengine phases crm --open listen --because "Half of us have answered."
    """
    from commsengine.campaigns import control
    from commsengine.campaigns.known_campaign import known
    from commsengine.reports.phases.measures import phases as measured
    from commsengine.reports.phases.phase_review import review

    if reviewed and opened:
        raise click.UsageError(_("Write --review or --open, not both."))
    if because is not None and not opened:
        raise click.UsageError(_("--because belongs to --open."))
    record, now = known(wiring.store, campaign), wiring.clock()
    if opened:
        fresh = control.open_gate(wiring.store, record, opened, because=because or "", by=wiring.operator, now=now)
        record = known(wiring.store, campaign)
        if not as_json:
            _show_opened(opened, fresh)
            return
    if reviewed:
        found = review(wiring.store, record, reviewed, now)
        show_json(found.as_json()) if as_json else _show_review(found)
        return
    views = [view.as_json() for view in measured(wiring.store, record, now)]
    if as_json:
        show_json({"campaign": record.id, "phases": views})
        return
    if not views:
        raise InputError(_("The plan of {campaign} has no phases.", campaign=campaign), _("Write them under 'phases'."))
    zone = zone_of(wiring, campaign)
    for view in views:
        _show(record, view, zone)
    tell_zone(zone)


def _show_opened(phase: str, fresh: bool) -> None:
    text = N_("The gate of '{phase}' is open.") if fresh else N_("The gate of '{phase}' is open already.")
    click.echo(_(text, phase=phase))


def _show(record: CampaignRecord, view: Mapping[str, Any], zone: str) -> None:
    about = {"phase": view["phase"], "until": when(zone, view["until"]), "state": _(view["state"])}
    title(_("{phase}, until {until}: {state}", **about))
    if view["goal"]:
        say(f"  {view['goal']}")
    titled = record.plan.audience.title
    rows = [
        (
            measure["message"],
            _(measure["measure"]),
            titled(role["role"]) if role["role"] else _("all"),
            _figures(role),
            f"{measure['wanted']:.0%}",
            verdict,
        )
        for measure in view["measures"]
        for role in ({**measure, "role": "", "hidden": False}, *measure["roles"])
        for verdict in [_verdict(view["state"], role["reached"])]
    ]
    if rows:
        columns = [N_("message"), N_("measure"), N_("role"), N_("people"), N_("wanted"), ""]
        table(columns, rows, right=["wanted"])
    _show_gate(record.id, view, zone)
    click.echo()


def _verdict(state: PhaseState, reached: bool | None) -> str:
    return _("not yet") if reached is False and state != "over" else _(MEASURED[reached])


def _figures(role: Mapping[str, Any]) -> str:
    if role["hidden"]:
        return _("too few people: hidden")
    if role["count"] is None:
        return _("too few answers")
    return _("{count:,} of {of:,} ({share:.0%})", count=role["count"], of=role["of"], share=role["share"] or 0)


def _show_gate(campaign: str, view: Mapping[str, Any], zone: str) -> None:
    gate = view["gate"]
    if gate is None:
        return
    messages = listed(gate["messages"], "and") or _("nothing")
    if gate["open"]:
        text = N_("Gate: open since {instant}, by {by}. {because}")
        say("  " + _(text, instant=when(zone, gate["opened_at"]), by=gate["by"], because=gate["because"]).rstrip())
        return
    say("  " + _("Gate: closed. These wait until you open it: {messages}.", messages=messages))
    note("  " + _("Open it: commsengine phases {campaign} --open {phase}", campaign=campaign, phase=view["phase"]))


def _show_review(found: PhaseReview) -> None:
    title(found.headline)
    if found.phase.goal:
        say(f"  {found.phase.goal}")
    if found.waiting:
        say(found.waiting)
        opens = {"campaign": found.campaign, "phase": found.phase.name}
        note(_("Open it: commsengine phases {campaign} --open {phase}", **opens))
    for part in found.parts:
        click.echo()
        title(part.title)
        for line in part.lines:
            say(f"  - {line}")
