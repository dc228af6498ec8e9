"""``touches`` and ``touch``: every row, and the settling of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from commsengine.cadence.terms import STATES
from commsengine.cli.arguments import CAMPAIGN
from commsengine.cli.output import json_option, say, show_json, table, when
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError

if TYPE_CHECKING:
    from commsengine.cadence.terms import TouchState
    from commsengine.wiring import Wiring


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@json_option
@with_workspace
def touches(wiring: Wiring, campaign: str, state: TouchState | None, as_json: bool) -> None:
    """List every touch of a campaign, by the instant at which it fell due.

    Example: commsengine touches crm-rollout --state failed
    """
    from commsengine.campaigns import control
    from commsengine.reports import status

    control.known(wiring.store, campaign)
    found = [row for row in status.touches(wiring.store, campaign) if state in (None, row["state"])]
    if as_json:
        show_json({"touches": found})
        return
    if not found:
        click.echo(f"No touch is {state}." if state else "No touch has been made yet.")
    columns = ["due", "person", "message", "kind", "channel", "state", "key"]
    table(columns, [_line(row) for row in found], whole=["due", "key"])


def _line(row: Mapping[str, Any]) -> list[str]:
    state = row["state"] + (f": {row['reason']}" if row["reason"] else "")
    if row["possible_duplicate"]:
        state += " (possible duplicate)"
    return [when(row["at"]), row["person"], row["message"], row["kind"], row["channel"], state, row["key"]]


@click.command()
@click.argument("key")
@click.option("--sent", is_flag=True, help="It arrived: count it as sent.")
@click.option("--resend", is_flag=True, help="It did not arrive: send it again, flagged as a possible duplicate.")
@with_workspace
def touch(wiring: Wiring, key: str, sent: bool, resend: bool) -> None:
    """Settle one touch whose outcome is uncertain; without an option, show its attempts.

    Example: commsengine touch 4f1c9a0b7d2e8c5a61b3f09d --sent
    """
    if sent and resend:
        raise InputError("Say --sent or --resend, not both.")
    if sent or resend:
        verdict = "sent" if sent else "resend"
        row = wiring.store.touches.resolve(key, verdict, by=wiring.operator, now=wiring.clock())
        click.echo(f"{key} is {row.state}.")
        return
    found = wiring.store.touches.row(key)
    if found is None:
        raise InputError(f"There is no touch '{key}'.", "Copy the key from: commsengine touches CAMPAIGN")
    say(f"{found.campaign} {found.message}, {found.kind} by {found.channel}: {found.state} {found.reason}".strip())
    table(
        ["try", "at", "phase", "verdict", "reply"],
        [(each.n, when(each.at), each.phase, each.verdict, each.reply) for each in wiring.store.touches.attempts(key)],
    )
