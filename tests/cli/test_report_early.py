"""A report looked at before anything happened, as in the database that a rehearsal leaves."""

from __future__ import annotations

from pathlib import Path

from commsengine.reports.campaign_report import report
from commsengine.reports.report_html import page
from tests.on_record import DAY, STARTED, put_on_record


def test_it_is_a_page_that_says_so(tmp_path: Path) -> None:
    with put_on_record(tmp_path) as store:
        text = page(report(store, "crm", STARTED - 30 * DAY))
    assert "Nothing has been sent yet" in text
