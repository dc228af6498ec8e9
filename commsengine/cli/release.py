"""``release``: a held engine may send again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import consent, yes_option
from commsengine.cli.control import backlog_option, tell
from commsengine.cli.output import say, when_where
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.translation import _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@backlog_option
@yes_option
@with_workspace
def release(wiring: Wiring, backlog: str, yes: bool) -> None:
    """Let a held engine send again. It first shows what that would send.

    Example: commsengine release --backlog latest
    """
    from commsengine.campaigns.effects import release_effects

    held = wiring.store.engine.open_hold()
    if held is None:
        click.echo(_("The engine is not on hold."))
        return
    zone = zone_of(wiring)
    say(_("On hold since {since}: {reason}", since=when_where(zone, held.since), reason=_(held.reason)))
    seen = release_effects(wiring.store, wiring.decisions, backlog, wiring.clock())
    tell(seen, zone)
    consent(_("Release the engine?"), yes=yes, recipients=seen.now_due)
    wiring.store.engine.release(backlog, by=wiring.operator, now=wiring.clock())
    click.echo(_("The engine may send again."))
