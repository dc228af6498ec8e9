"""``refusals`` and ``refusal``: what a mail server or Slack refused and is not settled, and the word about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from commsengine.cadence.kinds_and_states import RefusalWord
from commsengine.cli.output import json_option, n_messages, n_people, say, show_json, table, tell_zone, when
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.errors import InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring

DONE: Mapping[RefusalWord, str] = {
    "person": N_("It is about these people: {touches} failed, and the same refusal counts as failed from now on."),
    "us": N_("It is about us: {touches} tried again, and the channel pauses when the same refusal comes again."),
    "message": N_("It is about the text: nothing of that message is sent until its text is changed. {touches} held."),
    "again": N_("{touches} tried again."),
}


@click.command()
@json_option
@with_workspace
def refusals(wiring: Wiring, as_json: bool) -> None:
    """List refusals of servers that are not settled yet.

    The people concerned wait for your decision, or for the next try.

    Example: commsengine refusals
    """
    from commsengine.reports import status

    found = status.refusals(wiring.store)
    if as_json:
        show_json({"refusals": found})
        return
    if not found:
        click.echo(_("No refusal waits for your decision."))
    zone = zone_of(wiring)
    show_refusals(found, zone)
    if found:
        tell_zone(zone)


def show_refusals(found: Sequence[Mapping[str, Any]], zone: str) -> None:
    rows = [
        (each["id"], when(zone, each["since"]), each["channel"], _about(each), n_people(each["people"]), each["words"])
        for each in found
    ]
    table([N_("id"), N_("since"), N_("channel"), N_("campaign"), N_("waiting"), N_("the server's words")], rows)
    if found:
        say(_("Settle one: commsengine refusal ID --person, --us, --message or --again"))


def _about(each: Mapping[str, Any]) -> str:
    campaigns = ", ".join(each["campaigns"])
    if not each["message"]:
        return campaigns
    text = N_("{campaign} {message}: nothing of it is sent") if each["holds"] else N_("{campaign} {message}")
    return _(text, campaign=campaigns, message=each["message"])


@click.command()
@click.argument("number", metavar="ID", type=int)
@click.option("--person", is_flag=True, help=N_("It is about these people: their messages fail."))
@click.option("--us", is_flag=True, help=N_("It is about our sender or machine: try again; no message fails."))
@click.option("--message", is_flag=True, help=N_("It is about the text: nothing more of it is sent."))
@click.option("--again", is_flag=True, help=N_("Try all of them again, once, now."))
@with_workspace
def refusal(wiring: Wiring, number: int, person: bool, us: bool, message: bool, again: bool) -> None:
    """Say what a refusal is about: these people, us, or the text.

    From now on the same refusals of that channel are treated alike.

    Example: commsengine refusal 3 --us
    """
    words: dict[RefusalWord, bool] = {"person": person, "us": us, "message": message, "again": again}
    given = [word for word, chosen in words.items() if chosen]
    if len(given) != 1:
        raise InputError(
            _("It needs one option that says what it is about."), _("Write --person, --us, --message or --again.")
        )
    word = given[0]
    concerned = wiring.store.refusals.settle(number, word, by=wiring.operator, now=wiring.clock())
    click.echo(_(DONE[word], touches=n_messages(concerned)))
