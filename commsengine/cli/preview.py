"""``preview``: what a person would see."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import CHANNEL, FILE, FOLDER
from commsengine.cli.output import Progress, json_option, note, open_page, show_json, title, write
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.cadence.kinds_and_states import ChannelName
    from commsengine.planning.preview import PreviewTouch
    from commsengine.wiring import Wiring


@click.command()
@click.argument("plan", type=FILE)
@click.option("--as", "email", metavar="EMAIL", help=N_("As this person."))
@click.option("--role", help=N_("As the first person of this role (default: one person of every role)."))
@click.option("--message", help=N_("Only this message."))
@click.option("--touch", "number", type=click.IntRange(1), default=1, show_default=True, help=N_("Its n-th touch."))
@click.option("--channel", type=CHANNEL, help=N_("Only as this channel shows it."))
@click.option(
    "--out", type=FOLDER, help=N_("Write the mail (HTML, text) and the Slack card (HTML, blocks) to this folder.")
)
@click.option("--open", "open_", is_flag=True, help=N_("Open the HTML in the browser (with --out, else in ./preview)."))
@json_option
@with_workspace
def preview(
    wiring: Wiring,
    plan: Path,
    email: str | None,
    role: str | None,
    message: str | None,
    number: int,
    channel: ChannelName | None,
    out: Path | None,
    open_: bool,
    as_json: bool,
) -> None:
    """Show what a person would see, by every channel of the plan, and which of them will carry it.

    --out writes files: the mail as HTML and text, the Slack card as HTML and blocks.

    Example: commsengine preview schedules/crm-rollout.yaml --as ana.kim@example.com
    """
    from commsengine.planning.plan_on_disk import checked, corrected_texts
    from commsengine.planning.preview import preview_people, previews

    with Progress(_("Checking")):
        checked_plan = checked(wiring.check(plan))
    basis = wiring.preview_basis
    written = checked_plan.plan
    seen = [
        shown
        for person in preview_people(checked_plan, email=email, role=role)
        for shown in previews(basis, checked_plan, person, message=message, number=number, channel=channel)
    ]
    for text in corrected_texts(written.corrected):
        note(text)
    if not seen:
        fix = _("Ask for an earlier one with --touch, or another --message.")
        raise InputError(_("There is no touch {number} to show.", number=number), fix)
    if out is not None or open_:
        files = _write(seen, out or Path("preview"))
        for file in files if open_ else ():
            if file.suffix == ".html":
                open_page(file)
    if as_json:
        show_json({"campaign": written.campaign, "previews": [shown.as_data() for shown in seen]})
    elif out is None:
        for shown in seen:
            _show(shown)


def _show(shown: PreviewTouch) -> None:
    touch, message = shown.touch, shown.message
    person = f"{shown.person.email} ({touch.role})"
    if message is None:
        title(_("{message}: what to say to {person} in person", message=touch.message, person=person))
        click.echo(shown.talking_points)
    else:
        instead = "" if touch.channel == shown.goes_by else _(" (it goes out by {channel})", channel=shown.goes_by)
        what = {"message": touch.message, "kind": _(touch.kind), "number": touch.number, "channel": touch.channel}
        title(
            _("{message}, {kind} {number}, to {person} by {channel}{instead}", **what, person=person, instead=instead)
        )
        text = html.unescape(message.text) if message.blocks else message.text
        click.echo(_("From:    {sender}\nSubject: {subject}", sender=message.sender_name, subject=message.subject))
        click.echo(f"\n{text}")
    click.echo()


def _write(seen: list[PreviewTouch], folder: Path) -> list[Path]:
    files: list[Path] = []
    for shown in seen:
        touch = shown.touch
        name = f"{touch.message}-{touch.role}-{touch.kind}-{touch.number}"
        for ending, text in _texts(shown).items():
            files.append(folder / f"{name}{ending}")
            write(files[-1], text, _("Name another folder with --out."), folders=True)
    note(_("{files} files are in {folder}.", files=len(files), folder=folder))
    for address, by in dict.fromkeys((each.person.email, each.goes_by) for each in seen if each.message):
        note(_("To {email} it goes out by {channel}.", email=address, channel=by))
    return files


def _texts(shown: PreviewTouch) -> dict[str, str]:
    """By the end of the file's name."""
    from commsengine.sandbox.card_page import card_page

    message = shown.message
    if message is None:
        return {".txt": shown.talking_points}
    by = "" if message.channel == "email" else f"-{message.channel}"
    if not message.blocks:
        return {f"{by}.html": message.html, f"{by}.txt": message.text}
    card = json.dumps({"text": message.subject, "blocks": list(message.blocks)}, indent=2, ensure_ascii=False)
    return {f"{by}.html": card_page(message.subject, message.blocks), ".json": f"{card}\n"}
