"""``today``: what waits for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.followups import show_followups, show_held, show_recorded
from commsengine.cli.output import (
    at_rest,
    first_rows,
    json_option,
    n_follow_ups,
    n_messages,
    say,
    show_json,
    table,
    tell_zone,
    title,
    told_of_pause,
    waits_for,
    what_helps,
    when,
)
from commsengine.cli.questions import show_questions
from commsengine.cli.refusals import show_refusals
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.wiring import Wiring

MOST_FAILED = 20
NEWS = ("numbers", "recorded")
"""Shown, though no one waits for it."""


@click.command()
@json_option
@with_workspace
def today(wiring: Wiring, as_json: bool) -> None:
    """Show the day, bad news first: what went wrong, numbers, questions, people to call.

    The order and the numbers are those of the digest.

    Example: commsengine today
    """
    from commsengine.reports.today import today as waiting

    found = waiting(wiring.store, wiring.decisions, wiring.renderer, wiring.clock(), talk=as_json)
    if as_json:
        show_json(found)
        return
    zone = zone_of(wiring)
    if not any(there for name, there in found.items() if name not in NEWS):
        click.echo(_("Nothing waits for you."))
    if found["promises"]:
        _show_promises(found["promises"])
    _show_troubles(found, wiring.clock(), zone)
    if found["failed"]:
        _show_failed(found["failed"])
    _show_held(found["held"], found["refusals"], zone)
    _show_numbers(found["numbers"])
    if found["questions"]:
        title(counted(len(found["questions"]), "open question", "open questions"))
        show_questions(found["questions"], zone)
        click.echo("\n" + _("Answer one: commsengine question ID --answer TEXT") + "\n")
    for view in found["gates"]:
        title(_("The phase '{phase}' of {campaign} has ended; its gate waits for you", **view))
        click.echo(_("Review it: commsengine phases {campaign} --review {phase}", **view) + "\n")
    if found["commitments"]:
        _show_commitments(found["commitments"])
    if found["follow_ups"]:
        title(_follow_ups(found["follow_ups"]))
        show_followups(found["follow_ups"], zone)
        click.echo(_("What to say: commsengine followups --talking-points"))
    if found["recorded"]:
        title(_("Results of calls"))
        show_recorded(found["recorded"], zone)
    if found["holds"]:
        title(_("Held by managers"))
        show_held(found["holds"])
        click.echo(_("End a hold: commsengine managers CAMPAIGN --lift ID"))
    if any(there for name, there in found.items() if name != "numbers"):
        click.echo()
        tell_zone(zone)


def _show_troubles(found: Mapping[str, Any], now: datetime, zone: str) -> None:
    from commsengine.reports.held_files import held_text

    for pause in found["paused"]:
        say(told_of_pause(pause) + "\n")
    for rest in found["channels"]:
        say(f"{at_rest(rest, now, zone)} {waits_for(rest)}")
        click.echo(what_helps(rest) + "\n")
    for held in found["held_files"]:
        say(held_text(held) + "\n")


def _show_numbers(numbers: Sequence[Mapping[str, Any]]) -> None:
    from commsengine.reports.day_figures import DayFigures

    for one in numbers:
        title(one["campaign"])
        for line in DayFigures.of(one).lines:
            click.echo(f"  {line}")
    if numbers:
        click.echo()


def _follow_ups(found: Sequence[Mapping[str, Any]]) -> str:
    # the number is that of the list below it
    today = sum(each["today"] for each in found)
    if today == len(found):
        return n_follow_ups(today)
    return _("{today} of {follow_ups} today", today=today, follow_ups=n_follow_ups(len(found)))


def _show_promises(promises: Sequence[Mapping[str, Any]]) -> None:
    title(counted(len(promises), "promise is overdue", "promises are overdue"))
    rows = [(each["ids"][0], each["by"], each["campaign"], each["asked"] or "", each["text"]) for each in promises]
    table([N_("id"), N_("promised for"), N_("campaign"), N_("asked"), N_("promise")], rows, whole=["id"])
    click.echo("\n" + _("Kept: commsengine question ID --as done. Or: --answer TEXT --as later --by DATE") + "\n")


def _show_commitments(overdue: Sequence[Mapping[str, Any]]) -> None:
    title(counted(len(overdue), "commitment is overdue", "commitments are overdue"))
    rows = [
        (each["name"] or each["person"], each["campaign"], each["message"], each["by"], _(each["state"]), each["line"])
        for each in overdue
    ]
    columns = [N_("person"), N_("campaign"), N_("message"), N_("by"), N_("state"), N_("their words")]
    first_rows(columns, rows, MOST_FAILED)
    click.echo(_("All of them: commsengine answers CAMPAIGN") + "\n")


def _show_held(held: Sequence[Mapping[str, Any]], refused: Sequence[Mapping[str, Any]], zone: str) -> None:
    uncertain = [row for row in held if row["state"] == "uncertain"]
    if uncertain:
        title(counted(len(uncertain), "message is uncertain", "messages are uncertain"))
        rows = [(row["key"], row["person"], row["campaign"], when(zone, row["at"])) for row in uncertain]
        table([N_("key"), N_("person"), N_("campaign"), N_("due")], rows, whole=["key"])
        click.echo(_("Settle one: commsengine touch KEY --sent (or --resend)"))
    if refused:
        title(counted(len(refused), "refusal waits for your decision", "refusals wait for your decision"))
        show_refusals(refused, zone)
        rows = [(row["key"], row["person"], row["campaign"], row["reason"]) for row in held if row["state"] == "retry"]
        table([N_("key"), N_("person"), N_("campaign"), N_("reason")], rows[:MOST_FAILED], whole=["key"])
        if any(not each["holds"] for each in refused):
            click.echo(_("They are tried again automatically; try one now: commsengine touch KEY --resend"))
        if any(each["holds"] for each in refused):
            click.echo(
                _("A message that is held is sent again when its text is changed (commsengine apply), or with --again.")
            )


def _show_failed(failed: Sequence[Mapping[str, Any]]) -> None:
    title(_("{touches} never arrived", touches=n_messages(len(failed))))
    rows = [(each["key"], each["person"], each["campaign"], each["message"], _(each["reason"])) for each in failed]
    columns = [N_("key"), N_("person"), N_("campaign"), N_("message"), N_("reason")]
    table(columns, rows[:MOST_FAILED], whole=["key"])
    if (more := len(failed) - MOST_FAILED) > 0:
        click.echo(_("{more:,} more: commsengine touches CAMPAIGN --state failed", more=more))
    click.echo(_("These are not sent again. Reach these people another way, or solve the reason."))
