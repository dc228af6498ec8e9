"""Asking before something wide or final. ``--yes`` answers; without a terminal, nothing is assumed."""

from __future__ import annotations

import sys

import click

from commsengine.errors import InputError

yes_option = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")

WIDE = 50
"""Above so many recipients the number itself must be typed."""


def consent(question: str, *, yes: bool) -> None:
    """Go on only with a yes. Raises ``InputError`` where nobody can be asked, ``click.Abort`` on a no."""
    if yes:
        return
    _somebody_there(question)
    click.confirm(question, abort=True, err=True)


def consent_to(number: int, question: str, *, yes: bool) -> None:
    """The same, but above 50 recipients the number must be typed."""
    if yes or number <= WIDE:
        return consent(question, yes=yes)
    _somebody_there(question)
    typed = click.prompt(f"{question} Type the number of recipients to go on", err=True)
    if typed.strip().replace(",", "") != str(number):
        raise click.Abort
    return None


def _somebody_there(question: str) -> None:
    if not sys.stdin.isatty():
        raise InputError(f"{question} Nobody is here to answer: standard input is no terminal.", "Add --yes.")
