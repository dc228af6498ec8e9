"""How a people file is read: formats, encodings, headings, names, managers, dates and who works here."""

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from commsengine.authoring.people.countries import country_fix, country_of, region_of
from commsengine.authoring.people.encodings import EncodingError, decoded, known_encoding, plain_utf8
from commsengine.authoring.people.headings import field_of, sensitive
from commsengine.authoring.people.people_file import PeopleFile, load_people
from commsengine.authoring.people.time_zones import zone_fix, zone_of
from commsengine.authoring.people.understanding import sentences
from commsengine.cadence.people import Person
from commsengine.cadence.population import ListedPeople
from commsengine.errors import InputError
from tests.authoring.workbooks import Cell, ods, xlsx
from tests.authoring.written import write
from tests.builders import ANA, MIA
from tests.pseudo import in_pseudo, untranslated

TODAY = dt.date(2026, 12, 1)
GONE = Person("9", "old@example.com", "Old One", left=dt.date(2026, 1, 1))
GOING = Person("10", "soon@example.com", "Soon Gone", left=dt.date(2027, 1, 1))


def read(folder: Path, text: str | bytes, **given: Any) -> PeopleFile:
    return load_people(write(folder, text, "people.csv"), **{"today": TODAY, **given})


def one(folder: Path, header: str, row: str, **given: Any) -> Person:
    found = read(folder, f"email;{header}\na@example.com;{row}\n", **given)
    assert found.rejected == ()
    return found.people[0]


def codes(found: PeopleFile) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in (*found.rejected, *found.advice)]


# -- encodings -------------------------------------------------------------------------------------

WORDS = {
    "Jürgen Groß": "cp1252 mac_roman cp850 cp437 utf-8 utf-16",
    "ANDREAS MÜLLER": "cp1252 mac_roman cp850",
    "Éloïse Lefèvre François Hélène": "cp1252 mac_roman cp850 iso8859-15",
    "Muñoz José Begoña": "cp1252 mac_roman cp850",
    "Søren Ærø Åse Jørgensen": "cp1252 mac_roman cp850",
    "João Conceição Lourenço": "cp1252 mac_roman",
    "Łukasz Wiśniewski Grażyna": "cp1250 iso8859-2 cp852 mac_latin2",
    "Jiří Dvořák Žaneta": "cp1250 iso8859-2",
    "Gergő Szűcs": "cp1250 iso8859-2",
    "Şükrü Yılmaz Gülşen": "cp1254",
    "Иван Петров Ольга": "cp1251 koi8-r",
    "Γιώργος Παπαδόπουλος": "cp1253",
    "山田太郎 営業部": "cp932",
    "שלום כהן": "cp1255",
    "O’Brien – Zoë": "cp1252 mac_roman",
}


@pytest.mark.parametrize(
    ("words", "encoding"), [(text, name) for text, names in WORDS.items() for name in names.split()]
)
def test_letters_are_right_whatever_the_encoding_of_a_short_file(words: str, encoding: str) -> None:
    assert words in decoded(f"email,name\r\nx@example.com,{words}\r\n".encode(encoding)).text


@pytest.mark.parametrize("taken_for", ["cp1252", "iso8859-1", "mac_roman"])
def test_letters_that_were_encoded_twice_are_put_right_and_named(taken_for: str, tmp_path: Path) -> None:
    text = "email,name\na@example.com,Jürgen Groß\nb@example.com,Zoë\n"
    found = read(tmp_path, text.encode().decode(taken_for, "replace").encode())
    assert [person.name for person in found.people] == ["Jürgen Groß", "Zoë"]
    assert "Jürgen" in sentences(found.understood)[1]


def test_a_doubtful_encoding_is_told_with_both_readings(tmp_path: Path) -> None:
    found = read(tmp_path, "email,name\na@example.com,Søren Ærø\n".encode("cp850"))
    assert found.people[0].name == "Søren Ærø"
    assert [problem.code for problem in found.advice] == ["check_encoding"]
    assert "'Søren'" in found.advice[0].message
    named = read(tmp_path, "email,name\na@example.com,Søren Ærø\n".encode("cp850"), encoding="DOS 850")
    assert (named.people[0].name, named.advice) == ("Søren Ærø", ())


