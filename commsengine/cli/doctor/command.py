"""``doctor``: is everything there that sending needs?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from commsengine.cli.output import colourful, json_option, show_json
from commsengine.cli.terminal_safety import in_one_line
from commsengine.cli.workspace import with_workspace
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring

MARKS = {"ok": (N_("ok"), "green"), "note": (N_("note"), "yellow"), "problem": (N_("PROBLEM"), "red")}


@click.command()
@click.option(
    "--slack-dm", metavar="EMAIL", default="", help=N_("Send this person a test message in Slack, read it back.")
)
@json_option
@click.pass_context
@with_workspace
def doctor(wiring: Wiring, ctx: click.Context, slack_dm: str, as_json: bool) -> None:
    """Test what sending needs: settings, database, mail, Slack, links, clock. Only --slack-dm sends a message.

    Exit status 1 if there is a problem.

    Example: commsengine doctor
    """
    from commsengine.cli.doctor.checks import examine, message_in_slack

    findings = message_in_slack(wiring, slack_dm) if slack_dm else examine(wiring)
    sound = all(finding.state != "problem" for finding in findings)
    if as_json:
        show_json({"ok": sound, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            mark, colour = MARKS[finding.state]
            said = in_one_line(f"{_(finding.about):<9} {finding.text}")
            colourful(f"{click.style(f'{_(mark):<7} ', fg=colour)}{said}")
            if finding.fix:
                click.echo(f"{'':<18}{finding.fix}")
    ctx.exit(0 if sound else 1)
