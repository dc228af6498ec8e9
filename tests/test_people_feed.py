"""The watched folder: what is taken, what is held, and what waits."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from sqlalchemy import select

from commsengine.authoring.people.people_file import PeopleFile, load_people
from commsengine.people_feed import PeopleFeed, digest_of
from commsengine.store.store import Store
from commsengine.store.tables import audit
from tests.builders import MIA, someone, utc

NOW = utc("2027-01-11 09:00")
OLD = NOW - dt.timedelta(hours=1)
CROWD = [someone(number, manager="") for number in range(40)]
_AUDIT = select(audit)
HEADER = "id,email,name,left\n"
ROWS = [f"{each.id},{each.email},{each.name},\n" for each in CROWD]


class House:
    """A folder that is watched, and whom the store knows."""

    def __init__(self, folder: Path, *, complete: bool = False) -> None:
        self.store = Store.create(f"sqlite:///{folder / 'feed.db'}")
        self.folder = folder / "feed"
        self.folder.mkdir()
        self.told: list[dt.datetime] = []
        self.complete = complete
        self.feed = self.again()
        self.store.people.save(CROWD, by="dana", now=OLD)

    def again(self, place: Path | None = None) -> PeopleFeed:
        """A feed that remembers nothing, as after a restart or with the next tick of cron."""
        about = {"complete": self.complete, "tell": self.told.append}
        return PeopleFeed(place or self.folder, self.store, self._read, **about)  # type: ignore[arg-type]

    def _read(self, path: Path) -> PeopleFile:
        return load_people(path, directory=self.store.people.population())

    def put(self, name: str, *rows: str, at: dt.datetime = OLD) -> Path:
        file = self.folder / name
        file.write_text(HEADER + "".join(rows))
        os.utime(file, (at.timestamp(), at.timestamp()))
        return file

    def name_of(self, number: int) -> str:
        found = self.store.people.by_id(CROWD[number].id)
        return found.name if found else ""

    def held(self) -> list[tuple[str, list[str]]]:
        open_ = self.store.held_files.open()
        return [(Path(each.file.name).name, [reason.kind for reason in each.reasons]) for each in open_]

    def imports(self) -> int:
        return sum(row.action == "import" for row in self.store.database.rows(_AUDIT))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Forty people are known."""
    return House(tmp_path)


def renamed(number: int, name: str) -> str:
    return ROWS[number].replace(CROWD[number].name, name)


def test_a_new_file_is_taken_once_and_left_where_it_lies(house: House) -> None:
    file = house.put("january.csv", renamed(1, "One"), "n1,new@example.com,New,\n")
    for feed in (house.feed, house.feed, house.again()):
        feed.look(NOW)
    assert (house.name_of(1), house.store.people.count(), house.imports()) == ("One", 41, 2)
    assert (file.exists(), house.held(), house.told) == (True, [], [])
    (row,) = [row for row in house.store.database.rows(_AUDIT) if row.action == "import" and row.by == "engine"]
    assert (row.detail["file"], row.detail["sha256"]) == ("january.csv", digest_of(file))


def test_whoever_is_missing_has_left_only_where_the_file_is_everybody(house: House, tmp_path: Path) -> None:
    house.put("january.csv", *ROWS[1:])
    house.feed.look(NOW)
    assert not [each for each in house.store.people.all() if each.left]
    (tmp_path / "other").mkdir()
    everybody = House(tmp_path / "other", complete=True)
    everybody.put("january.csv", *ROWS[1:])
    everybody.feed.look(NOW)
    assert [each.id for each in everybody.store.people.all() if each.left] == [CROWD[0].id]


def test_a_file_that_changes_many_is_held_and_nothing_of_it_taken(house: House) -> None:
    gone = [row.replace(",\n", ",2027-01-01\n") for row in ROWS[:5]]
    file = house.put("january.csv", *gone, renamed(7, "Seven"))
    house.feed.look(NOW)
    house.again().look(NOW)
    assert (house.held(), house.told) == ([("january.csv", ["leavers"])], [NOW])
    assert (house.name_of(7), house.imports()) == (CROWD[7].name, 1)
    (held,) = house.store.held_files.open()
    assert held.file.command == f"commsengine people import {file}"
    house.store.held_files.settle_digest(digest_of(file), by="dana", now=NOW, because="the depot closed")
    house.again().look(NOW)
    assert (house.held(), house.imports()) == ([], 1)


