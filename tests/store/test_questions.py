"""A question is open until its first answer."""

from __future__ import annotations

import pytest

from commsengine.cadence.history import Question
from commsengine.errors import InputError
from commsengine.store.store import Store
from tests.store.scene import LATER, NOW, idle


def test_a_question_is_open_until_its_first_answer(known: Store) -> None:
    number = known.questions.ask("ana", "crm", "m", "k", "Why?", evidence="link", now=NOW)
    assert [question.text for question in known.questions.all()] == ["Why?"]
    idle(known)
    told = known.questions.answer(number, "Because.", by="dana", now=LATER)
    assert (told.answer, told.answered_by, told.answered_at) == ("Because.", "dana", LATER)
    assert known.questions.answer(number, "No.", by="tom", now=LATER) == told
    assert (known.questions.all(), known.questions.all(open_only=False)) == ([], [told])
    assert known.loading.due(LATER) == ["ana"]
    history = known.loading.histories(["ana"])["ana"].history
    assert history.questions == (Question("crm", "m", NOW, LATER),)


def test_an_unknown_question_is_refused(known: Store) -> None:
    with pytest.raises(InputError, match="no question 99"):
        known.questions.answer(99, "Because.", by="dana", now=NOW)
