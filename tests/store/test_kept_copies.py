"""Review copies as they are on record, and databases in memory."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from commsengine.cadence.history import Briefing, Touch
from commsengine.cadence.plan import Plan, Workspace
from commsengine.engine.heartbeat import at_night
from commsengine.store.records import ReviewCopy
from commsengine.store.store import Store
from tests.builders import ANA, BEN, a_message, a_plan, translated
from tests.store.scene import NOW

MONTH = dt.timedelta(days=30)


def a_copy(key: str = "k1", *, plan: Plan | None = None, to: str = "Boss@Example.com") -> ReviewCopy:
    touch = Touch(
        "crm", "one-record", "review-1", "others", 0, "briefing", "email", NOW.date(), NOW, NOW, 1, NOW,
        corrects="one-record", asks="recall", briefing=Briefing("sales", NOW, only=True),
    )  # fmt: skip
    person = replace(
        ANA, id="review-1", days=frozenset({0, 1}), leave=((NOW.date(), NOW.date()),), attributes={"depot": "North"}
    )
    plan = plan or translated(a_plan(a_message()), "de", "auf Deutsch {}".format)
    return ReviewCopy(key, to, plan, {"wiifm": "# {{ key_point }}"}, (person, BEN), touch, NOW, NOW + MONTH, "dana")


def test_a_copy_is_read_back_as_it_was_kept(store: Store) -> None:
    store.review_copies.add(a_copy())
    assert store.review_copies.find("k1", NOW) == a_copy()
    assert store.review_copies.find("k2", NOW) is None


def test_a_copy_is_closed_on_its_day_and_gone_after_a_night(store: Store) -> None:
    store.review_copies.add(a_copy())
    end = NOW + MONTH
    assert (
        store.review_copies.is_open("k1", end - dt.timedelta(seconds=1)),
        store.review_copies.is_open("k1", end),
    ) == (
        True,
        False,
    )
    assert store.review_copies.find("k1", end) is None
    at_night(store, Workspace(), end)
    assert store.review_copies.find("k1", NOW) is None


def test_it_is_known_by_its_name_on_the_other_side(store: Store) -> None:
    store.review_copies.add(a_copy())
    assert store.review_copies.sent_as("") is False
    store.review_copies.sent("k1", "D1:1.2")
    assert (store.review_copies.sent_as("D1:1.2"), store.review_copies.sent_as("D1:1.3")) == (True, False)
    store.review_copies.remove("k1")
    assert store.review_copies.sent_as("D1:1.2") is False


def test_who_is_erased_is_in_no_copy_any_more(known: Store) -> None:
    known.review_copies.add(a_copy())
    known.review_copies.add(a_copy("k2", to=BEN.email.upper()))
    other = replace(a_copy("k3"), people=(replace(ANA, id="review-2", email="x@example.com"),))
    known.review_copies.add(other)
    known.people.erase(BEN.id, by="dana", now=NOW)
    assert [known.review_copies.is_open(key, NOW) for key in ("k1", "k2", "k3")] == [False, False, True]


def test_a_database_in_memory_has_our_tables_and_is_its_own() -> None:
    with Store.in_memory() as first, Store.in_memory() as second:
        first.people.save([ANA], by="dana", now=NOW)
        assert (first.people.by_id(ANA.id) is not None, second.people.by_id(ANA.id)) == (True, None)
        assert first.path is None
