"""``migrate-database``: from a SQLite file to PostgreSQL."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import FILE
from commsengine.cli.output import Progress, n_messages, n_people
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import _

if TYPE_CHECKING:
    from commsengine.store.database import Database
    from commsengine.wiring import Wiring


@click.command()
@click.argument("source", metavar="FROM", type=FILE)
@click.argument("target", metavar="TO")
@with_workspace
def migrate_database(wiring: Wiring, source: Path, target: str) -> None:
    """Go on in PostgreSQL with all of a SQLite file.

    Copies the file into an empty database. Stop the engine first.

    Everything on record goes with it, and both sides are counted. FROM is on hold afterwards: nothing is sent from it
    by mistake. A password is better kept in ~/.pgpass than written on the command line.

    Example: commsengine migrate-database commsengine.db postgresql://comms@db.example.com/comms
    """
    from commsengine.campaigns.move_to_server import move_to_server
    from commsengine.store.database import sqlite_url
    from commsengine.store.store import Store

    with Store.open(sqlite_url(source.absolute())) as old, closing(_server(target)) as new:
        with Progress(_("Copying")) as progress:
            move_to_server(old, new, wiring.clock(), by=wiring.operator, progress=progress)
        touches = sum(sum(books.touches.values()) for books in old.counts.status(wiring.clock()))
        people = n_people(old.people.count())
    click.echo(_("Copied and checked: {people}, {touches}.", people=people, touches=n_messages(touches)))
    click.echo(_("{file} is on hold; keep it until you have a backup of the new one.", file=source))
    click.echo(_("Next: set COMMSENGINE_DATABASE_URL to {place}, then run: commsengine doctor", place=_shown(target)))


def _server(target: str) -> Database:
    from commsengine.store.database import Database

    if not target.startswith(("postgresql:", "postgres:")):
        raise InputError(_("TO is no PostgreSQL database."), _("Write it as postgresql://user@host/name."))
    return Database(target.replace("postgres:", "postgresql:", 1))


def _shown(target: str) -> str:
    from sqlalchemy import make_url

    return make_url(target).render_as_string(hide_password=True)