def test_letters_of_another_encoding_or_lost_ones_are_told(tmp_path: Path) -> None:
    rows = "email,name\na@example.com,Jürgen\nb@example.com,Zoë\nc@example.com,Élodie\n".encode()
    mixed = read(tmp_path, rows + "d@example.com,Bär\n".encode("cp1252"))
    assert (mixed.people[3].name, codes(mixed)) == ("Bär", [(0, "check_encoding")])
    assert codes(read(tmp_path, "email,name\na@example.com,Gro\ufffd\n"))[0] == (0, "check_encoding")
    assert codes(read(tmp_path, "email,name\na@example.com,Gro?mann\n")) == [(2, "lost_letter")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_utf8_is_read_in_blocks_of_whole_lines(end: str) -> None:
    text = end.join(["email,name", "a@example.com,Jürgen", "b@example.com,李小龙", ""])
    data = "\ufeff".encode() + text.encode()
    read = list(plain_utf8(data[place : place + 5] for place in range(0, len(data), 5)))
    assert "".join(read) == text
    assert all(part.endswith(end) for part in read[:-1])


@pytest.mark.parametrize(
    "late", ["Jürgen".encode("cp1252"), "JÃ¼rgen".encode(), b"Gro\xef\xbf\xbd", "Bär".encode("utf-16-le")]
)
def test_a_doubtful_letter_far_down_is_for_the_whole_file_to_tell(late: bytes) -> None:
    with pytest.raises(EncodingError):
        list(plain_utf8([b"email,name\n", b"a@example.com," + late]))


def test_an_encoding_is_named_as_people_write_it() -> None:
    written = {"Mac Roman": "mac_roman", "latin1": "iso8859-1", "windows-1252": "cp1252", "UTF8": "utf-8", "rot13": ""}
    assert {name: known_encoding(name) for name in written} == written


def test_an_encoding_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no encoding 'klingon'"):
        read(tmp_path, "email\na@example.com\n", encoding="klingon")


# -- formats ---------------------------------------------------------------------------------------


def packed(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return data.getvalue()


LOCKED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + b"0" * 600
NO_TABLES = {
    "a PDF": b"%PDF-1.7",
    "a web page": b"<html><table><tr><td>Email</td>",
    "XML": b"<?xml version='1.0'?><Workbook>",
    "a Numbers document": packed("Index/Document.iwa"),
    "a text document": packed("word/document.xml"),
    "a packed archive": packed("people.csv"),
    "a damaged workbook": b"PK\x03\x04 and no more",
    "locked with a password": LOCKED,
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_is_one_clear_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path, NO_TABLES[name])
    (problem,) = raised.value.problems
    assert name in problem.message
    assert problem.fix


PEOPLE: list[list[Cell]] = [
    ["Employee ID", "Full name", "Email", "Termination date"],
    ["00123", "Kim, Ana", "ana@example.com", ""],
    [12345, "Groß, Jürgen", "jg@example.com", "day:46204"],
]


def test_a_workbook_is_read_from_the_sheet_with_people(tmp_path: Path) -> None:
    found = read(tmp_path, xlsx({"Read me": [["Export of 30 November"]], "Staff": [["Staff"], [], *PEOPLE]}))
    assert [(person.id, person.name) for person in found.people] == [("00123", "Ana Kim"), ("12345", "Jürgen Groß")]
    assert (found.people[1].left, found.understood.source.sheet) == (dt.date(2026, 7, 1), "Staff")
    assert sentences(found.understood)[:2] == ["Read as xlsx, sheet 'Staff'.", "The column names are in line 3."]


def test_a_sheet_may_be_named_and_is_looked_for(tmp_path: Path) -> None:
    book = ods({"First": PEOPLE[:2], "Second": [PEOPLE[0], PEOPLE[2][:3]]})
    assert [person.id for person in read(tmp_path, book, sheet="second").people] == ["12345"]
    assert [person.id for person in read(tmp_path, book, sheet="2").people] == ["12345"]
    with pytest.raises(InputError, match=r"no sheet 'Secnd'.*'Second'"):
        read(tmp_path, book, sheet="Secnd")


def test_an_empty_workbook_and_one_without_addresses_are_refused(tmp_path: Path) -> None:
    for sheets, cause in (({"A": []}, "is empty"), ({"A": [["Name"], ["Ana"]]}, "'email' is missing")):
        with pytest.raises(InputError, match=cause):
            read(tmp_path, xlsx(sheets))


def test_titles_totals_and_headers_of_pages_are_no_people(tmp_path: Path) -> None:
    header, row = "Email;Name;Dept", "a@example.com;Ana;Sales"
    text = f"Staff list\nAs of 2026;;\n\n{header}\n{row}\n;;\n{header}\n{row.replace('a@', 'b@')}\nTotal: 2\n"
    found = read(tmp_path, text)
    assert (len(found.people), found.read, found.rejected) == (2, 2, ())
    assert found.understood.source.above == ("Staff list", "As of 2026")
    assert found.understood.source.below == ("Total: 2",)


def test_a_total_among_people_is_an_error_at_its_line(tmp_path: Path) -> None:
    found = read(tmp_path, "Email;Name;Dept\nTotal: 1;;\na@example.com;Ana;Sales\n")
    assert [problem.line for problem in found.rejected] == [2, 2]


# -- headings --------------------------------------------------------------------------------------


def test_private_and_secret_columns_are_named_and_not_stored(tmp_path: Path) -> None:
    header = "Email;Password;IBAN;Date of Birth;Salary;E-Mail (privat);Krankenkasse;Desk"
    found = read(tmp_path, f"{header}\na@example.com;x;x;x;x;p@example.com;x;3\n")
    assert found.people[0].attributes == {"Desk": "3"}
    assert list(found.understood.ignored) == header.split(";")[1:-1]


@pytest.mark.parametrize("heading", ["Age", "Sexe", "DNI", "Tax ID", "Home Phone", "Private Telefonnummer", "Gehalt"])
def test_what_nobody_needs_is_sensitive(heading: str) -> None:
    assert sensitive(heading)


@pytest.mark.parametrize("heading", ["Personal-Nr.", "Stage", "Page", "Manager", "Home Department", "Language", "Team"])
def test_what_only_sounds_so_is_not(heading: str) -> None:
    assert not sensitive(heading)


def test_private_addresses_are_read_where_there_are_no_others(tmp_path: Path) -> None:
    found = read(tmp_path, "Name;Private E-Mail\nAna;a@example.com\n")
    assert (found.people[0].email, codes(found)) == ("a@example.com", [(1, "private_addresses")])


def test_one_field_means_one_thing_and_the_company_says_what_else(tmp_path: Path) -> None:
    assert field_of("Employee #") == field_of("N° employé") == field_of("Personalnummer") == ("id", 1)
    text = "Login;Kostenstelle;Mgr;Notes;Password\na@example.com;Sales;;x;secret\n"
    mapping = {"login": "email", "Kostenstelle": "department", "MGR": "manager", "Notes": "-", "Password": "job"}
    found = read(tmp_path, text, mapping=mapping)
    assert (found.people[0].department, found.people[0].job, found.people[0].attributes) == ("Sales", "", {})
    assert sorted(found.understood.ignored) == ["Notes", "Password"]


def test_a_heading_that_stands_for_two_things_goes_by_the_others(tmp_path: Path) -> None:
    assert one(tmp_path, "Vorname;Name", "Ana;Kim").name == "Ana Kim"
    assert one(tmp_path, "Nom;Prénom", "Kim;Ana").name == "Ana Kim"
    assert one(tmp_path, "Nombre;Apellidos", "Ana;Kim").name == "Ana Kim"
    assert one(tmp_path, "First name;Name", "Ana;Ana Kim").name == "Ana Kim"
    assert one(tmp_path, "Nombre", "Ana Kim").name == "Ana Kim"
    assert one(tmp_path, "Estado", "Activo").left is None
    assert one(tmp_path, "Land;Estado", "Spain;Madrid").region == "MD"


def test_the_address_of_work_is_read_before_others(tmp_path: Path) -> None:
    text = "userPrincipalName,mail,Mobile,Business phone\nu@example.com,m@example.com,1,\nv@example.com,,1,2\n"
    found = read(tmp_path, text)
    assert [(person.email, person.phone) for person in found.people] == [("m@example.com", "1"), ("v@example.com", "2")]
    assert found.understood.columns["email"] == ("mail", "userPrincipalName")


# -- names -----------------------------------------------------------------------------------------

NAMES = {
    "Kim, Ana": "Ana Kim", "Kim, Ana (EXT)": "Ana Kim", "KIM, Ana": "Ana Kim", "Dr. Ana Kim": "Ana Kim",
    "Prof. Dr. Ana Kim": "Ana Kim", "Kim, Dr. Ana": "Ana Kim", "Ana Kim, PhD": "Ana Kim", "Smith, Jr.": "Smith Jr.",
    "de la Cruz, María José": "María José de la Cruz", "Ana Kim": "Ana Kim", "Don Smith": "Don Smith",
}  # fmt: skip


@pytest.mark.parametrize("written", NAMES)
def test_a_name_is_put_in_the_order_in_which_people_are_addressed(written: str, tmp_path: Path) -> None:
    found = read(tmp_path, f'email,name\na@example.com,"{written}"\n')
    assert found.people[0].name == NAMES[written]
    assert found.understood.renamed.count == (written != NAMES[written])


def test_capitals_are_judged_by_the_whole_column(tmp_path: Path) -> None:
    french = read(tmp_path, "email,name\na@example.com,DUPONT Marie\nb@example.com,DE LA TOUR Jean\n")
    assert [person.name for person in french.people] == ["Marie Dupont", "Jean De La Tour"]
    assert one(tmp_path, "name", "IBM Support").name == "IBM Support"
    initials = read(tmp_path, "email,name\na@example.com,JP Smith\nb@example.com,AJ Lee\n")
    assert [person.name for person in initials.people] == ["JP Smith", "AJ Lee"]
    rows = "a@example.com,ANA KIM\nb@example.com,BEN O'BRIEN\nc@example.com,CY POE\n"
    assert [person.name for person in read(tmp_path, f"email,name\n{rows}").people] == [
        "Ana Kim",
        "Ben O'Brien",
        "Cy Poe",
    ]


def test_no_value_is_no_name_but_null_is_a_family(tmp_path: Path) -> None:
    found = read(tmp_path, "email;First name;Last name\na@example.com;Chris;Null\nb@example.com;#N/A;NULL\n")
    assert (found.people[0].name, codes(found)) == ("Chris Null", [(3, "empty_name")])
    assert found.understood.emptied == {"#N/A": 1, "NULL": 1}


@pytest.mark.parametrize(
    "cell", ["#N/A", "#REF!", "#NV", "NULL", "nan", "None", "n/a", "-", "—", "TBD", "k.A.", "s.o."]
)
def test_a_placeholder_empties_its_cell(cell: str, tmp_path: Path) -> None:
    found = read(tmp_path, f"email;department;desk\na@example.com;{cell};{cell}\n")
    assert (found.people[0].department, found.people[0].attributes) == ("", {})
    assert found.understood.emptied == {cell: 2}


# -- managers --------------------------------------------------------------------------------------

TEAM = "id;name;email;manager\n00007;Mia Wolf;mia@example.com;\n8;Ana Kim;ana@example.com;"


@pytest.mark.parametrize(
    "named", ["mia@example.com", "MIA@example.com", "00007", "7", "Mia Wolf", "Wolf, Mia", "Wolf Mia", "mia  wolf",
              "Mia Wolf (00007)", "Mia Wolf <mia@example.com>", "CN=Wolf\\, Mia,OU=Staff,DC=example"],
)  # fmt: skip
def test_a_manager_is_found_by_address_id_or_name(named: str, tmp_path: Path) -> None:
    found = read(tmp_path, f"{TEAM}{named}\n")
    assert found.rejected == ()
    assert (found.people[1].manager, found.people[0].is_manager) == ("mia@example.com", True)


def test_a_manager_who_may_be_two_is_refused_with_both(tmp_path: Path) -> None:
    found = read(tmp_path, f"{TEAM}Mia Wolf\n9;Mia Wolf;m2@example.com;\n")
    (problem,) = found.rejected
    assert (problem.line, problem.code) == (3, "ambiguous_manager")
    assert "mia@example.com (line 2), m2@example.com (line 4)" in problem.message


def test_the_file_means_its_own_people_before_the_directory(tmp_path: Path) -> None:
    beside = Person("x", "other@example.com", "Mia Wolf")
    assert read(tmp_path, f"{TEAM}Mia Wolf\n", directory=ListedPeople((beside,))).people[1].manager == "mia@example.com"
    alone = read(tmp_path, "name;email;manager\nAna Kim;ana@example.com;Wolf, Mia\n", directory=ListedPeople((MIA,)))
    assert alone.people[0].manager == MIA.email


def test_somebody_who_manages_themselves_is_at_the_top(tmp_path: Path) -> None:
    found = read(tmp_path, "id;name;email;manager\n7;Mia Wolf;mia@example.com;7\n")
    assert (found.people[0].manager, codes(found)) == ("", [(2, "own_manager")])


def test_a_column_of_strange_managers_is_one_error(tmp_path: Path) -> None:
    rows = "".join(f"P {n};p{n}@example.com;{n + 900}\n" for n in range(20))
    found = read(tmp_path, f"name;email;manager id\n{rows}")
    assert (codes(found), len(found.people)) == ([(1, "unknown_managers")], 20)


# -- who works here --------------------------------------------------------------------------------


def test_switched_off_people_leave_and_nobody_comes_back_unasked(tmp_path: Path) -> None:
    rows = f"{ANA.email};Terminated\n{GONE.email};Active\n{GOING.email};Active\nnew@example.com;Inactive\n"
    found = read(
        tmp_path,
        f"email;status\n{rows}",
        directory=ListedPeople(
            (
                MIA,
                ANA,
                GONE,
                GOING,
            )
        ),
    )
    assert [person.left for person in found.people] == [TODAY, None, GOING.left, TODAY]
    assert (found.leaving, list(found.returning)) == ({ANA.id}, [GONE.id])
    assert found.understood.left.shown == (ANA.email, "new@example.com")


def test_leavers_without_address_are_known_by_id_or_named(tmp_path: Path) -> None:
    text = f"id;email;name;status\n{ANA.id};;{ANA.name};Inactive\n99;;Gone Person;Inactive\n"
    found = read(tmp_path, text, directory=ListedPeople((ANA,)))
    assert [(person.email, person.left) for person in found.people] == [(ANA.email, TODAY)]
    assert (found.rejected, found.understood.gone.shown) == ((), ("Gone Person",))


def test_without_a_day_the_unknown_who_left_are_left_out(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        f"email;status\n{GONE.email};Inactive\nnew@example.com;Inactive\n",
        directory=ListedPeople((GONE,)),
        today=None,
    )
    assert ([person.left for person in found.people], found.understood.gone.count) == ([GONE.left], 1)


def test_bots_and_guests_are_left_out_and_named(tmp_path: Path) -> None:
    rows = "a@example.com;Member\nb@example.com;Bot\nc@example.com;Multi-Channel Guest\nd@example.com;Owner\n"
    found = read(tmp_path, f"email;status\n{rows}")
    assert [person.email for person in found.people] == ["a@example.com", "d@example.com"]
    assert (found.understood.machines.shown, found.understood.guests.shown) == (("b@example.com",), ("c@example.com",))
    assert len(read(tmp_path, f"email;status\n{rows}", guests=True).people) == 3


def test_an_unknown_status_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, "email;status\na@example.com;Active\nb@example.com;Active\nc@example.com;Aktywny\n")
    assert (len(found.people), codes(found)) == (3, [(1, "unknown_status")])
    foreign = read(tmp_path, "email;status\na@example.com;Aktywny\nb@example.com;Zwolniony\n")
    assert codes(foreign) == [(1, "unknown_status")]
    assert "'Aktywny' and 'Zwolniony'" in foreign.advice[0].message


# -- dates -----------------------------------------------------------------------------------------

DAYS = (
    "2026-12-31", "31.12.2026", "31/12/2026", "12/31/2026", "46387", "2026-12-31 00:00:00", "31-Dec-2026",
    "31. Dezember 2026", "31 décembre 2026", "31 de diciembre de 2026", "December 31, 2026", "20261231",
)  # fmt: skip


@pytest.mark.parametrize("written", DAYS)
def test_a_day_is_read_as_it_is_written(written: str, tmp_path: Path) -> None:
    assert one(tmp_path, "left", written).left == dt.date(2026, 12, 31)


def test_the_whole_file_says_whether_days_or_months_come_first(tmp_path: Path) -> None:
    days = read(tmp_path, "email;Last day\na@example.com;03/04/2026\nb@example.com;25/06/2026\n")
    assert days.people[0].left == dt.date(2026, 4, 3)
    months = read(tmp_path, "email;Hired;Last day\na@example.com;01/31/2020;03/04/2026\n")
    assert months.people[0].left == dt.date(2026, 3, 4)
    unsure = read(tmp_path, "email;Last day\na@example.com;03/04/2026\nb@example.com;05/05/2026\n")
    assert (codes(unsure), unsure.people[0].left) == ([(2, "bad_date")], dt.date(2026, 5, 5))


@pytest.mark.parametrize("never", ["31.12.9999", "9999-12-31", "00.00.0000", "0000-00-00"])
def test_the_end_of_all_days_is_no_last_day(never: str, tmp_path: Path) -> None:
    assert one(tmp_path, "Austrittsdatum", never).left is None


# -- places and languages --------------------------------------------------------------------------

COUNTRIES = {
    "Deutschland": "DE", "Allemagne": "DE", "Alemania": "DE", "DEU": "DE", "276": "DE", "de": "DE",
    "Germany (DE)": "DE", "Czech Republic": "CZ", "Ireland {Republic}": "IE", "Great Britain": "GB", "UK": "GB",
    "USA": "US",
    "Republic of Korea": "KR", "Korea, Democratic People's Republic of": "KP", "Österreich": "AT", "Türkiye": "TR",
    "NA": "NA", "Niger": "NE", "Wonderland": "", "Grmany": "", "Kongo": "",
}  # fmt: skip


@pytest.mark.parametrize("written", COUNTRIES)
def test_a_country_is_known_by_its_names_and_codes(written: str) -> None:
    assert country_of(written) == COUNTRIES[written]


def test_a_near_country_is_a_question_and_never_an_order() -> None:
    assert country_fix("Grmany") == "Did you mean 'DE' (Germany)?"
    assert str(country_fix("Kongo")).startswith("Write the country's name or the two letters")


ZONES = {
    ("W. Europe Standard Time", ""): "Europe/Berlin", ("W. Europe Standard Time", "AT"): "Europe/Vienna",
    ("Romance Standard Time", "ES"): "Europe/Madrid", ("India Standard Time", ""): "Asia/Kolkata",
    ("Europe/berlin", ""): "Europe/Berlin", ("Amsterdam", ""): "Europe/Amsterdam", ("New York", ""): "America/New_York",
    ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome", "DE"): "Europe/Berlin",
    ("Eastern Time (US & Canada)", ""): "America/New_York",
    ("Europe/Berlin (GMT+1)", ""): "Europe/Berlin", ("PST", ""): "", ("EST", ""): "",
    ("IST", ""): "", ("IST", "IN"): "Asia/Kolkata", ("GMT+1", ""): "",
}  # fmt: skip


@pytest.mark.parametrize("written", ZONES)
def test_a_zone_is_known_by_the_names_of_systems(written: tuple[str, str]) -> None:
    assert zone_of(*written) == ZONES[written]


def test_an_ambiguous_zone_is_told_with_the_places_it_may_mean() -> None:
    assert zone_fix("IST") == "Write the place that is meant: 'Asia/Kolkata' or 'Europe/Dublin' or 'Asia/Jerusalem'."
    assert zone_fix("+01:00") == (
        "Write a place instead of an offset, for example 'Europe/Berlin': places know about summer time."
    )


def test_a_region_is_known_by_name_and_a_state_without_holidays_is_left_out(tmp_path: Path) -> None:
    names = {
        ("DE", "Bavaria"): "BY",
        ("DE", "Bayern"): "BY",
        ("DE", "DE-BY"): "BY",
        ("GB", "Scotland"): "SCT",
        ("CA", "Québec"): "QC",
    }
    assert {given: region_of(*given) for given in names} == names
    found = read(tmp_path, "email;Country;State\na@example.com;GB;Greater London\nb@example.com;USA;California\n")
    assert [person.region for person in found.people] == ["", "CA"]
    assert codes(found) == [(2, "unknown_region")]


def test_a_language_and_weekdays_are_read_by_name(tmp_path: Path) -> None:
    person = one(tmp_path, "Sprache;Arbeitstage", "Deutsch;Mo-Do")
    assert (person.language, person.days) == ("de", {0, 1, 2, 3})
    assert one(tmp_path, "language", "English (United States)").language == "en"


# -- what was understood ---------------------------------------------------------------------------


def test_departments_that_look_alike_are_told(tmp_path: Path) -> None:
    names = [*["Sales"] * 6, "sales ", "Sale s", "HR", "Customer Service", *["Customer Services"] * 5]
    rows = "".join(f"p{n}@example.com;{name}\n" for n, name in enumerate(names))
    found = read(tmp_path, f"email;department\n{rows}")
    assert found.understood.alike == (("Sales", "sales", "Sale s"), ("Customer Services", "Customer Service"))
    assert [code for _line, code in codes(found)] == ["departments_alike"] * 2


def test_it_says_first_what_it_understood(tmp_path: Path) -> None:
    text = "Vorname;Nachname;E-Mail;Abteilung;Kostenstelle;IBAN\nJürgen;Groß;jg@example.com;#N/A;7;DE00\n"
    assert sentences(read(tmp_path, text.encode("cp1252")).understood) == [
        "Read as Windows-1252 (Jürgen, Groß), ';' between cells.",
        "3 columns are understood: name ← Vorname + Nachname, email ← E-Mail, department ← Abteilung.",
        "1 is kept as an attribute: Kostenstelle.",
        "Not stored: IBAN (bank).",
        "No person has a department, no person has a manager.",
        "1 cell says that there is no value: '#N/A' × 1.",
    ]


def test_every_sentence_is_in_the_catalog(tmp_path: Path) -> None:
    text = (
        "Title\nemail;name;status;dept;IBAN;x\na@example.com;Kim, Ana;Inactive;Sales;1;\n"
        "b@example.com;B;Bot;n/a;;\nc@example.com;C;Guest;;;\nd@example.com;Dee;Active;sales;;\n"
        ";;Inactive;;;\nTotal: 4\n"
    )
    with in_pseudo():
        found = sentences(read(tmp_path, text).understood)
        assert len(found) == 15
        assert [(line, words) for line in found if (words := untranslated(line))] == []


def test_the_example_of_the_docs_is_what_is_said(tmp_path: Path) -> None:
    text = (
        "Nachname;Vorname;E-Mail;Status;Abteilung;Vorgesetzter;Eintrittsdatum;Letzter Arbeitstag\n"
        "Wolf;Mia;mia.wolf@example.com;Aktiv;Vertrieb;;01.02.2015;\n"
        "Groß;Jürgen;juergen.gross@example.com;Aktiv;Vertrieb;Wolf, Mia;01.02.2020;\n"
        "One;Old;old.one@example.com;Inaktiv;Vertrieb;Wolf, Mia;01.02.2015;31.10.2026\n"
    )
    found = read(tmp_path, text.encode("cp1252"))
    docs = (Path(__file__).parents[2] / "docs" / "people.md").read_text(encoding="utf-8")
    assert "\n".join(sentences(found.understood)) + "\n```" in docs
