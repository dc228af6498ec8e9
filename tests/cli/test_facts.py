"""``facts``: who did it, from a spreadsheet or by hand."""

from __future__ import annotations

import codecs
import datetime as dt
from pathlib import Path

import pytest

from tests.authoring.workbooks import xlsx
from tests.cli.conftest import plan
from tests.cli.terminal import Said, Terminal

OUTCOMES = """outcomes:
  first_call: {title: The first call is logged, by: go_live}
"""
TWO = OUTCOMES + "  training: {title: The course is done, by: go_live}\n"
TODAY = dt.datetime.now(dt.UTC).date()


def with_outcomes(terminal: Terminal, outcomes: str = OUTCOMES) -> Terminal:
    written = plan(**{"audience:\n": f"{outcomes}audience:\n"})
    for command in (
        ("people", "import", terminal.path("people.csv")),
        ("apply", terminal.write("schedules/crm.yaml", written), "--yes"),
    ):
        said = terminal.run(*command)
        assert said.status == 0, said.err
    return terminal


@pytest.fixture
def house(terminal: Terminal) -> Terminal:
    return with_outcomes(terminal)


def imported(house: Terminal, data: bytes | str, *options: str) -> Said:
    file = house.folder / "calls.csv"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return house.run("facts", "import", str(file), *options)


def test_a_file_is_taken_in_once(house: Terminal) -> None:
    rows = f"email,outcome,date\nana@example.com,first_call,{TODAY}\nBEN@example.com,,{TODAY:%d.%m.%Y}\n"
    assert imported(house, rows).out == "2 read: 2 new, 0 known already, 0 left out (crm).\n"
    again = imported(house, rows, "--json", "--campaign", "crm")
    assert again.data == {"campaign": "crm", "read": 2, "recorded": 0, "known": 2, "rejected": []}
    (outcome,) = house.json("facts", "crm")["outcomes"]
    assert {name: outcome[name] for name in ("outcome", "title", "by")} == {
        "outcome": "first_call", "title": "The first call is logged", "by": "go_live",
    }  # fmt: skip
    assert [(one["person"], one["source"], one["again"]) for one in outcome["done"]] == [
        ("ana@example.com", "file", 0), ("ben@example.com", "file", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + f"E-Mail;Date\r\nana@example.com;{TODAY}\r\n".encode(),
        f"id\tdone at\nana@example.com\t{TODAY}T00:00:01+00:00\n".encode("utf-16"),
        f"sep=;\nemail;day\nana@example.com;{TODAY}".encode(),
    ],
)
def test_any_spreadsheet_will_do(house: Terminal, data: bytes) -> None:
    said = imported(house, data)
    assert (said.status, said.out) == (0, "1 read: 1 new, 0 known already, 0 left out (crm).\n"), said.err


def test_a_workbook_with_a_title_will_do(house: Terminal) -> None:
    rows = [["Calls of the week"], [], ["Email", "Date"], ["ana@example.com", str(TODAY)]]
    assert "1 new" in imported(house, xlsx({"Calls": rows})).out


def test_a_bad_row_changes_nothing_and_each_says_where_it_is(house: Terminal) -> None:
    later = TODAY + dt.timedelta(days=3)
    rows = f"email,outcome,date\nana@example.com,first_call,{TODAY}\nnobody@example.com,first_call,{TODAY}\n"
    rows += f"ben@example.com,first_cal,{TODAY}\nben@example.com,first_call,{later}\nben@example.com,,0001-01-01\n"
    said = imported(house, rows)
    assert said.status == 2
    places = [line.partition("calls.csv:")[2].partition(": error")[0] for line in said.err.splitlines()[:4]]
    assert places == ["3:1", "4:2", "5:3", "6:3"]
    assert "first_call" in said.err.splitlines()[1]
    assert "is in the future" in said.err
    assert "4 rows are wrong, so nothing was changed." in said.err
    assert house.json("facts", "crm")["outcomes"][0]["done"] == []
    kept = imported(house, rows, "--skip-bad")
    assert (kept.status, kept.out) == (0, "5 read: 1 new, 0 known already, 4 left out (crm).\n")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "The file is empty."),
        ("e-mial,date\n", "Rename 'e-mial' to 'email'."),
        ("email\nana@example.com\n", "There is no column 'date' that says when it was done."),
        ("email,mail,date\n", "There are two columns 'email'."),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(house: Terminal, rows: str, said: str) -> None:
    found = imported(house, rows)
    assert found.status == 2
    assert said in found.err


def test_one_fact_by_hand(house: Terminal) -> None:
    said = house.run("facts", "add", "crm", "first_call", "ana@example.com", "--at", str(TODAY))
    assert (said.status, said.out) == (0, "Recorded: ana@example.com did 'first_call'.\n")
    again = house.run("facts", "add", "crm", "first_call", "ana@example.com", "--at", str(TODAY))
    assert again.out == "It was on record already: ana@example.com, 'first_call'.\n"
    shown = house.run("facts", "crm").out
    assert shown.startswith("first_call: The first call is logged, by 2027-01-10\n  1 person did it\n")
    assert "Ana Kim" in shown
    assert house.json("people", "show", "ana@example.com")["deed"][0]["outcome"] == "first_call"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "crm", "frist_call", "ana@example.com"), "first_call"),
        (("add", "crm", "first_call", "ann@example.com"), "ana@example.com"),
        (("add", "cmr", "first_call", "ana@example.com"), "crm"),
        (("add", "crm", "first_call", "ana@example.com", "--at", "yesterday"), "'yesterday' is not a day."),
        (("cmr",), "crm"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(house: Terminal, arguments: tuple[str, ...], said: str) -> None:
    found = house.run("facts", *arguments)
    assert found.status == 2
    assert said in found.err


def test_with_several_outcomes_each_row_names_one(terminal: Terminal) -> None:
    house = with_outcomes(terminal, TWO)
    said = imported(house, f"email,date\nana@example.com,{TODAY}\n")
    assert said.status == 2
    assert "Write one of" in said.err
    assert "training" in said.err


def test_a_campaign_without_outcomes_says_how_to_get_some(applied: Terminal, tmp_path: Path) -> None:
    del tmp_path
    for arguments in (("crm",), ("import", applied.write("a.csv", "email,date\n"))):
        said = applied.run("facts", *arguments)
        assert said.status == 2
        assert "outcomes" in said.err
