import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from commsengine.authoring.people.people_file import load_people
from commsengine.cadence.people import Person
from commsengine.cadence.population import ListedPeople
from commsengine.errors import InputError
from tests.authoring.exported import exported
from tests.authoring.written import write
from tests.builders import ANA, BEN, MIA

HEADER = "id,email,name,manager,country,region,time_zone,days,language,channel,slack_id,leave,left"


def load(folder: Path, text: str | bytes, **known: Sequence[Person]) -> tuple[Person, ...]:
    found = load_people(write(folder, text, "people.csv"), **known)
    assert not found.rejected
    return found.people


# One row after a sound first one, the cell that is told (line:cell), the cause, the fix.
ROWS = {
    "no address": ("2,,Ben", "3:2", "The e-mail address is empty", "ana@example.com"),
    "no at": ("2,ben.example.com,Ben", "3:2", "is not an e-mail address", "ana@example.com"),
    "two ats": ("2,ben@x@example.com,Ben", "3:2", "is not an e-mail address", "ana@example.com"),
    "no ending": ("2,ben@example,Ben", "3:2", "is not an e-mail address", "ana@example.com"),
    "two dots": ("2,ben..o@example.com,Ben", "3:2", "is not an e-mail address", "ana@example.com"),
    "name in address": ("2,Ben O <ben@example.com>,Ben", "3:2", "is more than an e-mail address", "the address alone"),
    "line break in address": (
        '2,"ben@example.com\r\nBcc: x@example.com",Ben',
        "3:2",
        "contains a line break",
        "Type it again",
    ),
    "encoded address": ("2,=?utf-8?q?x?=@example.com,Ben", "3:2", "contains '=?'", "Type it again"),
    "letters before the at": ("2,bén@example.com,Ben", "3:2", "letters beyond a-z", "plain letters"),
    "encoded name": ("2,ben@example.com,=?utf-8?q?Hi=0D=0ABcc?=", "3:3", "contains '=?'", "plain letters"),
    "line break in name": ('2,ben@example.com,"Ben\nOrtiz"', "3:3", "contains a line break", "Type it again"),
    "empty name": ("2,ben@example.com, ", "3:3", "The name is empty", "Write the name"),
    "same id": ("1,ben@example.com,Ben", "3:1", "The id '1' is taken by line 2", "id of their own"),
    "same address": ("2,ANA@example.com,Ana", "3:2", "has another id in line 2", "one row"),
    "unknown manager": (
        "2,ben@example.com,Ben,anna@example.com",
        "3:4",
        "neither in this file nor",
        "'ana@example.com'",
    ),
    "country that is none": ("2,ben@example.com,Ben,,Grmany", "3:5", "'Grmany' is not a country", "'DE' (Germany)"),
    "country like none": ("2,ben@example.com,Ben,,Wonderland", "3:5", "is not a country", "two letters of ISO 3166"),
    "unknown region": ("2,ben@example.com,Ben,,DE,DE-XY", "3:6", "'DE-XY' is not a region of DE", "such as 'BB'"),
    "region alone": ("2,ben@example.com,Ben,,,BY", "3:6", "has no country", "Write the country"),
    "almost a city": ("2,ben@example.com,Ben,,,,Amsterdm", "3:7", "is not a time zone", "'Europe/Amsterdam'"),
    "offset as zone": ("2,ben@example.com,Ben,,,,GMT+1", "3:7", "is not a time zone", "Write a place"),
    "zone of three letters": ("2,ben@example.com,Ben,,,,PST", "3:7", "is not a time zone", "'America/Los_Angeles' or"),
    "unknown weekday": ("2,ben@example.com,Ben,,,,,mon tues", "3:8", "'tues' is not a weekday", "mon-thu"),
    "unknown language": ("2,ben@example.com,Ben,,,,,,german!", "3:9", "is not a language", "'en'"),
    "unknown channel": ("2,ben@example.com,Ben,,,,,,,emial", "3:10", "is not a channel", "'email'"),
    "channel that is no more": ("2,ben@example.com,Ben,,,,,,,file", "3:10", "is not a channel", "'email'"),
    "Slack name": ("2,ben@example.com,Ben,,,,,,,,@ben", "3:11", "not a Slack member ID", "member ID"),
    "leave backwards": (
        "2,ben@example.com,Ben,,,,,,,,,2027-02-09..2027-02-08",
        "3:12",
        "ends before it begins",
        "two dots",
    ),
    "leave in words": ("2,ben@example.com,Ben,,,,,,,,,next week", "3:12", "is not a date", "YYYY-MM-DD"),
    "a day that may be two": ("2,ben@example.com,Ben,,,,,,,,,,03/04/2027", "3:13", "2027-04-03 or 2027-03-04", "YYYY"),
    "no such day": ("2,ben@example.com,Ben,,,,,,,,,,2027-02-30", "3:13", "is not a day of the calendar", "month"),
    "cell without heading": (
        "2,ben@example.com,Ben" + "," * 11 + "x",
        "3:14",
        "a column without a name",
        "Name the column",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_rejected_row_has_line_cell_cause_and_fix(name: str, tmp_path: Path) -> None:
    row, place, cause, fix = ROWS[name]
    found = load_people(write(tmp_path, f"{HEADER}\n1,ana@example.com,Ana\n{row}\n", "people.csv"))
    (problem,) = found.rejected
    assert (f"{problem.line}:{problem.column}", found.read, len(found.people)) == (place, 2, 1)
    assert cause in problem.message
    assert fix in problem.fix


# A file that cannot be used at all: the place, the cause, the fix.
FILES: dict[str, tuple[str | bytes, str, str, str]] = {
    "empty": ("", "1:1", "The file is empty", "'email' among them"),
    "no address column": ("name,emial\nAna,a\n", "1:1", "The column 'email' is missing", "Rename 'emial'"),
    "no header": ("ana@example.com,Ana\n", "1:1", "The column 'email' is missing", "put the column names above it"),
    "column twice": ("email,name,E-Mail\n", "1:3", "There are two columns 'email'", "Keep one"),
    "open quote": ('email,name\na@example.com,"Ana\nb@example.com,B\n', "2:1", "never closed", "Close it"),
    "10 MB cell": (b"email,name\na@example.com," + b"x" * 10_000_000, "2:1", "more than 131,072 characters", "shorten"),
    "1,000,001 rows": (
        b"email\n" + b"a@example.com\n" * 1_000_001,
        "1000002:1",
        "more than 1,000,000 rows",
        "Split it",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used_is_refused_at_once(name: str, tmp_path: Path) -> None:
    text, place, cause, fix = FILES[name]
    began = time.process_time()
    with pytest.raises(InputError) as raised:
        load_people(write(tmp_path, text, "people.csv"))
    (problem,) = raised.value.problems
    assert (f"{problem.line}:{problem.column}", cause in problem.message, fix in problem.fix) == (place, True, True)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_spreadsheets_are_read_whatever_their_encoding(encoding: str, delimiter: str, tmp_path: Path) -> None:
    text = delimiter.join(["E-Mail", "Name"]) + "\r\n" + delimiter.join(["a@example.com", "Jürgen Müller"]) + "\r\n"
    assert load(tmp_path, text.encode(encoding)) == (Person("a@example.com", "a@example.com", "Jürgen Müller"),)


def test_excels_hint_of_the_delimiter_is_obeyed(tmp_path: Path) -> None:
    (person,) = load(tmp_path, "sep=;\nemail;name\na@example.com;Kim, Ana\n")
    assert person.name == "Ana Kim"


def test_a_row_has_all_its_values_in_their_own_form(tmp_path: Path) -> None:
    row = "7,Ana@Example.com,Ana Kim,,kr,,Asia/Seoul,mon-wed fri,pt_BR,Slack,U012AB"
    away = "2027-02-08..2027-02-12; 2027-03-01,2027-06-30"
    (ana,) = load(tmp_path, f"{HEADER},Cost Center\n{row},{away},0123\n")
    assert ana == Person(
        id="7", email="ana@example.com", name="Ana Kim", country="KR", time_zone="Asia/Seoul",
        days=frozenset({0, 1, 2, 4}), language="pt-BR", channel="slack", slack_id="U012AB",
        leave=((dt.date(2027, 2, 8), dt.date(2027, 2, 12)), (dt.date(2027, 3, 1), dt.date(2027, 3, 1))),
        left=dt.date(2027, 6, 30), attributes={"Cost Center": "0123"},
    )  # fmt: skip


def test_a_line_is_that_of_the_row_even_behind_quoted_line_breaks(tmp_path: Path) -> None:
    text = 'email,note\na@example.com,"two\nlines"\n\nbad,x\n'
    assert [p.line for p in load_people(write(tmp_path, text, "people.csv")).rejected] == [5]


def test_whoever_is_a_manager_in_the_file_is_marked(tmp_path: Path) -> None:
    mia, ana = load(tmp_path, "email,manager\nmia@example.com,\nana@example.com,MIA@example.com\n")
    assert (mia.is_manager, ana.is_manager, ana.manager) == (True, False, "mia@example.com")


def test_a_manager_may_be_in_the_directory(tmp_path: Path) -> None:
    (ana,) = load(tmp_path, "email,manager\nana@example.com,mia@example.com\n", directory=ListedPeople((MIA,)))
    assert ana.manager == "mia@example.com"


FULL = replace(
    ANA, id="7", region="11", language="ko", left=dt.date(2027, 6, 30), days=frozenset({0, 1}),
    leave=((dt.date(2027, 2, 8), dt.date(2027, 2, 8)),), attributes={"site": "B", "grade": "7"}, wished_channel="slack",
)  # fmt: skip
DIRECTORY = ListedPeople((MIA, FULL, BEN))

# A file about Ana, and what it changes about her.
PARTS: dict[str, tuple[str, dict[str, object]]] = {
    "address alone": ("email\nANA@example.com", {}),
    "phone list": ("email,phone\nana@example.com,1", {"phone": "1"}),
    "empty cells": ("email,phone,manager,leave\nana@example.com,,,", {"phone": "", "manager": "", "leave": ()}),
    "a new address": ("id,email\n7,ana.kim@example.com", {"email": "ana.kim@example.com"}),
    "an attribute": ("email,grade\nana@example.com,8", {"attributes": {"site": "B", "grade": "8"}}),
    "an empty attribute": ("email,grade\nana@example.com,", {"attributes": {"site": "B"}}),
    "a new attribute": ("email,desk\nana@example.com,3", {"attributes": {"site": "B", "grade": "7", "desk": "3"}}),
    "another day": ("email,left\nana@example.com,2027-05-01", {"left": dt.date(2027, 5, 1)}),
    "a region": ("email,region\nana@example.com,26", {"region": "26"}),
    "the same country": ("email,country\nana@example.com,KR", {}),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_a_file_has_no_column_for_stays_as_it_is(name: str, tmp_path: Path) -> None:
    text, changed = PARTS[name]
    assert load(tmp_path, text + "\n", directory=DIRECTORY) == (replace(FULL, **changed),)  # type: ignore[arg-type]


def test_a_new_person_has_nothing_but_what_the_file_says(tmp_path: Path) -> None:
    (new,) = load(tmp_path, "email,phone\nzoe@example.com,1\n", directory=DIRECTORY)
    assert new == Person("zoe@example.com", "zoe@example.com", phone="1")


def test_columns_and_what_they_leave_are_told(tmp_path: Path) -> None:
    found = load_people(write(tmp_path, "E-Mail,phone,desk\nana@example.com,1,3\n", "p.csv"), directory=DIRECTORY)
    assert found.columns == ("email", "phone", "desk")
    assert found.kept == (
        "name", "department", "job", "manager", "country", "region", "time_zone", "language", "days", "leave", "left",
        "grade", "site",
    )  # fmt: skip
    new = load_people(write(tmp_path, "email,phone\nzoe@example.com,1\n", "p.csv"), directory=DIRECTORY)
    assert new.kept == ()


def test_a_row_that_would_end_somebodys_left_is_named(tmp_path: Path) -> None:
    text = "email,name,left\nben@example.com,Ben,\nana@example.com,Ana,\n"
    found = load_people(write(tmp_path, text, "p.csv"), directory=DIRECTORY)
    assert ([person.left for person in found.people], found.rejected) == ([None, None], ())
    assert (list(found.returning), found.returned) == (["7"], ("ana@example.com",))
    refused = found.without_returning()
    assert [person.email for person in refused.people] == ["ben@example.com"]
    assert [(p.line, p.column, p.code) for p in refused.rejected] == [(3, 3, "returns")]
    assert "is marked as left on 2027-06-30" in refused.rejected[0].message
    assert "--yes" in refused.rejected[0].fix
    assert refused.returned == ()


def test_a_region_must_go_with_the_country_of_the_directory(tmp_path: Path) -> None:
    files = {
        "email,country\nana@example.com,DE\n": "'11' that the directory has is not a region of DE",
        "email,country\nana@example.com,\n": "The directory has the region '11' without a country",
        "email,region\nben@example.com,BY\n": "'BY' is not a region of US",
    }
    for text, cause in files.items():
        (problem,) = load_people(write(tmp_path, text, "p.csv"), directory=DIRECTORY).rejected
        assert (problem.line, problem.column, cause in problem.message) == (2, 2, True), text


def test_whoever_has_no_name_may_go_on_without_one(tmp_path: Path) -> None:
    nameless = Person("zoe@example.com", "zoe@example.com")
    assert load(tmp_path, "email,name\nzoe@example.com,\n", directory=ListedPeople((nameless,))) == (nameless,)


def test_a_manager_that_the_file_does_not_name_is_not_asked_for(tmp_path: Path) -> None:
    lost = replace(BEN, manager="gone@example.com")
    assert load(tmp_path, "email,phone\nben@example.com,1\n", directory=ListedPeople((lost,))) == (
        replace(lost, phone="1"),
    )


def test_whoever_manages_somebody_beside_the_file_is_a_manager(tmp_path: Path) -> None:
    promoted = replace(BEN, manager=ANA.email)
    ana, mia = load(
        tmp_path,
        "email\nana@example.com\nmia@example.com\n",
        directory=ListedPeople(
            (
                MIA,
                ANA,
                promoted,
            )
        ),
    )
    assert (ana.is_manager, mia.is_manager) == (True, True)
    alone = load(
        tmp_path,
        "email,manager\nana@example.com,\nmia@example.com,\n",
        directory=ListedPeople(
            (
                MIA,
                ANA,
            )
        ),
    )
    assert [person.is_manager for person in alone] == [False, False]


@pytest.mark.parametrize(
    ("heading", "told"),
    [("departmnet", "department"), ("Manger", "manager"), ("Time Zonne", "time_zone"), ("emial", None),
     ("Level", None), ("Cost Center", None), ("team", None)],
)  # fmt: skip
def test_a_heading_almost_like_a_column_is_told(heading: str, told: str | None, tmp_path: Path) -> None:
    found = load_people(write(tmp_path, f"email,{heading}\na@example.com,x\n", "p.csv"))
    assert len(found.people) == 1
    assert [(p.line, p.column, p.severity, p.fix) for p in found.advice] == (
        [(1, 2, "advice", f"Did you mean '{told}'?")] if told else []
    )


def test_a_heading_beside_the_column_it_is_like_is_meant(tmp_path: Path) -> None:
    assert load_people(write(tmp_path, "email,department,departments\na@example.com,x,y\n", "p.csv")).advice == ()


def test_wrong_rows_are_counted_and_not_their_cells(tmp_path: Path) -> None:
    text = "email,country,days,channel\na@example.com,Grmany,tues,emial\n"
    found = load_people(write(tmp_path, text, "p.csv"))
    assert (len(found.rejected), found.wrong_rows) == (3, 1)


def test_whoever_stands_in_a_rejected_row_is_present(tmp_path: Path) -> None:
    rows = "ana@example.com,Grmany\nben.example.com,US\nzoe@example.com,Grmany\nmia@example.com,DE,x\n"
    found = load_people(write(tmp_path, "email,country\n" + rows, "p.csv"), directory=DIRECTORY)
    assert (found.present, found.nameless) == ({"7"}, (3, 5))


def test_everybody_in_a_circle_of_managers_is_told(tmp_path: Path) -> None:
    pairs = ["a,b", "b,c", "c,a", "d,a"]
    rows = "".join(pair.replace(",", "@example.com,") + "@example.com\n" for pair in pairs)
    found = load_people(write(tmp_path, "email,manager\n" + rows, "people.csv"))
    assert [(p.line, p.code) for p in found.rejected] == [(2, "manager_loop"), (3, "manager_loop"), (4, "manager_loop")]
    assert "a@example.com → b@example.com → c@example.com → a@example.com" in found.rejected[0].message


def test_a_domain_beyond_ascii_becomes_idna(tmp_path: Path) -> None:
    (person,) = load(tmp_path, "email\nana@bücher.example\n")
    assert person.email == "ana@xn--bcher-kva.example"


def test_what_is_exported_comes_back_the_same(tmp_path: Path) -> None:
    people = (MIA, ANA, BEN, Person("x", "x@example.com", "X", days=frozenset({0, 2}), attributes={"grade": "=1+1"}))
    assert load(tmp_path, exported(people)) == people


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "\t=1", "=cmd|'/c calc'!A1", " =1"])
def test_no_exported_cell_or_heading_begins_like_a_formula(cell: str) -> None:
    text = exported([Person("x", "x@example.com", cell, attributes={cell: cell})])
    cells = [part.strip('"') for line in text.splitlines() for part in line.split(",")]
    assert [part for part in cells if part.lstrip().startswith(("=", "+", "-", "@", "＝", "＋"))] == []


@pytest.mark.slow
def test_many_rows_take_seconds(tmp_path: Path) -> None:
    row = "{0},p{0}@example.com,Person {0},p{1}@example.com,DE,BY,Europe/Berlin\n"
    rows = "".join(row.format(n, n // 10) for n in range(1, 20_000))
    text = f"{HEADER}\n0,p0@example.com,Person 0\n{rows}"
    began = time.process_time()
    assert len(load(tmp_path, text)) == 20_000
    assert time.process_time() - began < 10
