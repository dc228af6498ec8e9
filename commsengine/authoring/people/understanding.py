"""What was understood of a people file: one value, and the sentences that say it on import, check and in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from commsengine.text import cut_short
from commsengine.translation import N_, _, counted

MOST_SHOWN = 5


@dataclass(frozen=True)
class CountedSample:
    """How many there are, and the first few of them."""

    count: int = 0
    shown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass
class Groups:
    """Counts people by group while a file is read, and keeps the first few of each."""

    counts: Counter[str] = field(default_factory=Counter)
    shown: dict[str, list[str]] = field(default_factory=dict)

    def add(self, group: str, person: str) -> None:
        self.counts[group] += 1
        if self.counts[group] <= MOST_SHOWN:
            self.shown.setdefault(group, []).append(person)

    def sample(self, group: str) -> CountedSample:
        return CountedSample(self.counts[group], tuple(self.shown.get(group, ())))


@dataclass(frozen=True)
class Source:
    """How the file was read.

    ``encoding`` and ``delimiter`` are empty for a workbook, ``sheet`` is empty for text. ``words`` are the first words
    with letters beyond a-z, as they were read. ``above`` are the lines before the header, ``below`` those after the
    last person, which is where totals stand. ``repaired`` names a word that was encoded twice, before and after.
    """

    format: str = "csv"
    encoding: str = "UTF-8"
    delimiter: str = ","
    sheet: str = ""
    header_line: int = 1
    words: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()


@dataclass(frozen=True)
class Understanding:
    """What stands in a people file, in our words.

    ``columns`` says for each of our columns from which headings it is read, ``attributes`` are kept as they are called,
    ``ignored`` says for each heading that is not stored why. ``emptied`` counts the cells of each word that says that
    there is no value. ``no_name``, ``no_department``, ``no_manager`` and, where clocks differ, ``no_zone`` count people
    as they will be. ``left`` have a last day in the past or are switched off, ``leaving`` one to come; ``guests`` and
    ``machines`` (bots, rooms, shared mailboxes) are left out of the people, and so are ``gone``: people who left and of
    whom too little stands in the row. ``renamed`` are names that were put in order, ``alike`` departments that look
    like one.
    """

    source: Source = field(default_factory=Source)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)
    people: int = 0
    no_name: int = 0
    no_department: int = 0
    no_manager: int = 0
    no_zone: int = 0
    left: CountedSample = CountedSample()
    leaving: CountedSample = CountedSample()
    guests: CountedSample = CountedSample()
    machines: CountedSample = CountedSample()
    gone: CountedSample = CountedSample()
    emptied: Mapping[str, int] = field(default_factory=dict)
    renamed: CountedSample = CountedSample()
    alike: tuple[tuple[str, ...], ...] = ()


def sentences(understood: Understanding) -> list[str]:
    """What was understood, a sentence or two a line, what matters first."""
    parts = (_source, _columns, _lacking, _groups, _changed, _alike, _around)
    return [line for part in parts for line in part(understood)]


def _source(understood: Understanding) -> Iterator[str]:
    source = understood.source
    words = f" ({', '.join(source.words)})" if source.words and source.encoding != "UTF-8" else ""
    delimiter = _("tab") if source.delimiter == "\t" else f"'{source.delimiter}'"
    if source.sheet:
        yield _("Read as {format}, sheet '{sheet}'.", format=source.format, sheet=source.sheet)
    else:
        text = N_("Read as {encoding}{words}, {delimiter} between cells.")
        yield _(text, encoding=source.encoding, words=words, delimiter=delimiter)
    if source.header_line > 1:
        yield _("The column names are in line {line}.", line=source.header_line)
    if source.repaired:
        before, after = source.repaired
        yield _("Letters were encoded twice; this is corrected: '{before}' is '{after}'.", before=before, after=after)


def _columns(understood: Understanding) -> Iterator[str]:
    read = [_read_from(name, headings) for name, headings in understood.columns.items()]
    columns = counted(len(read), "column is understood", "columns are understood")
    yield _("{columns}: {names}.", columns=columns, names=", ".join(read))
    if understood.attributes:
        names = ", ".join(understood.attributes)
        kept = counted(len(understood.attributes), "is kept as an attribute", "are kept as attributes")
        yield _("{kept}: {names}.", kept=kept, names=names)
    if understood.ignored:
        names = ", ".join(f"{heading} ({_(why)})" for heading, why in understood.ignored.items())
        yield _("Not stored: {names}.", names=names)


def _read_from(name: str, headings: Sequence[str]) -> str:
    return name if headings == (name,) else f"{name} ← {_(', else ').join(headings)}"


def _lacking(understood: Understanding) -> Iterator[str]:
    lacks = {
        "name": (understood.no_name, N_("no person has a name"), N_("{people} no name")),
        "department": (understood.no_department, N_("no person has a department"), N_("{people} no department")),
        "manager": (understood.no_manager, N_("no person has a manager"), N_("{people} no manager")),
    }
    found = [
        _(everybody) if count == understood.people else _(some, people=_have(count))
        for count, everybody, some in lacks.values()
        if count
    ]
    if found:
        text = ", ".join(found)
        yield text[0].upper() + text[1:] + "."
    if understood.no_zone:
        text = N_(
            "{people} no time zone, in countries whose clocks differ: they get messages by the clock of the plan."
        )
        yield _(text, people=_have(understood.no_zone))


def _have(count: int) -> str:
    return counted(count, "person has", "people have")


def _groups(understood: Understanding) -> Iterator[str]:
    if understood.left:
        left = counted(understood.left.count, "person has left", "people have left")
        yield _("{left}: {names}.", left=left, names=_some(understood.left))
    if understood.leaving:
        leaving = counted(understood.leaving.count, "person leaves later", "people leave later")
        yield _("{leaving}: {names}.", leaving=leaving, names=_some(understood.leaving))
    if understood.gone:
        gone = counted(understood.gone.count, "person who has left", "people who have left")
        yield _("Not taken, because the row says too little: {gone}: {names}.", gone=gone, names=_some(understood.gone))
    if understood.guests:
        guests = counted(understood.guests.count, "guest", "guests")
        yield _("Not taken: {guests}: {names}.", guests=guests, names=_some(understood.guests))
    if understood.machines:
        machines = counted(understood.machines.count, "bot, room or shared mailbox", "bots, rooms or shared mailboxes")
        yield _("Not taken: {machines}: {names}.", machines=machines, names=_some(understood.machines))


def _changed(understood: Understanding) -> Iterator[str]:
    if understood.emptied:
        cells = counted(sum(understood.emptied.values()), "cell says", "cells say")
        words = ", ".join(f"'{word}' × {count:,}" for word, count in understood.emptied.items())
        yield _("{cells} that there is no value: {words}.", cells=cells, words=words)
    if understood.renamed:
        names = counted(understood.renamed.count, "name is", "names are")
        yield _("{names} put in order: {samples}.", names=names, samples=_some(understood.renamed))


def _alike(understood: Understanding) -> Iterator[str]:
    for group in understood.alike:
        yield _("These departments look alike: {names}.", names=", ".join(f"'{name}'" for name in group))


def _around(understood: Understanding) -> Iterator[str]:
    source = understood.source
    if source.above:
        yield _("Not read, above the column names: {lines}.", lines=_quoted(source.above))
    if source.below:
        yield _("Not read, at the end: {lines}.", lines=_quoted(source.below))


def _quoted(lines: Sequence[str]) -> str:
    return ", ".join(f"'{cut_short(line)}'" for line in lines[:MOST_SHOWN]) + ("…" if len(lines) > MOST_SHOWN else "")


def _some(sample: CountedSample) -> str:
    more = sample.count - len(sample.shown)
    return ", ".join(sample.shown) + (_(" and {people:,} more", people=more) if more > 0 else "")
