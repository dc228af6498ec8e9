"""``people``: import, show, export, revoke and erase; ``suppress``: an address that must not be written to."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.arguments import FILE, consent, person_named, yes_option
from commsengine.cli.output import json_option, note, say, show_json, when, write
from commsengine.cli.terminal_safety import bare
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.authoring.people.people_file import PeopleFile
    from commsengine.store.records import ImportCounts
    from commsengine.wiring import Wiring


Stored = dict[str, list[dict[str, Any]]]


@click.group()
def people() -> None:
    """Import, show, export and erase people; revoke their links.

    Example: commsengine people import people.csv
    """


@people.command("import")
@click.argument("file", type=FILE)
@click.option("--skip-bad", is_flag=True, help=N_("Import the good rows and list the bad ones."))
@click.option("--complete", is_flag=True, help=N_("The file is everybody: whoever is missing has left."))
@click.option("--yes", "-y", is_flag=True, help=N_("Also bring back people who are marked as left."))
@json_option
@with_workspace
def import_(wiring: Wiring, file: Path, skip_bad: bool, complete: bool, yes: bool, as_json: bool) -> None:
    """Add and update people from a CSV file, as Excel writes it.

    A column that is not in the file stays as it is. A file with a bad row changes nothing, unless --skip-bad. Nobody
    is ever removed, unless --complete, and nobody who has left comes back, unless --yes.

    Example: commsengine people import people.csv
    """
    read = wiring.read_people(file)
    read = read if yes else read.without_returning()
    for problem in (*read.rejected, *read.advice):
        note(str(problem))
    _refuse_bad_rows(read, skip_bad=skip_bad, complete=complete)
    by, now = wiring.operator, wiring.clock()
    counts = wiring.store.people.save(
        read.people, by=by, now=now, columns=read.columns, complete=complete, present=read.present
    )
    if as_json:
        show_json(_report(read, counts))
        return
    text = N_(
        "{read:,} read, {imported:,} imported: {added:,} new, {updated:,} changed, {unchanged:,} as before{gone}."
    )
    gone = _(", {people:,} marked as left", people=counts.left) if complete else ""
    click.echo(_(text, read=read.read, imported=len(read.people), gone=gone, **asdict(counts)))
    tell_columns(read)
    tell_leavers(read)
    if complete and read.rejected:
        note(_("Whoever stands in a rejected row is still counted as present."))


def _refuse_bad_rows(read: PeopleFile, *, skip_bad: bool, complete: bool) -> None:
    if read.rejected and not skip_bad:
        text = _("{rows} wrong, so nothing was changed.", rows=counted(read.wrong_rows, "row is", "rows are"))
        raise InputError(text, _("Correct them, or add --skip-bad to import the rest."))
    if complete and read.nameless:
        text = N_("Nobody can tell whose row line {line} is, so nobody was marked as left and nothing changed.")
        raise InputError(_(text, line=read.nameless[0]), _("Correct the row, or import without --complete."))


def _report(read: PeopleFile, counts: ImportCounts) -> dict[str, Any]:
    return {
        "read": read.read,
        "rejected": [asdict(each) for each in read.rejected],
        **asdict(counts),
        "columns": read.columns,
        "kept": read.kept,
        "advice": [asdict(each) for each in read.advice],
        "returned": read.returned,
    }


@people.command("export")
@click.option("--out", type=FILE, help=N_("Write to this file instead of printing."))
@with_workspace
def export(wiring: Wiring, out: Path | None) -> None:
    """Print everybody as CSV that Excel opens safely and import reads back.

    Example: commsengine people export --out people-now.csv
    """
    from commsengine.authoring.people.people_file import export_people

    text = export_people(list(wiring.store.people.all()))
    if out is None:
        click.echo(text, nl=False, file=None if sys.stdout.isatty() else bare(sys.stdout))
        return
    write(out, text, _("Name another file with --out."))
    note(_("{file} is written.", file=out))


@people.command("show")
@click.argument("email")
@json_option
@with_workspace
def show(wiring: Wiring, email: str, as_json: bool) -> None:
    """Show everything stored about a person, except whether they were right in a check.

    Example: commsengine people show ana.kim@example.com
    """
    person = person_named(wiring, email)
    stored = _without_rights(wiring.store.people.all_of(person.id))
    if as_json:
        show_json({**stored, "person": asdict(person)})
        return
    for name, value in asdict(person).items():
        if value not in ("", None, (), {}) and (name, value) != ("revoked", 0):
            say(f"{name.replace('_', ' ')}: {_plainly(value)}")
    click.echo()
    for kind, facts in stored.items():
        if facts and kind != "person":
            rows = counted(len(facts), "row", "rows")
            click.echo(_("{rows} of {kind}", rows=rows, kind=kind.replace("_", " ")))
    click.echo("\n" + _("What was sent, and why: commsengine why {email}", email=person.email))
    click.echo(_("Every row: commsengine people show {email} --json", email=person.email))


def _plainly(value: object) -> object:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return when(value) if isinstance(value, dt.datetime) else value


def _without_rights(stored: Stored) -> Stored:
    # An answer to a check is the person's alone: neither the choice nor right or wrong is shown.
    return {kind: [_without_right(fact) for fact in facts] for kind, facts in stored.items()}


def _without_right(fact: dict[str, Any]) -> dict[str, Any]:
    secret = {"right", "value", "detail"} if fact.get("kind") == "check" else {"right"}
    return {name: value for name, value in fact.items() if name not in secret}


@people.command("revoke")
@click.argument("email")
@yes_option
@with_workspace
def revoke(wiring: Wiring, email: str, yes: bool) -> None:
    """Close every link that somebody was sent so far, as when a mailbox was read by others.

    What they are sent from now on brings new links.

    Example: commsengine people revoke ana.kim@example.com
    """
    person = person_named(wiring, email)
    consent(_("Close every link that {email} was sent so far?", email=person.email), yes=yes)
    wiring.store.people.revoke_links(person.id, by=wiring.operator, now=wiring.clock())
    click.echo(_("Closed. What {email} is sent from now on brings new links.", email=person.email))


@people.command("erase")
@click.argument("email")
@yes_option
@with_workspace
def erase(wiring: Wiring, email: str, yes: bool) -> None:
    """Erase what is personal about somebody, for good; the counts stay under a pseudonym.

    Example: commsengine people erase ana.kim@example.com
    """
    person = person_named(wiring, email)
    consent(_("Erase {email} for good?", email=person.email), yes=yes)
    pseudonym = wiring.store.people.erase(person.id, by=wiring.operator, now=wiring.clock())
    click.echo(_("Erased. The counts stay under {pseudonym}.", pseudonym=pseudonym))


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


MOST_NAMES = 5


def tell_columns(read: PeopleFile) -> None:
    from commsengine.cadence.people import KNOWN

    ours = [name for name in read.columns if name in KNOWN]
    others = [name for name in read.columns if name not in KNOWN]
    attributes = _(" Attributes: {columns}.", columns=", ".join(others)) if others else ""
    kept = _(" Not in the file, so left as they are: {columns}.", columns=", ".join(read.kept)) if read.kept else ""
    click.echo(_("Columns read: {columns}.", columns=", ".join(ours)) + attributes + kept)


def tell_leavers(read: PeopleFile) -> None:
    if read.returned:
        click.echo(_("Marked as left until now, and active again: {people}.", people=_some(read.returned)))
    gone = [person.email for person in read.people if person.left]
    if gone and "left" not in read.columns:
        people = counted(len(gone), "person of the file is", "people of the file are")
        note(_("{people} marked as left, and that stays: {names}.", people=people, names=_some(gone)))
        note(_("If they are back, give them an empty cell in a column 'left' and add --yes."))


def _some(names: Sequence[str]) -> str:
    more = _(" and {people:,} more", people=len(names) - MOST_NAMES) if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
