"""``preview``: what a person would see."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import CHANNEL, FOLDER, PLAN
from commsengine.cli.output import Progress, json_option, note, open_page, show_json, title, write
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.authoring.check import CheckResult
    from commsengine.cadence.kinds_and_states import ChannelName
    from commsengine.cadence.people import Person
    from commsengine.planning.gallery import Wanted
    from commsengine.planning.plan_on_disk import CheckedPlan
    from commsengine.planning.preview import PreviewTouch
    from commsengine.wiring import Wiring


@click.command()
@click.argument("plan", type=PLAN)
@click.option("--as", "email", metavar="EMAIL", help=N_("As this person."))
@click.option("--role", help=N_("As the first person of this role (default: one person of every role)."))
@click.option("--message", help=N_("Only this message."))
@click.option(
    "--touch",
    "number",
    type=click.IntRange(1),
    help=N_("The n-th time that it is sent (default: the first; with --out, every one)."),
)
@click.option("--channel", type=CHANNEL, help=N_("Only as this channel shows it."))
@click.option("--lang", "language", metavar="LANG", help=N_("Only in this language."))
@click.option("--out", type=FOLDER, help=N_("Write everything to this folder, with an index.html of it."))
@click.option("--open", "open_", is_flag=True, help=N_("Open that index in the browser (without --out, in ./preview)."))
@json_option
@with_workspace
def preview(
    wiring: Wiring,
    plan: Path,
    email: str | None,
    role: str | None,
    message: str | None,
    number: int | None,
    channel: ChannelName | None,
    language: str | None,
    out: Path | None,
    open_: bool,
    as_json: bool,
) -> None:
    """Show what a person would see, by every channel of the plan, and by which of them it is sent.

    --out writes a page with every text of the plan, by role, message, channel and language: each mail as HTML and text,
    each Slack card, the pages behind the links, and what to say in calls; with lengths, times and the advice of check.

    Example: commsengine preview schedules/crm-rollout.yaml --out look --open
    """
    from commsengine.planning.gallery import Wanted
    from commsengine.planning.plan_on_disk import checked, corrected_texts
    from commsengine.planning.preview import preview_people

    with Progress(_("Checking")):
        result = wiring.check(plan)
    checked_plan = checked(result)
    people = preview_people(checked_plan, email=email, role=role)
    for text in corrected_texts(checked_plan.plan.corrected):
        note(text)
    if out is not None or open_:
        wanted = Wanted(message, number, channel, language)
        index = _write(wiring, plan, result, people, wanted, out or Path("preview"))
        if open_:
            open_page(index)
    if as_json or not (out or open_):
        seen = _seen(wiring, checked_plan, people, Wanted(message, number or 1, channel, language))
        if as_json:
            show_json({"campaign": checked_plan.plan.campaign, "previews": [shown.as_data() for shown in seen]})
            return
        for shown in seen:
            _show(shown)


def _seen(wiring: Wiring, checked_plan: CheckedPlan, people: list[Person], wanted: Wanted) -> list[PreviewTouch]:
    from commsengine.planning.gallery import spoken
    from commsengine.planning.preview import previews

    basis = wiring.preview_basis
    spoken(basis, checked_plan.plan, wanted)  # refuses an unknown one
    seen = [
        shown
        for person in people
        for shown in previews(
            basis,
            checked_plan,
            person,
            message=wanted.message,
            number=wanted.number,
            channel=wanted.channel,
            language=wanted.language,
        )
    ]
    if not seen:
        raise _nothing(wiring, checked_plan, people, wanted)
    return seen


def _nothing(wiring: Wiring, checked_plan: CheckedPlan, people: list[Person], wanted: Wanted) -> InputError:
    from commsengine.planning.preview import why_nothing

    if wanted.language is not None:
        cause = _("No message is complete in '{language}', so none is sent in it.", language=wanted.language)
        return InputError(cause, _("Run: commsengine check PLAN"))
    if wanted.message is not None and wanted.number in (None, 1):
        reasons = dict.fromkeys(why_nothing(wiring.preview_basis, checked_plan, one, wanted.message) for one in people)
        cause = _("'{message}' is sent to none of them.", message=wanted.message)
        return InputError(" ".join([cause, *filter(None, reasons)]), _("Name another with --message, --role or --as."))
    fix = _("Ask for an earlier one with --touch, or another --message.")
    return InputError(_("No message is sent {number} times.", number=wanted.number or 1), fix)


def _show(shown: PreviewTouch) -> None:
    touch, message = shown.touch, shown.message
    person = f"{shown.person.email} ({touch.role})"
    if message is None:
        title(_("{message}: what to say to {person} in person", message=touch.message, person=person))
        click.echo(shown.talking_points)
    else:
        instead = "" if touch.channel == shown.goes_by else _(" (it is sent by {channel})", channel=shown.goes_by)
        what = {"message": touch.message, "kind": _(touch.kind), "number": touch.number, "channel": touch.channel}
        title(
            _("{message}, {kind} {number}, to {person} by {channel}{instead}", **what, person=person, instead=instead)
        )
        text = html.unescape(message.text) if message.blocks else message.text
        if shown.unsent:
            click.echo(shown.unsent)
        click.echo(_("From:    {sender}\nSubject: {subject}", sender=message.sender_name, subject=message.subject))
        click.echo(f"\n{text}")
    click.echo()


# -- everything in a folder -----------------------------------------------------------------------


def _write(wiring: Wiring, plan: Path, result: CheckResult, people: list[Person], wanted: Wanted, folder: Path) -> Path:
    from commsengine.planning.gallery import gallery
    from commsengine.planning.plan_on_disk import checked
    from commsengine.sandbox.gallery_files import INDEX, gallery_files

    basis, checked_plan = wiring.preview_basis, checked(result)
    with Progress(_("Writing texts")):
        shown = gallery(basis, checked_plan, people, plan, result.problems, wanted)
    if not shown.pieces:
        raise _nothing(wiring, checked_plan, people, wanted)
    with Progress(_("Writing files")):
        files = dict(gallery_files(basis, checked_plan, shown))
    for name, text in files.items():
        write(folder / name, text, _("Name another folder with --out."), folders=True)
    texts = counted(len(shown.pieces), "text", "texts")
    note(_("{texts} in {files} files. Open {index}", texts=texts, files=len(files), index=folder / INDEX))
    return folder / INDEX
