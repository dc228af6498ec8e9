"""``questions`` and ``question``: what people asked, and the answer to it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.opened import wired
from commsengine.cli.show import json_option, show_json, table, when
from commsengine.errors import InputError

if TYPE_CHECKING:
    from commsengine.store.records import QuestionRecord
    from commsengine.wiring import Wiring


@click.command()
@click.option("--all", "everything", is_flag=True, help="Answered ones too.")
@json_option
@wired
def questions(wiring: Wiring, everything: bool, as_json: bool) -> None:
    """List open questions, the oldest first. Whoever asked is not chased until there is an answer.

    Example: commsengine questions
    """
    found = wiring.store.facts.questions(open_only=not everything)
    people = wiring.store.people.by_ids([each.person_id for each in found])
    emails = {person_id: person.email for person_id, person in people.items()}
    if as_json:
        show_json({"questions": [_data(each, emails) for each in found]})
        return
    if not found:
        click.echo("No question is open.")
    table(
        ["id", "asked", "by", "campaign", "message", "question"],
        [(each.id, when(each.asked_at), emails.get(each.person_id, "erased"), each.campaign, each.message, each.text)
         for each in found],
    )  # fmt: skip


def _data(question: QuestionRecord, emails: dict[str, str]) -> dict[str, Any]:
    return {**asdict(question), "person": emails.get(question.person_id, "")}


@click.command()
@click.argument("number", metavar="ID", type=int)
@click.option("--answer", required=True, help="What the person gets to read.")
@wired
def question(wiring: Wiring, number: int, answer: str) -> None:
    """Answer a question. The answer is on the person's page at once, and is sent to them.

    Example: commsengine question 7 --answer "Yes, the notebook may stay until May."
    """
    asked = wiring.store.facts.question(number)
    if asked is None:
        raise InputError(f"There is no question {number}.", "List them: commsengine questions")
    if asked.answered_at is not None:
        raise InputError(f"Question {number} was answered {when(asked.answered_at)} by {asked.answered_by}.")
    wiring.hall.answer_question(number, answer, wiring.operator, wiring.clock())
    click.echo(f"Question {number} is answered; {asked.campaign} goes on for whoever asked it.")
