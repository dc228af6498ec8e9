"""``people`` and ``suppress``: in, out, and gone for good."""

from __future__ import annotations

import csv
import io
import json

import pytest

from commsengine.sandbox.mailbox import Mailbox
from commsengine.wiring import Wiring
from tests.cli.conftest import PEOPLE
from tests.cli.terminal import Said, Terminal

LEFT = "2026-12-31"

BAD = PEOPLE + "nobody,No Address,Sales,,DE,Europe/Berlin,\n"


def test_import_counts_what_it_did(terminal: Terminal) -> None:
    assert terminal.run("people", "import", terminal.path("people.csv")).out.startswith("4 read, 4 imported: 4 new")
    again = terminal.run("people", "import", terminal.path("people.csv"))
    assert again.out == (
        "4 read, 4 imported: 0 new, 0 changed, 4 as before.\n"
        "Columns read: email, name, department, manager, country, time_zone, phone.\n"
    )


def test_a_bad_row_changes_nothing(terminal: Terminal) -> None:
    said = terminal.run("people", "import", terminal.write("people.csv", BAD))
    assert said.status == 2
    assert "people.csv:6:1: error:" in said.err
    assert "1 row is wrong" in said.err
    assert terminal.json("status")["campaigns"] == []
    assert len(terminal.run("people", "export").out.splitlines()) == 1


def test_skip_bad_imports_the_rest(terminal: Terminal) -> None:
    said = terminal.run("people", "import", terminal.write("people.csv", BAD), "--skip-bad")
    assert (said.status, "5 read, 4 imported" in said.out, "people.csv:6:1" in said.err) == (0, True, True)


def test_a_file_that_is_not_there_is_named(terminal: Terminal) -> None:
    said = terminal.run("people", "import", terminal.path("poeple.csv"))
    assert (said.status, "poeple.csv" in said.err) == (2, True)


def test_a_row_with_three_bad_cells_is_one_row(terminal: Terminal) -> None:
    rows = "email,country,days,channel\nana@example.com,Grmany,tues,emial\n"
    assert (
        "1 row is wrong, so nothing was changed." in terminal.run("people", "import", terminal.write("p.csv", rows)).err
    )


def test_what_is_exported_is_edited_and_imported(terminal: Terminal) -> None:
    """With a nameless person, a leaver, attributes, and a wish of their own, which stays their own."""
    terminal.run("people", "import", terminal.path("people.csv"))
    more = "email,left,site,phone\nzoe@example.com,2027-01-05,=B1,+1\nben@example.com,,B2,+1\n"
    assert terminal.run("people", "import", terminal.write("more.csv", more)).status == 0
    wish_slack(terminal, "ana@example.com")
    out = terminal.path("out.csv")
    assert terminal.run("people", "export", "--out", out).status == 0
    same = terminal.run("people", "import", out)
    assert (same.status, same.out.splitlines()[0]) == (0, "5 read, 5 imported: 0 new, 0 changed, 5 as before.")
    text = (terminal.folder / "out.csv").read_bytes().decode().replace("Ben Ortiz", "Ben O.")
    assert terminal.json("people", "import", terminal.write("out.csv", text))["updated"] == 1
    ana = terminal.json("people", "show", "ana@example.com")["person"]
    assert (ana["channel"], ana["wished_channel"]) == ("", "slack")
    assert "Ben O." in terminal.run("people", "export").out


def test_an_export_to_a_folder_that_is_not_there_says_so(terminal: Terminal) -> None:
    out = terminal.path("nowhere/out.csv")
    said = terminal.run("people", "export", "--out", out)
    why = f"{out} cannot be written: No such file or directory. Name another file with --out.\n"
    assert (said.status, said.err) == (2, why)


def wish_slack(terminal: Terminal, email: str) -> None:
    with Wiring(terminal.folder) as wiring:
        wiring.store.people.set_preferences(email, channel="slack", quiet=None, now=wiring.clock())


def imported(terminal: Terminal, rows: str, *options: str) -> Said:
    return terminal.run("people", "import", terminal.write("p.csv", rows), *options)


def export(terminal: Terminal) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(terminal.run("people", "export").out))
    return {row["email"]: row for row in rows}


@pytest.fixture
def with_leaver(terminal: Terminal) -> Terminal:
    """Ben has left; everybody has a site."""
    rows = "".join(
        f"{line},{'left' if n == 0 else LEFT if line.startswith('ben') else ''},{'site' if n == 0 else 'B'}\n"
        for n, line in enumerate(PEOPLE.splitlines())
    )
    assert imported(terminal, rows).status == 0
    return terminal


