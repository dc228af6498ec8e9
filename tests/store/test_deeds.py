"""Who did what a campaign is for."""

from __future__ import annotations

import datetime as dt

import pytest

from commsengine.store.campaign_facts.deeds import NewDeed, ReplayedCallError
from commsengine.store.store import Store
from tests.store.scene import LATER, NOW, a_touch, claim, running, seq

CALL = NewDeed("ana", "first_call", NOW)


def told(store: Store, *new: NewDeed, now: dt.datetime = NOW, signature: str = "") -> int:
    return store.deeds.record("crm", new, source="file", by="dana", now=now, signature=signature)


def test_a_deed_is_on_record_once_and_makes_its_person_due(store: Store) -> None:
    running(store)
    claim(store, a_touch())
    before = seq(store)
    assert store.loading.wake_of("ana") == LATER
    assert (told(store, CALL), told(store, CALL)) == (1, 0)
    loaded = store.loading.histories(["ana", "ben"])
    assert loaded["ana"].facts_seq == before + 1
    assert loaded["ana"].history.done_at("crm", "first_call") == NOW
    assert loaded["ana"].history.done_at("other", "first_call") is None
    assert loaded["ben"].history.deeds == ()
    assert store.loading.wake_of("ana") == NOW


def test_what_the_other_system_calls_it_is_taken_in_once(store: Store) -> None:
    running(store)
    first, again = NewDeed("ana", "first_call", NOW, "c-1"), NewDeed("ana", "first_call", LATER, "c-1")
    assert (told(store, first), told(store, again)) == (1, 0)
    assert told(store, NewDeed("ana", "first_call", LATER, "c-2")) == 1


def test_a_signed_call_is_taken_in_once_and_then_nothing_of_it(store: Store) -> None:
    running(store)
    assert told(store, CALL, signature="v1=1") == 1
    with pytest.raises(ReplayedCallError):
        told(store, NewDeed("ben", "first_call", NOW), signature="v1=1")
    assert [one.person_id for one in store.deeds.of_campaign("crm")] == ["ana"]
    assert told(store, NewDeed("ben", "first_call", NOW), now=NOW + dt.timedelta(hours=2), signature="v1=2") == 1


def test_an_erased_person_keeps_the_count_and_no_name(store: Store) -> None:
    running(store)
    told(store, NewDeed("ana", "first_call", NOW, "call of Ana Kim"))
    (row,) = store.people.all_of("ana")["deed"]
    assert (row["outcome"], row["ref"]) == ("first_call", "call of Ana Kim")
    pseudonym = store.people.erase("ana", by="dana", now=LATER)
    (one,) = store.deeds.of_campaign("crm")
    assert (one.person_id, one.person, one.name) == (pseudonym, "", "")
    assert store.people.all_of(pseudonym)["deed"][0]["ref"] == ""
