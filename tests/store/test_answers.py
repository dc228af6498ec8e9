"""Answers: the first wins, an undo is a mark; each fact about a person makes them due."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from commsengine.cadence.history import Answer, OutreachOutcome, Snooze
from commsengine.errors import InputError
from commsengine.store.records import AnswerRecord
from commsengine.store.store import Store
from tests.store.scene import LATER, NOW, seq


def got_it(store: Store, key: str = "k1", **changes: object) -> AnswerRecord:
    given: dict[str, object] = {"evidence": "link", "by": "ana", "now": NOW, "detail": {"method": "POST"}, **changes}
    return store.answers.record("ana", "crm", "m", key, "acknowledged", **given)  # type: ignore[arg-type]


def answers(store: Store) -> tuple[Answer, ...]:
    return store.loading.histories(["ana"])["ana"].history.answers


def test_an_answer_is_on_record_with_its_evidence(known: Store) -> None:
    record = got_it(known)
    assert (record.first, record.at) == (True, NOW)
    assert answers(known) == (Answer("crm", "m", "acknowledged", NOW, "link", key="k1"),)
    [stored] = known.answers.of_person("ana")
    assert (stored.id, stored.key, stored.detail, stored.by) == (record.id, "k1", {"method": "POST"}, "ana")


def test_the_first_answer_wins(known: Store) -> None:
    first = got_it(known)
    assert got_it(known, now=LATER, evidence="slack") == AnswerRecord(False, NOW, first.id)
    assert len(answers(known)) == 1


def test_another_touch_or_kind_is_another_answer(known: Store) -> None:
    got_it(known)
    assert got_it(known, "k2").first
    assert got_it(known, whole_campaign=True).first
    check = known.answers.record(
        "ana", "crm", "m", "k1", "check", value="B", right=False, evidence="link", by="ana", now=NOW
    )
    assert check.first
    assert [answer.right for answer in answers(known)] == [None, None, None, False]


def test_an_answer_taken_back_no_longer_counts_and_is_kept(known: Store) -> None:
    record = got_it(known)
    assert known.answers.withdraw(record.id, LATER)
    assert not known.answers.withdraw(record.id, LATER)
    assert answers(known) == ()
    assert [stored.withdrawn_at for stored in known.answers.of_person("ana")] == [LATER]


def test_after_an_undo_the_answer_can_be_given_again(known: Store) -> None:
    known.answers.withdraw(got_it(known).id, NOW)
    assert got_it(known, now=LATER).first
    assert [answer.at for answer in answers(known)] == [LATER]


def test_many_presses_at_once_are_one_answer(known: Store) -> None:
    records: list[AnswerRecord] = []
    threads = [threading.Thread(target=lambda: records.append(got_it(known))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(record.first for record in records) == [False] * 7 + [True]
    assert len({record.id for record in records}) == 1


FACTS: dict[str, Callable[[Store], object]] = {
    "answer": got_it,
    "ask": lambda store: store.questions.ask("ana", "crm", "m", "k", "Why?", evidence="link", now=NOW),
    "snooze": lambda store: store.answers.snooze("ana", "crm", "m", LATER.date(), now=NOW),
    "outcome": lambda store: store.answers.outcome("ana", "crm", ["m"], "understood", by="mia", now=NOW),
    "suppress": lambda store: store.reachability.suppress("ANA@example.com", "asked", by="dana", now=NOW),
    "unreachable": lambda store: store.reachability.mark_unreachable("ana", "slack", "not on Slack", now=NOW),
    "preferences": lambda store: store.people.set_preferences("ana", channel="slack", quiet=None, now=NOW),
}


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_makes_its_person_due_and_nobody_else(known: Store, fact: str) -> None:
    before = seq(known)
    FACTS[fact](known)
    assert known.loading.due(NOW) == ["ana"]
    assert seq(known) > before


@pytest.mark.parametrize("fact", ["answer", "ask", "snooze", "suppress"])
def test_recording_twice_changes_nothing(known: Store, fact: str) -> None:
    FACTS[fact](known)
    before = (known.loading.histories(["ana"]), len(known.people.all_of("ana")["audit"]))
    FACTS[fact](known)
    assert (known.loading.histories(["ana"]), len(known.people.all_of("ana")["audit"])) == before


def test_snooze_and_outcome_reach_the_history(known: Store) -> None:
    known.answers.snooze("ana", "crm", "m", LATER.date(), now=NOW)
    known.answers.outcome("ana", "crm", ["m", "n"], "away", unclear="time", note="Leave.", by="mia", now=LATER)
    history = known.loading.histories(["ana"])["ana"].history
    assert history.snoozes == (Snooze("crm", "m", LATER.date(), NOW),)
    assert history.outcomes == (OutreachOutcome("crm", "m", "away", LATER), OutreachOutcome("crm", "n", "away", LATER))


@pytest.mark.parametrize(("outcome", "unclear"), [("happy", ""), ("away", "weather")])
def test_words_of_no_meaning_are_refused(known: Store, outcome: str, unclear: str) -> None:
    with pytest.raises(InputError, match="not known here"):
        known.answers.outcome("ana", "crm", ["m"], outcome, unclear=unclear, by="mia", now=NOW)


def test_a_person_can_see_everything_stored_about_them(known: Store) -> None:
    for record in FACTS.values():
        record(known)
    known.slack_ids.put("Ana@example.com", "U1", "D1")
    stored = known.people.all_of("ana")
    filled = {name for name, rows in stored.items() if rows}
    assert filled == {
        "person",
        "answer",
        "question",
        "snooze",
        "outcome",
        "suppression",
        "unreachable",
        "slack_id",
        "audit",
    }
    assert not any(known.people.all_of("ben")[name] for name in filled - {"person"})


def test_slack_ids_are_kept_by_address(store: Store) -> None:
    assert store.slack_ids.get("ana@example.com") is None
    store.slack_ids.put("ana@example.com", "U1", "")
    store.slack_ids.put("ANA@example.com", "U1", "D1")
    assert store.slack_ids.get("Ana@example.com") == ("U1", "D1")
