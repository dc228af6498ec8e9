"""A question is open until its first answer."""

from __future__ import annotations

import pytest

from commsengine.cadence.history import Question
from commsengine.errors import InputError
from commsengine.store.records import HeardQuestion
from commsengine.store.store import Store
from tests.replies import answered
from tests.store.scene import LATER, NOW, idle


def test_a_question_is_open_until_its_first_answer(known: Store) -> None:
    number = known.questions.ask("ana", "crm", "m", "k", "Why?", evidence="link", now=NOW)
    assert [question.text for question in known.questions.all()] == ["Why?"]
    idle(known)
    answered(known, number, "Because.", now=LATER)
    told = known.questions.get(number)
    assert told is not None
    assert (told.answer, told.answered_by, told.answered_at) == ("Because.", "dana", LATER)
    with pytest.raises(InputError, match=rf"{number} was answered .* by dana"):
        answered(known, number, "No.", by="tom", now=LATER)
    assert known.questions.get(number) == told
    assert (known.questions.all(), known.questions.all(open_only=False)) == ([], [told])
    assert known.loading.due(LATER) == ["ana"]
    history = known.loading.histories(["ana"])["ana"].history
    assert history.questions == (Question("crm", "m", NOW, LATER),)


def hear(store: Store, text: str, stamp: str, message: str = "m") -> HeardQuestion:
    return store.questions.hear(
        "ana", "crm", message, "k", text, evidence="slack", thread="D1:1", stamp=stamp, within=300, now=NOW
    )


def test_words_typed_soon_after_belong_to_the_question(known: Store) -> None:
    first = hear(known, "Why?", "1000.000001")
    assert not first.added
    assert hear(known, "And when?", "1290.000002") == HeardQuestion(first.number, added=True)
    assert hear(known, "And then?", "1500.000003").added  # five minutes after the last
    assert not hear(known, "Else?", "1900.000004").added
    assert [one.text for one in known.questions.of_person("ana")] == ["Why?\nAnd when?\nAnd then?", "Else?"]


def test_words_delivered_again_are_known_whatever_was_said_since(known: Store) -> None:
    first, _, second = (hear(known, f"{stamp}?", stamp) for stamp in ("1.000001", "2.000002", "900.000003"))
    answered(known, first.number, "Because.", now=LATER)
    for question, stamp in ((first, "1.000001"), (first, "2.000002"), (second, "900.000003")):
        assert hear(known, "Why?", stamp) == HeardQuestion(question.number, known=True)


def test_words_about_another_message_are_a_question_of_their_own(known: Store) -> None:
    hear(known, "Why?", "1.000001")
    assert not hear(known, "Why?", "2.000002", message="other").added


def test_what_was_asked_by_a_form_is_not_added_to(known: Store) -> None:
    known.questions.ask("ana", "crm", "m", "k", "Why?", evidence="slack", thread="D1:1", now=NOW)
    assert not hear(known, "And when?", "1.000001").added


def test_a_question_does_not_grow_without_end(known: Store) -> None:
    hear(known, "x" * 3900, "1.000001")
    assert not hear(known, "y" * 200, "2.000002").added
