"""What a person is asked about a people file before anything of it is taken, and the words that say yes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from commsengine.cli.output import note
from commsengine.cli.terminal_safety import in_one_line
from commsengine.errors import InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.store.people_files.difference import FileReason

because_option = click.option(
    "--because",
    default="",
    metavar="TEXT",
    help=N_("Why a people file that brings leavers back or changes many people is right; it is kept in the audit."),
)


def tell_reasons(reasons: Sequence[FileReason]) -> None:
    from commsengine.reports.held_files import reason_text

    for reason in reasons:
        text = reason_text(reason)
        some = ", ".join(reason.some) + (", …" if reason.people > len(reason.some) else "")
        note(in_one_line(text[0].upper() + text[1:] + (f" ({some})." if some else ".")))


def agreed(reasons: Sequence[FileReason], command: str, *, yes: bool, because: str) -> str:
    """Why it is right, from the option or the keyboard; empty where nobody has to be asked.

    ``command`` is what to type. Raises ``InputError`` where the word is missing and standard input is no terminal,
    ``click.Abort`` on a no.
    """
    if not reasons:
        return because
    if yes and because.strip():
        return because
    if not sys.stdin.isatty():
        cause = _("This file changes more than usual, so nothing is imported.")
        raise InputError(cause, _("If it is right: {command} --yes --because TEXT", command=command))
    if not yes:
        click.confirm(_("Is the file right? Import all of it?"), abort=True, err=True)
    return because.strip() or str(click.prompt(_("Why? (kept in the audit)"), err=True))
