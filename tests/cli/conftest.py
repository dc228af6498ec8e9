"""A workspace of four people and a plan whose window is open at any hour, and a mail server to send to."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from commsengine.sandbox.mailbox import Mailbox
from commsengine.settings import PREFIX, Settings
from tests import fresh
from tests.cli.terminal import Terminal

PEOPLE = """\
email,name,department,manager,country,time_zone,phone
mia@example.com,Mia Wolf,Sales,,DE,Europe/Berlin,+49 30 1234
ana@example.com,Ana Kim,Engineering,mia@example.com,KR,Asia/Seoul,+82 2 1234
ben@example.com,Ben Ortiz,Sales,mia@example.com,US,America/New_York,+1 212 1234
dana@example.com,Dana Reyes,Change,,NL,Europe/Amsterdam,
"""

PLAN = """\
campaign: crm
title: One customer record
owner: [dana@example.com]
sponsor: sam@example.com
milestones: {{kickoff: {kickoff}, go_live: {go_live}}}
audience:
  roles:
    sales: {{department: [Sales]}}
    others: {{rest: true}}
send:
  channels: [email]
  window: {{days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}}
  holidays: false
wiifm:
  sales:
    {{why: Two lists cost orders., your_job: You log it., skills: One hour., measures: Calls., results: More orders.}}
  others:
    {{why: One list for us., your_job: You find it., skills: Five minutes., measures: Questions., results: Less work.}}
messages:
  - id: one-record
    key_point: Every customer conversation is logged in one record.
    from: kickoff
    until: go_live
    cadence: {{every: 48h, times: 5}}
follow_up:
  - {{after: 2 touches, do: remind}}
  - {{after: 1 touches, do: personal, by: manager}}
  - {{after: 5 working days, do: sponsor}}
"""


def plan(**replaced: str) -> str:
    """The plan, opened yesterday, closing in 40 days; ``replaced`` maps a text of it to another."""
    today = dt.datetime.now(dt.UTC).date()
    text = PLAN.format(kickoff=today - dt.timedelta(days=1), go_live=today + dt.timedelta(days=40))
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return text


def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.setenv("COMMSENGINE_SECRET_KEY", "a-key-of-enough-letters")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch)
    for name, value in fresh.settings(tmp_path).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """An empty workspace with people.csv and schedules/crm.yaml, nothing imported yet."""
    return laid_out(tmp_path)


def laid_out(folder: Path) -> Terminal:
    terminal = Terminal(folder)
    terminal.write("people.csv", PEOPLE)
    terminal.write("schedules/crm.yaml", plan())
    return terminal


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server that the settings name."""
    with Mailbox() as mailbox:
        monkeypatch.setenv("COMMSENGINE_SMTP_URL", mailbox.url)
        yield mailbox


@pytest.fixture
def applied(terminal: Terminal) -> Terminal:
    """The workspace with its people imported and its plan applied."""
    fresh.put(_applied_database(plan(), fresh.kind()), terminal.folder / "commsengine.db")
    return terminal


@cache
def _applied_database(plan: str, database: str) -> bytes:
    """Made once for each day: the plan names its dates."""
    del database
    with tempfile.TemporaryDirectory() as folder:
        terminal = laid_out(Path(folder))
        for command in (
            ("people", "import", terminal.path("people.csv")),
            ("apply", terminal.write("schedules/crm.yaml", plan), "--yes"),
        ):
            said = terminal.run(*command)
            assert said.status == 0, said.err
        return fresh.kept(terminal.folder / "commsengine.db")


@pytest.fixture
def started(applied: Terminal, mailbox: Mailbox) -> Terminal:
    """The campaign runs; nothing is sent yet."""
    del mailbox
    said = applied.run("start", "crm", "--yes")
    assert said.status == 0, said.err
    return applied