def test_a_phone_list_changes_phones_and_nothing_else(with_leaver: Terminal) -> None:
    before = export(with_leaver)
    said = imported(with_leaver, "email,phone\nben@example.com,+1 9\nana@example.com,\n")
    assert said.out == (
        "2 read, 2 imported: 0 new, 2 changed, 0 as before.\n"
        "Columns read: email, phone. Not in the file, so left as they are: name, department, manager, country, "
        "time_zone, left, site.\n"
    )
    assert said.err == (
        "1 person of the file is marked as left, and that stays: ben@example.com.\n"
        "If they are back, give them an empty cell in a column 'left' and add --yes.\n"
    )
    changed = {"ben@example.com": {"phone": "'+1 9"}, "ana@example.com": {"phone": ""}}
    assert export(with_leaver) == {email: row | changed.get(email, {}) for email, row in before.items()}


def test_a_leaver_does_not_come_back_by_an_empty_cell(with_leaver: Terminal) -> None:
    rows = "email,phone,left\nana@example.com,1,\nben@example.com,1,\n"
    before = export(with_leaver)
    said = imported(with_leaver, rows)
    assert said.status == 2
    assert f"p.csv:3:3: error: ben@example.com is marked as left on {LEFT}" in said.err
    assert "1 row is wrong, so nothing was changed." in said.err
    assert export(with_leaver) == before
    assert imported(with_leaver, rows, "--skip-bad").out.startswith("2 read, 1 imported: 0 new, 1 changed")
    assert (export(with_leaver)["ben@example.com"]["left"], export(with_leaver)["ana@example.com"]["phone"]) == (
        LEFT,
        "1",
    )


def test_a_leaver_comes_back_with_yes_and_it_is_told(with_leaver: Terminal) -> None:
    rows = "email,left\nben@example.com,\n"
    assert "Marked as left until now, and active again: ben@example.com.\n" in imported(with_leaver, rows, "--yes").out
    assert export(with_leaver)["ben@example.com"]["left"] == ""
    imported(with_leaver, f"email,left\nben@example.com,{LEFT}\n")
    said = imported(with_leaver, rows, "--yes", "--json").data
    assert (said["returned"], said["columns"]) == (["ben@example.com"], ["email", "left"])
    assert said["kept"] == ["name", "department", "manager", "country", "time_zone", "phone", "site"]


def test_a_slip_in_a_heading_is_told_and_wipes_nothing(with_leaver: Terminal) -> None:
    said = imported(with_leaver, "email,departmnet\nana@example.com,IT\n")
    assert said.status == 0
    assert "p.csv:1:2: advice: 'departmnet' is not one of our columns" in said.err
    assert "Did you mean 'department'?" in said.err
    assert "Columns read: email. Attributes: departmnet. Not in the file" in said.out
    assert export(with_leaver)["ana@example.com"]["department"] == "Engineering"


CROWD = [f"p{number}@example.com,Person {number},DE\n" for number in range(40)]


def test_whoever_stands_in_a_bad_row_of_a_complete_file_has_not_left(terminal: Terminal) -> None:
    imported(terminal, "email,name,country\n" + "".join(CROWD))
    bad = CROWD[0].replace("DE", "Grmany")
    said = imported(terminal, "email,name,country\n" + bad + "".join(CROWD[2:]), "--complete", "--skip-bad")
    assert (said.status, "38 as before, 1 marked as left." in said.out) == (0, True)
    left = {email for email, row in export(terminal).items() if row["left"]}
    assert left == {"p1@example.com"}


def test_a_complete_file_with_a_row_of_nobody_marks_no_leavers(terminal: Terminal) -> None:
    imported(terminal, "email,name,country\n" + "".join(CROWD))
    bad = CROWD[0].replace("@", " at ")
    said = imported(terminal, "email,name,country\n" + bad + "".join(CROWD[1:]), "--complete", "--skip-bad")
    assert (said.status, "line 2" in said.err) == (2, True)
    assert not [row for row in export(terminal).values() if row["left"]]


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


def test_revoking_closes_links_and_is_asked_first(terminal: Terminal) -> None:
    terminal.run("people", "import", terminal.path("people.csv"))
    assert "Add --yes" in terminal.run("people", "revoke", "ana@example.com").err
    said = terminal.run("people", "revoke", "ana@example.com", "--yes")
    assert (said.status, said.out) == (0, "Closed. What ana@example.com is sent from now on brings new links.\n")
    assert "revoked: 1" in terminal.run("people", "show", "ana@example.com").out
    assert "revoked" not in terminal.run("people", "show", "ben@example.com").out
    assert terminal.run("people", "revoke", "anna@example.com").status == 2
