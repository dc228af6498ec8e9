"""What became of commitments, as the owners of the campaign see it."""

from __future__ import annotations

from pathlib import Path

from commsengine.campaigns.known_campaign import known
from commsengine.reports.commitments import GivenCommitment, commitments, overdue_commitments
from commsengine.reports.input_answers import answers
from commsengine.store.store import Store
from tests import fresh
from tests.builders import a_message, a_plan, someone, utc

COMMIT = {"ask": "commit", "commit": {"text": "I log each call.", "by": "2027-01-20"}}
BEFORE, AFTER = utc("2027-01-20 23:59"), utc("2027-01-21")


def promised(folder: Path) -> Store:
    """Four people said that they will; of three of them more is known."""
    store = fresh.a_store(folder / "commitments.db")
    store.people.save([someone(n) for n in range(5)], by="dana", now=utc("2027-01-04"))
    store.campaigns.save_version(a_plan(a_message(**COMMIT)), {}, "", introduced={}, by="dana", now=utc("2027-01-04"))
    store.campaigns.start("crm", by="dana", now=utc("2027-01-04"))
    for n in range(4):
        say(store, n, "commit", "Every evening." if n == 1 else "", f"2027-01-1{n + 1}")
    say(store, 1, "not_kept", "No time yet.", "2027-01-19")
    say(store, 2, "not_kept", "", "2027-01-18")
    say(store, 2, "kept", "At last.", "2027-01-19")
    return store


def say(store: Store, n: int, kind: str, value: str, at: str) -> None:
    who, key = someone(n).id, f"k{n}"
    store.answers.record(who, "crm", "one-record", key, kind, value=value, evidence="link", by=who, now=utc(at))  # type: ignore[arg-type]


def told(found: list[GivenCommitment]) -> list[tuple[str, str, str, bool]]:
    return [(one.name, one.state, one.line, one.overdue) for one in found]


def test_each_is_named_with_what_came_of_it_the_newest_word_counts(tmp_path: Path) -> None:
    store = promised(tmp_path)
    assert told(commitments(store, known(store, "crm"), BEFORE)) == [
        ("Person 1", "not kept", "No time yet.", False),
        ("Person 0", "committed", "", False),
        ("Person 3", "committed", "", False),
        ("Person 2", "kept", "At last.", False),
    ]


def test_after_the_day_who_has_said_nothing_is_silent_and_first(tmp_path: Path) -> None:
    store = promised(tmp_path)
    assert told(overdue_commitments(store, known(store, "crm"), AFTER)) == [
        ("Person 0", "silent", "", True),
        ("Person 3", "silent", "", True),
        ("Person 1", "not kept", "No time yet.", True),
    ]


def test_the_answers_of_a_campaign_have_them(tmp_path: Path) -> None:
    store = promised(tmp_path)
    (message,) = answers(store, known(store, "crm"), now=AFTER)["messages"]
    assert message["question"] == "I log each call."
    assert [one["state"] for one in message["commitments"]] == ["silent", "silent", "not kept", "kept"]
    assert {one["by"] for one in message["commitments"]} == {"2027-01-20"}
    assert len(message["answers"]) == 4


def test_a_commitment_without_a_day_is_never_overdue(tmp_path: Path) -> None:
    store = promised(tmp_path)
    plan = a_plan(a_message(ask="commit", commit="I log each call."))
    store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=AFTER)
    assert overdue_commitments(store, known(store, "crm"), AFTER) == []


def test_a_word_that_is_taken_back_counts_for_nothing(tmp_path: Path) -> None:
    store = promised(tmp_path)
    (own,) = [answer for answer in store.answers.of_person(someone(0).id) if answer.kind == "commit"]
    assert store.answers.withdraw(own.id, utc("2027-01-11"))
    assert "Person 0" not in [one.name for one in commitments(store, known(store, "crm"), AFTER)]


def test_nobody_is_held_to_what_was_corrected(tmp_path: Path) -> None:
    store = promised(tmp_path)
    right = a_message(id="put-right", corrects="one-record")
    plan = a_plan(a_message(**COMMIT), right)
    store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=utc("2027-01-16"))
    assert overdue_commitments(store, known(store, "crm"), AFTER) == []
    assert {one.state for one in commitments(store, known(store, "crm"), AFTER)} == {"committed", "not kept", "kept"}
