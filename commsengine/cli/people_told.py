"""What a people file did and did not say: its columns, what stays as it is, and who has left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from commsengine.cli.show import count, note

if TYPE_CHECKING:
    from commsengine.authoring.people_file import PeopleFile

MOST_NAMES = 5


def tell_columns(read: PeopleFile) -> None:
    """Which columns were read, and what the file lacks and so did not touch."""
    from commsengine.cadence.people import KNOWN

    ours = [name for name in read.columns if name in KNOWN]
    others = [name for name in read.columns if name not in KNOWN]
    attributes = f" Attributes: {', '.join(others)}." if others else ""
    kept = f" Not in the file, so left as they are: {', '.join(read.kept)}." if read.kept else ""
    click.echo(f"Columns read: {', '.join(ours)}.{attributes}{kept}")


def tell_leavers(read: PeopleFile) -> None:
    """Who is brought back; and who of the file has left and stays so, for it does not say."""
    if read.returned:
        click.echo(f"Marked as left until now, and active again: {_some(read.returned)}.")
    gone = [person.email for person in read.people if person.left]
    if gone and "left" not in read.columns:
        who = count(len(gone), "person of the file is", "people of the file are")
        note(f"{who} marked as left, and that stays: {_some(gone)}.")
        note("If they are back, give them an empty cell in a column 'left' and add --yes.")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
