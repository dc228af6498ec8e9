"""Marks, receipts and claims given back."""

from __future__ import annotations

import pytest

from commsengine.store.records import Commit, Receipt
from commsengine.store.store import Store
from tests import outbox
from tests.builders import ANA, a_plan
from tests.store.scene import (
    HOUR,
    LATER,
    NOW,
    a_touch,
    claim,
    deliver,
    idle,
    lease,
    leases_end,
    mark,
    marked,
    rows,
    running,
    settle,
    state,
)


def claimed(store: Store) -> str:
    touch = a_touch()
    assert claim(running(store), touch) == [touch]
    return touch.key


def may_leave(store: Store, **changes: object) -> bool:
    return mark(store, a_touch(), **changes) == {a_touch().key}  # type: ignore[arg-type]


def test_a_marked_touch_is_sending_and_is_not_marked_twice(store: Store) -> None:
    claimed(store)
    assert may_leave(store)
    assert state(store, a_touch()) == "sending"
    assert not may_leave(store)


@pytest.mark.parametrize("changes", [{"owner": "e2"}, {"fence": 2}])
def test_only_the_owner_under_its_fence_may_mark(store: Store, changes: dict[str, object]) -> None:
    claimed(store)
    assert not may_leave(store, **changes)
    assert state(store, a_touch()) == "claimed"


def test_a_lease_that_is_over_may_not_mark(store: Store) -> None:
    claimed(store)
    assert not may_leave(leases_end(store))
    assert state(store, a_touch()) == "claimed"


def test_a_server_decides_leases_by_its_own_clock(store: Store) -> None:
    claimed(store)
    by_the_server = store.database.dialect == "postgresql"
    assert may_leave(store, now=NOW + 2 * HOUR) == by_the_server


def pause(store: Store) -> None:
    store.campaigns.pause("crm", by="dana", now=NOW)


def apply(store: Store) -> None:
    store.campaigns.save_version(a_plan(), {}, "", introduced={}, by="dana", now=NOW)


def hold(store: Store) -> None:
    store.engine.hold("restored", now=NOW)


def acknowledge(store: Store) -> None:
    store.answers.record("ana", "crm", "one-record", "k", "acknowledged", evidence="link", by="ana", now=NOW)


def suppress(store: Store) -> None:
    store.reachability.suppress("ana@example.com", "asked", by="dana", now=NOW)


def leave(store: Store) -> None:
    gone = ANA.__class__(**{name: getattr(ANA, name) for name in ANA.__slots__} | {"left": NOW.date()})
    store.people.save([gone], by="dana", now=NOW)


def cancel(store: Store) -> None:
    store.campaigns.cancel("crm", by="dana", now=NOW)


def pause_and_resume(store: Store) -> None:
    pause(store)
    store.campaigns.resume("crm", backlog="all", by="dana", now=NOW)


@pytest.mark.parametrize("event", [pause, apply, hold, acknowledge, suppress, leave, cancel, pause_and_resume])
def test_what_comes_between_claim_and_mark_stops_it(store: Store, event: object) -> None:
    claimed(store)
    event(store)  # type: ignore[operator]
    assert not may_leave(store)


def test_news_about_somebody_else_stops_nothing(store: Store) -> None:
    claimed(store)
    store.reachability.suppress("ben@example.com", "asked", by="dana", now=NOW)
    assert may_leave(store)


def test_a_receipt_makes_it_sent_and_writes_the_attempt(store: Store) -> None:
    touch = deliver(running(store), a_touch(), phase="reply", reply="250 ok", remote_id="Q1")
    record = store.touches.row(touch.key)
    assert record is not None
    assert (record.state, record.sent_at, record.attempts, record.remote_id) == ("sent", NOW, 1, "Q1")
    [attempt] = store.touches.attempts(touch.key)
    assert (attempt.n, attempt.verdict, attempt.phase, attempt.reply) == (1, "sent", "reply", "250 ok")


def test_being_sent_is_no_news_and_wakes_nobody(store: Store) -> None:
    idle(running(store))
    touch = a_touch()
    claim(store, touch, wake_at=None)
    mark(store, touch)
    settle(store, touch, "sent")
    assert store.loading.due(NOW + 9 * HOUR) == []


def test_a_retry_counts_an_attempt_and_wakes_the_person_at_its_time(store: Store) -> None:
    idle(running(store))
    touch = a_touch()
    claim(store, touch, wake_at=None)
    settle(store, touch, "retry", retry_at=LATER, reply="451 greylisted")
    [row] = rows(store)
    assert (row.state, row.attempts, row.retry_at) == ("retry", 1, LATER)
    assert store.loading.due(NOW) == []
    assert store.loading.due(LATER) == ["ana"]


