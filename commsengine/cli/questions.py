"""``questions`` and ``question``: what people asked, and the reply to it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import click

from commsengine.cadence.kinds_and_states import ENDINGS, Ending
from commsengine.cli.output import json_option, n_people, note, say, show_json, table, tell_zone, when
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.errors import InputError
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.answers.replying import Given
    from commsengine.store.records import Ask, AskId
    from commsengine.wiring import Wiring

_ID = re.compile(r"(a?)(\d{1,15})", re.IGNORECASE)


@click.command()
@json_option
@with_workspace
def questions(wiring: Wiring, as_json: bool) -> None:
    """List open questions, those that wait too long first. People who asked get no reminders until there is an answer.

    Questions that say nearly the same about a message are listed together: one answer closes them all.

    Example: commsengine questions
    """
    from commsengine.reports import status

    found = status.questions(wiring.store, wiring.clock())
    if as_json:
        show_json({"questions": found})
        return
    if not found:
        click.echo(_("No question is open."))
    zone = zone_of(wiring)
    show_questions(found, zone)
    if found:
        click.echo()
        tell_zone(zone)


def show_questions(found: Sequence[Mapping[str, Any]], zone: str) -> None:
    """One line for all who ask nearly the same."""
    rows = []
    for group in _grouped(found):
        first = group[0]
        waits = any(each["overdue"] for each in group)
        asked = when(zone, first["asked_at"]) + (_(" (waits too long)") if waits else "")
        others = len({each["person"] for each in group}) - 1
        by = _("{person} and {others}", person=first["person"], others=_others(others)) if others else first["person"]
        text = _("objection: {text}", text=first["text"]) if first["objection"] else first["text"]
        rows.append((first["group"], asked, by, first["campaign"], text))
    table([N_("id"), N_("asked"), N_("by"), N_("campaign"), N_("question")], rows)


def _grouped(found: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    groups: dict[int, list[Mapping[str, Any]]] = {}
    for each in found:
        groups.setdefault(each["group"], []).append(each)
    return list(groups.values())


def _others(number: int) -> str:
    return counted(number, "other", "others")


class _AskType(click.ParamType["AskId"]):
    """``7`` is a question, ``a12`` an answer to an input."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> AskId:
        from commsengine.store.records import AskId

        found = _ID.fullmatch(str(value).strip())
        if found is None:
            self.fail(
                _("'{written}' is not the number of a question (7) or an input (a12).", written=value), param, ctx
            )
        return AskId("input" if found[1] else "question", int(found[2]))


@click.command()
@click.argument("ids", metavar="ID...", type=_AskType(), nargs=-1, required=True)
@click.option("--answer", default="", help=N_("The answer that those who asked get."))
@click.option(
    "--as",
    "ending",
    type=click.Choice(list(ENDINGS)),
    default=None,
    help=N_("How it ends: done (the default), later (with --by), or no, with its reason in the answer."),
)
@click.option("--by", "day", metavar="DATE", help=N_("The day of a promise: YYYY-MM-DD."))
@click.option("--ask", "asked", default="", help=N_("The question in your words, for all who did not ask it."))
@click.option("--to", default="", metavar="all|ROLE", help=N_("Answer all of the audience, or a role, as a message."))
@click.option("--only", is_flag=True, help=N_("Answer only these, not all that say nearly the same."))
@click.option("--private", is_flag=True, help=N_("Only those who asked read it: not on the page for all."))
@json_option
@with_workspace
def question(
    wiring: Wiring,
    ids: tuple[AskId, ...],
    answer: str,
    ending: str | None,
    day: str | None,
    asked: str,
    to: str,
    only: bool,
    private: bool,
    as_json: bool,
) -> None:
    """Answer a question or an input, once for all who wrote nearly the same.

    An ID is the number of a question (7), or that of an input (a12).

    Several ids get one answer: name those that ask the same in other words.
    The answer is on their page at once and is sent to each of them once. It is also shown, without names and in your
    words, on the page "What we heard, what we did" and at the top of the next message to the same roles. A promise
    (--as later --by DATE) is the first thing in 'today' once its day is past, until it is answered again. Without
    --answer, the command shows which questions it would close.

    Example: commsengine question 7 9 --answer "Yes, the notebook may stay until May." --ask "May the notebook stay?"
    """
    from commsengine.answers.replying import Wording

    replying = wiring.replying
    named = replying.asks(ids)
    asks = named if only else replying.alike(named)
    if not answer.strip() and ending is None:
        _show_asks(wiring, asks, ids, as_json)
        return
    if private and to:
        raise click.UsageError(_("Write --private or --to, not both."))
    said = Wording(answer, cast("Ending", ending or "done"), _day(day), asked, to, public=not private)
    given = replying.reply(asks, said, by=wiring.operator, now=wiring.clock())
    if as_json:
        show_json(_as_json(given))
    else:
        _told(given, asks, said.ending, unread=said.public and not said.asked and not any(a.objection for a in asks))


def _day(written: str | None) -> dt.date | None:
    from commsengine.cadence.time_notation import parse_date

    if written is None:
        return None
    try:
        return parse_date(written)
    except ValueError as error:
        raise InputError(f"{error}.", _("Write --by 2027-03-15.")) from None


def _show_asks(wiring: Wiring, asks: Sequence[Ask], named: Sequence[AskId], as_json: bool) -> None:
    people = wiring.store.people.by_ids(sorted({ask.person_id for ask in asks}))
    rows = [(str(ask.id), ask.at, people[ask.person_id].email if ask.person_id in people else "", ask) for ask in asks]
    if as_json:
        found = [{"id": name, "person": person, **_ask_json(ask)} for name, _at, person, ask in rows]
        show_json({"asks": found})
        return
    zone = zone_of(wiring)
    shown = [(name, when(zone, at), person, ask.message, ask.text) for name, at, person, ask in rows]
    table([N_("id"), N_("at"), N_("by"), N_("message"), N_("text")], shown, whole=["id"])
    tell_zone(zone)
    click.echo("\n" + _("Answer: commsengine question {ids} --answer TEXT", ids=" ".join(str(ask) for ask in named)))


def _ask_json(ask: Ask) -> dict[str, Any]:
    return {"campaign": ask.campaign, "message": ask.message, "text": ask.text, "at": ask.at}


def _as_json(given: Given) -> dict[str, Any]:
    asks, untold = [str(ask) for ask in given.asks], list(given.untold)
    return {"reply": given.number, "ids": asks, "people": given.people, "notice": given.notice, "untold": untold}


def _told(given: Given, asks: Sequence[Ask], ending: Ending, *, unread: bool) -> None:
    names = ", ".join(str(ask) for ask in given.asks)
    text = N_("Answered ({ending}) to {people}: {ids}. {campaign} goes on for them.")
    say(_(text, ending=_(ENDINGS[ending]), people=n_people(given.people), ids=names, campaign=asks[0].campaign))
    if given.notice:
        click.echo(_("Everybody else gets the message '{message}'.", message=given.notice))
    elif unread:
        note(_("Others read the answer, but not the question. Write the question in your words with --ask."))
    for person in given.untold:
        note(_("{person} gets no message: one of its texts uses a column that is empty for them.", person=person))
