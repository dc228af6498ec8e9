"""Arguments and options that several commands have, and the consent of whom they ask."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from commsengine.cadence.kinds_and_states import CHANNELS, SUPPOSITIONS
from commsengine.errors import CommsError, InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.cadence.people import Person
    from commsengine.wiring import Wiring


class CampaignType(click.ParamType[str]):
    name = "campaign"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from commsengine.wiring import Wiring

        try:
            with Wiring(ctx.find_root().params.get("workspace") or ctx.find_root().obj) as wiring:
                known = [each.id for each in wiring.store.campaigns.all()] if wiring.has_database else []
        except CommsError:
            return []
        return [CompletionItem(name) for name in known if name.startswith(incomplete)]


CAMPAIGN = CampaignType()
CHANNEL = click.Choice(sorted(CHANNELS))
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
ANSWERS = click.Choice(SUPPOSITIONS)


def person_named(wiring: Wiring, email: str) -> Person:
    """By address or id. Raises ``InputError`` with the near addresses."""
    people = wiring.store.people
    if found := people.by_email(email) or people.by_id(email):
        return found
    near = f" {_('or')} ".join(people.near(email))
    fix = _("Did you mean {near}?", near=near) if near else _("Import them first: commsengine people import FILE")
    raise InputError(_("Nobody here has the address '{email}'.", email=email), fix)


yes_option = click.option("--yes", "-y", is_flag=True, help=N_("Do it without asking."))

WIDE = 50
"""Above so many people a yes is given too easily: the number itself must be typed."""


def consent(question: str, *, yes: bool, recipients: int = 0, command: str = "") -> None:
    """``command`` is what to run with ``--yes`` where there is no terminal.

    Raises ``InputError`` where standard input is no terminal, ``click.Abort`` on a no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        text = N_("{question} Nobody is here to answer: standard input is no terminal.")
        fix = _("Add --yes: {command} --yes", command=command) if command else _("Add --yes.")
        raise InputError(_(text, question=question), fix)
    if recipients <= WIDE:
        click.confirm(question, abort=True, err=True)
        return
    typed = click.prompt(_("{question} Type the number of people to go on", question=question), err=True)
    if typed.strip().replace(",", "") != str(recipients):
        click.echo(_("That is not {number:,}.", number=recipients), err=True)
        raise click.Abort
