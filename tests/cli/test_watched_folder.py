"""The watched folder through the commands: ``tick`` takes or holds, ``today`` says so and the admin is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commsengine.sandbox.mailbox import Mailbox
from tests.cli.conftest import PEOPLE
from tests.cli.terminal import Terminal

ADMIN = "ops@example.com"
NEW = PEOPLE.replace("Ana Kim", "Ana Kim-Lee")
WRONG = PEOPLE + "nobody,No Address,Sales,,DE,Europe/Berlin,\n"


@pytest.fixture
def watched(started: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The folder ``hr`` of the workspace is watched."""
    (started.folder / "hr").mkdir()
    monkeypatch.setenv("COMMSENGINE_PEOPLE_FEED", "hr")
    monkeypatch.setenv("COMMSENGINE_ADMIN_EMAIL", ADMIN)
    return started


def put(terminal: Terminal, rows: str, name: str = "hr/january.csv", *, age: float = 60) -> Path:
    file = Path(terminal.write(name, rows))
    then = file.stat().st_mtime - age
    os.utime(file, (then, then))
    return file


def test_a_tick_takes_the_file_of_the_month(watched: Terminal, mailbox: Mailbox) -> None:
    put(watched, NEW)
    assert watched.run("tick").status == 0
    assert watched.json("people", "show", "ana@example.com")["person"]["name"] == "Ana Kim-Lee"
    assert ADMIN not in [mail.recipients[0] for mail in mailbox.arrived]
    assert watched.json("today")["held_files"] == []


def test_a_held_file_is_told_until_it_is_imported_by_hand(watched: Terminal, mailbox: Mailbox) -> None:
    file = put(watched, WRONG)
    watched.run("tick")
    watched.run("tick")
    (held,) = watched.json("today")["held_files"]
    assert (held["source"], held["campaign"], [each["kind"] for each in held["reasons"]]) == ("feed", "", ["rows"])
    assert held["command"] == f"commsengine people import {file} --dry-run"
    assert "rows that are wrong: 1 of 5. See what is wrong: commsengine people import" in watched.run("today").out
    assert "The people file january.csv is held" in watched.run("status").out
    assert "The people file january.csv is held" in watched.run("doctor").out
    (alert,) = [mail for mail in mailbox.arrived if mail.recipients[0] == ADMIN]
    assert alert.message["Subject"] == "A people file needs your decision"
    assert watched.run("people", "import", str(file), "--skip-bad").status == 0
    assert watched.json("today")["held_files"] == []


def test_the_doctor_names_a_folder_that_cannot_be_read(watched: Terminal) -> None:
    assert "People files are taken from" in watched.run("doctor").out
    (watched.folder / "hr").rmdir()
    said = watched.run("doctor")
    assert "No such file or directory" in said.out
    assert "COMMSENGINE_PEOPLE_FEED" in said.out
