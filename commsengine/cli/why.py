"""``why``: one screen of reasons for one person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.opened import wired
from commsengine.cli.show import json_option, show_json, title, when

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@click.argument("email")
@json_option
@wired
def why(wiring: Wiring, email: str, as_json: bool) -> None:
    """Tell what was decided for a person, and why: what was sent, what comes next, what it waits for.

    Example: commsengine why ana.kim@example.com
    """
    from commsengine.engine.why import why as reasons_for

    found = reasons_for(wiring.store, wiring.decisions, email, wiring.clock())
    if as_json:
        show_json(found)
        return
    title(f"{found['name'] or found['person']} <{found['person']}>")
    for channel, reason in found["unreachable"].items():
        click.echo(f"Not reachable by {channel}: {reason}.")
    if not found["campaigns"]:
        click.echo("No campaign is running.")
    for campaign in found["campaigns"]:
        click.echo()
        title(f"{campaign['title']} ({campaign['campaign']})")
        for message in campaign["messages"]:
            _show(message)


def _show(message: Mapping[str, Any]) -> None:
    click.echo(f"  {message['message']}: {message['standing']}")
    for touch in message["touches"]:
        flag = ", possible duplicate" if touch["possible_duplicate"] else ""
        because = f" ({touch['reason']})" if touch["reason"] else ""
        click.echo(f"    {when(touch['at'])}  {touch['kind']} by {touch['channel']}: {touch['state']}{because}{flag}")
    for reason in message["reasons"]:
        click.echo(f"    {_next(reason)}{reason['text']}")


def _next(reason: Mapping[str, Any]) -> str:
    return f"next {when(reason['next_at'])}: " if reason["next_at"] else ""