def test_a_retry_leaves_an_earlier_bookmark_alone(store: Store) -> None:
    idle(running(store))
    touch = a_touch()
    claim(store, touch, wake_at=LATER)
    settle(store, touch, "retry", retry_at=LATER + HOUR)
    assert store.loading.next_wake() == LATER


def test_sent_needs_a_mark(store: Store) -> None:
    touch = a_touch()
    claim(running(store), touch)
    assert settle(store, touch, "sent") == set()
    assert settle(store, touch, "uncertain") == set()
    assert state(store, touch) == "claimed"


def test_still_ours_is_what_is_claimed_and_neither_marked_nor_over(store: Store) -> None:
    key, marked = claimed(store), a_touch("ben")
    claim(store, marked)
    mark(store, marked)
    keys = [key, marked.key, "unknown"]
    assert store.outbox.still_ours(keys, lease(), NOW) == {key}
    others = (lease("e2"), lease(fence=2))
    assert [store.outbox.still_ours(keys, each, NOW) for each in others] == [set(), set()]
    assert leases_end(store).outbox.still_ours(keys, lease(), NOW) == set()


@pytest.mark.parametrize("changes", [{"owner": "e2"}, {"fence": 2}])
def test_only_the_owner_under_its_fence_settles(store: Store, changes: dict[str, object]) -> None:
    touch = a_touch()
    claim(running(store), touch)
    mark(store, touch)
    assert settle(store, touch, "sent", **changes) == set()  # type: ignore[arg-type]
    assert state(store, touch) == "sending"


def test_sent_never_changes(store: Store) -> None:
    touch = deliver(running(store), a_touch())
    for later in ("failed", "retry", "uncertain", "released"):
        assert settle(store, touch, later) == set()
    assert state(store, touch) == "sent"


def test_a_claim_given_back_leaves_nothing_and_makes_its_person_due(store: Store) -> None:
    touch = a_touch()
    claim(idle(running(store)), touch, wake_at=None)
    assert settle(store, touch, "released") == {touch.key}
    assert rows(store) == ()
    assert store.loading.due(NOW) == ["ana"]


def test_a_claim_given_back_after_an_attempt_is_a_retry_again(store: Store) -> None:
    touch = deliver(running(store), a_touch(), "retry", retry_at=NOW)
    claim(store, touch)
    settle(store, touch, "released", retry_at=LATER)
    [row] = rows(store)
    assert (row.state, row.attempts, row.retry_at) == ("retry", 1, LATER)


def test_what_was_not_begun_is_no_attempt(store: Store) -> None:
    touch = a_touch()
    claim(idle(running(store)), touch, wake_at=None)
    mark(store, touch)
    settle(store, touch, "released", retry_at=LATER)
    assert rows(store) == ()
    assert store.loading.next_wake() == LATER


def test_not_on_slack_is_a_fact_that_outlives_the_touch(store: Store) -> None:
    touch = a_touch(channel="slack")
    claim(idle(running(store)), touch, wake_at=None)
    settle(store, touch, "released", unreachable="not on Slack")
    loaded = store.loading.histories(["ana"])["ana"]
    assert loaded.history.unreachable == {"slack": "not on Slack"}
    assert loaded.history.rows == ()
    assert store.loading.due(NOW) == ["ana"]


def test_marks_and_receipts_of_many_go_in_one_commit(store: Store) -> None:
    done, going = a_touch("ana"), a_touch("ben")
    claim(running(store), done, going)
    mark(store, done)
    receipts = [Receipt(done.key, "sent", NOW)]
    assert outbox.record(store, [going.key], receipts, lease(), NOW) == Commit([marked(going)], {done.key: "sent"}, [])
    assert (state(store, done), state(store, going)) == ("sent", "sending")


def test_what_fails_for_good_before_it_is_offered_fails_and_is_not_tried_for_ever(store: Store) -> None:
    touch = a_touch()
    claim(running(store), touch)
    settle(store, touch, "failed", phase="connect", reason="the subject must not travel")
    assert state(store, touch) == "failed"


def test_release_gives_back_only_what_is_not_marked(store: Store) -> None:
    waiting, leaving = a_touch("ana"), a_touch("ben")
    claim(running(store), waiting, leaving)
    mark(store, leaving)
    assert store.outbox.release(owner="e1", now=NOW) == 1
    assert (state(store, waiting), state(store, leaving)) == (None, "sending")


def test_release_of_one_campaign_leaves_the_others(store: Store) -> None:
    claim(running(store), a_touch())
    assert store.outbox.release(campaign="erp", now=NOW) == 0
    assert store.outbox.release(campaign="crm", now=NOW) == 1
