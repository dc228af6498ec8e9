"""``answers`` and ``acks``: what people wrote or chose where a message asked for it, and who acknowledged what."""

from __future__ import annotations

import csv
import io
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from commsengine.cadence.kinds_and_states import ENDINGS, GRADES
from commsengine.cli.arguments import CAMPAIGN
from commsengine.cli.output import json_option, n_people, note, show_json, table, tell_zone, title, when
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.store.records import CampaignRecord
    from commsengine.wiring import Wiring

WIDTH = 100
COLUMNS = ("id", "person", "name", "message", "at", "text", "as", "by", "reply")
ACKS = ("person", "name", "role", "message", "at", "kind", "grade", "counts", "key")


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@click.option("--message", help=N_("Only the answers to this message."))
@click.option("--csv", "as_csv", is_flag=True, help=N_("Print CSV that a spreadsheet opens safely."))
@click.option("--by-department", is_flag=True, help=N_("The answers of departments side by side."))
@json_option
@with_workspace
def answers(
    wiring: Wiring, campaign: str, message: str | None, as_csv: bool, by_department: bool, as_json: bool
) -> None:
    """Read what people answered to what a campaign asks.

    It shows their names and numbers, your replies, and who got the message and did not answer; for commitments, what
    became of them. Answers to checks are not shown: only the person sees them. Reply with: commsengine
    question a12 --answer TEXT

    Example: commsengine answers crm --message what-must-stay
    """
    from commsengine.campaigns.known_campaign import known
    from commsengine.reports.input_answers import answers as given

    if as_csv and as_json:
        raise click.UsageError(_("Write --csv or --json, not both."))
    record = known(wiring.store, campaign)
    found = given(wiring.store, record, message, wiring.clock())
    if by_department:
        _departments(wiring, record, message, as_csv=as_csv, as_json=as_json)
        return
    if as_json:
        show_json(found)
    elif as_csv:
        click.echo(_as_csv(found), nl=False)
    else:
        _show(found, zone_of(wiring, campaign), one=message is not None)


def _show(found: Mapping[str, Any], zone: str, *, one: bool) -> None:
    if not found["messages"]:
        click.echo(_("No message of this campaign asks for input ('ask: input' or 'ask: commit')."))
    for message in found["messages"]:
        title("\n".join(_lines(f"{message['message']}: {message['question']}")))
        if not message["answers"] and not message["silent"]:
            click.echo("  " + _("This message has not been sent yet.") + "\n")
            continue
        given, silent = counted(len(message["answers"]), "answer", "answers"), n_people(len(message["silent"]))
        click.echo(_("  {answers}; {people} got the message and did not answer", answers=given, people=silent))
        for person in message["silent"] if one else ():
            click.echo(f"      {' '.join(_lines(person))}")
        _show_tally(message)
        for answer in message["answers"]:
            who = " ".join(_lines(answer["name"] or answer["person"]))
            click.echo(f"\n  {answer['id']}  {who}, {when(zone, answer['at'])}{_ended(answer)}")
            click.echo("\n".join(f"    {line}" for line in _lines(_said(message, answer["text"]))))
        if message["commitments"]:
            _show_commitments(message["commitments"])
        click.echo()
    waiting = [message["message"] for message in found["messages"] if message["silent"]]
    if waiting and not one:
        campaign = found["campaign"]
        note(
            _(
                "Who did not answer: commsengine answers {campaign} --message {message}",
                campaign=campaign,
                message=waiting[0],
            )
        )


def _departments(wiring: Wiring, record: CampaignRecord, message: str | None, *, as_csv: bool, as_json: bool) -> None:
    from commsengine.reports.departments import by_department

    if as_csv:
        raise click.UsageError(_("Write --csv or --by-department, not both."))
    found = by_department(wiring.store, record, wiring.clock().date(), message)
    if as_json:
        show_json({"campaign": record.id, "messages": [each.as_json() for each in found]})
        return
    if not found:
        click.echo(_("No message of this campaign asks for input ('ask: input')."))
    for each in found:
        title("\n".join(_lines(f"{each.message}: {each.question}")))
        for department in each.departments:
            answered = counted(len(department.given), "answer", "answers")
            head = _(
                "{department}, {people}: {answers}",
                department=department.department,
                answers=answered,
                people=n_people(department.people),
            )
            click.echo("\n  " + " ".join(_lines(head)))
            if each.chosen:
                for text, number in department.tally.items():
                    click.echo(f"    {number:>5,}  {' '.join(_lines(text))}")
                continue
            for one in department.given:
                click.echo("\n".join(f"    {line}" for line in _lines(f"{one.name or one.person}: {one.text}")))
        click.echo()


