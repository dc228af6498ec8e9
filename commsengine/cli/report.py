"""``report``: one page about a campaign, for its lead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import CAMPAIGN, FILE
from commsengine.cli.output import Progress, json_option, note, open_page, show_json, title, write
from commsengine.cli.workspace import with_workspace
from commsengine.translation import N_, _, in_language

if TYPE_CHECKING:
    from commsengine.reports.campaign_report import Report
    from commsengine.wiring import Wiring


@click.command()
@click.argument("campaign", type=CAMPAIGN)
@click.option("--out", type=FILE, help=N_("Write the page to this file (default: report-CAMPAIGN.html)."))
@click.option("--open", "open_", is_flag=True, help=N_("Open the page in the browser."))
@json_option
@with_workspace
def report(wiring: Wiring, campaign: str, out: Path | None, open_: bool, as_json: bool) -> None:
    """Write one page with plots: what was sent, understood and may still be known.

    It is about roles. It names no person, and shows no group of fewer than ten people.

    Example: commsengine report crm-rollout --out report.html
    """
    from commsengine.reports.report_json import as_data

    default = None if as_json and not open_ else report_file(wiring.folder, campaign)
    found = write_report(wiring, campaign, out or default)
    if as_json:
        show_json(as_data(found.report))
    else:
        show_headline(found)
    if found.file is not None:
        note(_("The report is in {file}.", file=found.file))
        if open_:
            open_page(found.file)


def report_file(folder: Path, campaign: str) -> Path:
    return folder / f"report-{campaign}.html"


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """``file`` is ``None`` where it was not to be written."""

    report: Report
    file: Path | None


def write_report(wiring: Wiring, campaign: str, file: Path | None) -> WrittenReport:
    from commsengine.reports.campaign_report import report as report_of
    from commsengine.reports.report_html import page

    with Progress(_("Counting")):
        seen = report_of(wiring.store, campaign, wiring.clock(), wiring.rules.recall)
    if file is not None:
        with in_language(seen.record.plan.language or wiring.rules.language):
            html = page(seen)
        write(file, html, _("Name another file with --out."))
    return WrittenReport(seen, file)


def show_headline(found: WrittenReport) -> None:
    from commsengine.reports.report_html import headline, under_titles

    heading, lines = headline(under_titles(found.report))
    title(heading)
    for line in lines:
        click.echo(line)
