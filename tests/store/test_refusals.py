"""What servers refuse, in the database: counted over commits, settled by what the others get or by a word."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from commsengine.cadence.history import Touch
from commsengine.cadence.kinds_and_states import RefusalWord
from commsengine.errors import InputError
from commsengine.store.records import Receipt
from commsengine.store.refusals import AFTER_A_REST, AGAIN, FIRST_AGAIN
from commsengine.store.store import Store
from tests import outbox
from tests.builders import someone
from tests.store.scene import NOW, a_touch, claim, lease, mark, running, state

PEOPLE = [someone(number) for number in range(8)]
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def sending(store: Store) -> Store:
    return running(store, PEOPLE)


def touch_of(number: int, **changes: Any) -> Touch:
    return a_touch(PEOPLE[number].id, **changes)


def told(
    store: Store, *numbers: int, fault: str = "unknown", alike: str = "550", at: dt.datetime = NOW, fence: int = 1
) -> list[str]:
    """What becomes of these people's touches; with no ``fault`` they arrive. One commit."""
    touches = [touch_of(number) for number in numbers]
    claim(store, *touches, fence=fence)
    mark(store, *touches, fence=fence)
    about: dict[str, Any] = {"state": "retry", "reply": f"{alike} no", "fault": fault, "alike": alike}
    receipts = [Receipt(each.key, at=at, **(about if fault else {"state": "sent"})) for each in touches]
    commit = outbox.record(store, (), receipts, lease("e1", fence), at)
    return [f"{commit.settled[each.key]}{' held' if is_held(store, each) else ''}" for each in touches]


def is_held(store: Store, each: Touch) -> bool:
    record = store.touches.row(each.key)
    return record is not None and record.held


def again_in(store: Store, number: int) -> dt.timedelta:
    record = store.touches.row(touch_of(number).key)
    assert record
    assert record.retry_at
    return record.retry_at - NOW


def test_one_refusal_is_held_for_an_hour_then_for_four(sending: Store) -> None:
    assert told(sending, 0) == ["retry held"]
    assert again_in(sending, 0) == FIRST_AGAIN
    assert told(sending, 0) == ["retry held"]
    assert again_in(sending, 0) == AGAIN
    record = sending.touches.row(touch_of(0).key)
    assert record
    assert (record.attempts, record.uncounted) == (2, 2)
    assert [(each.verdict, each.fault) for each in sending.touches.attempts(record.key)] == [("retry", "unknown")] * 2


@pytest.mark.parametrize("together", [True, False])
def test_three_people_in_a_row_are_our_fault(sending: Store, together: bool) -> None:
    """Whether one commit has them or three, as of several ticks or engines."""
    found = told(sending, 0, 1, 2) if together else [*told(sending, 0), *told(sending, 1), *told(sending, 2)]
    assert found[-1] == "retry"
    assert [is_held(sending, touch_of(number)) for number in range(3)] == [False] * 3
    assert {again_in(sending, number) for number in range(3)} == {AFTER_A_REST}
    assert (sending.refusals.open(), sending.refusals.behind(NOW)) == ([], {"email": 3})
    assert told(sending, 3) == ["retry"]  # by the word on record


def test_what_gets_through_ends_a_run(sending: Store) -> None:
    assert told(sending, 0, 1) == ["retry held"] * 2
    assert told(sending, 5, fault="") == ["sent"]
    assert told(sending, 2, 3) == ["retry held"] * 2


def test_it_is_not_our_fault_any_more_once_something_gets_through(sending: Store) -> None:
    told(sending, 0, 1, 2)
    told(sending, 5, fault="")
    assert told(sending, 3) == ["retry held"]


def test_other_words_and_one_person_again_and_again_are_no_run(sending: Store) -> None:
    assert told(sending, 0) == told(sending, 1, alike="551") == told(sending, 2) == ["retry held"]
    assert [told(sending, 0) for _ in range(3)] == [["retry held"]] * 3


def test_three_people_refused_twice_while_others_get_it_are_their_own_fault(sending: Store) -> None:
    for number in range(3):
        told(sending, number, at=NOW)
        told(sending, 5 + number, fault="", at=NOW + MINUTE) if number < 2 else None
    told(sending, 7, fault="", at=NOW + MINUTE)
    found = [told(sending, number, at=NOW + 60 * MINUTE) for number in range(3)]
    assert found == [["retry held"], ["retry held"], ["failed"]]
    assert {state(sending, touch_of(number)) for number in range(3)} == {"failed"}
    faults = {each.fault for number in range(3) for each in sending.touches.attempts(touch_of(number).key)}
    assert faults == {"person"}
    # of others who are refused alike later the engine's word says nothing: a gateway may block us from today on
    assert [told(sending, number, at=NOW + 61 * MINUTE) for number in (3, 4)] == [["retry held"]] * 2


