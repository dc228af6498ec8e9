"""``questions`` and ``question``: what people asked, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.output import json_option, show_json, table, when
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@json_option
@with_workspace
def questions(wiring: Wiring, as_json: bool) -> None:
    """List open questions, those that wait too long first. Whoever asked is not chased until there is an answer.

    Example: commsengine questions
    """
    from commsengine.reports import status

    found = status.questions(wiring.store, wiring.clock())
    if as_json:
        show_json({"questions": found})
        return
    if not found:
        click.echo(_("No question is open."))
    show_questions(found)


def show_questions(found: Sequence[Mapping[str, Any]]) -> None:
    rows = []
    for each in found:
        asked = when(each["asked_at"]) + (_(" (waits too long)") if each["overdue"] else "")
        text = _("objection: {text}", text=each["text"]) if each["objection"] else each["text"]
        rows.append((each["id"], asked, each["person"], each["campaign"], text))
    table([N_("id"), N_("asked"), N_("by"), N_("campaign"), N_("question")], rows)


@click.command()
@click.argument("number", metavar="ID", type=int)
@click.option("--answer", required=True, help=N_("What the person gets to read."))
@with_workspace
def question(wiring: Wiring, number: int, answer: str) -> None:
    """Answer a question. The answer is on the person's page at once, and is sent to them.

    Example: commsengine question 7 --answer "Yes, the notebook may stay until May."
    """
    asked = wiring.store.questions.get(number)
    if asked is None:
        raise InputError(_("There is no question {number}.", number=number), _("List them: commsengine questions"))
    if asked.answered_at is not None:
        text = N_("Question {number} was answered {instant} by {account}.")
        raise InputError(_(text, number=number, instant=when(asked.answered_at), account=asked.answered_by))
    wiring.inbox.answer_question(number, answer, wiring.operator, wiring.clock())
    text = N_("Question {number} is answered; {campaign} goes on for whoever asked it.")
    click.echo(_(text, number=number, campaign=asked.campaign))
