"""Arguments and options that several commands have, and the consent of whom they ask."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from commsengine.cadence.kinds_and_states import CHANNELS, SUPPOSITIONS
from commsengine.errors import CommsError, InputError
from commsengine.translation import N_, _, counted

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


class PlanType(click.Path):
    """A plan; for a file with its texts in another language, the plan beside that."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from commsengine.authoring.languages.overlay import plan_of

        found = super().convert(value, param, ctx)
        return plan_of(Path(str(found)))


PLAN = PlanType(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
ANSWERS = click.Choice(SUPPOSITIONS)


MOST_LISTED = 10


def person_named(wiring: Wiring, who: str) -> Person:
    """By address, id, or a name or a part of one. Raises ``InputError`` with those it may be, or the near ones."""
    people = wiring.store.people
    if found := people.by_email(who) or people.by_id(who):
        return found
    called = people.called(who) if "@" not in who else []
    if len(called) == 1:
        return called[0]
    if called:
        cause = _("{people} match '{who}'.", people=counted(len(called), "person", "people"), who=who)
        raise InputError(cause, _("Name one by address: {people}.", people=_listed(called)))
    near = people.near(who) if "@" in who else people.near_called(who)
    either = f" {_('or')} ".join(near)
    fix = _("Did you mean {near}?", near=either) if near else _("Import them first: commsengine people import FILE")
    cause = (
        N_("There is no person with the address '{who}'.") if "@" in who else N_("There is no person called '{who}'.")
    )
    raise InputError(_(cause, who=who), fix)


def _listed(people: Sequence[Person]) -> str:
    named = [f"{each.name} <{each.email}>" if each.name else each.email for each in people[:MOST_LISTED]]
    return ", ".join([*named, *(["…"] if len(people) > MOST_LISTED else [])])


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
        text = N_("{question} This needs an answer, but standard input is not a terminal.")
        fix = _("Add --yes: {command} --yes", command=command) if command else _("Add --yes.")
        raise InputError(_(text, question=question), fix)
    if recipients <= WIDE:
        click.confirm(question, abort=True, err=True)
        return
    typed = click.prompt(_("{question} Type the number of people to go on", question=question), err=True)
    if typed.strip().replace(",", "") != str(recipients):
        click.echo(_("That is not {number:,}.", number=recipients), err=True)
        raise click.Abort
