"""``upgrade``: the database, brought to this version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsengine.cli.workspace import with_workspace

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@with_workspace
def upgrade(wiring: Wiring) -> None:
    """Bring the database to this version. Stop the engine first. An older SQLite file is copied before.

    Example: commsengine upgrade
    """
    kept = wiring.upgrade()
    if kept:
        click.echo(f"The database as it was is in {kept}.")
    click.echo("The database is of this version.")
