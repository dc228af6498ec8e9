"""``people``: list, show, export, revoke and erase; ``suppress``: an address that gets no more messages."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.arguments import FILE, consent, person_named, yes_option
from commsengine.cli.output import json_option, note, say, show_json, when_where, write
from commsengine.cli.people.importing import as_cell, import_
from commsengine.cli.people.listing import list_
from commsengine.cli.terminal_safety import bare
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.errors import InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


Stored = dict[str, list[dict[str, Any]]]


@click.group()
def people() -> None:
    """Import, list, show, export and erase people; revoke their links.

    Example: commsengine people import people.csv
    """


people.add_command(import_)
people.add_command(list_)


@people.command("export")
@click.option("--out", type=FILE, help=N_("Write to this file instead of printing."))
@with_workspace
def export(wiring: Wiring, out: Path | None) -> None:
    """Print all people as CSV that Excel opens safely and import reads back.

    Example: commsengine people export --out people-now.csv
    """
    from commsengine.authoring.people.people_file import export_people

    everybody = wiring.store.people
    lines = export_people(everybody.all(), everybody.attributes_in_use())
    if out is None:
        (sys.stdout if sys.stdout.isatty() else bare(sys.stdout)).writelines(lines)
        return
    write(out, lines, _("Name another file with --out."))
    note(_("{file} is written.", file=out))


@people.command("show")
@click.argument("named", metavar="PERSON")
@json_option
@with_workspace
def show(wiring: Wiring, named: str, as_json: bool) -> None:
    """Show everything stored about a person, except whether they were right in a check.

    A person is named by address, by id, or by a name or a part of it.

    Example: commsengine people show ana.kim@example.com
    """
    person = person_named(wiring, named)
    stored = _without_rights(wiring.store.people.all_of(person.id))
    if as_json:
        show_json({**stored, "person": asdict(person)})
        return
    zone = zone_of(wiring)
    for name, value in {**asdict(person), **person.attributes}.items():
        if value not in ("", None, ()) and name != "attributes" and (name, value) != ("revoked", 0):
            say(f"{name.replace('_', ' ')}: {_plainly(name, value, zone)}")
    click.echo()
    for kind, facts in stored.items():
        if facts and kind != "person":
            click.echo(f"{_(STORED.get(kind, kind.replace('_', ' ')))}: {len(facts):,}")
    click.echo("\n" + _("What was sent, and why: commsengine why {email}", email=person.email))
    click.echo(_("Every row: commsengine people show {email} --json", email=person.email))


STORED = {"touch": N_("messages"), "attempt": N_("attempts to send"), "answer": N_("answers"), "outcome": N_("calls")}
"""What tables hold, where their name does not say it to people."""


def _plainly(name: str, value: Any, zone: str) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "quiet":
        from commsengine.cadence.time_notation import clock_text

        return "..".join(clock_text(minutes) for minutes in value)
    return when_where(zone, value) if isinstance(value, dt.datetime) else as_cell(value)


def _without_rights(stored: Stored) -> Stored:
    # An answer to a check is the person's alone: neither the choice nor right or wrong is shown.
    return {kind: [_without_right(fact) for fact in facts] for kind, facts in stored.items()}


def _without_right(fact: dict[str, Any]) -> dict[str, Any]:
    secret = {"right", "value", "detail"} if fact.get("kind") == "check" else {"right"}
    return {name: value for name, value in fact.items() if name not in secret}


@people.command("revoke")
@click.argument("named", metavar="PERSON")
@yes_option
@with_workspace
def revoke(wiring: Wiring, named: str, yes: bool) -> None:
    """Close all links that a person was sent so far, for example when others could read the mailbox.

    New messages have new links.

    Example: commsengine people revoke ana.kim@example.com
    """
    person = person_named(wiring, named)
    consent(_("Close every link that {email} was sent so far?", email=person.email), yes=yes)
    wiring.store.people.revoke_links(person.id, by=wiring.operator, now=wiring.clock())
    click.echo(_("Closed. New messages to {email} have new links.", email=person.email))


@people.command("erase")
@click.argument("named", metavar="PERSON")
@yes_option
@with_workspace
def erase(wiring: Wiring, named: str, yes: bool) -> None:
    """Erase a person's data for good; the counts stay under a pseudonym.

    Example: commsengine people erase ana.kim@example.com
    """
    person = person_named(wiring, named)
    consent(_("Erase {email} for good?", email=person.email), yes=yes)
    pseudonym = wiring.store.people.erase(person.id, by=wiring.operator, now=wiring.clock())
    click.echo(_("Erased. The counts stay under {pseudonym}.", pseudonym=pseudonym))


@click.command()
@click.argument("email")
@click.option("--reason", default=N_("asked for"), show_default=True, help=N_("Why; it is kept with the suppression."))
@click.option("--lift", is_flag=True, help=N_("Allow sending to the address again."))
@click.option("--yes", "-y", is_flag=True, help=N_("Also an address that no person has yet."))
@with_workspace
def suppress(wiring: Wiring, email: str, reason: str, lift: bool, yes: bool) -> None:
    """Never send to an address again.

    The person stays in their campaigns; what cannot be sent to them becomes a follow-up.

    Example: commsengine suppress ana.kim@example.com --reason "bounced"
    """
    reachability = wiring.store.reachability
    if lift:
        lifted = reachability.unsuppress(email, by=wiring.operator, now=wiring.clock())
        text = N_("{email} gets messages again.") if lifted else N_("{email} was not suppressed.")
        click.echo(_(text, email=email))
        return
    if not yes:
        email = _address_here(wiring, email)
    reachability.suppress(email, reason, by=wiring.operator, now=wiring.clock())
    click.echo(_("{email} gets no more messages.", email=email))


def _address_here(wiring: Wiring, email: str) -> str:
    """Raises ``InputError`` for an address that nobody has."""
    try:
        return person_named(wiring, email).email if "@" not in email or wiring.store.people.count() else email
    except InputError as nobody:
        later = _("If the person joins later: commsengine suppress {email} --yes", email=email)
        near = nobody.fix if "@" not in email or wiring.store.people.near(email) else ""
        raise InputError(nobody.message, f"{near} {later}".strip()) from None
