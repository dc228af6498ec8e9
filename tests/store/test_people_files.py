"""What a people file would change and is asked about, ids that change, and files that are held."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from commsengine.cadence.people import Person
from commsengine.errors import InputError
from commsengine.store.people_files.difference import FileReason
from commsengine.store.people_files.held import ArrivedFile
from commsengine.store.store import Store
from tests.builders import ANA, BEN, MIA, someone
from tests.store.scene import LATER, NOW, a_touch, deliver, running, seq

LEFT = dt.date(2027, 1, 1)
CROWD = tuple(someone(number, manager=MIA.email if number else "") for number in range(40))


@pytest.fixture
def crowd(store: Store) -> Store:
    """Forty people; all but the first report to Mia, who is not among them."""
    store.people.save(CROWD, by="dana", now=NOW)
    return store


def reasons(store: Store, *people: Person, **more: object) -> dict[str, tuple[int, int]]:
    found = store.people.difference(people, **more).reasons  # type: ignore[arg-type]
    return {each.kind: (each.people, each.of) for each in found}


def test_nothing_is_asked_about_what_is_usual(crowd: Store) -> None:
    some = [replace(each, phone="1", manager=BEN.email, left=LEFT) for each in CROWD[1:3]]
    assert reasons(crowd, *some, someone(50), someone(51)) == {}
    found = crowd.people.difference([*some, someone(50)])
    assert (found.here, len(found.added), len(found.changed), found.unchanged) == (40, 1, 2, 0)


def test_one_person_of_a_small_team_is_no_great_change(store: Store) -> None:
    store.people.save([MIA, ANA, BEN], by="dana", now=NOW)
    assert reasons(store, replace(ANA, manager=BEN.email), replace(BEN, left=LEFT)) == {}
    assert reasons(store, replace(ANA, left=LEFT), replace(BEN, left=LEFT)) == {"leavers": (2, 3)}


def test_more_than_one_in_twenty_is_asked_about(crowd: Store) -> None:
    some = [replace(each, manager=BEN.email, left=LEFT) for each in CROWD[1:4]]
    assert reasons(crowd, *some) == {"managers": (3, 40), "leavers": (3, 40)}
    assert reasons(crowd, *(replace(each, manager="") for each in CROWD[1:4])) == {"managers": (3, 40)}


def test_a_complete_file_counts_those_whom_it_leaves_out(crowd: Store) -> None:
    assert reasons(crowd, *CROWD[2:], complete=True) == {}
    assert reasons(crowd, *CROWD[3:], complete=True) == {"leavers": (3, 40)}
    assert reasons(crowd, *CROWD[3:], complete=True, present=[CROWD[0].id]) == {}


def test_one_leaver_who_would_be_active_again_is_asked_about(crowd: Store) -> None:
    crowd.people.save([replace(CROWD[5], left=LEFT)], by="dana", now=NOW)
    found = crowd.people.difference([CROWD[5]]).reasons
    assert found == (FileReason("returning", 1, 39, (CROWD[5].email,)),)
    assert reasons(crowd, CROWD[5], columns=("email", "phone")) == {}


def test_a_manager_with_a_new_address_is_no_other_manager(store: Store) -> None:
    team = [MIA, *(replace(each, manager=MIA.email) for each in CROWD[:4])]
    store.people.save(team, by="dana", now=NOW)
    moved = [replace(each, manager="m.wolf@example.com") for each in team[1:]]
    assert reasons(store, replace(MIA, email="m.wolf@example.com"), *moved) == {}
    assert reasons(store, *(replace(each, manager=BEN.email) for each in team[1:])) == {"managers": (4, 5)}


def test_the_first_manager_of_somebody_is_no_change(store: Store) -> None:
    store.people.save([replace(each, manager="") for each in CROWD], by="dana", now=NOW)
    assert reasons(store, *CROWD) == {}


def test_what_the_difference_says_is_what_is_saved(crowd: Store) -> None:
    people = [replace(CROWD[1], phone="1"), someone(50), CROWD[2]]
    found = crowd.people.difference(people, complete=True, present=[each.id for each in CROWD[3:]])
    counts = crowd.people.save(people, by="d", now=LATER, complete=True, present=[each.id for each in CROWD[3:]])
    assert (len(found.added), len(found.changed), found.unchanged, len(found.missing)) == (
        counts.added,
        counts.updated,
        counts.unchanged,
        counts.left,
    )


# -- other ids -------------------------------------------------------------------------------------

BY_ADDRESS = replace(ANA, id=ANA.email)


def test_ids_of_a_file_are_refused_without_a_word(store: Store) -> None:
    store.people.save([BY_ADDRESS], by="dana", now=NOW)
    with pytest.raises(InputError, match="belongs to the person with the id") as refused:
        store.people.save([replace(ANA, id="E1")], by="dana", now=NOW)
    assert "--rekey" in str(refused.value.fix)


def test_a_new_id_takes_the_history_along(store: Store) -> None:
    running(store, [BY_ADDRESS, replace(BEN, manager=ANA.email)])
    deliver(store, a_touch(person=ANA.email))
    store.people.revoke_links(ANA.email, by=ANA.email, now=NOW)
    assert store.people.with_history([ANA.email, BEN.id]) == {ANA.email}
    before = seq(store, ANA.email)
    found = store.people.difference([replace(ANA, id="E1")], rekey=True)
    assert (found.rekeyed, found.unchanged, found.changed) == ({ANA.email: "E1"}, 1, ())
    store.people.save([replace(ANA, id="E1")], by="dana", now=LATER, rekey=True)
    assert store.people.by_id(ANA.email) is None
    loaded = store.loading.histories(["E1"])["E1"]
    assert (len(loaded.history.rows), loaded.facts_seq > before) == (1, True)
    assert [row["by"] for row in store.people.all_of("E1")["audit"] if row["action"] == "revoke"] == ["E1"]


def test_an_id_that_is_somebody_elses_is_not_taken(store: Store) -> None:
    store.people.save([BY_ADDRESS, BEN], by="dana", now=NOW)
    with pytest.raises(InputError, match="belongs to the person with the id") as refused:
        store.people.save([replace(ANA, id=BEN.id)], by="dana", now=LATER, rekey=True)
    assert "--rekey" not in str(refused.value.fix)
    assert {each.id for each in store.people.all()} == {ANA.email, BEN.id}


# -- held files ------------------------------------------------------------------------------------

FEED = ArrivedFile("feed/january.csv", "a" * 64, "feed", written_at=NOW)
MANY = FileReason("leavers", 12, 160, ("ana@example.com",))


def test_a_held_file_waits_without_the_names_in_it(store: Store) -> None:
    store.held_files.hold(FEED, [MANY], now=NOW)
    (held,) = store.held_files.open()
    assert (held.file, held.reasons, held.held_at) == (FEED, (replace(MANY, some=()),), NOW)
    assert store.held_files.last("feed") == FEED
    assert store.held_files.last("roster") is None


def test_the_next_file_of_a_source_comes_in_place_of_a_held_one(store: Store) -> None:
    roster = ArrivedFile("list.csv", "c" * 64, "roster", "crm")
    store.held_files.hold(FEED, [MANY], now=NOW)
    store.held_files.hold(roster, [MANY], now=NOW)
    newer = replace(FEED, name="feed/february.csv", digest="b" * 64)
    store.held_files.hold(newer, [MANY], now=LATER)
    assert [each.file for each in store.held_files.open()] == [roster, newer]
    store.held_files.taken(replace(FEED, digest="d" * 64), now=LATER)
    assert [each.file for each in store.held_files.open()] == [roster]
    store.held_files.settle(roster, by="dana", now=LATER, because="it is right")
    assert store.held_files.open() == []


def test_a_file_that_is_imported_by_hand_is_held_no_more(store: Store) -> None:
    store.held_files.hold(FEED, [MANY], now=NOW)
    store.held_files.settle_digest("b" * 64, by="dana", now=LATER, because="")
    assert len(store.held_files.open()) == 1
    store.held_files.settle_digest(FEED.digest, by="dana", now=LATER, because="a new depot")
    assert (store.held_files.open(), store.held_files.last("feed")) == ([], FEED)
