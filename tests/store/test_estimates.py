"""What was learned of roles: written once, in use from its own instant, on both databases."""

from __future__ import annotations

import datetime as dt

from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.recall.learning import Checked, Learned, learn, nothing
from commsengine.recall.memory import Event
from commsengine.store.store import Store
from tests.builders import ANA, utc
from tests.store.scene import LATER, NOW, a_touch, claim, running

COUNTED, EFFECTIVE = utc("2027-01-12 00:00"), utc("2027-01-12 03:00")


def learned(right: int = 3) -> Learned:
    before = (Event(0.0, "unseen"),)
    checks = [Checked(before, Event(30.0 + n, "right" if n < right else "wrong")) for n in range(5)]
    return learn(nothing(), checks, [(*before, check.answer) for check in checks])


def known(right: int = 3, **changes: dt.datetime) -> LearnedRoles:
    given = {"counted_at": COUNTED, "effective_at": EFFECTIVE, **changes}
    return LearnedRoles(given["counted_at"], given["effective_at"], {"sales": learned(right), "others": nothing()})


def test_what_is_read_is_what_was_published_to_the_bit(store: Store) -> None:
    running(store)
    assert store.estimates.publish("crm", known())
    found = store.estimates.latest("crm")
    assert (found, found.estimates["sales"].checks) == (known(), 5)


def test_nothing_is_known_at_first_or_of_another_campaign(store: Store) -> None:
    running(store)
    store.estimates.publish("crm", known())
    assert store.estimates.latest("other") == LearnedRoles()


def test_it_is_in_use_from_its_instant_on(store: Store) -> None:
    running(store)
    store.estimates.publish("crm", known())
    day = dt.timedelta(days=1)
    later = known(5, counted_at=COUNTED + day, effective_at=EFFECTIVE + day)
    store.estimates.publish("crm", later)
    assert store.estimates.latest("crm") == later
    assert store.estimates.latest("crm", effective=EFFECTIVE + day) == later
    assert store.estimates.latest("crm", effective=EFFECTIVE + day - dt.timedelta(seconds=1)) == known()
    assert store.estimates.latest("crm", effective=EFFECTIVE - dt.timedelta(seconds=1)) == LearnedRoles()


def test_the_first_of_two_engines_is_kept(store: Store) -> None:
    running(store)
    assert store.estimates.publish("crm", known(3))
    assert not store.estimates.publish("crm", known(4))
    assert store.estimates.latest("crm") == known(3)


def test_whoever_had_anything_of_it_is_due_when_it_takes_effect(store: Store) -> None:
    running(store, (ANA,))
    claim(store, a_touch(), wake_at=EFFECTIVE + dt.timedelta(days=9))
    store.estimates.publish("crm", known())
    assert store.loading.due(EFFECTIVE - dt.timedelta(seconds=1)) == []
    assert store.loading.due(EFFECTIVE) == ["ana"]


def test_whoever_is_due_before_stays_so(store: Store) -> None:
    running(store, (ANA,))
    claim(store, a_touch(), wake_at=LATER)
    store.estimates.publish("crm", known())
    assert store.loading.due(LATER) == ["ana"]


def test_only_checks_that_stand_are_answers_to_learn_from(store: Store) -> None:
    running(store)
    key, after = (row.key for row in claim(store, a_touch(), a_touch(rung=1, number=2)))
    given = {"evidence": "link", "by": "ana", "now": NOW}
    store.answers.record("ana", "crm", "one-record", key, "acknowledged", **given)
    assert not store.estimates.answered_since("crm", NOW - dt.timedelta(days=1), LATER)
    record = store.answers.record("ana", "crm", "one-record", after, "check", right=True, **given)
    assert store.estimates.answered_since("crm", NOW - dt.timedelta(days=1), LATER)
    assert not store.estimates.answered_since("crm", NOW, LATER)  # it was counted then
    assert store.estimates.who_answered("crm", LATER) == ["ana"]
    assert record.first
    store.answers.withdraw(store.answers.of_person("ana")[-1].id, LATER)
    assert store.estimates.who_answered("crm", LATER) == []
