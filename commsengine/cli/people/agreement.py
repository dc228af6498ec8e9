"""What a person is asked about a people file before anything of it is taken, and the words that say yes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from commsengine.cadence.kinds_and_states import FILE_REASONS
from commsengine.cli.output import say
from commsengine.errors import InputError
from commsengine.store.people_files.difference import FileReason
from commsengine.translation import N_, _

because_option = click.option(
    "--because",
    default="",
    metavar="TEXT",
    help=N_("Why a people file is right that brings leavers back or changes many; it goes into the audit."),
)


def reason_text(reason: FileReason) -> str:
    """``another manager than so far: 12 of 160 people``"""
    return _(FILE_REASONS[reason.kind], people=reason.people, of=reason.of)


def tell_reasons(reasons: Sequence[FileReason]) -> None:
    for reason in reasons:
        text = reason_text(reason)
        some = ", ".join(reason.some) + (", …" if reason.people > len(reason.some) else "")
        say(text[0].upper() + text[1:] + (f": {some}." if some else "."))


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
        cause = _("This file changes much, so nothing of it is taken: {reasons}.", reasons=in_one(reasons))
        raise InputError(cause, _("If it is right: {command} --yes --because TEXT", command=command))
    if not yes:
        click.confirm(_("Is the file right, and is all of it to be taken?"), abort=True, err=True)
    return because.strip() or str(click.prompt(_("Why? It goes into the audit"), err=True))


def in_one(reasons: Sequence[FileReason]) -> str:
    return "; ".join(reason_text(each) for each in reasons)
