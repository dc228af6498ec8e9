"""``start``, ``pause``, ``resume``, ``cancel``: what a person decrees for a campaign."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from commsengine.cli.arguments import CAMPAIGN, consent, consent_to, yes_option
from commsengine.cli.output import count, note, table, when
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError

if TYPE_CHECKING:
    from commsengine.campaigns.control import StopReport
    from commsengine.campaigns.effects import Effects
    from commsengine.store.records import CampaignRecord
    from commsengine.wiring import Wiring

STILL_OPEN = 3
F = TypeVar("F", bound=Callable[..., Any])
BACKLOGS = ("latest", "all", "none")

backlog_option = click.option(
    "--backlog",
    type=click.Choice(BACKLOGS),
    default="latest",
    show_default=True,
    help="What becomes of what fell due meanwhile: the newest per person, all of it, or none.",
)


def waiting(command: F) -> F:
    wait = click.option(
        "--wait",
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for messages that are just leaving.",
    )
    no_wait = click.option("--no-wait", is_flag=True, help="Do not wait; say how many may still arrive.")
    return wait(no_wait(command))


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@yes_option
@with_workspace
def start(wiring: Wiring, campaign: str, yes: bool) -> None:
    """Start a campaign that was applied. From now on the engine sends what falls due.

    Example: commsengine start crm-rollout
    """
    from commsengine.campaigns import control
    from commsengine.campaigns.effects import effects

    record = control.known(wiring.store, campaign)
    if record.state == "running":
        click.echo(f"{campaign} runs already.")
        return
    _must_not_be_over(record)
    if record.state == "paused" and record.started_at is not None:
        raise InputError(f"{campaign} was started before and is paused.", f"Run: commsengine resume {campaign}")
    wiring.must_send()
    for text in wiring.left_out(record.plan):
        note(text)
    seen = effects(wiring.store, wiring.decisions, record, "latest", wiring.clock())
    tell(seen)
    consent_to(seen.now_due + seen.later, f"Start {campaign}?", yes=yes)
    wiring.store.campaigns.start(campaign, by=wiring.operator, now=wiring.clock())
    click.echo(f"{campaign} runs. A running engine (commsengine run) or the next tick sends what is due.")


@click.command()
@click.argument("campaign", type=CAMPAIGN, required=False)
@click.option("--all", "everything", is_flag=True, help="Pause every running campaign.")
@waiting
@click.pass_context
@with_workspace
def pause(
    wiring: Wiring, ctx: click.Context, campaign: str | None, everything: bool, wait: float, no_wait: bool
) -> None:
    """Stop sending: one campaign, or all of them.

    When it returns 0, not one more message leaves. Exit status 3 lists what is still open or uncertain.
    Whatever the option, nothing that had not begun to leave does so any more.

    Example: commsengine pause crm-rollout
    """
    from commsengine.campaigns import control

    if everything == (campaign is not None):
        raise InputError("Name one campaign, or say --all.")
    running = [record.id for record in wiring.store.campaigns.all() if record.state == "running"]
    campaigns = running if campaign is None else [campaign]
    reports = control.stop(
        wiring.store, campaigns, by=wiring.operator, clock=wiring.clock, wait=0.0 if no_wait else wait
    )
    for report in reports:
        _tell_stopped(report)
    if not reports:
        click.echo("Nothing was running.")
    ctx.exit(0 if all(report.clean for report in reports) else STILL_OPEN)


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@backlog_option
@yes_option
@with_workspace
def resume(wiring: Wiring, campaign: str, backlog: str, yes: bool) -> None:
    """Go on with a paused campaign. Shows what that would send first.

    Example: commsengine resume crm-rollout --backlog latest
    """
    from commsengine.campaigns import control
    from commsengine.campaigns.effects import effects

    record = control.known(wiring.store, campaign)
    if record.state != "paused":
        click.echo(f"{campaign} is not paused; it is {record.state}.")
        return
    if record.started_at is None:
        raise InputError(f"{campaign} was never started.", f"Run: commsengine start {campaign}")
    wiring.must_send()
    seen = effects(wiring.store, wiring.decisions, record, backlog, wiring.clock())
    tell(seen)
    consent_to(seen.now_due, f"Resume {campaign}?", yes=yes)
    wiring.store.campaigns.resume(campaign, backlog=backlog, by=wiring.operator, now=wiring.clock())
    click.echo(f"{campaign} runs again.")


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@waiting
@yes_option
@click.pass_context
@with_workspace
def cancel(wiring: Wiring, ctx: click.Context, campaign: str, yes: bool, wait: float, no_wait: bool) -> None:
    """End a campaign for good. What is on record stays; its id is not used again.

    When it returns 0, not one more message leaves. Exit status 3 lists what is still open or uncertain.

    Example: commsengine cancel crm-rollout
    """
    from commsengine.campaigns import control

    record = control.known(wiring.store, campaign)
    if record.state != "cancelled":  # else it is only looked at again what was just leaving
        consent(f"Cancel {campaign} for good?", yes=yes)
    [report] = control.stop(
        wiring.store, [campaign], for_good=True, by=wiring.operator, clock=wiring.clock, wait=0.0 if no_wait else wait
    )
    _tell_stopped(report)
    ctx.exit(0 if report.clean else STILL_OPEN)


def _must_not_be_over(record: CampaignRecord) -> None:
    if record.state == "cancelled":
        raise InputError(f"{record.id} was cancelled for good.", "Apply its plan under another 'campaign:' id.")
    if record.state == "finished":
        raise InputError(f"{record.id} is finished: all of it is said.", "Apply a plan with more, then resume it.")


def tell(seen: Effects) -> None:
    about = "" if seen.exact else f" (estimated from {seen.looked_at:,} people)"
    click.echo(
        f"{count(seen.now_due, 'message')} would leave now, {count(seen.later, 'person', 'people')} later{about}."
    )
    if seen.by_hand:
        click.echo(f"{count(seen.by_hand, 'follow-up')} would open.")
    for reason, number in seen.skipped.items():
        click.echo(f"{count(number, 'touch', 'touches')} would be skipped: {reason}.")
    if not seen.now_due and seen.first_at:
        click.echo(f"The first leaves {when(seen.first_at)}.")


def _tell_stopped(report: StopReport) -> None:
    counted = [
        f"{number:,} {what}"
        for number, what in ((report.given_back, "given back unsent"), (report.just_left, "had just left"))
        if number
    ]
    numbers = f" ({', '.join(counted)})" if counted else ""
    if report.clean:
        click.echo(f"{report.campaign} is {report.state}; nothing more of it leaves{numbers}.")
        return
    parts = ((report.open_rows, "just leaving"), (report.uncertain, "uncertain"))
    split = " and ".join(f"{len(rows):,} {what}" for rows, what in parts if rows)
    may = count(len(report.open_rows) + len(report.uncertain), "message")
    click.echo(f"{report.campaign} is {report.state}, but {may} may still arrive or have arrived: {split}{numbers}.")
    rows = [*report.open_rows, *report.uncertain]
    table(
        ["key", "message", "channel", "state"],
        [(row.key, row.message, row.channel, row.state) for row in rows],
        whole=["key"],
    )
    if report.uncertain:
        note("Settle an uncertain one when you know: commsengine touch KEY --sent (or --resend).")
    if report.open_rows:
        note("Those that were leaving are known in a moment: run the same command again.")