def test_one_wrong_row_holds_the_whole_file(house: House) -> None:
    house.put("january.csv", renamed(1, "One"), "n1,no address,Nobody,\n")
    house.feed.look(NOW)
    assert (house.held(), house.name_of(1)) == ([("january.csv", ["rows"])], CROWD[1].name)


def test_a_file_that_is_no_people_file_is_held(house: House) -> None:
    (house.folder / "january.csv").write_text("a,b\n1,2\n")
    os.utime(house.folder / "january.csv", (OLD.timestamp(), OLD.timestamp()))
    house.feed.look(NOW)
    assert house.held() == [("january.csv", ["unusable"])]


def test_the_next_file_settles_what_was_held(house: House) -> None:
    house.put("january.csv", "n1,no address,Nobody,\n")
    house.feed.look(NOW)
    house.put("february.csv", renamed(2, "Two"), at=OLD + dt.timedelta(minutes=1))
    house.feed.look(NOW)
    assert (house.held(), house.name_of(2)) == ([], "Two")


def test_a_held_file_that_is_taken_away_is_settled(house: House) -> None:
    house.put("january.csv", "n1,no address,Nobody,\n")
    house.feed.look(NOW)
    (house.folder / "january.csv").unlink()
    house.feed.look(NOW)
    assert house.held() == []


def test_a_file_that_may_still_grow_waits_for_the_next_look(house: House) -> None:
    just_now = NOW - dt.timedelta(seconds=2)
    house.put("january.csv", renamed(1, "O"), at=just_now)
    house.feed.look(NOW)
    assert house.name_of(1) == CROWD[1].name
    house.put("january.csv", renamed(1, "One"), at=NOW)
    house.feed.look(NOW + dt.timedelta(seconds=5))
    assert house.name_of(1) == CROWD[1].name
    house.feed.look(NOW + dt.timedelta(seconds=8))
    assert house.name_of(1) == "One"


def test_an_older_file_never_comes_after_a_newer_one(house: House) -> None:
    house.put("december.csv", renamed(1, "Old"), at=OLD - dt.timedelta(days=31))
    newest = house.put("january.csv", renamed(1, "New"))
    house.feed.look(NOW)
    newest.unlink()
    house.feed.look(NOW)
    house.again().look(NOW)
    assert house.name_of(1) == "New"


def test_what_is_no_people_file_is_left_alone(house: House) -> None:
    for name in ("~$january.xlsx", ".january.csv", "january.csv.part", "readme.md"):
        house.put(name, renamed(1, "One"))
    house.feed.look(NOW)
    assert (house.name_of(1), house.held()) == (CROWD[1].name, [])


def test_a_folder_that_is_not_there_is_told_once_until_it_is(house: House, tmp_path: Path) -> None:
    feed = house.again(tmp_path / "mounted")
    for each in (feed, feed, house.again(tmp_path / "mounted")):
        each.look(NOW)
    assert (house.held(), len(house.told)) == ([("mounted", ["unreadable"])], 1)
    (tmp_path / "mounted").mkdir()
    feed.look(NOW)
    assert house.held() == []


def test_a_folder_that_vanishes_does_not_settle_what_is_held(house: House) -> None:
    file = house.put("january.csv", "n1,no address,Nobody,\n")
    house.feed.look(NOW)
    house.folder.rename(house.folder.with_name("away"))
    house.feed.look(NOW)
    assert [kinds for _name, kinds in house.held()] == [["rows"], ["unreadable"]]
    house.folder.with_name("away").rename(house.folder)
    house.feed.look(NOW)
    assert (house.held(), file.exists()) == ([("january.csv", ["rows"])], True)


def test_one_file_may_be_watched(house: House) -> None:
    feed = house.again(house.put("people.csv", renamed(1, "One")))
    feed.look(NOW)
    house.put("people.csv", renamed(1, "Two"), at=OLD + dt.timedelta(minutes=1))
    feed.look(NOW)
    assert house.name_of(1) == "Two"
    assert house.store.people.by_id(MIA.id) is None
