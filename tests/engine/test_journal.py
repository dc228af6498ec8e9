from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from commsengine.engine.journal import Journal
from commsengine.errors import CommsError
from commsengine.store.records import Commit, Marked
from tests.builders import utc

NOW = utc("2027-01-11 09:00")


def leaving(key: str = "k1") -> Marked:
    return Marked(key, "message", "crm", "one-record", NOW.date(), 0, "sales", "email", 1, 3, NOW)


def test_the_last_that_is_known_of_a_touch_with_all_it_takes_to_write_its_row_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write({4: Commit([leaving("k1"), leaving("k2")])}, NOW)
    journal.write({4: Commit(settled={"k1": "sent"})}, NOW + dt.timedelta(seconds=1))
    known = Journal(tmp_path).since(1)
    assert {key: entry.state for key, entry in known.items()} == {"k1": "sent", "k2": "sending"}
    assert {entry.fence for entry in known.values()} == {4}
    assert known["k1"].marked == leaving("k1")
    assert known["k1"].at == NOW + dt.timedelta(seconds=1)


def test_service_mail_has_no_date_and_no_rung(tmp_path: Path) -> None:
    mail = replace(leaving("digest"), kind="service", local_date=None, rung=None)
    Journal(tmp_path).write({1: Commit([mail])}, NOW)
    assert Journal(tmp_path).since(1)["digest"].marked == mail


@pytest.mark.parametrize(
    ("outcomes", "state", "fence", "tries"),
    [
        (["released"], "released", 1, []),
        (["uncertain", "released"], "uncertain", 1, [(1, "uncertain")]),
        (["retry", "released", "sent"], "sent", 3, [(1, "retry"), (3, "sent")]),
        (["retry", ""], "sending", 2, [(1, "retry"), (2, "sending")]),
    ],
)
def test_a_try_that_came_to_nothing_says_nothing_about_the_one_before(
    outcomes: list[str], state: str, fence: int, tries: list[tuple[int, str]], tmp_path: Path
) -> None:
    journal = Journal(tmp_path)
    for number, outcome in enumerate(outcomes, 1):
        journal.write({number: Commit([leaving()])}, NOW)
        journal.write({number: Commit(settled={"k1": outcome} if outcome else {})}, NOW)
    entry = Journal(tmp_path).since(1)["k1"]
    assert (entry.state, entry.fence, list(entry.tries)) == (state, fence, tries)


def test_only_what_was_claimed_lately_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for fence in range(1, 6):
        journal.announce(fence, NOW)
        journal.write({fence: Commit([leaving(f"k{fence}")])}, NOW)
    assert sorted(journal.since(4)) == ["k4", "k5"]
    assert journal.last_fence() == 5


def test_a_line_that_broke_off_hides_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write({1: Commit([leaving("k1")])}, NOW)
    journal.close()
    [page] = tmp_path.glob("sent-*.jsonl")
    with open(page, "ab") as file:
        file.write(b'["sending",2,"k2","2027-01-')
    Journal(tmp_path).write({3: Commit([leaving("k3")])}, NOW)
    assert sorted(Journal(tmp_path).since(1)) == ["k1", "k3"]


def test_a_page_a_month_and_the_old_ones_go(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for month in range(16):
        journal.write({month + 1: Commit([leaving(f"k{month}")])}, utc(f"{2027 + month // 12}-{month % 12 + 1:02d}-05"))
    pages = sorted(path.name for path in tmp_path.glob("sent-*.jsonl"))
    assert (pages[0], pages[-1], len(pages)) == ("sent-2027-04.jsonl", "sent-2028-04.jsonl", 13)


def test_a_page_of_a_month_that_a_wrong_clock_made_hides_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for fence, month in ((1, 1), (2, 2), (3, 1), (4, 1)):
        journal.write({fence: Commit([leaving(f"k{fence}")])}, utc(f"2027-{month:02d}-05"))
    assert journal.last_fence() == 4
    assert sorted(journal.since(3)) == ["k3", "k4"]


def test_many_blocks_are_read_from_the_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path, durable=False)
    count = 15_000  # some three megabytes
    for fence in range(1, count, 500):
        journal.write({fence: Commit([leaving(f"key-of-24-letters-{n:06d}") for n in range(fence, fence + 500)])}, NOW)
    assert len(journal.since(1)) == count
    assert len(journal.since(count - 1000)) == 1000


def test_it_names_no_person_and_only_this_user_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    Journal(folder).write({1: Commit([leaving()], {"k1": "sent"})}, NOW)
    [page] = folder.glob("sent-*.jsonl")
    assert (page.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    lines = [json.loads(line) for line in page.read_text().splitlines()]
    assert [line[:3] for line in lines] == [["sent", 1, "k1"], ["sending", 1, "k1"]]
    assert "@" not in page.read_text()


def test_the_lines_are_these_bytes(tmp_path: Path) -> None:
    """Another version reads them back."""
    journal = Journal(tmp_path)
    journal.announce(7, NOW)
    mail = replace(leaving("digest"), kind="service", message="Grüße", local_date=None, rung=None)
    journal.write({7: Commit([leaving("k1"), mail], {"k0": "sent"})}, NOW)
    [page] = tmp_path.glob("sent-*.jsonl")
    at = b'"2027-01-11T09:00:00+00:00"'
    assert page.read_bytes().splitlines() == [
        b'["claim",7,"",' + at + b"]",
        b'["sent",7,"k0",' + at + b"]",
        b'["sending",7,"k1",' + at + b',"message","crm","one-record","2027-01-11",0,"sales","email",1,3,' + at + b"]",
        b'["sending",7,"digest",'
        + at
        + b',"service","crm","Gr\\u00fc\\u00dfe",null,null,"sales","email",1,3,'
        + at
        + b"]",
    ]


def test_a_line_is_laid_down_without_copying_what_it_is_made_of(tmp_path: Path) -> None:
    class Uncopied(str):
        def __deepcopy__(self, memo: object) -> str:
            raise AssertionError("copied")

    Journal(tmp_path).write({1: Commit([leaving(Uncopied("k1")), replace(leaving(), campaign=Uncopied("crm"))])}, NOW)
    assert list(Journal(tmp_path).since(1)) == ["k1"]


def test_a_journal_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommsError, match=r"sent-journal in .*file cannot be written: .* Make room"):
        Journal(tmp_path / "file").announce(1, NOW)
