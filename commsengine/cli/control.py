"""``start``, ``pause``, ``resume``, ``cancel``: a person starts or stops a campaign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from commsengine.cli.arguments import CAMPAIGN, consent, yes_option
from commsengine.cli.output import (
    Progress,
    day_in,
    estimated_from,
    n_follow_ups,
    n_messages,
    note,
    skip_reason,
    table,
    when,
)
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.campaigns.control import StopReport
    from commsengine.campaigns.effects import Effects
    from commsengine.planning.simulation import Simulation
    from commsengine.store.records import CampaignRecord
    from commsengine.wiring import Wiring

STILL_OPEN = 3
F = TypeVar("F", bound=Callable[..., Any])
LOOKED_AT = 500
"""Of so many people all messages to come are counted; of more, those of every n-th."""

BACKLOGS = ("latest", "all", "none")

backlog_option = click.option(
    "--backlog",
    type=click.Choice(BACKLOGS),
    default="latest",
    show_default=True,
    help=N_("What to send of what fell due meanwhile: the newest per person, all of it, or none."),
)


def waiting(command: F) -> F:
    wait = click.option(
        "--wait",
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help=N_("How long to wait for messages that are being sent."),
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
    from commsengine.campaigns.effects import effects
    from commsengine.campaigns.known_campaign import known

    record = known(wiring.store, campaign)
    if record.state == "running":
        click.echo(_("{campaign} is running already.", campaign=campaign))
        return
    _must_not_be_over(record)
    if record.state == "paused" and record.started_at is not None:
        fix = _("Run: commsengine resume {campaign}", campaign=campaign)
        raise InputError(_("{campaign} was started before and is paused.", campaign=campaign), fix)
    wiring.must_send()
    for text in wiring.left_out(record.plan):
        note(text)
    with Progress(_("Looking ahead")):
        seen = effects(wiring.store, wiring.decisions, record, "latest", wiring.clock())
        ahead = _ahead(wiring, record)
    tell(seen, record.plan.send.time_zone, first=True)
    if ahead:
        click.echo(ahead)
    command = f"commsengine start {campaign}"
    consent(_("Start {campaign}?", campaign=campaign), yes=yes, recipients=seen.now_due + seen.later, command=command)
    wiring.store.campaigns.start(campaign, by=wiring.operator, now=wiring.clock())
    text = N_("{campaign} is running. The engine (commsengine run) or the next tick sends what is due.")
    click.echo(_(text, campaign=campaign))


def _ahead(wiring: Wiring, record: CampaignRecord) -> str:
    """How many messages there will be if nobody answers, and until when; empty where there are none."""
    from commsengine.planning.plan_on_disk import CheckedPlan, outlook

    people = wiring.store.people.population(record.id if record.plan.audience.people else "")
    try:
        seen = outlook(wiring.planning_basis, CheckedPlan(record.plan, people), most=LOOKED_AT)
    except InputError:  # the last message is closed
        return ""
    return _in_all(seen) if seen.sent else ""


def _in_all(seen: Simulation) -> str:
    zone, last = seen.plan.send.time_zone, max(each.touch.due_at for each in seen.sent)
    text = N_("If nobody answers: {messages} in all, the last {instant} ({zone}){about}.")
    messages, about = n_messages(seen.scaled(len(seen.sent))), "" if seen.exact else estimated_from(seen.looked_at)
    return _(text, messages=messages, instant=when(zone, last), zone=zone, about=about)


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

    Exit status 0 means that no more messages are sent. Exit status 3 lists what is still open or uncertain.
    With every option, no message is sent that was not being sent already.

    Example: commsengine pause crm-rollout
    """
    if everything == (campaign is not None):
        raise InputError(_("Name one campaign, or add --all."))
    running = [record.id for record in wiring.store.campaigns.all() if record.state == "running"]
    campaigns = running if campaign is None else [campaign]
    if not campaigns:
        click.echo(_("No campaign was running."))
    ctx.exit(_stop(wiring, campaigns, wait=0.0 if no_wait else wait))


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@backlog_option
@yes_option
@with_workspace
def resume(wiring: Wiring, campaign: str, backlog: str, yes: bool) -> None:
    """Go on with a paused campaign. It first shows what that would send.

    Example: commsengine resume crm-rollout --backlog latest
    """
    from commsengine.campaigns.effects import effects
    from commsengine.campaigns.known_campaign import known

    record = known(wiring.store, campaign)
    if record.state != "paused":
        click.echo(_("{campaign} is not paused; it is {state}.", campaign=campaign, state=_(record.state)))
        return
    if record.started_at is None:
        fix = _("Run: commsengine start {campaign}", campaign=campaign)
        raise InputError(_("{campaign} was never started.", campaign=campaign), fix)
    wiring.must_send()
    with Progress(_("Looking ahead")):
        seen = effects(wiring.store, wiring.decisions, record, backlog, wiring.clock())
    tell(seen, record.plan.send.time_zone)
    command = f"commsengine resume {campaign} --backlog {backlog}"
    consent(_("Resume {campaign}?", campaign=campaign), yes=yes, recipients=seen.now_due, command=command)
    wiring.store.campaigns.resume(campaign, backlog=backlog, by=wiring.operator, now=wiring.clock())
    click.echo(_("{campaign} is running again.", campaign=campaign))


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@waiting
@yes_option
@click.pass_context
@with_workspace
def cancel(wiring: Wiring, ctx: click.Context, campaign: str, yes: bool, wait: float, no_wait: bool) -> None:
    """End a campaign for good. What is on record stays; its id is not used again.

    Exit status 0 means that no more messages are sent. Exit status 3 lists what is still open or uncertain.

    Example: commsengine cancel crm-rollout
    """
    from commsengine.campaigns.known_campaign import known

    record = known(wiring.store, campaign)
    if record.state != "cancelled":  # else it is only looked at again what was just leaving
        consent(_("Cancel {campaign} for good?", campaign=campaign), yes=yes)
    ctx.exit(_stop(wiring, [campaign], wait=0.0 if no_wait else wait, for_good=True))


