"""``start``, ``pause``, ``resume``, ``cancel``: what a person decrees for a campaign."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from commsengine.cli.arguments import CAMPAIGN, consent, consent_to, yes_option
from commsengine.cli.output import estimated_from, note, table, when
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _, counted

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
    help=N_("What becomes of what fell due meanwhile: the newest per person, all of it, or none."),
)


def waiting(command: F) -> F:
    wait = click.option(
        "--wait",
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help=N_("How long to wait for messages that are just leaving."),
    )
    no_wait = click.option("--no-wait", is_flag=True, help=N_("Do not wait; say how many may still arrive."))
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
        click.echo(_("{campaign} runs already.", campaign=campaign))
        return
    _must_not_be_over(record)
    if record.state == "paused" and record.started_at is not None:
        raise InputError(
            _("{campaign} was started before and is paused.", campaign=campaign),
            _("Run: commsengine resume {campaign}", campaign=campaign),
        )
    wiring.must_send()
    for text in wiring.left_out(record.plan):
        note(text)
    seen = effects(wiring.store, wiring.decisions, record, "latest", wiring.clock())
    tell(seen)
    consent_to(seen.now_due + seen.later, _("Start {campaign}?", campaign=campaign), yes=yes)
    wiring.store.campaigns.start(campaign, by=wiring.operator, now=wiring.clock())
    click.echo(
        _("{campaign} runs. A running engine (commsengine run) or the next tick sends what is due.", campaign=campaign)
    )


@click.command()
@click.argument("campaign", type=CAMPAIGN, required=False)
@click.option("--all", "everything", is_flag=True, help=N_("Pause every running campaign."))
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
        raise InputError(_("Name one campaign, or say --all."))
    running = [record.id for record in wiring.store.campaigns.all() if record.state == "running"]
    campaigns = running if campaign is None else [campaign]
    reports = control.stop(
        wiring.store, campaigns, by=wiring.operator, clock=wiring.clock, wait=0.0 if no_wait else wait
    )
    for report in reports:
        _tell_stopped(report)
    if not reports:
        click.echo(_("Nothing was running."))
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
        click.echo(_("{campaign} is not paused; it is {state}.", campaign=campaign, state=_(record.state)))
        return
    if record.started_at is None:
        raise InputError(
            _("{campaign} was never started.", campaign=campaign),
            _("Run: commsengine start {campaign}", campaign=campaign),
        )
    wiring.must_send()
    seen = effects(wiring.store, wiring.decisions, record, backlog, wiring.clock())
    tell(seen)
    consent_to(seen.now_due, _("Resume {campaign}?", campaign=campaign), yes=yes)
    wiring.store.campaigns.resume(campaign, backlog=backlog, by=wiring.operator, now=wiring.clock())
    click.echo(_("{campaign} runs again.", campaign=campaign))


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
        consent(_("Cancel {campaign} for good?", campaign=campaign), yes=yes)
    [report] = control.stop(
        wiring.store, [campaign], for_good=True, by=wiring.operator, clock=wiring.clock, wait=0.0 if no_wait else wait
    )
    _tell_stopped(report)
    ctx.exit(0 if report.clean else STILL_OPEN)


def _must_not_be_over(record: CampaignRecord) -> None:
    if record.state == "cancelled":
        raise InputError(
            _("{campaign} was cancelled for good.", campaign=record.id),
            _("Apply its plan under another 'campaign:' id."),
        )
    if record.state == "finished":
        raise InputError(
            _("{campaign} is finished: all of it is said.", campaign=record.id),
            _("Apply a plan with more, then resume it."),
        )


def tell(seen: Effects) -> None:
    about = "" if seen.exact else estimated_from(seen.looked_at)
    click.echo(
        _(
            "{messages} would leave now, {people} later{about}.",
            messages=counted(seen.now_due, "message", "messages"),
            people=counted(seen.later, "person", "people"),
            about=about,
        )
    )
    if seen.by_hand:
        click.echo(_("{follow_ups} would open.", follow_ups=counted(seen.by_hand, "follow-up", "follow-ups")))
    for reason, number in seen.skipped.items():
        touches = counted(number, "touch", "touches")
        click.echo(_("{touches} would be skipped: {reason}.", touches=touches, reason=_(reason)))
    if not seen.now_due and seen.first_at:
        click.echo(_("The first leaves {instant}.", instant=when(seen.first_at)))


def _tell_stopped(report: StopReport) -> None:
    stopped = [
        f"{number:,} {what}"
        for number, what in ((report.given_back, _("given back unsent")), (report.just_left, _("had just left")))
        if number
    ]
    numbers = f" ({', '.join(stopped)})" if stopped else ""
    campaign, state = report.campaign, _(report.state)
    if report.clean:
        click.echo(
            _(
                "{campaign} is {state}; nothing more of it leaves{numbers}.",
                campaign=campaign,
                state=state,
                numbers=numbers,
            )
        )
        return
    parts = ((report.open_rows, _("just leaving")), (report.uncertain, _("uncertain")))
    rows = [*report.open_rows, *report.uncertain]
    click.echo(
        _(
            "{campaign} is {state}, but {messages} may still arrive or have arrived: {parts}{numbers}.",
            campaign=campaign,
            state=state,
            messages=counted(len(rows), "message", "messages"),
            parts=f" {_('and')} ".join(f"{len(some):,} {what}" for some, what in parts if some),
            numbers=numbers,
        )
    )
    table(
        [N_("key"), N_("message"), N_("channel"), N_("state")],
        [(row.key, row.message, row.channel, _(row.state)) for row in rows],
        whole=["key"],
    )
    if report.uncertain:
        note(_("Settle an uncertain one when you know: commsengine touch KEY --sent (or --resend)."))
    if report.open_rows:
        note(_("Those that were leaving are known in a moment: run the same command again."))
