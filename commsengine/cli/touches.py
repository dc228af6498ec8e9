"""``touches`` and ``touch``: every row, and the settling of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from commsengine.cadence.kinds_and_states import STATES, Resolution, TouchState
from commsengine.cli.arguments import CAMPAIGN
from commsengine.cli.output import json_option, say, show_json_rows, skip_reason, table, tell_zone, when
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.errors import InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@click.option("--state", type=click.Choice(STATES), help=N_("Only those in this state."))
@json_option
@with_workspace
def touches(wiring: Wiring, campaign: str, state: TouchState | None, as_json: bool) -> None:
    """List every message of a campaign, person by person, in the order in which they fell due.

    Example: commsengine touches crm-rollout --state failed
    """
    from commsengine.campaigns.known_campaign import known
    from commsengine.reports import status

    known(wiring.store, campaign)
    found = status.touches(wiring.store, campaign, state)
    if as_json:
        show_json_rows("touches", found)
        return
    columns = [N_("due"), N_("person"), N_("message"), N_("kind"), N_("channel"), N_("state"), N_("key")]
    zone = zone_of(wiring, campaign)
    if table(columns, (_line(row, zone) for row in found), whole=["due", "key"]):
        click.echo()
        tell_zone(zone)
    else:
        click.echo(_("No message is {state}.", state=_(state)) if state else _("No message has been sent yet."))


def _line(row: Mapping[str, Any], zone: str) -> list[str]:
    state = _(row["state"]) + (f": {skip_reason(row['reason'])}" if row["reason"] else "")
    if row["possible_duplicate"]:
        state += _(" (possible duplicate)")
    return [when(zone, row["at"]), row["person"], row["message"], _(row["kind"]), row["channel"], state, row["key"]]


@click.command()
@click.argument("key")
@click.option("--sent", is_flag=True, help=N_("It arrived: count it as sent."))
@click.option(
    "--resend",
    is_flag=True,
    help=N_("It did not arrive: send it again. One that was uncertain is flagged as a possible duplicate."),
)
@with_workspace
def touch(wiring: Wiring, key: str, sent: bool, resend: bool) -> None:
    """Settle one message that is uncertain, or refused and held.

    Without an option it shows the attempts.

    Example: commsengine touch 4f1c9a0b7d2e8c5a61b3f09d --sent
    """
    if sent and resend:
        raise InputError(_("Write --sent or --resend, not both."))
    if sent or resend:
        verdict: Resolution = "sent" if sent else "resend"
        row = wiring.store.recovery.resolve(key, verdict, by=wiring.operator, now=wiring.clock())
        click.echo(_("{key} is {state}.", key=key, state=_(row.state)))
        return
    found = wiring.store.touches.row(key)
    if found is None:
        raise InputError(
            _("There is no message '{key}'.", key=key), _("Copy the key from: commsengine touches CAMPAIGN")
        )
    about = {"campaign": found.campaign, "message": found.message, "kind": _(found.kind), "channel": found.channel}
    state, reason = _(found.state), _(found.reason)
    say(_("{campaign} {message}, {kind} by {channel}: {state} {reason}", **about, state=state, reason=reason).strip())
    attempts = wiring.store.touches.attempts(key)
    zone = zone_of(wiring, found.campaign)
    rows = [(each.n, when(zone, each.at), each.phase, _(each.verdict), each.reply) for each in attempts]
    table([N_("try"), N_("at"), N_("phase"), N_("verdict"), N_("reply")], rows)
    if rows:
        click.echo()
        tell_zone(zone)