def _stop(wiring: Wiring, campaigns: Sequence[str], *, wait: float, for_good: bool = False) -> int:
    # Returns the exit status.
    from commsengine.campaigns.control import stop

    reports = stop(wiring.store, campaigns, for_good=for_good, by=wiring.operator, clock=wiring.clock, wait=wait)
    for report in reports:
        _tell_stopped(report)
    return 0 if all(report.clean for report in reports) else STILL_OPEN


def _must_not_be_over(record: CampaignRecord) -> None:
    if record.state == "cancelled":
        fix = _("Apply its plan under another 'campaign:' id.")
        raise InputError(_("{campaign} was cancelled for good.", campaign=record.id), fix)
    if record.state == "finished":
        fix = _("Apply a plan with more, then resume it.")
        raise InputError(_("{campaign} is finished: all of its messages are sent.", campaign=record.id), fix)


def tell(seen: Effects, zone: str, *, first: bool = False) -> None:
    """Days are those of the ``zone``; ``first``: it is the first message that people get."""
    about = "" if seen.exact else estimated_from(seen.looked_at)
    if seen.now_due:
        people = counted(seen.now_due, "person gets", "people get")
        click.echo(_("{people} a message now{about}.", people=people, about=about))
    else:
        click.echo(_("Nothing is sent now."))
    if seen.later and seen.first_at:
        people = counted(seen.later, "person gets", "people get")
        text = N_("{people} their next message from {day} on{about}.")
        if first:
            text = N_("{people} their first message from {day} on{about}.")
        click.echo(_(text, people=people, day=day_in(zone, seen.first_at), about=about))
    if seen.by_hand:
        click.echo(_("{follow_ups} would open.", follow_ups=n_follow_ups(seen.by_hand)))
    for reason, number in seen.skipped.items():
        messages = counted(number, "message is", "messages are")
        click.echo(_("{messages} not sent any more: {reason}.", messages=messages, reason=skip_reason(reason)))


def _tell_stopped(report: StopReport) -> None:
    stopped = ((report.given_back, _("not sent")), (report.just_left, _("sent just before")))
    said = ", ".join(f"{number:,} {what}" for number, what in stopped if number)
    about = {"campaign": report.campaign, "state": _(report.state), "numbers": f" ({said})" if said else ""}
    if report.clean:
        click.echo(_("{campaign} is {state}; nothing more of it is sent{numbers}.", **about))
        return
    rows = [*report.open_rows, *report.uncertain]
    open_ones = ((report.open_rows, _("being sent")), (report.uncertain, _("uncertain")))
    parts = f" {_('and')} ".join(f"{len(some):,} {what}" for some, what in open_ones if some)
    text = N_("{campaign} is {state}, but {messages} may still arrive or have arrived: {parts}{numbers}.")
    click.echo(_(text, messages=n_messages(len(rows)), parts=parts, **about))
    table(
        [N_("key"), N_("message"), N_("channel"), N_("state")],
        [(row.key, row.message, row.channel, _(row.state)) for row in rows],
        whole=["key"],
    )
    if report.uncertain:
        note(_("Settle an uncertain one when you know: commsengine touch KEY --sent (or --resend)."))
    if report.open_rows:
        note(_("Those that are being sent will be settled in a moment: run the same command again."))