def test_two_refusals_within_the_hour_say_nothing_of_the_person(sending: Store) -> None:
    for number in range(3):
        told(sending, number, at=NOW)
        told(sending, 5 + number, fault="", at=NOW + MINUTE)
    found = [told(sending, number, at=NOW + 59 * MINUTE) for number in range(3)]
    assert "failed" not in {each for one in found for each in one}


@pytest.mark.parametrize(("word", "becomes"), [("person", "failed"), ("us", "retry"), ("again", "retry held")])
def test_a_word_settles_what_waits_and_what_is_refused_alike(sending: Store, word: RefusalWord, becomes: str) -> None:
    told(sending, 0, 1)
    (one,) = sending.refusals.open()
    assert (one.people, one.campaigns, one.fault, one.holds) == (2, ("crm",), "unknown", False)
    assert sending.refusals.settle(one.id, word, by="dana", now=NOW) == 2
    assert [is_held(sending, touch_of(number)) for number in range(2)] == [False, False]
    assert {state(sending, touch_of(number)) for number in range(2)} == {becomes.partition(" ")[0]}
    assert told(sending, 2) == [becomes]
    assert sending.touches.first_outcomes("crm", "one-record", since=NOW - MINUTE, most=10).keys() == (
        {("failed", "", "550 no")} if word == "person" else set()
    )


def test_the_word_that_it_is_the_text_holds_its_message(sending: Store) -> None:
    told(sending, 0)
    (one,) = sending.refusals.open()
    sending.refusals.settle(one.id, "message", by="dana", now=NOW)
    (one,) = sending.refusals.open()
    assert (one.message, one.holds, one.people) == ("one-record", True, 1)
    assert claim(sending, touch_of(4)) == []
    (campaign,) = sending.campaigns.running().running
    assert (campaign.held_messages, campaign.let_go) == ({"one-record"}, {})
    sending.refusals.settle(one.id, "again", by="dana", now=NOW + MINUTE)
    (campaign,) = sending.campaigns.running().running
    assert (campaign.held_messages, campaign.let_go) == (frozenset(), {"one-record": NOW + MINUTE})
    assert claim(sending, touch_of(4)) == [touch_of(4)]


def test_a_text_refused_to_three_people_in_a_row_gives_back_what_is_claimed_of_it(sending: Store) -> None:
    claim(sending, touch_of(6))
    assert told(sending, 0, 1, 2, fault="message") == ["retry held"] * 3
    assert state(sending, touch_of(6)) is None
    assert mark(sending, touch_of(6)) == set()
    assert sending.refusals.people_waiting() == 3


def test_a_text_that_reaches_somebody_holds_only_whom_it_was_refused_to(sending: Store) -> None:
    for number in range(3):
        told(sending, number, fault="message")
        told(sending, 5 + number, fault="") if number < 2 else None
    (one,) = sending.refusals.open()
    assert (one.holds, one.people) == (False, 3)


def test_an_unknown_refusal_and_an_unknown_word_are_refused(sending: Store) -> None:
    with pytest.raises(InputError, match="There is no refusal 7"):
        sending.refusals.settle(7, "us", by="dana", now=NOW)
    with pytest.raises(InputError, match="does not settle"):
        sending.refusals.settle(7, "them", by="dana", now=NOW)  # type: ignore[arg-type]


def test_cancelling_and_erasing_end_what_is_held(sending: Store) -> None:
    told(sending, 0, 1)
    sending.people.erase(PEOPLE[0].id, by="dana", now=NOW)
    (one,) = sending.refusals.open()
    assert one.people == 1
    sending.campaigns.cancel("crm", by="dana", now=NOW)
    assert sending.refusals.open() == []


def test_another_message_that_gets_through_ends_no_run_of_a_text(sending: Store) -> None:
    told(sending, 0, 1, fault="message")
    other, last = touch_of(5, message="one-list"), touch_of(6, message="one-list")
    claim(sending, other, last)
    mark(sending, other, last)
    receipts = [Receipt(each.key, "sent", NOW) for each in (other, last)]
    outbox.record(sending, (), receipts, lease(), NOW)
    told(sending, 2, fault="message")
    assert [each.holds for each in sending.refusals.open()] == [True]


def test_no_attempt_counts_of_what_goes_on_after_all(sending: Store) -> None:
    told(sending, 0, fault="later")
    told(sending, 0)
    (one,) = sending.refusals.open()
    sending.refusals.settle(one.id, "us", by="dana", now=NOW)
    record = sending.touches.row(touch_of(0).key)
    assert record
    assert (record.attempts, record.uncounted) == (2, 2)
