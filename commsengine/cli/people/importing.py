"""``people import``: what is understood of a file, what it changes, and, where it changes much, the question first."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.arguments import FILE, yes_option
from commsengine.cli.output import Progress, json_option, note, say, show_json_rows, write
from commsengine.cli.people.agreement import agreed, because_option, tell_reasons
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.authoring.people.people_file import PeopleFile
    from commsengine.cadence.people import Person
    from commsengine.planning.new_people import Joining
    from commsengine.store.people_files.difference import PeopleDifference
    from commsengine.wiring import Wiring

MOST_NAMES = 5
MOST_CHANGES = 10
YEAR = dt.timedelta(days=365)


@click.command("import")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help=N_("Show what is understood and what would change; change nothing."))
@click.option("--skip-bad", is_flag=True, help=N_("Import the good rows and list the bad ones."))
@click.option("--complete", is_flag=True, help=N_("The file has everybody: people who are not in it have left."))
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="HEADING=COLUMN",
    help=N_("What a heading means; '-' leaves it out. Kept in people-columns.yaml for the next file."),
)
@click.option(
    "--rekey", is_flag=True, help=N_("Take the ids of the file for people known by address; their history is kept.")
)
@click.option("--guests", is_flag=True, help=N_("Import guest accounts, too."))
@click.option("--encoding", default="", metavar="NAME", help=N_("Read the file in this encoding, such as cp1252."))
@click.option("--sheet", default="", metavar="NAME", help=N_("Read this sheet of a workbook."))
@yes_option
@because_option
@json_option
@with_workspace
def import_(wiring: Wiring, /, file: Path, as_json: bool, **given: Any) -> None:
    """Add and update people from a CSV file or a workbook, as HR systems export them.

    It shows what it understood, and what changes. A column that is not in the file stays as it is. A file with a bad
    row changes nothing, unless --skip-bad. People are never removed, unless --complete. For a file that brings leavers
    back, or changes many people at once, it asks: --yes --because TEXT.

    Example: commsengine people import people.csv
    """
    asked = Asked(**given)
    columns = _columns(wiring, asked.maps)
    read = _read(wiring, file, asked, columns, quiet=as_json)
    found = wiring.store.people.difference(
        read.people, columns=read.columns, complete=asked.complete, present=read.present, rekey=asked.rekey
    )
    joins = _joins(wiring, found)
    if not as_json:
        _tell_difference(wiring, read, found, dry_run=asked.dry_run)
    tell_reasons(found.reasons)
    _refuse_drawn(wiring, found)
    if not asked.dry_run:
        because = agreed(found.reasons, asked.command(file), yes=asked.yes, because=asked.because)
        _save(wiring, file, read, asked, because)
        _keep(wiring, asked, columns)
    if as_json:
        show_json_rows("changes", _changes_json(found), **_report(read, found, joins, taken=not asked.dry_run))
        return
    _tell_joins(joins)
    _tell_regions(found, wiring.clock().date())
    tell_leavers(read)
    if asked.complete and read.rejected:
        note(_("People in rejected rows still count as present."))
    click.echo(_("Nothing is changed: this was a dry run.") if asked.dry_run else _("Imported."))


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of ``people import``."""

    dry_run: bool
    skip_bad: bool
    complete: bool
    maps: Sequence[str]
    rekey: bool
    guests: bool
    encoding: str
    sheet: str
    yes: bool
    because: str

    def command(self, file: Path) -> str:
        flags = {"skip-bad": self.skip_bad, "complete": self.complete, "rekey": self.rekey, "guests": self.guests}
        values = [("map", each) for each in self.maps] + [("encoding", self.encoding), ("sheet", self.sheet)]
        words = [f"--{name}" for name, there in flags.items() if there]
        words += [word for name, value in values if value for word in (f"--{name}", value)]
        return shlex.join(["commsengine", "people", "import", str(file), *words])


def _read(wiring: Wiring, file: Path, asked: Asked, columns: Mapping[str, str], *, quiet: bool) -> PeopleFile:
    """Raises ``InputError`` for headings that are not there, and for wrong rows."""
    how = {"encoding": asked.encoding, "sheet": asked.sheet}
    with Progress(_("Reading")):
        read = wiring.read_people(file, columns=columns, rekey=asked.rekey, guests=asked.guests, **how)
    read = read.without_returning() if asked.skip_bad and not asked.yes else read
    _refuse_unknown_headings(asked.maps, read, file)
    _tell_understood(read, quiet=quiet)
    _refuse_bad_rows(read, skip_bad=asked.skip_bad, complete=asked.complete)
    return read


# -- headings --------------------------------------------------------------------------------------


def _columns(wiring: Wiring, maps: Sequence[str]) -> dict[str, str]:
    from commsengine.authoring.people.columns_file import parse_map, refuse_twice

    columns = {**wiring.people_columns, **parse_map(maps)}
    refuse_twice(columns)
    return columns


