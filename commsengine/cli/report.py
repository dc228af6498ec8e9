"""``report``: one page about a campaign, for its lead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import CAMPAIGN, FILE
from commsengine.cli.output import json_option, note, open_page, show_json, title, write
from commsengine.cli.workspace import with_workspace
from commsengine.translation import N_, _, in_language

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@click.option("--out", type=FILE, help=N_("Write the page to this file (default: report-CAMPAIGN.html)."))
@click.option("--open", "open_", is_flag=True, help=N_("Open the page in the browser."))
@json_option
@with_workspace
def report(wiring: Wiring, campaign: str, out: Path | None, open_: bool, as_json: bool) -> None:
    """Write one page with plots: what was sent, understood and may still be known.

    It tells of roles. Nobody is named on it, and no group of fewer than ten people is shown.

    Example: commsengine report crm-rollout --out report.html
    """
    from commsengine.reports.campaign_report import report as report_of
    from commsengine.reports.report_html import headline, page
    from commsengine.reports.report_json import as_data

    seen = report_of(wiring.store, campaign, wiring.clock(), wiring.rules.recall)
    file = out or (None if as_json and not open_ else wiring.folder / f"report-{campaign}.html")
    if file is not None:
        with in_language(wiring.rules.language):
            html = page(seen)
        write(file, html, _("Name another file with --out."))
    if as_json:
        show_json(as_data(seen))
    else:
        heading, lines = headline(seen)
        title(heading)
        for line in lines:
            click.echo(line)
    if file is not None:
        note(_("The report is in {file}.", file=file))
        if open_:
            open_page(file)
