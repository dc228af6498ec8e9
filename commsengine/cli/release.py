"""``release``: a held engine may send again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsengine.cli.campaigns import backlog_option, tell
from commsengine.cli.consent import consent_to, yes_option
from commsengine.cli.opened import wired
from commsengine.cli.show import say

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@backlog_option
@yes_option
@wired
def release(wiring: Wiring, backlog: str, yes: bool) -> None:
    """Let a held engine send again. Shows what that would send first.

    Example: commsengine release --backlog latest
    """
    from commsengine.engine.outlook import release_outlook

    held = next((hold for hold in wiring.store.engine.holds() if hold.until is None), None)
    if held is None:
        click.echo("The engine is not on hold.")
        return
    say(f"On hold since {held.since:%d %b %H:%M} UTC: {held.reason}")
    seen = release_outlook(wiring.store, wiring.decisions, backlog, wiring.clock())
    tell(seen)
    consent_to(seen.now_due, "Release the engine?", yes=yes)
    wiring.store.engine.release(backlog, by=wiring.operator, now=wiring.clock())
    click.echo("The engine may send again.")
