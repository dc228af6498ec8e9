"""What people say is recorded once, with its evidence, and can be taken back for five minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from commsengine.answers.inbox import AnswerInbox, Evidence, Recorded, UnknownTouchError
from commsengine.answers.touch_text import CheckText
from commsengine.answers.touch_view import Card
from commsengine.cadence.check_questions import answer_id
from commsengine.cadence.kinds_and_states import CheckKind
from commsengine.errors import InputError
from tests.answering import BY_LINK, Answering, answering
from tests.builders import ANA, BEN, a_message, utc
from tests.replies import answer_question

CHECK: dict[str, Any] = {
    "question": "Where do you log a call?",
    "answers": ["My notebook", "The customer record"],
    "right": "The customer record",
    "because": "Your colleague sees it before the next call.",
}
INPUT: dict[str, Any] = {"question": "What must never get harder?", "reply_by": "5 working days"}


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Answering]:
    house = answering(tmp_path)
    yield house
    house.store.close()


PERSONAL: dict[str, Any] = {
    "question": "{{ person.first_name }}, where do you log a call?",
    "answers": ["{{ person.first_name }}'s notebook", "The record of {{ person.department }}"],
    "right": "The record of {{ person.department }}",
    "because": "{{ person.department }} starts on {{ milestones.go_live }}.",
}


def card_of(house: Answering, recorded: Recorded) -> Card:
    return house.inbox.card(recorded.key, house.clock())


def asking(folder: Path, ask: str, **more: Any) -> Answering:
    return answering(folder, a_message(ask=ask, **more))


def test_an_acknowledgement_is_told_in_the_persons_own_time(inbox: Answering) -> None:
    recorded = inbox.inbox.got_it(inbox.card(inbox.touch()), BY_LINK)
    assert (recorded.first, recorded.at, card_of(inbox, recorded).last_answer) == (
        True,
        utc("2027-01-11 09:00"),
        "You confirmed Mon 18:00",
    )


def test_recording_twice_changes_nothing(inbox: Answering) -> None:
    key = inbox.touch()
    inbox.inbox.got_it(inbox.card(key), BY_LINK)
    inbox.clock.pass_(hours=20)
    again = inbox.inbox.got_it(inbox.card(key), BY_LINK)
    assert (again.first, again.at, inbox.kinds()) == (False, utc("2027-01-11 09:00"), ["acknowledged"])


def test_the_next_touch_is_answered_anew_and_names_the_answer_before(inbox: Answering) -> None:
    inbox.inbox.got_it(inbox.card(inbox.touch()), BY_LINK)
    inbox.clock.pass_(hours=48)
    card = inbox.inbox.card(inbox.touch(number=2), inbox.clock())
    assert (card.answered, card.earlier_answer) == (False, "You confirmed Mon 18:00")


def test_evidence_is_kept_beside_the_answer(inbox: Answering) -> None:
    evidence = Evidence("link", {"method": "POST", "ip_prefix": "203.0.113.0/24"})
    inbox.inbox.got_it(inbox.card(inbox.touch()), evidence)
    (kept,) = inbox.store.answers.of_person(ANA.id)
    assert (kept.evidence, kept.detail, kept.by) == ("link", evidence.detail, ANA.id)


def test_an_answer_makes_the_person_due_at_once(inbox: Answering) -> None:
    key = inbox.touch()
    inbox.inbox.got_it(inbox.card(key), BY_LINK)
    assert ANA.id in inbox.store.loading.due(inbox.clock())


def test_undo_within_five_minutes(inbox: Answering) -> None:
    key = inbox.touch()
    inbox.inbox.got_it(inbox.card(key), BY_LINK)
    inbox.clock.pass_(minutes=5)
    assert (inbox.inbox.undo(inbox.card(key)), inbox.kinds()) == (True, [])


def test_no_undo_after_five_minutes(inbox: Answering) -> None:
    key = inbox.touch()
    inbox.inbox.got_it(inbox.card(key), BY_LINK)
    inbox.clock.pass_(minutes=5, seconds=1)
    assert (inbox.inbox.undo(inbox.card(key)), inbox.kinds()) == (False, ["acknowledged"])


def test_an_answer_to_a_check_stays_for_the_right_one_has_been_shown(tmp_path: Path) -> None:
    house = asking(tmp_path, "check", checks=[CHECK])
    key = house.touch()
    assert not card_of(house, house.inbox.answer_check(house.card(key), "My notebook", BY_LINK)).undoable
    assert (house.inbox.undo(house.card(key)), house.kinds()) == (False, ["check"])
    house.store.close()


def test_what_was_undone_can_be_said_again(inbox: Answering) -> None:
    key = inbox.touch()
    for _ in range(2):
        assert inbox.inbox.got_it(inbox.card(key), BY_LINK).first
        assert inbox.inbox.undo(inbox.card(key))
    assert not inbox.inbox.undo(inbox.card(key))


def test_input_is_kept_as_it_was_written(tmp_path: Path) -> None:
    house = asking(tmp_path, "input", input=INPUT)
    card = card_of(house, house.inbox.give_input(house.card(house.touch()), "  Finding a number <fast>. ", BY_LINK))
    assert (card.value, card.last_answer, house.kinds()) == (
        "Finding a number <fast>.",
        "You answered Mon 18:00",
        ["input"],
    )


@pytest.mark.parametrize("value", ["", "   ", "x" * 4001])
def test_input_must_be_written_and_not_endless(tmp_path: Path, value: str) -> None:
    house = asking(tmp_path, "input", input=INPUT)
    with pytest.raises(InputError):
        house.inbox.give_input(house.card(house.touch()), value, BY_LINK)
    assert house.kinds() == []


def test_input_by_choice_takes_only_the_choices(tmp_path: Path) -> None:
    house = asking(tmp_path, "input", input=INPUT | {"kind": "choice", "choices": ["Search", "Entry"]})
    key = house.touch()
    with pytest.raises(InputError, match="choose one"):
        house.inbox.give_input(house.card(key), "Something else", BY_LINK)
    assert card_of(house, house.inbox.give_input(house.card(key), "Search", BY_LINK)).value == "Search"


@pytest.mark.parametrize(("choice", "right"), [("My notebook", False), ("The customer record", True)])
def test_a_check_is_explained_at_once(tmp_path: Path, choice: str, right: bool) -> None:
    house = asking(tmp_path, "check", checks=[CHECK])
    card = card_of(house, house.inbox.answer_check(house.card(house.touch()), choice, BY_LINK))
    assert (card.right, house.inbox.text(card).check.because) == (right, CHECK["because"])


def test_nothing_is_explained_before_the_answer(tmp_path: Path) -> None:
    house = asking(tmp_path, "check", checks=[CHECK])
    card = house.inbox.card(house.touch(), house.clock())
    text = house.inbox.text(card).check
    assert (card.right, text.told, text.because) == (False, "", "")


def test_every_text_of_the_plan_speaks_to_the_person(tmp_path: Path) -> None:
    house = asking(tmp_path, "check", checks=[PERSONAL])
    card = card_of(house, house.inbox.answer_check(house.card(house.touch()), str(PERSONAL["answers"][0]), BY_LINK))
    text = house.inbox.text(card)
    shown = dict(zip(PERSONAL["answers"], ("Ana's notebook", "The record of Engineering"), strict=True))
    order = [PERSONAL["answers"][place] for place in card.choices]
    assert text.check == CheckText(
        "Ana, where do you log a call?", tuple((answer, shown[answer]) for answer in order),
        "Not quite. The answer is: The record of Engineering.", "Engineering starts on Monday, 15 March 2027.",
    )  # fmt: skip
    assert (text.value, card.right) == ("Ana's notebook", False)
    house.inbox.explain(house.card(card.key), BY_LINK)
    (question,) = house.store.questions.all()
    assert question.text == "Please explain it to me (Ana, where do you log a call?)"


def test_a_text_that_lost_its_column_is_shown_as_written(tmp_path: Path) -> None:
    house = asking(tmp_path, "check", checks=[CHECK | {"because": "Ask {{ person.buddy }}."}])
    text = house.inbox.text(house.inbox.card(house.touch(), house.clock()))
    assert text.check.question == CHECK["question"]
    assert sorted(text.check.answers) == [(answer, answer) for answer in CHECK["answers"]]


def test_please_explain_is_a_question_that_does_not_say_what_was_answered(tmp_path: Path) -> None:
    house = asking(tmp_path, "check", checks=[CHECK])
    key = house.touch()
    house.inbox.answer_check(house.card(key), "My notebook", BY_LINK)
    house.inbox.explain(house.card(key), BY_LINK)
    (question,) = house.store.questions.all(open_only=True)
    assert question.text == "Please explain it to me (Where do you log a call?)"


def test_each_touch_asks_the_next_check(tmp_path: Path) -> None:
    house = asking(tmp_path, "check", checks=[CHECK, CHECK | {"question": "Since when?"}])
    cards = [house.inbox.card(house.touch(number=number), house.clock()) for number in (1, 2, 3)]
    assert [card.check and card.check.question for card in cards] == [
        "Where do you log a call?", "Since when?", "Where do you log a call?",
    ]  # fmt: skip


def test_a_commitment_may_have_words_of_ones_own(tmp_path: Path) -> None:
    house = asking(tmp_path, "commit", commit="What will you do first?")
    card = card_of(house, house.inbox.commit(house.card(house.touch()), "Try it with Ben", BY_LINK))
    assert (card.value, house.kinds()) == ("Try it with Ben", ["commit"])


def test_enough_of_the_campaign_answers_its_other_messages_too(tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(), a_message(id="worse-first"))
    key, other = house.touch(), house.touch(message="worse-first")
    house.inbox.heard_enough(house.card(key), BY_LINK, whole_campaign=True)
    assert house.inbox.card(other, house.clock()).last_answer == "You stopped all messages of this campaign Mon 18:00"


def test_enough_of_a_message_leaves_the_others_alone(tmp_path: Path) -> None:
    house = answering(tmp_path, a_message(), a_message(id="worse-first"))
    key, other = house.touch(), house.touch(message="worse-first")
    house.inbox.heard_enough(house.card(key), BY_LINK)
    cards = [house.inbox.card(each, house.clock()) for each in (key, other)]
    assert [card.enough for card in cards] == [True, False]


def test_a_snooze_lasts_until_the_persons_next_local_day(inbox: Answering) -> None:
    inbox.clock.now = utc("2027-01-11 16:00")  # Tuesday 01:00 in Seoul
    card = inbox.inbox.snooze(inbox.card(inbox.touch()))
    assert str(card.snoozed_until) == "2027-01-13"


def test_the_same_question_twice_is_one_question(inbox: Answering) -> None:
    key = inbox.touch()
    for _ in range(2):
        inbox.inbox.ask(inbox.card(key), "When does it start?", BY_LINK)
    assert [question.text for question in inbox.store.questions.all(open_only=True)] == ["When does it start?"]


def test_an_answered_question_stands_on_the_card(inbox: Answering) -> None:
    key = inbox.touch()
    asked = inbox.inbox.ask(inbox.card(key), "When does it start?", BY_LINK).question
    assert asked
    answer_question(inbox.store, inbox.inbox, asked.id, "On 15 March.", "dana@example.com", inbox.clock())
    answered = inbox.inbox.card(key, inbox.clock()).question
    assert answered
    assert (answered.answer, answered.answered_by) == ("On 15 March.", "dana@example.com")


def test_the_answer_to_a_question_is_queued_once_for_their_next_working_hours(inbox: Answering) -> None:
    asked = inbox.inbox.ask(inbox.card(inbox.touch()), "When does it start?", BY_LINK).question
    assert asked
    answer_question(inbox.store, inbox.inbox, asked.id, "On 15 March.", "dana@example.com", inbox.clock())
    with pytest.raises(InputError, match=r"1 was answered Mon 11 Jan 09:00 UTC by dana@example.com"):
        answer_question(inbox.store, inbox.inbox, asked.id, "On 16 March.", "tom@example.com", inbox.clock())
    assert inbox.store.service_mail.due(inbox.clock()) == []  # it is evening in Seoul
    (mail,) = inbox.store.service_mail.due(utc("2027-01-12 00:00"))
    assert mail.payload
    assert (mail.person_id, "On 15 March." in mail.payload["text"]) == (ANA.id, True)


def test_a_key_that_is_on_nobodys_record(inbox: Answering) -> None:
    with pytest.raises(UnknownTouchError):
        inbox.inbox.card("0" * 24, inbox.clock())


def test_nobody_sees_what_another_person_said(inbox: Answering) -> None:
    inbox.inbox.got_it(inbox.card(inbox.touch(BEN)), BY_LINK)
    assert not inbox.inbox.card(inbox.touch(ANA), inbox.clock()).answered


def test_the_log_tells_a_right_answer_from_a_wrong_one_by_nothing(tmp_path: Path) -> None:
    house = asking(tmp_path, "check", checks=[CHECK])
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    with capture_logs() as lines:
        for person, choice in ((ANA, "My notebook"), (BEN, "The customer record")):
            house.inbox.answer_check(house.card(house.touch(person)), choice, BY_LINK)
    structlog.configure(**before)
    assert len(lines) == 2
    assert [line | {"key": ""} for line in lines] == [lines[0] | {"key": ""}] * 2


def test_an_answer_is_taken_only_if_it_is_one_of_this_touchs_question(tmp_path: Path) -> None:
    other = CHECK | {"question": "Since when?", "answers": ["May", "June"], "right": "May"}
    house = answering(tmp_path, a_message(checks=[CHECK, other]))
    key = house.touch(number=4)
    with pytest.raises(InputError, match="choose one"):
        house.inbox.answer_check(house.card(key), "My notebook", BY_LINK)
    with pytest.raises(InputError, match="has changed"):
        house.inbox.answer_named(house.card(key), answer_id("My notebook"), BY_LINK)
    assert card_of(house, house.inbox.answer_named(house.card(key), answer_id("May"), BY_LINK)).right


def test_an_answer_counts_where_the_question_came_first(tmp_path: Path) -> None:
    """Below a message, on its page, one may test oneself: that says nothing of what was known before reading it."""
    house = answering(tmp_path, a_message(checks=[CHECK]))
    first, skipped, asked = (house.touch(number=number) for number in (1, 4, 2))
    house.inbox.got_it(house.card(skipped), BY_LINK)
    for key in (first, skipped, asked):
        house.inbox.answer_check(house.card(key), "The customer record", BY_LINK)
    given = house.store.answers.of_person(ANA.id)
    assert {one.key: one.counts for one in given if one.kind == "check"} == {first: False, skipped: False, asked: True}
    assert [one.number for one in house.store.answers.to_checks("crm")] == [2]


def test_where_recall_is_off_nothing_is_kept_of_right_and_wrong(tmp_path: Path) -> None:
    house = asking(tmp_path, "acknowledge", checks=[CHECK])
    inbox = AnswerInbox(house.store, house.inbox._make_renderer, recall="off")
    for number, choice in ((2, "My notebook"), (4, "The customer record")):
        key = house.touch(number=number)
        inbox.answer_check(inbox.card(key, house.clock()), choice, BY_LINK)
        card = inbox.card(key, house.clock())
        assert inbox.text(card).check.told == "The answer is: The customer record."
        assert inbox.text(card).check.because == CHECK["because"]
        assert card.checked
        assert (card.checked.value, card.checked.right, card.checked.counts) == ("", None, False)
    assert list(house.store.answers.to_checks("crm")) == []


@pytest.mark.parametrize("kind", ["baseline", "transfer"])
def test_what_is_asked_first_or_last_is_counted_apart(tmp_path: Path, kind: CheckKind) -> None:
    other = CHECK | {"question": "And elsewhere?", kind: "true"}
    house = asking(tmp_path, "acknowledge", checks=[CHECK, other])
    key = house.touch(number=1 if kind == "baseline" else 5, asks=kind)
    card = house.card(key)
    assert card.check
    assert card.check.question == "And elsewhere?"
    house.inbox.answer_check(card, "The customer record", BY_LINK)
    assert list(house.store.answers.to_checks("crm")) == []
    (given,) = house.store.answers.to_checks("crm", kind)
    assert (given.right, given.asks) == (True, kind)
