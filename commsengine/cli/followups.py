"""``followups`` and ``followup``: who needs a person, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from commsengine.cadence.kinds_and_states import OUTCOMES, UNCLEAR, OutcomeName, Unclear
from commsengine.cli.arguments import CAMPAIGN
from commsengine.cli.output import json_option, n_follow_ups, note, say, show_json, tell_zone, title, when
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


MOST_RECORDED = 20


@click.command()
@click.option("--campaign", type=CAMPAIGN, help=N_("Only of this campaign."))
@click.option("--talking-points", is_flag=True, help=N_("Print what to say, too."))
@json_option
@with_workspace
def followups(wiring: Wiring, campaign: str | None, talking_points: bool, as_json: bool) -> None:
    """List whom to call, why, what was tried and what to say, in order of need; then the results of calls.

    Example: commsengine followups --talking-points
    """
    from commsengine.campaigns.known_campaign import known
    from commsengine.reports.followups import followups as open_ones
    from commsengine.reports.outcomes_recorded import recorded_outcomes

    if campaign is not None:
        known(wiring.store, campaign)
    now = wiring.clock()
    talk = talking_points or as_json
    found = open_ones(wiring.store, wiring.decisions, wiring.renderer, now, campaign, talk=talk)
    data = [each.as_json() for each in found]
    recorded = [each.as_json() for each in recorded_outcomes(wiring.store, campaign=campaign or "")]
    if as_json:
        show_json({"follow_ups": data, "recorded": recorded})
        return
    zone = zone_of(wiring, campaign or "")
    if data:
        show_followups(data, zone, talking_points=talking_points)
        if not talking_points:
            click.echo(_("What to say: commsengine followups --talking-points"))
        click.echo(_("Afterwards: commsengine followup ID --outcome {outcomes}", outcomes="|".join(OUTCOMES)))
    else:
        click.echo(_("There are no calls to make."))
    if recorded:
        click.echo()
        title(_("Results of calls"))
        show_recorded(recorded[-MOST_RECORDED:], zone)
    if data or recorded:
        click.echo()
        tell_zone(zone)


def show_recorded(found: Sequence[Mapping[str, Any]], zone: str) -> None:
    """The newest first, with the note and what was unclear."""
    for each in reversed(found):
        about = {"when": when(zone, each["at"]), "name": each["name"] or each["person"], "by": each["by"]}
        unclear = _("; unclear: {unclear}", unclear=_(each["unclear"])) if each["unclear"] else ""
        text = N_("  {when} {name}: {outcome}{unclear} (recorded by {by})")
        say(
            _(
                text,
                outcome=_(each["outcome"]),
                unclear=unclear,
                **about,
            )
        )
        if each["note"]:
            say(f"    {each['note']}")


def show_followups(found: Sequence[Mapping[str, Any]], zone: str, *, talking_points: bool = False) -> None:
    today = [each for each in found if each["today"]]
    for each in today:
        title(f"{each['id']}  {each['name'] or each['person']}, {each['campaign']}: {', '.join(each['messages'])}")
        say(f"  {each['reason']}")
        carrier, phone, since = each["carrier"], each["phone"] or _("unknown"), when(zone, each["since"])
        say(_("  called by {carrier}; phone {phone}; since {since}", carrier=carrier, phone=phone, since=since))
        if each["tried"]:
            say(_("  tried: {tried}", tried=", ".join(each["tried"])))
        if talking_points:
            click.echo()
            click.echo("\n".join(f"    {line}".rstrip() for line in each["talking_points"].splitlines()))
        click.echo()
    if later := len(found) - len(today):
        note(_("{follow_ups} can wait until tomorrow. To list them: --json", follow_ups=n_follow_ups(later)))


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@click.option("--lift", metavar="ID", type=int, help=N_("End this hold: the message is sent from now on."))
@click.option("--remove", metavar="ID", type=int, help=N_("Remove this line from what is sent from now on."))
@json_option
@with_workspace
def managers(wiring: Wiring, campaign: str, lift: int | None, remove: int | None, as_json: bool) -> None:
    """Show which messages managers hold back, and the lines they add.

    --lift ends a hold, --remove takes a line out.

    Example: commsengine managers crm-rollout --lift 3
    """
    from commsengine.campaigns.known_campaign import known
    from commsengine.reports.managers_words import lift as lift_hold
    from commsengine.reports.managers_words import managers_words, remove_line

    known(wiring.store, campaign)
    by, now = wiring.operator, wiring.clock()
    if lift is not None:
        lift_hold(wiring.store, campaign, lift, by=by, now=now)
    if remove is not None:
        remove_line(wiring.store, campaign, remove, by=by, now=now)
    data = managers_words(wiring.store, campaign, now)
    if as_json:
        show_json(data)
        return
    if not any(data.values()):
        click.echo(_("No message is held, and no manager adds a line."))
    show_held(data["holds"])
    for one in data["lines"]:
        say(
            _(
                "{id}  {name} adds to '{message}': {text}",
                **{key: one[key] for key in ("id", "name", "message", "text")},
            )
        )


def show_held(holds: Sequence[Mapping[str, Any]]) -> None:
    for one in holds:
        text = N_("{id}  {name} holds '{message}' until {until} for {people} people")
        say(_(text, **{key: one[key] for key in ("id", "name", "message", "until", "people")}))


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--outcome", type=click.Choice(OUTCOMES), required=True, help=N_("The result."))
@click.option("--unclear", type=click.Choice(UNCLEAR), help=N_("What was unclear, if anything."))
@click.option(
    "--note", "remark", default="", help=N_("For those who lead the campaign; the person gets it only on request.")
)
@with_workspace
def followup(wiring: Wiring, id_: str, outcome: OutcomeName, unclear: Unclear | None, remark: str) -> None:
    """Record the result of a call.

    declines is for good: the person gets no follow-up about these messages again. away brings the follow-up back after
    five of the person's working days. objects records the objection, with your note, as a question: until you answer it
    the person gets nothing more of these messages. A proposal to ask the sponsor may come up in the meantime.

    Example: commsengine followup 3fa9c01b --outcome understood
    """
    from commsengine.reports.followups import record_outcome

    by, now = wiring.operator, wiring.clock()
    one = record_outcome(wiring.store, id_, outcome, unclear=unclear or "", note=remark, by=by, now=now)
    email, messages = one.person.email, ", ".join(one.messages)
    text = N_("Recorded for {email}: {outcome}, about {messages}.")
    click.echo(_(text, email=email, outcome=_(outcome), messages=messages))
    if one.question is not None:
        text = N_(
            "The objection is open as question {number}: until it is answered they get nothing more of {messages}."
        )
        click.echo(_(text, number=one.question, messages=messages))
        click.echo(_("Answer it: commsengine question {number} --answer TEXT", number=one.question))
