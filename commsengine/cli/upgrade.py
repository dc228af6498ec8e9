"""``upgrade``: the database, brought to this version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsengine.cli.opened import wired

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@wired
def upgrade(wiring: Wiring) -> None:
    """Bring the database to this version. Stop the engine and make a backup first; there is no way back.

    Example: commsengine upgrade
    """
    wiring.upgrade()
    click.echo("The database is of this version.")
