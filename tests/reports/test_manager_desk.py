"""What a manager can record, hold and add: for their own people, each once, within limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from commsengine.cadence.people import Person
from commsengine.errors import InputError
from commsengine.reports.managers_words import lift, managers_words
from commsengine.reports.outcomes_recorded import recorded_outcomes
from tests.answering import Answering, answering
from tests.builders import ANA, BEN, MIA, a_message, someone, utc

NAMED = a_message(sender="manager")
EVE = someone(9, id="eve", email="eve@example.com", name="Eve", manager="")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Answering]:
    hall = answering(tmp_path, NAMED)
    yield hall
    hall.store.close()


def held_until(house: Answering, day: str) -> str:
    one = house.desk.hold(MIA, "crm", "one-record", day, house.clock())
    return str(one.held_until)


def test_an_outcome_goes_to_the_leads_with_note_and_what_was_unclear(house: Answering) -> None:
    call = house.call()
    came = house.desk.record(MIA, call, "objects", unclear="role", note=" She fears for her list. ", now=house.clock())
    assert (came.name, came.first) == (ANA.name, True)
    (one,) = recorded_outcomes(house.store)
    assert (one.person, one.by, one.unclear, one.note) == (ANA.email, MIA.email, "role", "She fears for her list.")
    assert house.desk.calls(MIA, house.clock()) == []
    assert [each.outcome for each in house.desk.recorded(MIA, house.clock())] == ["objects"]


def test_the_same_once_more_changes_nothing_and_another_says_what_is_recorded(house: Answering) -> None:
    call = house.call()
    house.desk.record(MIA, call, "understood", now=house.clock())
    house.clock.pass_(minutes=5)
    assert house.desk.record(MIA, call, "understood", now=house.clock()).first is False
    with pytest.raises(InputError, match="This call is closed: “It is clear now” was recorded on 11 January"):
        house.desk.record(MIA, call, "declines", now=house.clock())
    assert len(house.store.answers.outcomes()) == 1


@pytest.mark.parametrize(("manager", "call"), [(EVE, True), (BEN, True), (MIA, False)])
def test_nobody_records_for_the_people_of_another(house: Answering, manager: Person, call: bool) -> None:
    house.store.people.save([EVE], by="test", now=house.clock())
    wanted = house.call() if call else "12345678"
    with pytest.raises(InputError):
        house.desk.record(manager, wanted, "understood", now=house.clock())
    assert house.store.answers.outcomes() == []


def test_who_has_moved_to_another_manager_is_theirs(house: Answering) -> None:
    call = house.call()
    house.store.people.save([EVE, replace(ANA, manager=EVE.email)], by="test", now=house.clock())
    with pytest.raises(InputError, match="does not report to you"):
        house.desk.record(MIA, call, "understood", now=house.clock())
    assert house.desk.record(EVE, call, "understood", now=house.clock()).first


def test_a_manager_keeps_their_desk_and_people_until_their_last_day(house: Answering) -> None:
    today = house.clock().date()
    going = replace(EVE, manager=MIA.email, left=today + dt.timedelta(days=1))
    house.store.people.save([going, replace(ANA, manager=EVE.email)], by="test", now=house.clock())
    house.call()
    assert house.desk.manager(EVE.email, house.clock())
    assert [one.person.id for one in house.desk.calls(EVE, house.clock())] == [ANA.id]
    assert {one.id for one in house.store.manager_words.team(MIA.id, today)} == {BEN.id, EVE.id}
    assert house.desk.calls(MIA, house.clock()) == []
    house.clock.pass_(days=1)
    assert house.desk.manager(EVE.email, house.clock()) is None
    assert [one.person.id for one in house.desk.calls(MIA, house.clock())] == [ANA.id]


def test_a_hold_is_about_the_people_of_a_manager_below_from_their_last_day_on(house: Answering) -> None:
    today = house.clock().date()
    going = replace(EVE, manager=MIA.email, left=today + dt.timedelta(days=1), is_manager=True)
    house.store.people.save([going, replace(ANA, manager=EVE.email)], by="test", now=house.clock())
    assert held_until(house, "2027-01-13") == "2027-01-13"
    keys = []
    for day in (today, going.left):
        (hold,) = house.store.campaigns.running(day=day).running[0].manager_holds
        keys.append(hold.managers)
    assert keys == [{MIA.email}, {MIA.email, EVE.email}]


def test_the_people_of_a_leaver_are_those_of_the_manager_above(house: Answering) -> None:
    gone = replace(EVE, manager=MIA.email, left=dt.date(2027, 1, 5))
    house.store.people.save([gone, replace(ANA, manager=EVE.email)], by="test", now=house.clock())
    assert {one.id for one in house.store.manager_words.team(MIA.id, house.clock().date())} == {ANA.id, BEN.id}
    assert house.desk.record(MIA, house.call(), "away", now=house.clock()).first


@pytest.mark.parametrize("word", ["", "fine", "understood; drop"])
def test_only_the_words_of_the_list_are_outcomes(house: Answering, word: str) -> None:
    with pytest.raises(InputError, match="choose how it went"):
        house.desk.record(MIA, house.call(), word, now=house.clock())


def test_a_hold_lasts_five_working_days_at_most(house: Answering) -> None:
    for day in ("2027-01-11", "2027-01-19", "2027-02-19", "soon", ""):
        with pytest.raises(InputError):
            held_until(house, day)
    assert held_until(house, "2027-01-18") == "2027-01-18"
    house.clock.now = utc("2027-01-15 09:00")
    with pytest.raises(InputError, match="from Saturday, 16 January 2027 to Monday, 18 January 2027"):
        held_until(house, "2027-01-19")  # counted from the first day of the row
    house.clock.now = utc("2027-02-15 09:00")
    assert held_until(house, "2027-02-22") == "2027-02-22"  # another row


def test_a_hold_never_goes_past_the_last_day(tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(sender="manager", until="kickoff + 3d"))
    with pytest.raises(InputError, match="to Wednesday, 13 January"):
        held_until(house, "2027-01-14")
    assert held_until(house, "2027-01-13") == "2027-01-13"


def test_only_what_goes_out_in_their_name_can_be_held(tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(), a_message(id="later", sender="manager", **{"from": "go_live"}))
    assert house.desk.in_their_name(MIA, house.clock()) == []
    for message in ("one-record", "later", "none"):
        with pytest.raises(InputError, match="This message is not sent in your name"):
            house.desk.hold(MIA, "crm", message, "2027-01-12", house.clock())


def test_a_hold_makes_their_people_due_and_stops_what_is_claimed(house: Answering) -> None:
    before = {each: house.store.loading.histories([each])[each].facts_seq for each in (ANA.id, MIA.id)}
    held_until(house, "2027-01-13")
    after = {each: house.store.loading.histories([each])[each].facts_seq for each in (ANA.id, MIA.id)}
    assert (after[ANA.id] > before[ANA.id], after[MIA.id]) == (True, before[MIA.id])
    (held,) = house.store.campaigns.running().running[0].manager_holds
    assert (held.message, held.managers, str(held.until)) == ("one-record", {MIA.email}, "2027-01-13")


def test_the_lead_sees_holds_and_lines_and_takes_them_back(house: Answering) -> None:
    held_until(house, "2027-01-13")
    house.desk.add_line(MIA, "crm", "one-record", "Ask me\non Thursday.", house.clock())
    words = managers_words(house.store, "crm", house.clock())
    (hold,), (line,) = words["holds"], words["lines"]
    assert (hold["manager"], hold["until"], hold["people"]) == (MIA.email, "2027-01-13", 2)
    assert (line["name"], line["text"]) == (MIA.name, "Ask me on Thursday.")
    lift(house.store, "crm", hold["id"], by="dana", now=house.clock())
    assert managers_words(house.store, "crm", house.clock())["holds"] == []
    with pytest.raises(InputError, match="There is no hold"):
        lift(house.store, "crm", hold["id"], by="dana", now=house.clock())


def test_a_line_has_an_end_and_an_empty_one_takes_it_away(house: Answering) -> None:
    with pytest.raises(InputError, match="at most 300 characters; you wrote 301"):
        house.desk.add_line(MIA, "crm", "one-record", "x" * 301, house.clock())
    assert house.desk.add_line(MIA, "crm", "one-record", "Ask me.", house.clock()).line == "Ask me."
    assert house.desk.add_line(MIA, "crm", "one-record", "  ", house.clock()).line == ""


def test_an_erased_managers_words_are_gone(house: Answering) -> None:
    held_until(house, "2027-01-13")
    house.desk.add_line(MIA, "crm", "one-record", "Ask me.", house.clock())
    exported = house.store.people.all_of(MIA.id)
    assert (len(exported["manager_hold"]), exported["manager_line"][0]["text"]) == (1, "Ask me.")
    house.store.people.erase(MIA.id, by="dana", now=house.clock())
    assert house.store.manager_words.lines("crm") == []
    assert managers_words(house.store, "crm", house.clock())["holds"] == []
    assert "mia" not in str(house.store.manager_words.holds("crm"))