def _show_commitments(given: Sequence[Mapping[str, Any]]) -> None:
    counts = Counter(each["state"] for each in given)
    told = ", ".join(f"{_(state)} {number:,}" for state, number in counts.items())
    click.echo("\n" + _("  Commitments: {told}", told=told))
    rows = [
        (f"  {each['name'] or each['person']}", _(each["state"]), each["by"] or "", each["words"], each["line"])
        for each in given
    ]
    table([N_("person"), N_("state"), N_("by"), N_("in their words"), N_("what came of it")], rows)


def _said(message: Mapping[str, Any], text: str) -> str:
    if message["kind"] == "rank":  # one choice a line, the first on top
        return ", ".join(f"{place} {choice}" for place, choice in enumerate(text.splitlines(), 1)) or _wordless(message)
    return text or _wordless(message)


def _show_tally(message: Mapping[str, Any]) -> None:
    names = {answer["person"]: answer["name"] or answer["person"] for answer in message["answers"]}
    if message["kind"] == "rank":
        click.echo(
            _(
                "  Points: of {n} choices the first place gives {most}, the last none; then the mean place.",
                n=len(message["tally"]),
                most=len(message["tally"]) - 1,
            )
        )
    for choice, number in message["tally"].items():
        place = message["places"].get(choice)
        beside = f"{place:>6.2f}" if place else ""
        click.echo(f"  {number:>5,}{beside}  {' '.join(_lines(choice))}")
        for person in message["chosen_by"].get(choice, ()):
            click.echo(f"           {' '.join(_lines(names[person]))}")
    if others := message["chosen_by"].get(""):
        click.echo(f"  {len(others):>5,}  {_('another time')}")
        for person in others:
            click.echo(f"           {' '.join(_lines(names[person]))}")


def _ended(answer: Mapping[str, Any]) -> str:
    if not answer["as"]:
        return ""
    word = _(ENDINGS[answer["as"]])
    return f" ({word}, {answer['by']})" if answer["by"] else f" ({word})"


def _wordless(message: Mapping[str, Any]) -> str:
    return _("I will.") if message["kind"] == "commit" else _("(erased)")


def _lines(text: str) -> Iterator[str]:
    # Broken to the width of a terminal.
    from commsengine.content.slots import visible_lines

    for line in visible_lines(text):
        yield from textwrap.wrap(line, WIDTH) or [""]


def _as_csv(found: Mapping[str, Any]) -> str:
    return _csv(
        COLUMNS,
        ({**answer, "message": message["message"]} for message in found["messages"] for answer in message["answers"]),
    )


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    from commsengine.authoring.people.people_file import guarded
    from commsengine.content.slots import visible_lines

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        cells = ("" if row[column] is None else str(row[column]) for column in columns)
        writer.writerow([guarded("\n".join(visible_lines(cell))) for cell in cells])
    return out.getvalue()


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@click.option("--csv", "as_csv", is_flag=True, help=N_("Print CSV that a spreadsheet opens safely."))
@json_option
@with_workspace
def acks(wiring: Wiring, campaign: str, as_csv: bool, as_json: bool) -> None:
    """Show who acknowledged what, when, and how well that is proved.

    The strongest proof is a press in Slack, then a form behind a signed link, a reply in words, a manager's word. A
    form that came without its page is listed as suspect and is not counted.

    Example: commsengine acks crm --csv
    """
    from commsengine.campaigns.known_campaign import known
    from commsengine.reports.input_answers import acknowledgements

    if as_csv and as_json:
        raise click.UsageError(_("Write --csv or --json, not both."))
    found = acknowledgements(wiring.store, known(wiring.store, campaign))
    if as_json:
        show_json(found)
    elif as_csv:
        click.echo(_csv(ACKS, found["acks"]), nl=False)
    else:
        _show_acks(found, zone_of(wiring, campaign))


def _show_acks(found: Mapping[str, Any], zone: str) -> None:
    if not found["acks"]:
        click.echo(_("No message of this campaign has been acknowledged yet."))
        return
    for grade, number in found["grades"].items():
        click.echo(f"  {number:>5,}  {_(GRADES[grade])}")
    click.echo()
    rows = [
        (ack["person"], ack["message"], when(zone, ack["at"]), _(ack["kind"]), ack["grade"]) for ack in found["acks"]
    ]
    table([N_("person"), N_("message"), N_("at"), N_("said"), N_("grade")], rows)
    click.echo()
    tell_zone(zone)
