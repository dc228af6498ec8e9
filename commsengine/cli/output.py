"""How results look: JSON for programs, calm tables for people. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

import click

from commsengine.cli.terminal_safety import bare, in_one_line
from commsengine.errors import InputError
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from rich.console import Console

Command = TypeVar("Command", bound=Callable[..., Any])
Side = Callable[[str, int], str]

PIPED = 500
"""Columns of what is no terminal: a line stays a line, so that ``grep`` finds it whole."""

PAGE = 1000
"""Rows of a table that are drawn at a time: they, and those before them, say how wide its columns are."""

GAP = "   "

SLOW = 2
"""Steps of progress, a second each; work that takes longer shows that it goes on."""

STEP = 1.0

WORDS = (
    N_("claimed"), N_("sending"), N_("sent"), N_("retry"), N_("failed"), N_("uncertain"), N_("skipped"),
    N_("message"), N_("briefing"), N_("remind"), N_("commitment"), N_("personal"), N_("sponsor"), N_("service"),
    N_("permanent"), N_("released"),
    N_("acknowledged"), N_("input"), N_("commit"), N_("check"), N_("kept"), N_("not kept"), N_("heard enough"),
    N_("not for me"), N_("asked"), N_("not recalled"), N_("recalled"), N_("reached"), N_("not reached"),
    N_("not for them"), N_("corrected"),
    N_("understood"), N_("objects"), N_("declines"), N_("away"),
)  # fmt: skip
"""The words of the closed lists in ``kinds_and_states.py``: stored and typed as they are here, shown through ``_``."""

SKIPPED = {
    "late": N_("too late to be sent"),
    "superseded": N_("a newer one is sent instead"),
    "merged": N_("after a pause only the newest is sent"),
    "backlog": N_("after a pause none of it is sent"),
}
"""Why a message is never sent, by the word that is stored."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help=N_("Print JSON with documented fields (docs/commands.md).")
)


def show_json(value: Mapping[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=_ascii_only(), indent=2, default=_plain))


def show_json_rows(name: str, rows: Iterable[Mapping[str, Any]], **more: Any) -> None:
    """One JSON object that holds ``rows``, a line each, under ``name``, after ``more``; written as they come."""
    encode = json.JSONEncoder(ensure_ascii=_ascii_only(), default=_plain).encode
    head = "".join(f"  {encode(key)}: {encode(value)},\n" for key, value in more.items())
    click.echo(f"{{\n{head}  {encode(name)}: [", nl=False)
    between = "\n"
    for row in rows:
        sys.stdout.write(f"{between}    {encode(row)}")
        between = ",\n"
    click.echo("\n  ]\n}")


def _ascii_only() -> bool:
    # Where a letter cannot be printed, a look-alike would be another value.
    return not (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, set | frozenset | tuple):
        return sorted(value) if not isinstance(value, tuple) else list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def utc(instant: datetime | None) -> str | None:
    """ISO 8601 in UTC: ``2027-01-11T08:00:00+00:00``."""
    return instant.astimezone(UTC).isoformat() if instant else None


def when(zone: str, instant: datetime | str | None) -> str:
    """``Mon 7 Dec 09:00`` in the time zone ``zone``, of an instant or its ISO form."""
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    return f"{day_in(zone, instant)} {instant.astimezone(ZoneInfo(zone)):%H:%M}" if instant else "-"


def when_where(zone: str, instant: datetime | str) -> str:
    """``Mon 7 Dec 09:00 (Europe/Berlin)``, for a time that stands alone."""
    return f"{when(zone, instant)} ({zone})"


def tell_zone(zone: str) -> None:
    """Says once in which zone the times are that follow."""
    colourful(click.style(_("Times: {zone}", zone=zone), dim=True))