def _refuse_unknown_headings(maps: Sequence[str], read: PeopleFile, file: Path) -> None:
    from commsengine.authoring.people.columns_file import parse_map, unknown_headings

    seen, wanted = read.understood, parse_map(maps)
    headings = [heading for several in seen.columns.values() for heading in several]
    header = [*headings, *seen.attributes, *seen.ignored]
    asked = [heading for heading, column in wanted.items() if column not in seen.attributes]
    if problems := unknown_headings(asked, header, str(file)):
        raise InputError.of(problems)


def _keep(wiring: Wiring, asked: Asked, columns: Mapping[str, str]) -> None:
    from commsengine.authoring.people.columns_file import FILE as COLUMNS_FILE
    from commsengine.authoring.people.columns_file import columns_text

    if not asked.maps or columns == wiring.people_columns:
        return
    write(wiring.folder / COLUMNS_FILE, columns_text(columns), _("Let this account write in the workspace."))
    note(_("What the headings mean is kept in {file}; the next file needs no --map.", file=COLUMNS_FILE))


# -- what it is refused for ------------------------------------------------------------------------


def _refuse_bad_rows(read: PeopleFile, *, skip_bad: bool, complete: bool) -> None:
    if read.rejected and not skip_bad:
        text = _("{rows} wrong, so nothing was changed.", rows=counted(read.wrong_rows, "row is", "rows are"))
        raise InputError(text, _("Correct them, or add --skip-bad to import the rest."))
    if complete and read.nameless:
        text = N_("It is not clear whose row line {line} is, so nothing was changed.")
        raise InputError(_(text, line=read.nameless[0]), _("Correct the row, or import without --complete."))


def _refuse_drawn(wiring: Wiring, found: PeopleDifference) -> None:
    # An arm of an experiment is drawn from the id: with another id they would be in another arm in the middle of it.
    if not found.rekeyed:
        return
    drawn = {
        record.id
        for record in wiring.store.campaigns.all()
        if record.plan.experiment and record.state in ("running", "paused")
    }
    loaded = wiring.store.loading.histories(list(found.rekeyed)) if drawn else {}
    parts = [one.person.email for one in loaded.values() if any(row.campaign in drawn for row in one.history.rows)]
    if parts:
        cause = N_("The experiment of {campaign} draws its groups by id, and {people} of this file take part: {names}.")
        told = _(cause, campaign=", ".join(sorted(drawn)), people=len(parts), names=_some(parts))
        raise InputError(told, _('Import with --rekey when it is over; until then leave the ids out (--map "ID=-").'))


# -- doing it --------------------------------------------------------------------------------------


def _save(wiring: Wiring, file: Path, read: PeopleFile, asked: Asked, because: str) -> None:
    from commsengine.people_feed import digest_of

    digest, now, by = digest_of(file), wiring.clock(), wiring.operator
    source = {"file": file.name, "sha256": digest, **({"because": because} if because else {})}
    with Progress(_("Writing")):
        wiring.store.people.save(
            read.people,
            by=by,
            now=now,
            columns=read.columns,
            complete=asked.complete,
            present=read.present,
            rekey=asked.rekey,
            source=source,
        )
    wiring.store.held_files.settle_digest(digest, by=by, now=now, because=because)


def _joins(wiring: Wiring, found: PeopleDifference) -> list[Joining]:
    from commsengine.planning.new_people import joining

    return joining(wiring.store, wiring.decisions, found, wiring.clock())


# -- saying it -------------------------------------------------------------------------------------


def _tell_understood(read: PeopleFile, *, quiet: bool) -> None:
    if not quiet:
        tell_understood(read)
    for problem in (*read.rejected, *read.advice):
        note(str(problem))


def tell_understood(read: PeopleFile) -> None:
    from commsengine.authoring.people.understanding import sentences

    for line in sentences(read.understood):
        say(line)
    if read.kept:
        say(_("Not in the file, so not changed: {columns}.", columns=", ".join(read.kept)))


def _tell_difference(wiring: Wiring, read: PeopleFile, found: PeopleDifference, *, dry_run: bool) -> None:
    text = N_("{rows}: {added:,} new, {changed:,} changed, {unchanged:,} unchanged{left}.")
    rows = counted(read.read, "row", "rows")
    left = _(", {people:,} marked as left", people=len(found.leaving)) if found.leaving else ""
    numbers = {"added": len(found.added), "changed": len(found.changed), "unchanged": found.unchanged}
    click.echo(_(text, rows=rows, left=left, **numbers))
    if found.rekeyed:
        history = len(wiring.store.people.with_history(list(found.rekeyed)))
        people = counted(len(found.rekeyed), "person", "people")
        told = N_("The ids of the file are taken for {people} known by address, {history:,} of them with a history.")
        click.echo(_(told, people=people, history=history))
    for line in _changes(found) if dry_run else ():
        say(f"  {line}")


