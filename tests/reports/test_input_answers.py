"""What people answer to what a message asks is read by its owners; what they answer to a check never is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commsengine.errors import InputError
from commsengine.reports.input_answers import answers
from tests.answering import BY_LINK, Answering, answering
from tests.answers.test_inbox import CHECK, INPUT
from tests.builders import ANA, BEN, MIA, a_message, a_plan

CHOICE: dict[str, Any] = {"question": "Which screen?", "kind": "choice", "choices": ["One", "Two", "Three"]}
MESSAGES = (
    a_message(id="plain"),
    a_message(id="asked", ask="input", input=INPUT, checks=[CHECK]),
    a_message(id="choose", ask="input", input=CHOICE),
    a_message(id="promise", ask="commit", commit="I log my calls."),
    a_message(id="tested", ask="check", checks=[CHECK]),
)


@pytest.fixture
def house(tmp_path: Path) -> Answering:
    return answering(tmp_path, *MESSAGES)


def told(house: Answering, message: str | None = None) -> Any:
    record = house.store.campaigns.get("crm")
    assert record
    return answers(house.store, record, message)


def only(house: Answering, message: str) -> Any:
    (one,) = told(house, message)["messages"]
    return one


def test_every_message_that_asks_is_there_in_the_order_of_the_plan(house: Answering) -> None:
    assert [(each["message"], each["kind"], each["question"]) for each in told(house)["messages"]] == [
        ("asked", "text", "What must never get harder?"), ("choose", "choice", "Which screen?"),
        ("promise", "commit", "I log my calls."),
    ]  # fmt: skip
    assert told(house)["campaign"] == "crm"


def test_an_answer_has_its_name_its_day_and_its_words(house: Answering) -> None:
    house.inbox.give_input(house.card(house.touch(message="asked")), "The phone\nnumber.", BY_LINK)
    (answer,) = only(house, "asked")["answers"]
    assert answer == {
        "id": "a1", "person": ANA.email, "name": ANA.name, "at": "2027-01-11T09:00:00+00:00",
        "text": "The phone\nnumber.", "as": None, "by": None, "reply": None,
    }  # fmt: skip


def test_a_tally_has_every_choice_and_counts_each_person_by_their_newest(house: Answering) -> None:
    for person, number, choice in ((ANA, 1, "One"), (BEN, 1, "One"), (ANA, 2, "Two")):
        key = house.touch(person, message="choose", number=number)
        house.inbox.give_input(house.card(key), choice, BY_LINK)
        house.clock.pass_(hours=1)
    assert only(house, "choose")["tally"] == {"One": 1, "Two": 1, "Three": 0}
    assert [answer["text"] for answer in only(house, "choose")["answers"]] == ["One", "One", "Two"]
    assert only(house, "asked")["tally"] == {}


def test_a_commitment_is_read_with_and_without_words(house: Answering) -> None:
    house.inbox.commit(house.card(house.touch(message="promise")), "", BY_LINK)
    house.inbox.commit(house.card(house.touch(BEN, message="promise")), "From Monday on.", BY_LINK)
    assert [answer["text"] for answer in only(house, "promise")["answers"]] == ["", "From Monday on."]


def test_silent_is_who_got_it_and_did_not_answer(house: Answering) -> None:
    house.inbox.give_input(house.card(house.touch(ANA, "asked")), "The phone.", BY_LINK)
    house.inbox.heard_enough(house.card(house.touch(BEN, "asked")), BY_LINK)
    assert only(house, "asked")["silent"] == [BEN.email]
    house.touch(MIA, "asked")
    assert only(house, "asked")["silent"] == [BEN.email, MIA.email]
    house.store.people.erase(MIA.id, by="dana", now=house.clock())
    assert only(house, "asked")["silent"] == [BEN.email]


def test_who_is_not_in_the_audience_of_the_message_is_not_silent(tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(id="asked", ask="input", input=INPUT, to=["sales"]))
    house.touch(ANA, "asked")  # she was in sales when she got it
    house.touch(BEN, "asked")
    assert only(house, "asked")["silent"] == [BEN.email]


def test_what_was_taken_back_is_not_read(house: Answering) -> None:
    key = house.touch(message="asked")
    house.inbox.give_input(house.card(key), "The phone.", BY_LINK)
    assert house.inbox.undo(house.card(key))
    assert (only(house, "asked")["answers"], only(house, "asked")["silent"]) == ([], [ANA.email])


@pytest.mark.parametrize("message", ["asked", "tested"])
def test_an_answer_to_a_check_is_never_among_them(house: Answering, message: str) -> None:
    key = house.touch(message=message, number=2)
    house.inbox.answer_check(house.card(key), CHECK["answers"][0], BY_LINK)
    house.inbox.got_it(house.card(house.touch(BEN, "plain")), BY_LINK)
    assert [each["answers"] for each in told(house)["messages"]] == [[], [], []]
    assert not any(word in str(told(house)) for word in (*CHECK["answers"], CHECK["question"]))


def test_answers_to_a_message_that_the_plan_has_lost_are_still_read(house: Answering) -> None:
    house.inbox.give_input(house.card(house.touch(message="choose")), "Two", BY_LINK)
    plan = a_plan(a_message(id="plain"))
    house.store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=house.clock())
    (lost,) = told(house)["messages"]
    assert (lost["message"], lost["question"], lost["kind"]) == ("choose", "Which screen?", "choice")
    assert (lost["tally"], len(lost["answers"])) == ({"One": 0, "Two": 1, "Three": 0}, 1)


def test_a_message_that_asks_nothing_names_those_that_do(house: Answering) -> None:
    with pytest.raises(InputError, match=r"'plain' is not a message .* Those that do: asked, choose, promise."):
        told(house, "plain")
