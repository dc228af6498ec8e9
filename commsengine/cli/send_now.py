"""``send-now``: one message of this day, in the lead's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from commsengine.cli.arguments import CAMPAIGN, consent, yes_option
from commsengine.cli.output import estimated_from, json_option, n_people, note, say, show_json, title
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.cadence.plan import Notice
    from commsengine.campaigns.notices import Recipients, Words
    from commsengine.store.records import CampaignRecord
    from commsengine.wiring import Wiring


@click.command("send-now")
@click.argument("campaign", type=CAMPAIGN)
@click.option(
    "--to", "roles", multiple=True, required=True, metavar="ROLE|all", help=N_("To whom; give it again for more.")
)
@click.option("--text", required=True, help=N_("What to say, as Markdown."))
@click.option(
    "--in",
    "others",
    multiple=True,
    nargs=2,
    metavar="CODE TEXT",
    help=N_("The text in another language, such as de; give it again for more."),
)
@click.option("--subject", default="", help=N_("The line above it; else its first sentence."))
@click.option(
    "--ask",
    type=click.Choice(("nothing", "acknowledge")),
    default="nothing",
    show_default=True,
    help=N_("Whether people are asked to confirm it."),
)
@click.option(
    "--past-limits",
    is_flag=True,
    help=N_("Also outside sending hours, against people's wishes and above the attention budget."),
)
@click.option("--because", default="", help=N_("Why now; it is kept. Needed with --past-limits."))
@click.option("--dry-run", is_flag=True, help=N_("Only show who would get it."))
@yes_option
@json_option
@with_workspace
def send_now(
    wiring: Wiring,
    campaign: str,
    roles: tuple[str, ...],
    text: str,
    others: tuple[tuple[str, str], ...],
    subject: str,
    ask: str,
    past_limits: bool,
    because: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Send one message today, to a role of a running campaign or to all of it.

    It is counted and recorded like any message of the plan, and waits for sending hours and the attention budget.
    With --past-limits it does not wait. People who are on leave, suppressed or done with the campaign never get it.

    Example: commsengine send-now crm-rollout --to sales --text "The CRM is down until noon. Please use paper."
    """
    from commsengine.campaigns import notices
    from commsengine.campaigns.known_campaign import known

    record = known(wiring.store, campaign)
    _must_run(record)
    wiring.must_send()
    if past_limits and not because.strip():
        raise InputError(_("--past-limits needs a reason."), _('Add --because "…".'))
    to = () if notices.EVERYBODY in roles else roles
    asks: Literal["acknowledge", "nothing"] = "acknowledge" if ask == "acknowledge" else "nothing"
    words = notices.Words(text, subject, to, asks, past_limits, because, dict(others))
    notice = _written(wiring, record, words)
    seen = notices.reach(wiring.store, wiring.decisions, record, notice, wiring.clock())
    reached = seen.now + seen.later
    if as_json:
        show_json({**notices.as_data(notice, record, seen), "sent": bool(reached) and not dry_run})
    else:
        _tell(notice, seen)
    if not reached:
        fix = "" if past_limits else _("To send it outside of hours and budget, add --past-limits --because.")
        raise InputError(_("No person would get it today."), fix)
    if dry_run:
        return
    consent(_("Send it?"), yes=yes, recipients=reached)
    _keep(wiring, record, words, notice)
    if not as_json:
        told = N_("{message} is ready. The engine (commsengine run) or the next tick sends it.")
        click.echo(_(told, message=notice.id))


def _must_run(record: CampaignRecord) -> None:
    if record.state != "running":
        cause = _("{campaign} is {state}, so nothing is sent for it.", campaign=record.id, state=_(record.state))
        verb = "start" if record.started_at is None else "resume"
        fix = _("First run: commsengine {verb} {campaign}", verb=verb, campaign=record.id)
        raise InputError(cause, fix if record.state == "paused" else "")


def _written(wiring: Wiring, record: CampaignRecord, words: Words) -> Notice:
    from commsengine.campaigns.notices import for_today

    return for_today(record, words, wiring.templates, wiring.store.people.population().columns, wiring.clock())


def _keep(wiring: Wiring, record: CampaignRecord, words: Words, notice: Notice) -> None:
    # another may have taken the id meanwhile
    while not wiring.store.notices.add(record.id, notice, by=wiring.operator, now=wiring.clock()):
        notice = _written(wiring, wiring.store.campaigns.get(record.id) or record, words)


def _tell(notice: Notice, seen: Recipients) -> None:
    title(notice.key_point)
    for line in "\n\n".join(notice.text).splitlines():
        say(line)
    for language, texts in notice.translations.items():
        say(_("In {language}: {text}", language=language, text=" ".join(texts.values())))
    click.echo()
    about = "" if seen.exact else estimated_from(seen.looked_at)
    text = N_("{people}: {now:,} get it now, {later:,} later today{about}.")
    click.echo(_(text, people=n_people(seen.people), now=seen.now, later=seen.later, about=about))
    for reason, count in seen.never.items():
        click.echo(_("Not to {people}: {reason}", people=n_people(count), reason=_(reason)))
    if notice.urgent:
        note(_("It does not wait for sending hours, people's wishes or the attention budget."))