def day_in(zone: str, instant: datetime) -> str:
    """``Mon 7 Dec``, in the plan's time zone."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b}"


def n_people(number: int) -> str:
    return counted(number, "person", "people")


def n_messages(number: int) -> str:
    return counted(number, "message", "messages")


def skip_reason(stored: str) -> str:
    """Why a message was skipped or refused: our own words, or those of a server."""
    return _(SKIPPED.get(stored, stored))


def n_follow_ups(number: int) -> str:
    return counted(number, "follow-up", "follow-ups")


def console() -> Console:
    # No table is wider than the terminal; piped, each is as wide as it has to be.
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPED
    return Console(file=bare(sys.stdout), highlight=False, soft_wrap=False, width=width, emoji=False, markup=False)


def columns_wide() -> int:
    return console().width if sys.stdout.isatty() else PIPED


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = (), whole: Sequence[str] = ()
) -> int:
    """A table without frames; without rows, nothing. Its headings are texts of the catalog, or values.

    Columns in ``right`` are aligned to the right; those in ``whole`` are never broken, for they are copied. Rows are
    drawn a thousand at a time, so that any number of them finds room. Returns how many there were.
    """
    headings, drawn, widths = [in_one_line(_(column)) for column in columns], 0, [0] * len(columns)
    sides: list[Side] = [str.rjust if column in right else str.ljust for column in columns]
    given = iter(rows)
    while page := [[in_one_line(cell) for cell in row] for row in islice(given, PAGE)]:
        lines = [*([] if drawn else [headings]), *page]
        widths = [max(widths[at], *(_cell_width(line[at]) for line in lines)) for at in range(len(columns))]
        if sum(widths) + len(GAP) * (len(widths) - 1) <= columns_wide():
            _draw_lines(lines, widths, sides, headed=not drawn)
        else:
            _draw_folded(columns, page, right, whole, headed=not drawn)
        drawn += len(page)
    return drawn


def _draw_lines(lines: Sequence[Sequence[str]], widths: Sequence[int], sides: Sequence[Side], *, headed: bool) -> None:
    drawn = [
        GAP.join(side(cell, width - _more_wide(cell)) for cell, width, side in zip(line, widths, sides, strict=True))
        for line in lines
    ]
    if headed:
        colourful(click.style(drawn[0], dim=True) + f"\n{'─' * len(GAP.join(' ' * width for width in widths))}")
    click.echo("\n".join(drawn[headed:]), file=bare(sys.stdout))


def _more_wide(cell: str) -> int:
    # columns that it takes besides one a letter
    return 0 if cell.isascii() else _cell_width(cell) - len(cell)


def _cell_width(cell: str) -> int:
    if cell.isascii():
        return len(cell)
    from rich.cells import cell_len

    return cell_len(cell)


def _draw_folded(
    columns: Sequence[str], page: Sequence[Sequence[str]], right: Sequence[str], whole: Sequence[str], *, headed: bool
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", show_header=headed)
    for column in columns:
        side: Literal["left", "right"] = "right" if column in right else "left"
        drawn.add_column(_(column), justify=side, overflow="fold", no_wrap=column in whole)
    for row in page:
        drawn.add_row(*map(Text, row))
    console().print(drawn)


def first_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], most: int = 10) -> None:
    table(columns, rows[:most])
    if len(rows) > most:
        note(_("… and {number:,} more: --json lists all of them.", number=len(rows) - most))


def at_rest(rest: Mapping[str, Any], now: datetime, zone: str) -> str:
    end, because = datetime.fromisoformat(rest["until"]), _(rest["because"]).rstrip(".")
    until = when_where(zone, end) if end > now else _("the next tick")
    return _(
        "Nothing is sent by {channel} until {until}: {because}.", channel=rest["channel"], until=until, because=because
    )


def waits_for(rest: Mapping[str, Any]) -> str:
    waiting = counted(rest["waiting"], "message waits", "messages wait")
    return _("{messages} for {channel}.", messages=waiting, channel=rest["channel"])


HELPS = {
    "us": N_("See what is wrong: commsengine doctor"),
    "quota": N_("Nothing is lost: sending goes on as soon as the daily limit allows it."),
}
OTHERWISE = N_("It is tried again automatically.")


def what_helps(rest: Mapping[str, Any]) -> str:
    return _(HELPS.get(rest["fault"], OTHERWISE))


def n_time(span: timedelta) -> str:
    """``24 hours``, in the largest unit that fits."""
    seconds = int(span.total_seconds())
    if seconds % 3600 == 0:
        return counted(seconds // 3600, "hour", "hours")
    return counted(seconds // 60, "minute", "minutes") if seconds % 60 == 0 else counted(seconds, "second", "seconds")


def told_of_pause(pause: Mapping[str, str]) -> str:
    text = N_("{campaign} was paused by the engine: {reason}. Then: commsengine resume {campaign}")
    return _(text, campaign=pause["campaign"], reason=_(pause["reason"]))


def estimated_from(people: int) -> str:
    return _(" (estimated from {people:,} people)", people=people)


def title(text: str) -> None:
    colourful(click.style(in_one_line(text), bold=True))


def colourful(text: str) -> None:
    """Prints text with our own styles, which only a terminal gets; its values are written out already."""
    from commsengine.environment import wants_colours

    click.echo(text, file=bare(sys.stdout), color=sys.stdout.isatty() and wants_colours())


def say(text: str) -> None:
    click.echo(in_one_line(text))


def note(text: str) -> None:
    click.echo(text, err=True)


class Progress:
    """``with Progress(_("Simulating")) as progress``: a line on the terminal, from two seconds on.

    The work may say how much of it is done, from 0 to 1: ``progress(0.4)``; else the line shows its seconds alone.
    """

    def __init__(self, what: str, *, slow: float = SLOW, step: float = STEP) -> None:
        from commsengine.environment import terminal_moves

        self._slow, self._step = slow, step
        self._what, self._share, self._seconds, self._shown = in_one_line(what), 0.0, 0, ""
        self._done = threading.Event()
        self.thread = threading.Thread(target=self._show, daemon=True) if sys.stderr.isatty() else None
        self._moves = terminal_moves()  # else the cursor cannot go back to write over a line

    def __call__(self, share: float) -> None:
        self._share = max(share, self._share)

    def __enter__(self) -> Self:
        if self.thread is not None:
            self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self.thread is not None:
            self.thread.join()

    def _show(self) -> None:
        while not self._done.wait(self._step):
            self._seconds += 1
            if self._seconds >= self._slow and (self._moves or not self._shown):
                self._draw(self._line() if self._moves else f"{self._what} …\n")
        if self._shown and self._moves:
            self._draw("")

    def _line(self) -> str:
        if self._share:
            return _("{what} … {share:.0%}, {seconds} s", what=self._what, share=self._share, seconds=self._seconds)
        return _("{what} … {seconds} s", what=self._what, seconds=self._seconds)

    def _draw(self, text: str) -> None:
        # Blanks cover what was longer; no code of the terminal is needed.
        covered, self._shown = " " * len(self._shown), text
        click.echo(f"\r{covered}\r{text}" if self._moves else text, file=bare(sys.stderr), nl=False)


def write(file: Path, text: str | Iterable[str], fix: str, *, folders: bool = False) -> None:
    """Raises ``InputError`` with the remedy ``fix`` where it cannot be written; ``folders`` makes those above it."""
    try:
        if folders:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # before the first byte is in it: it may hold a secret
        with file.open("w", encoding="utf-8", newline="") as out:
            out.writelines([text] if isinstance(text, str) else text)
    except OSError as error:
        raise InputError(_("{file} cannot be written: {strerror}.", file=file, strerror=error.strerror), fix) from None


def open_page(file: Path) -> None:
    import webbrowser

    webbrowser.open(file.absolute().as_uri())
