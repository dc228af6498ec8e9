"""``today``: what waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsengine.cli.followups import show_followups
from commsengine.cli.opened import wired
from commsengine.cli.questions import show_questions
from commsengine.cli.show import count, json_option, show_json, table, title, when

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@json_option
@wired
def today(wiring: Wiring, as_json: bool) -> None:
    """Show the day: questions to answer, people to call, touches that need a decision.

    Example: commsengine today
    """
    from commsengine.engine import books

    found = books.today(wiring.store, wiring.decisions, wiring.renderer, wiring.clock())
    if as_json:
        show_json(found)
        return
    if not any(found.values()):
        click.echo("Nothing waits for a person.")
    if found["questions"]:
        title(count(len(found["questions"]), "open question"))
        show_questions(found["questions"])
        click.echo("\nAnswer one: commsengine question ID --answer TEXT\n")
    if found["follow_ups"]:
        title(count(len(found["follow_ups"]), "follow-up"))
        show_followups(found["follow_ups"])
        click.echo("What to say: commsengine followups --talking-points")
    if found["held"]:
        title(count(len(found["held"]), "touch is uncertain", "touches are uncertain"))
        table(["key", "person", "campaign", "due"], [
            (row["key"], row["person"], row["campaign"], when(row["at"])) for row in found["held"]
        ], whole=["key"])  # fmt: skip
        click.echo("Settle one: commsengine touch KEY --sent (or --resend)")
