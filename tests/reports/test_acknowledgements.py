"""Who acknowledged what, when: each with its grade, and what came without its page counts nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commsengine.answers.inbox import Evidence
from commsengine.cadence.kinds_and_states import GRADES
from commsengine.cadence.plan import Workspace
from commsengine.engine.decisions import Decisions
from commsengine.reports.input_answers import acknowledgements, answers
from commsengine.reports.why import why
from tests.answering import BY_LINK, Answering, answering
from tests.answers.test_inbox import CHECK
from tests.builders import ANA, BEN, a_message

SUSPECT = Evidence("link", {"suspect": "the page was not opened first"})
RANK = {"question": "What first?", "kind": "rank", "choices": ["Offers", "Visits", "Calls"]}
MEETING = {"question": "When?", "kind": "meeting", "choices": ["Tue 10:00", "Fri 14:00"]}


@pytest.fixture
def house(tmp_path: Path) -> Answering:
    return answering(
        tmp_path,
        a_message(checks=[CHECK]),
        a_message(id="rank", ask="input", input=RANK),
        a_message(id="meet", ask="input", input=MEETING),
    )


def told(house: Answering) -> Any:
    record = house.store.campaigns.get("crm")
    assert record
    return acknowledgements(house.store, record)


def test_each_has_its_grade_and_the_suspect_does_not_count(house: Answering) -> None:
    house.inbox.got_it(house.card(house.touch()), BY_LINK)
    house.clock.pass_(hours=1)
    house.inbox.got_it(house.card(house.touch(BEN)), Evidence("slack", {"user": "U1"}))
    house.clock.pass_(hours=1)
    house.inbox.got_it(house.card(house.touch(BEN, number=2)), SUSPECT)
    acks = told(house)["acks"]
    assert [(ack["person"], ack["grade"], ack["counts"]) for ack in acks] == [
        (ANA.email, "link", True), (BEN.email, "slack", True), (BEN.email, "suspect", False),
    ]  # fmt: skip
    assert acks[0]["at"] == "2027-01-11T09:00:00+00:00"
    assert told(house)["grades"] == {**dict.fromkeys(GRADES, 0), "slack": 1, "link": 1, "suspect": 1}


def test_a_suspect_one_changes_no_standing_and_no_count_and_why_tells_of_it(house: Answering) -> None:
    house.inbox.got_it(house.card(house.touch()), SUSPECT)
    assert house.store.counts.status(house.clock())[0].acknowledged == 0
    found = why(house.store, Decisions(house.store, Workspace()), ANA.email, house.clock())
    message = found["campaigns"][0]["messages"][0]
    assert message["standing"] == "reached"
    assert [each["text"] for each in message["said"]] == ["got it, by a form sent without its page; not counted"]


def test_an_answer_to_a_check_is_no_more_than_taken_note(house: Answering) -> None:
    house.inbox.answer_check(house.card(house.touch(number=2)), CHECK["answers"][0], BY_LINK)
    (ack,) = told(house)["acks"]
    assert ack["kind"] == "check"
    assert not any(word in str(ack) for word in (*CHECK["answers"], "right", "wrong"))


def test_who_was_erased_is_not_listed(house: Answering) -> None:
    house.inbox.got_it(house.card(house.touch()), BY_LINK)
    house.inbox.got_it(house.card(house.touch(number=2)), SUSPECT)
    house.store.people.erase(ANA.id, by="dana", now=house.clock())
    assert told(house)["acks"] == []


def test_an_order_is_told_in_points_and_mean_places(house: Answering) -> None:
    for person, order in ((ANA, "Visits\nOffers\nCalls"), (BEN, "Visits\nCalls\nOffers")):
        house.inbox.give_input(house.card(house.touch(person, "rank")), order, BY_LINK)
    record = house.store.campaigns.get("crm")
    assert record
    (asked,) = answers(house.store, record, "rank")["messages"]
    assert asked["tally"] == {"Offers": 1, "Visits": 4, "Calls": 1}
    assert asked["places"] == {"Offers": 2.5, "Visits": 1.0, "Calls": 2.5}


def test_the_lead_gets_a_list_for_each_appointment(house: Answering) -> None:
    for person, when in ((ANA, "Fri 14:00"), (BEN, "Any Monday")):
        house.inbox.give_input(house.card(house.touch(person, "meet")), when, BY_LINK)
    record = house.store.campaigns.get("crm")
    assert record
    (asked,) = answers(house.store, record, "meet")["messages"]
    assert asked["chosen_by"] == {"Tue 10:00": [], "Fri 14:00": [ANA.email], "": [BEN.email]}
    assert asked["tally"] == {"Tue 10:00": 0, "Fri 14:00": 1}