def _changes(found: PeopleDifference) -> list[str]:
    lines = chain(
        (_("new: {email} ({name})", email=each.email, name=each.name or _("no name")) for each in found.added),
        (f"{new.email}: {', '.join(_differing(old, new))}" for old, new in found.changed),
        (_("missing, so marked as left: {email}", email=each.email) for each in found.missing),
    )
    more = len(found.added) + len(found.changed) + len(found.missing) - MOST_CHANGES
    rest = [_("and {people:,} more: --json lists them all", people=more)] if more > 0 else []
    return [*islice(lines, MOST_CHANGES), *rest]


def _differing(old: Person, new: Person) -> list[str]:
    changes = changes_of(old, new)
    return [f"{name} {was or '–'} → {is_ or '–'}" for name, (was, is_) in changes.items()]


def changes_of(old: Person, new: Person) -> dict[str, tuple[str, str]]:
    """What differs, by column, each as text."""
    from commsengine.cadence.people import COLUMNS

    before, after = ({name: getattr(each, name) for name in (*COLUMNS, "leave", "left")} for each in (old, new))
    plain = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    days = {"days": (old.days, new.days)} if old.days != new.days else {}
    names = sorted({*old.attributes, *new.attributes})
    own = {name: (old.attributes.get(name, ""), new.attributes.get(name, "")) for name in names}
    others = {name: pair for name, pair in own.items() if pair[0] != pair[1]}
    return {name: (as_cell(was), as_cell(is_)) for name, (was, is_) in {**plain, **days, **others}.items()}


def as_cell(value: object) -> str:
    from commsengine.cadence.plan import WEEKDAYS

    if isinstance(value, frozenset):
        return " ".join(WEEKDAYS[day] for day in sorted(value))
    if isinstance(value, tuple):
        return "; ".join(f"{first}..{last}" for first, last in value)
    return "" if value is None else str(value)


def _tell_regions(found: PeopleDifference, today: dt.date) -> None:
    from commsengine.authoring.people.regions import without_region
    from commsengine.cadence.population import grouped

    people = chain(found.added, (new for _old, new in found.changed))
    for each in without_region(grouped(people), today, today + YEAR):
        note(f"{each.cause} {each.fix}")


def _tell_joins(joins: Sequence[Joining]) -> None:
    for each in joins:
        say(joining_text(each))


def joining_text(each: Joining) -> str:
    from commsengine.cadence.calendar import zone

    people = counted(each.people, "person joins", "people join")
    if each.first_at is None:
        return _("{people} {campaign} and gets no message of it.", people=people, campaign=each.campaign)
    at = each.first_at.astimezone(zone(each.time_zone))
    text = N_("{people} {campaign}; the first message goes {at:%a} {day} {at:%b} {at:%H:%M} ({zone}).")
    if each.people > 1:
        text = N_("{people} {campaign}; the first messages go from {at:%a} {day} {at:%b} {at:%H:%M} ({zone}) on.")
    return _(text, people=people, campaign=each.campaign, at=at, day=at.day, zone=each.time_zone)


def tell_leavers(read: PeopleFile) -> None:
    gone = read.gone
    if gone and "left" not in read.columns:
        people = counted(gone.count, "person of the file is", "people of the file are")
        names = _some(gone.shown, gone.count)
        note(_("{people} marked as left, and that stays: {names}.", people=people, names=names))
        note(_("If they are back, give them an empty cell in a column 'left'; it asks about that."))


def _some(names: Sequence[str], number: int = 0) -> str:
    rest = (number or len(names)) - MOST_NAMES
    more = _(" and {people:,} more", people=rest) if rest > 0 else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _report(read: PeopleFile, found: PeopleDifference, joins: Sequence[Joining], *, taken: bool) -> dict[str, Any]:
    from commsengine.reports.held_files import reason_json

    return {
        "read": read.read,
        "rejected": [asdict(each) for each in read.rejected],
        "added": len(found.added),
        "updated": len(found.changed),
        "unchanged": found.unchanged,
        "left": len(found.missing),
        "columns": read.columns,
        "kept": read.kept,
        "advice": [asdict(each) for each in read.advice],
        "returned": read.returned,
        "understood": asdict(read.understood),
        "imported": taken,
        "rekeyed": dict(found.rekeyed),
        "joins": [asdict(each) for each in joins],
        "reasons": [reason_json(each) for each in found.reasons],
    }


def _changes_json(found: PeopleDifference) -> Iterator[dict[str, Any]]:
    yield from ({"person": each.email, "what": "new", "columns": {}} for each in found.added)
    for was, now in found.changed:
        yield {"person": now.email, "what": "changed", "columns": changes_of(was, now)}
    yield from ({"person": each.email, "what": "left", "columns": {}} for each in found.missing)
