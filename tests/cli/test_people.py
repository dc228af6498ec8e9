"""``people`` and ``suppress``: in, out, and gone for good."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re

import pytest
from sqlalchemy import select

from commsengine.sandbox.mailbox import Mailbox
from commsengine.store import tables
from commsengine.wiring import Wiring
from tests.cli.conftest import PEOPLE
from tests.cli.terminal import Said, Terminal, typing

AUDIT = select(tables.audit).order_by(tables.audit.c.id)
LEFT = "2026-12-31"

BAD = PEOPLE + "nobody,No Address,Sales,,DE,Europe/Berlin,\n"


def test_import_counts_what_it_did(terminal: Terminal) -> None:
    first = terminal.run("people", "import", terminal.path("people.csv")).out.splitlines()
    assert first[0].startswith("Read as UTF-8, ',' between cells")
    assert first[-2:] == ["4 rows: 4 new, 0 changed, 0 unchanged.", "Imported."]
    again = terminal.run("people", "import", terminal.path("people.csv"))
    assert again.out.endswith("\n4 rows: 0 new, 0 changed, 4 unchanged.\nImported.\n")


def test_a_bad_row_changes_nothing(terminal: Terminal) -> None:
    said = terminal.run("people", "import", terminal.write("people.csv", BAD))
    assert said.status == 2
    assert "people.csv:6:1: error:" in said.err
    assert "1 row is wrong" in said.err
    assert terminal.json("status")["campaigns"] == []
    assert len(terminal.run("people", "export").out.splitlines()) == 1


def test_skip_bad_imports_the_rest(terminal: Terminal) -> None:
    said = terminal.run("people", "import", terminal.write("people.csv", BAD), "--skip-bad")
    assert (said.status, "5 rows: 4 new" in said.out, "people.csv:6:1" in said.err) == (0, True, True)


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
    assert (same.status, "5 rows: 0 new, 0 changed, 5 unchanged." in same.out) == (0, True)
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
    assert said.out.endswith(
        "Not in the file, so not changed: name, department, manager, country, time_zone, left, site.\n"
        "2 rows: 0 new, 2 changed, 0 unchanged.\nImported.\n"
    )
    assert said.err.startswith("1 person of the file is marked as left, and that stays: ben@example.com.\n")
    changed = {"ben@example.com": {"phone": "'+1 9"}, "ana@example.com": {"phone": ""}}
    assert export(with_leaver) == {email: row | changed.get(email, {}) for email, row in before.items()}


def test_a_leaver_does_not_come_back_by_an_empty_cell(with_leaver: Terminal) -> None:
    rows = "email,phone,left\nana@example.com,1,\nben@example.com,1,\n"
    before = export(with_leaver)
    said = imported(with_leaver, rows)
    assert said.status == 2
    assert "Marked as left, and active again by this file: 1 (ben@example.com)." in said.err
    assert "p.csv --yes --because TEXT\n" in said.err
    assert imported(with_leaver, rows, "--yes").status == 2
    assert export(with_leaver) == before
    skipped = imported(with_leaver, rows, "--skip-bad")
    assert "2 rows: 0 new, 1 changed" in skipped.out
    assert f"p.csv:3:3: error: ben@example.com is marked as left on {LEFT}" in skipped.err
    assert (export(with_leaver)["ben@example.com"]["left"], export(with_leaver)["ana@example.com"]["phone"]) == (
        LEFT,
        "1",
    )


def test_a_leaver_comes_back_with_yes_and_it_is_told(with_leaver: Terminal) -> None:
    rows = "email,left\nben@example.com,\n"
    agreed = ("--yes", "--because", "Ben is back from Boston")
    assert imported(with_leaver, rows, *agreed).status == 0
    assert export(with_leaver)["ben@example.com"]["left"] == ""
    imported(with_leaver, f"email,left\nben@example.com,{LEFT}\n")
    with Wiring(with_leaver.folder) as wiring:
        audit = [row.detail for row in wiring.store.database.rows(AUDIT)]
    assert (audit[-2]["file"], audit[-2]["because"]) == ("p.csv", "Ben is back from Boston")
    assert audit[-2]["sha256"] == hashlib.sha256(rows.encode()).hexdigest()
    said = imported(with_leaver, rows, *agreed, "--json").data
    assert (said["returned"], said["columns"]) == (["ben@example.com"], ["email", "left"])
    assert said["kept"] == ["name", "department", "manager", "country", "time_zone", "phone", "site"]


def test_a_slip_in_a_heading_is_told_and_wipes_nothing(with_leaver: Terminal) -> None:
    said = imported(with_leaver, "email,departmnet\nana@example.com,IT\n")
    assert said.status == 0
    assert "p.csv:1:2: advice: 'departmnet' is not one of our columns" in said.err
    assert "Did you mean 'department'?" in said.err
    assert export(with_leaver)["ana@example.com"]["department"] == "Engineering"


CROWD = [f"p{number}@example.com,Person {number},DE\n" for number in range(40)]


def test_whoever_stands_in_a_bad_row_of_a_complete_file_has_not_left(terminal: Terminal) -> None:
    imported(terminal, "email,name,country\n" + "".join(CROWD))
    bad = CROWD[0].replace("DE", "Atlantis")
    said = imported(terminal, "email,name,country\n" + bad + "".join(CROWD[2:]), "--complete", "--skip-bad")
    assert (said.status, "38 unchanged, 1 marked as left." in said.out) == (0, True)
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
    assert (said.status, "Ana Kim" in said.out, "messages: 1\n" in said.out) == (0, True, True)
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
    assert started.run("suppress", "ana@example.com", "--lift").out == "ana@example.com gets messages again.\n"


def test_revoking_closes_links_and_is_asked_first(terminal: Terminal) -> None:
    terminal.run("people", "import", terminal.path("people.csv"))
    assert "Add --yes" in terminal.run("people", "revoke", "ana@example.com").err
    said = terminal.run("people", "revoke", "ana@example.com", "--yes")
    assert (said.status, said.out) == (0, "Closed. New messages to ana@example.com have new links.\n")
    assert "revoked: 1" in terminal.run("people", "show", "ana@example.com").out
    assert "revoked" not in terminal.run("people", "show", "ben@example.com").out
    assert terminal.run("people", "revoke", "anna@example.com").status == 2


# -- what an import changes -----------------------------------------------------------------------

MOVED = "email,manager,department\nana@example.com,ben@example.com,Sales\nben@example.com,,Sales\n"


def test_a_dry_run_shows_what_would_change_and_changes_nothing(terminal: Terminal) -> None:
    terminal.run("people", "import", terminal.path("people.csv"))
    before = terminal.run("people", "export").out
    said = imported(terminal, MOVED + "zoe@example.com,,IT\n", "--dry-run")
    assert (said.status, terminal.run("people", "export").out == before) == (0, True)
    assert "3 rows: 1 new, 2 changed, 0 unchanged.\n  new: zoe@example.com (no name)\n" in said.out
    assert "  ana@example.com: department Engineering → Sales, manager mia@example.com → ben@example.com\n" in said.out
    assert "Another manager than so far: 2 of 4 people (ana@example.com, ben@example.com)." in said.err
    assert said.out.endswith("Nothing is changed: this was a dry run.\n")
    data = imported(terminal, MOVED, "--dry-run", "--json").data
    assert (data["imported"], data["changes"][0]["person"]) == (False, "ana@example.com")
    assert data["changes"][1]["columns"] == {"manager": ["mia@example.com", ""]}
    assert [(each["kind"], each["people"], each["of"]) for each in data["reasons"]] == [("managers", 2, 4)]


def test_what_changes_many_is_asked_about_at_a_terminal(terminal: Terminal) -> None:
    terminal.run("people", "import", terminal.path("people.csv"))
    with typing("n\n"):
        assert imported(terminal, MOVED).status == 130
    assert export(terminal)["ana@example.com"]["manager"] == "mia@example.com"
    with typing("y\nBen leads them now\n"):
        assert imported(terminal, MOVED).status == 0
    assert export(terminal)["ana@example.com"]["manager"] == "ben@example.com"


def test_leavers_of_a_complete_file_are_asked_about(terminal: Terminal) -> None:
    imported(terminal, "email,name,country\n" + "".join(CROWD))
    rows = "email,name,country\n" + "".join(CROWD[3:])
    refused = imported(terminal, rows, "--complete")
    assert (refused.status, "Marked as left by this file: 3 of 40 people (p0@example.com" in refused.err) == (2, True)
    assert "--complete --yes --because TEXT" in refused.err
    assert not [row for row in export(terminal).values() if row["left"]]
    assert imported(terminal, rows, "--complete", "--yes", "--because", "The depot closed").status == 0
    assert len([row for row in export(terminal).values() if row["left"]]) == 3


def test_who_joins_a_running_campaign_is_told_with_the_first_message(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    said = imported(started, "email,name,department\nzoe@example.com,Zoe Q,Sales\n")
    (line,) = [line for line in said.out.splitlines() if "joins" in line]
    assert re.fullmatch(r"1 person joins crm; the first message goes \w{3} \d+ \w{3} \d\d:\d\d \(UTC\)\.", line)
    (join,) = imported(started, "email\nyan@example.com\nxia@example.com\n", "--dry-run", "--json").data["joins"]
    assert (join["campaign"], join["people"], join["looked_at"]) == ("crm", 2, 2)
    started.run("tick")
    (first,) = [row for row in started.json("touches", "crm")["touches"] if row["person"] == "zoe@example.com"]
    shown = dt.datetime.fromisoformat(first["at"])
    assert f"{shown:%a} {shown.day} {shown:%b %H:%M}" in line


# -- headings that mean something ------------------------------------------------------------------

STRANGE = "email,Kst,Boss,Notes\nana@example.com,Lager,ben@example.com,secret\n"
MAPS = ("--map", "Kst=department", "--map", "Boss=manager", "--map", "Notes=-")


@pytest.mark.parametrize(
    ("maps", "told"),
    [
        (("--map", "Kst"), "'Kst' does not have the form HEADING=COLUMN."),
        (("--map", "Kst="), "'Kst' does not say what it means."),
        (("--map", "Kst=departmnt"), "Did you mean 'department'?"),
        (("--map", "Kst=manager", "--map", "Boss=manager"), "'Kst' and 'Boss' cannot both be 'manager'."),
    ],
)
def test_a_mapping_that_cannot_be_is_one_error(terminal: Terminal, maps: tuple[str, ...], told: str) -> None:
    said = imported(terminal, STRANGE, *maps)
    assert (said.status, told in said.err, said.err.count("\n")) == (2, True, 1)
    assert not (terminal.folder / "people-columns.yaml").exists()


def test_what_headings_mean_is_said_once(terminal: Terminal) -> None:
    terminal.run("people", "import", terminal.path("people.csv"))
    assert imported(terminal, STRANGE, *MAPS, "--dry-run").status == 0
    assert not (terminal.folder / "people-columns.yaml").exists()
    said = imported(terminal, STRANGE, *MAPS)
    assert "is kept in people-columns.yaml; the next file needs no --map." in said.err
    ana = export(terminal)["ana@example.com"]
    assert (ana["department"], ana["manager"], "Notes" in ana) == ("Lager", "ben@example.com", False)
    again = imported(terminal, STRANGE.replace("Lager", "Labor").replace("secret", "new"))
    assert (again.status, export(terminal)["ana@example.com"]["department"]) == (0, "Labor")
    assert imported(terminal, STRANGE, "--map", "Kst=depot").status == 0
    kept = (terminal.folder / "people-columns.yaml").read_text()
    assert [line for line in kept.splitlines() if not line.startswith("#")] == [
        '"Kst": "depot"', '"Boss": manager', '"Notes": "-"'
    ]  # fmt: skip
    assert export(terminal)["ana@example.com"]["depot"] == "Lager"


def test_a_heading_that_is_not_there_is_told_with_the_near_one(terminal: Terminal) -> None:
    said = imported(terminal, STRANGE, "--map", "Note=-")
    assert (said.status, "No column is called 'Note'. Did you mean 'Notes'?" in said.err) == (2, True)


# -- other ids -------------------------------------------------------------------------------------


def test_ids_of_a_file_are_adopted_with_the_history(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("tick")
    rows = "id,email,name\nE1,ana@example.com,Ana Kim\nE2,ben@example.com,Ben Ortiz\nE9,new@example.com,New\n"
    refused = imported(started, rows)
    assert (refused.status, "--rekey" in refused.err) == (2, True)
    assert (
        "The ids of the file are taken for 2 people known by address, 2 of them with a history."
        in imported(started, rows, "--rekey", "--dry-run").out
    )
    data = imported(started, rows, "--rekey", "--json").data
    assert (data["rekeyed"], data["added"], data["unchanged"]) == (
        {"ana@example.com": "E1", "ben@example.com": "E2"},
        1,
        2,
    )
    assert started.json("people", "show", "E1")["touch"]
    assert imported(started, rows).status == 0
    started.run("tick")
    assert len([row for row in started.json("touches", "crm")["touches"] if row["person"] == "ana@example.com"]) == 1


# -- finding people --------------------------------------------------------------------------------

LEONS = "email,name,department\nleon.f@example.com,Léon Fischer,IT\nleonie@example.com,Leonie Braun,IT\n"


@pytest.fixture
def crowd(terminal: Terminal) -> Terminal:
    """Léon and Leonie beside the four."""
    terminal.run("people", "import", terminal.path("people.csv"))
    imported(terminal, LEONS)
    return terminal


@pytest.mark.parametrize("said", ["leon fischer", "leon", "LÉON", "fisch", "leon.f", "leon.f@example.com"])
def test_a_person_is_found_by_a_part_of_the_name(crowd: Terminal, said: str) -> None:
    assert crowd.json("why", said)["person"] == "leon.f@example.com"
    assert crowd.json("people", "show", said)["person"]["name"] == "Léon Fischer"
    assert crowd.run("people", "revoke", said, "--yes").out.startswith("Closed. New messages to leon.f@example.com")


def test_several_who_fit_are_listed(crowd: Terminal) -> None:
    for command in (("why",), ("people", "show"), ("people", "erase")):
        said = crowd.run(*command, "leo")
        assert (said.status, said.err.count("\n")) == (2, 1)
        assert "2 people match 'leo'. Name one by address: Léon Fischer <leon.f@example.com>, Leonie Braun" in said.err


def test_a_name_that_nobody_has_is_told_with_the_near_ones(crowd: Terminal) -> None:
    said = crowd.run("why", "Ben Ortis")
    assert (said.status, "There is no person called 'Ben Ortis'. Did you mean Ben Ortiz?" in said.err) == (2, True)


def listed(terminal: Terminal, *options: str) -> list[str]:
    return [each["email"].partition("@")[0] for each in terminal.json("people", "list", *options)["people"]]


def test_people_are_listed_by_what_is_asked(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    imported(started, "email,left\nben@example.com,2020-12-31\n")
    assert listed(started) == ["ana", "dana", "mia"]
    assert listed(started, "--left") == ["ben"]
    assert listed(started, "--search", "kim") == ["ana"]
    assert listed(started, "--department", "SALES") == ["mia"]
    assert listed(started, "--role", "others") == ["ana", "dana"]
    assert listed(started, "--campaign", "crm", "--role", "sales") == ["mia"]
    (ana,) = started.json("people", "list", "--campaign", "crm", "--search", "ana kim")["people"]
    assert (ana["role"], ana["manager"]) == ("others", "mia@example.com")
    said = started.run("people", "list", "--campaign", "crm")
    assert "Ana Kim" in said.out
    assert "3 people." in said.err


def test_whoever_leaves_one_day_is_listed_until_then(crowd: Terminal) -> None:
    imported(crowd, "email,left\nben@example.com,2099-12-31\n")
    assert "ben" in listed(crowd)
    assert listed(crowd, "--left") == []


def test_attributes_and_days_are_shown_as_they_are_written(crowd: Terminal) -> None:
    imported(crowd, "email,days,leave,Cost Center\nben@example.com,mon tue,2027-02-08..2027-02-09,0123\n")
    shown = crowd.run("people", "show", "ben@example.com").out
    assert "days: mon tue\n" in shown
    assert "leave: 2027-02-08..2027-02-09\n" in shown
    assert "Cost Center: 0123\n" in shown
    assert "frozenset" not in shown


def test_what_cannot_be_listed_is_told_with_the_near_names(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    for options, told in (
        (("--role", "slaes"), "Did you mean sales?"),
        (("--campaign", "crn"), "Did you mean crm?"),
        (("--department", "Slaes"), "Did you mean 'Sales'?"),
    ):
        said = started.run("people", "list", *options)
        assert (said.status, told in said.err) == (2, True), said.err


def test_an_address_that_nobody_has_is_suppressed_with_yes_only(crowd: Terminal) -> None:
    said = crowd.run("suppress", "bne@example.com")
    assert (said.status, "Did you mean ben@example.com?" in said.err) == (2, True)
    assert crowd.run("suppress", "bne@example.com", "--lift").out == "bne@example.com was not suppressed.\n"
    assert crowd.run("suppress", "bne@example.com", "--yes").out == "bne@example.com gets no more messages.\n"
    assert crowd.run("suppress", "ben ortiz").out == "ben@example.com gets no more messages.\n"
