"""``people`` and ``suppress``: in, out, and gone for good."""

from __future__ import annotations

import json

from commsengine.sandbox.mailbox import Mailbox
from tests.cli.conftest import PEOPLE
from tests.cli.terminal import Terminal

BAD = PEOPLE + "nobody,No Address,Sales,,DE,Europe/Berlin,\n"


def test_import_counts_what_it_did(terminal: Terminal) -> None:
    assert terminal.run("people", "import", terminal.path("people.csv")).out.startswith("4 read, 4 imported: 4 new")
    again = terminal.run("people", "import", terminal.path("people.csv"))
    assert again.out == "4 read, 4 imported: 0 new, 0 changed, 4 as before.\n"


def test_a_bad_row_changes_nothing(terminal: Terminal) -> None:
    said = terminal.run("people", "import", terminal.write("people.csv", BAD))
    assert said.status == 2
    assert "people.csv:6:1: error:" in said.err
    assert terminal.json("status")["campaigns"] == []
    assert len(terminal.run("people", "export").out.splitlines()) == 1


def test_skip_bad_imports_the_rest(terminal: Terminal) -> None:
    said = terminal.run("people", "import", terminal.write("people.csv", BAD), "--skip-bad")
    assert (said.status, "5 read, 4 imported" in said.out, "people.csv:6:1" in said.err) == (0, True, True)


def test_a_file_that_is_not_there_is_named(terminal: Terminal) -> None:
    said = terminal.run("people", "import", terminal.path("poeple.csv"))
    assert (said.status, "poeple.csv" in said.err) == (2, True)


def test_what_is_exported_can_be_imported(terminal: Terminal) -> None:
    terminal.run("people", "import", terminal.path("people.csv"))
    out = terminal.path("out.csv")
    assert terminal.run("people", "export", "--out", out).status == 0
    assert terminal.run("people", "import", out).out == "4 read, 4 imported: 0 new, 0 changed, 4 as before.\n"


def test_show_tells_everything_but_right_or_wrong(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("tick")
    said = started.run("people", "show", "ana@example.com")
    assert (said.status, "Ana Kim" in said.out, "1 row of touch" in said.out) == (0, True, True)
    assert "is manager: no\n" in said.out
    shown = started.json("people", "show", "ana@example.com")
    assert shown["person"]["email"] == "ana@example.com"
    assert '"right"' not in json.dumps(shown)


def test_erase_asks_and_then_forgets(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("tick")
    assert started.run("people", "erase", "ana@example.com").status == 2
    assert started.run("people", "erase", "ana@example.com", "--yes").status == 0
    assert started.run("people", "show", "ana@example.com").status == 2
    assert started.json("status")["campaigns"][0]["touches"]["sent"] == 4


def test_a_suppressed_address_gets_nothing(started: Terminal, mailbox: Mailbox) -> None:
    assert started.run("suppress", "ana@example.com", "--reason", "bounced").status == 0
    started.run("tick")
    assert "ana@example.com" not in [mail.recipients[0] for mail in mailbox.arrived]
    assert [one["person"] for one in started.json("followups")["follow_ups"]] == ["ana@example.com"]
    assert started.run("suppress", "ana@example.com", "--lift").out == "ana@example.com may be written to again.\n"
