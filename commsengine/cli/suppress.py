"""``suppress``: an address that must not be written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsengine.cli.workspace import with_workspace
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@click.argument("email")
@click.option("--reason", default=N_("asked for"), show_default=True, help=N_("Why; it is kept with the suppression."))
@click.option("--lift", is_flag=True, help=N_("Allow sending to the address again."))
@with_workspace
def suppress(wiring: Wiring, email: str, reason: str, lift: bool) -> None:
    """Never send to an address again.

    The person stays in their campaigns; what cannot be sent to them becomes a follow-up.

    Example: commsengine suppress ana.kim@example.com --reason "bounced"
    """
    reachability = wiring.store.reachability
    if lift:
        lifted = reachability.unsuppress(email, by=wiring.operator, now=wiring.clock())
        text = N_("{email} may be written to again.") if lifted else N_("{email} was not suppressed.")
        click.echo(_(text, email=email))
        return
    reachability.suppress(email, reason, by=wiring.operator, now=wiring.clock())
    click.echo(_("{email} is not written to any more.", email=email))
