"""``backup``, ``restore`` and ``upgrade``: a copy of the database, the way back to it, and on to this version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import FILE, consent, yes_option
from commsengine.cli.output import Progress, json_option, n_messages, n_people, note, show_json, when_where
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.campaigns.restore_backup import Verified
    from commsengine.wiring import Wiring


@click.command()
@click.argument("file", type=FILE, required=False)
@with_workspace
def backup(wiring: Wiring, file: Path | None) -> None:
    """Copy the database while it is in use.

    The copy is checked before it gets its name. Without FILE it goes into the folder backup of the workspace, named by
    date and time.

    Example: commsengine backup
    """
    from commsengine.store.copies.sqlite_copies import copy_to

    target = file.absolute() if file else _in_backups(wiring, "commsengine")
    with Progress(_("Copying")):
        copy_to(wiring.store.database, target)
    people, size = n_people(wiring.store.people.count()), target.stat().st_size
    touches = n_messages(sum(sum(books.touches.values()) for books in wiring.store.counts.status(wiring.clock())))
    text = N_("Backup checked: {file}, {people}, {touches}, {size:,} bytes.")
    click.echo(_(text, file=target, people=people, touches=touches, size=size))
    note(_("It contains personal data, and only you can read it. Secrets (.env) and the state folder are not in it."))


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--verify", is_flag=True, help=N_("Only look at it: what it holds, and what it would send in the next day.")
)
@json_option
@yes_option
@with_workspace
def restore(wiring: Wiring, file: Path, verify: bool, as_json: bool, yes: bool) -> None:
    """Replace the database with a backup; look at it first with --verify.

    The engine is on hold afterwards, until you release it. What was sent after the backup was made is put on record
    from the sent-journal, so that it is not sent again. The present database is kept under another name.

    Example: commsengine restore backup/commsengine-2027-01-11.db --verify
    """
    database = wiring.settings.database_file
    if database is None:
        raise InputError(_("A database server is restored with its own tools."), _("Use pg_restore."))
    if verify:
        seen = wiring.rescue.verify(file, database, wiring.clock())
        show_json(_json(seen)) if as_json else _tell(seen)
        return
    wiring.refuse_misplaced()
    aside, name = _in_backups(wiring, "before-restore"), database.name

    def agree(seen: Verified) -> None:
        _tell(seen)
        consent(_("Replace {database} with it?", database=name), yes=yes)

    with wiring.engine_lock():
        wiring.rescue.restore(file, database, aside, wiring.clock(), by=wiring.operator, agree=agree)
    click.echo(_("Restored. The database as it was is in {file}.", file=aside))
    click.echo(_("The engine is on hold: commsengine release shows what it would send, and asks."))


@click.command()
@with_workspace
def upgrade(wiring: Wiring) -> None:
    """Update the database to this version. Stop the engine first. An older SQLite file is copied before.

    Example: commsengine upgrade
    """
    kept = wiring.upgrade()
    if kept:
        click.echo(_("The database as it was is in {file}.", file=kept))
    click.echo(_("The database is up to date."))


def _in_backups(wiring: Wiring, name: str) -> Path:
    return wiring.folder / "backup" / f"{name}-{wiring.clock():%Y-%m-%d-%H%M%S}.db"


def _tell(seen: Verified) -> None:
    made = (
        _("made after {instant}", instant=when_where("UTC", seen.made_at))
        if seen.made_at
        else _("made before an engine had run")
    )
    people, touches = n_people(seen.people), n_messages(seen.touches)
    click.echo(_("Backup checked, {made}: {people}, {touches} on record.", made=made, people=people, touches=touches))
    if seen.foreign:
        click.echo(_("It is a backup of ANOTHER database: what is not in it will be missing here afterwards."))
    for campaign, state in seen.campaigns.items():
        click.echo(f"  {campaign}: {_(state)}")
    if seen.put_back:
        left = n_messages(seen.put_back)
        click.echo(_("Sent since it was made: {messages}. They are put on record again.", messages=left))
    if seen.strangers:
        left = n_messages(seen.strangers)
        click.echo(_("Sent to people who are not in it: {messages}. Import these people again.", messages=left))
    messages, about = n_messages(seen.coming.total), "" if seen.coming.exact else _(" (estimated)")
    click.echo(
        _("After the release it would send {messages} in the next 24 hours{about}.", messages=messages, about=about)
    )
    for campaign, number in seen.coming.messages.items():
        click.echo(f"  {campaign}: {number:,}")


def _json(seen: Verified) -> dict[str, object]:
    return {
        "made_at": seen.made_at,
        "people": seen.people,
        "campaigns": dict(seen.campaigns),
        "touches": seen.touches,
        "put_back": seen.put_back,
        "strangers": seen.strangers,
        "foreign": seen.foreign,
        "coming": {"hours": 24, "messages": dict(seen.coming.messages), "exact": seen.coming.exact},
    }
