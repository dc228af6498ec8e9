"""Answers to checks that came from Slack cards with the answer on top: they stay, and they count for nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.cadence.history import Touch
from commsengine.cadence.standing import standing
from commsengine.store.store import Store
from tests.builders import a_message
from tests.store.before import upgraded
from tests.store.scene import HOUR, NOW, a_touch, claim, deliver, idle, mark, running, settle
from tests.store.test_estimates import known

CHECK = {"question": "Where?", "answers": ["Here", "There"], "right": "Here", "because": "Here."}
LATER = NOW + 2 * HOUR


def answer(store: Store, touch: Touch, evidence: str, kind: str = "check", at: dt.datetime = LATER) -> None:
    right = True if kind == "check" else None
    store.answers.record(
        touch.person, "crm", touch.message, touch.key, kind, value="Here", right=right, evidence=evidence,
        by=touch.person, now=at,
    )  # fmt: skip


def standing_of(store: Store, person: str) -> str:
    history = store.loading.histories([person])[person].history
    return standing(history.rows, history.answers, history.questions)


def asked(person: str) -> Touch:
    return a_touch(person, channel="slack")


@pytest.fixture
def before(store: Store) -> Store:
    """Ana answered in Slack, Ben on the page; Mia has her card. One fence was given out."""
    running(store, messages=[a_message(checks=[CHECK])])
    assert store.engine.next_fence() == 1
    ana, ben, _ = (deliver(store, asked(person)) for person in ("ana", "ben", "mia"))
    answer(store, ana, "slack")
    answer(store, ben, "link")
    store.estimates.publish("crm", known())
    return idle(store)


@pytest.fixture
def after(before: Store, url: str) -> Iterator[Store]:
    with upgraded(before, url) as store:
        yield store


def test_what_was_pressed_before_stays_and_counts_for_nothing(after: Store) -> None:
    (stays,) = after.answers.of_person("ana")
    assert (stays.kind, stays.value, stays.right, stays.counts) == ("check", "Here", True, False)
    assert [one.person_id for one in after.answers.to_checks("crm")] == ["ben"]
    assert after.estimates.who_answered("crm", LATER) == ["ben"]
    assert (standing_of(after, "ana"), standing_of(after, "ben")) == ("acknowledged", "recalled")
    assert after.counts.status(LATER)[0].acknowledged == 2


def test_what_was_learned_from_it_is_forgotten_and_everybody_is_decided_again(after: Store) -> None:
    assert after.estimates.latest("crm") == LearnedRoles()
    assert sorted(after.loading.due(LATER, 10)) == ["ana", "ben", "mia"]


def test_an_answer_on_a_card_of_before_does_not_count_either(after: Store) -> None:
    answer(after, asked("mia"), "slack")
    assert [one.counts for one in after.answers.of_person("mia")] == [False]
    answer(after, asked("mia"), "slack", kind="acknowledged")
    assert [one.counts for one in after.answers.of_person("mia")] == [False, True]


def test_on_the_page_of_a_card_of_before_it_counts(after: Store) -> None:
    answer(after, asked("mia"), "link")
    assert [one.counts for one in after.answers.of_person("mia")] == [True]


def test_on_a_card_of_afterwards_it_counts(after: Store) -> None:
    fence = after.engine.next_fence()
    touch = a_touch("mia", channel="slack", local_date=NOW.date() + dt.timedelta(days=1))
    claim(after, touch, fence=fence)
    mark(after, touch, fence=fence)
    settle(after, touch, "sent", fence=fence)
    answer(after, touch, "slack")
    assert [one.counts for one in after.answers.of_person("mia")] == [True]


def test_a_campaign_without_such_answers_keeps_what_it_learned(store: Store, url: str) -> None:
    running(store, messages=[a_message(checks=[CHECK])])
    store.engine.next_fence()
    answer(store, deliver(store, asked("ben")), "link")
    store.estimates.publish("crm", known())
    with upgraded(idle(store), url) as after:
        assert after.estimates.latest("crm") == known()
        assert after.loading.due(LATER, 10) == []


def test_in_a_new_database_every_card_has_its_question_first(store: Store) -> None:
    running(store, messages=[a_message(checks=[CHECK])])
    answer(store, deliver(store, asked("ana")), "slack")
    assert [one.counts for one in store.answers.of_person("ana")] == [True]
