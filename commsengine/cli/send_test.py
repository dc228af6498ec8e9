"""``send-test``: one message for real, to yourself; nothing is recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import CHANNEL, PLAN
from commsengine.cli.workspace import with_workspace
from commsengine.errors import CommsError, InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.cadence.kinds_and_states import ChannelName
    from commsengine.cadence.plan import Plan
    from commsengine.channels.channel import Outcome
    from commsengine.content.message import RenderedMessage
    from commsengine.wiring import Wiring


@click.command("send-test")
@click.argument("plan", type=PLAN)
@click.option("--to", "to", required=True, metavar="EMAIL", help=N_("Who gets it."))
@click.option(
    "--as", "email", metavar="EMAIL", help=N_("As this person would see it (default: the one of --to, else anybody).")
)
@click.option("--message", help=N_("This message (default: the first)."))
@click.option("--channel", type=CHANNEL, help=N_("By this channel (default: the first with credentials)."))
@with_workspace
def send_test(
    wiring: Wiring, plan: Path, to: str, email: str | None, message: str | None, channel: ChannelName | None
) -> None:
    """Send one message of a plan to yourself. Nothing is recorded, and its links answer nothing.

    Example: commsengine send-test schedules/crm-rollout.yaml --to me@example.com
    """
    from commsengine.planning.plan_on_disk import checked
    from commsengine.planning.preview import preview_people, previews

    checked_plan = checked(wiring.check(plan))
    written = checked_plan.plan
    chosen = _channel(wiring, written.send.channels, channel)
    if email is None and any(each.email.lower() == to.lower() for each in checked_plan.people):
        email = to
    person = preview_people(checked_plan, email=email, role=None)[0]
    seen = previews(wiring.preview_basis, checked_plan, person, message=message or _first(written), channel=chosen)
    shown = next((seen_touch.message for seen_touch in seen if seen_touch.message), None)
    if shown is None:
        fix = _("Name another with --message or --as.")
        raise InputError(_("{email} gets no such message.", email=person.email), fix)
    subject = _("[Test] {subject}", subject=shown.subject)
    mail = replace(shown, to_email=to, slack_id="", subject=subject, date=wiring.clock())
    outcome = _deliver(wiring, chosen, mail)
    if outcome.verdict != "sent":
        why = outcome.channel_down or outcome.reply or outcome.verdict
        raise CommsError(_("It was not sent: {reason}.", reason=_(why).rstrip(".")), _("Run: commsengine doctor"))
    click.echo(_("Sent to {to} by {channel}, as {email} would see it.", to=to, channel=chosen, email=person.email))


def _first(plan: Plan) -> str:
    return next((message.id for message in plan.messages if message.id not in plan.corrected), plan.messages[0].id)


def _channel(wiring: Wiring, planned: tuple[ChannelName, ...], wanted: ChannelName | None) -> ChannelName:
    ready = wiring.settings.credentials
    found = [name for name in ([wanted] if wanted else planned) if name in ready]
    if not found:
        text = _("There are no credentials for {channels}.", channels=wanted or f" {_('or')} ".join(planned))
        raise InputError(text, _("Set COMMSENGINE_SMTP_URL or COMMSENGINE_SLACK_BOT_TOKEN (docs/operations.md)."))
    return found[0]


def _deliver(wiring: Wiring, name: ChannelName, message: RenderedMessage) -> Outcome:
    channel = wiring.channels[name].open()
    try:
        return next(iter(channel.deliver([message], lambda keys: keys)))
    finally:
        channel.close()
