"""Who inserts, carries: the claim and its gates."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import event

from commsengine.cadence.history import Decision
from commsengine.store.outbox.outbox import CLAIMED_AT_ONCE
from commsengine.store.store import Store
from commsengine.store.workers.server_clock import lease_now
from tests.builders import ANA, BEN, a_plan, someone, utc
from tests.store.scene import (
    HOUR,
    LATER,
    NOW,
    a_touch,
    claim,
    deliver,
    epochs,
    idle,
    lease,
    mark,
    rows,
    running,
    seq,
    settle,
    state,
)


def test_a_claim_is_a_row_with_owner_fence_and_lease(store: Store) -> None:
    touch = a_touch()
    assert claim(running(store), touch, fence=7) == [touch]
    record = store.touches.row(touch.key)
    assert record is not None
    assert (record.state, record.owner, record.fence) == ("claimed", "e1", 7)
    assert record.lease_until is not None
    with store.database.read() as connection:
        assert abs(record.lease_until - lease_now(connection, NOW) - HOUR) < dt.timedelta(minutes=5)
    assert (record.version, record.epoch, record.attempts) == (1, epochs(store)["crm"], 0)


def test_a_claimed_touch_is_history_at_once(store: Store) -> None:
    touch = a_touch()
    claim(running(store), touch)
    [row] = rows(store)
    assert (row.key, row.state, row.due_at, row.local_date, row.rung) == (touch.key, "claimed", NOW, NOW.date(), 0)


def test_many_are_claimed_in_their_order_a_part_at_a_time(store: Store) -> None:
    people = [someone(number) for number in reversed(range(CLAIMED_AT_ONCE + 2))]
    decisions = [(Decision(each.id, (a_touch(each.id),), LATER), 1) for each in people]
    commits: list[object] = []
    known = epochs(running(store, people))
    event.listen(store.database.engine, "commit", commits.append)
    claimed = store.outbox.claim(decisions, lease(), epochs=known, versions={"crm": 1}, now=NOW)
    assert ([each.person for each in claimed], len(commits)) == ([each.id for each in people], 2)
    assert store.loading.due(NOW, 1) == []


def test_the_second_claimer_gets_nothing(store: Store) -> None:
    touch = a_touch()
    claim(running(store), touch)
    assert claim(store, touch, owner="e2", fence=2) == []
    assert store.touches.row(touch.key).owner == "e1"  # type: ignore[union-attr]


def test_what_was_sent_is_never_claimed_again(store: Store) -> None:
    touch = deliver(running(store), a_touch())
    assert claim(store, touch) == []
    assert state(store, touch) == "sent"


def test_a_retry_is_claimed_again_and_keeps_its_attempts(store: Store) -> None:
    touch = deliver(running(store), a_touch(), "retry", retry_at=LATER)
    moved = a_touch(channel="slack")
    assert claim(store, moved, owner="e2", fence=2) == [moved]
    record = store.touches.row(touch.key)
    assert record is not None
    assert (record.state, record.channel, record.owner, record.attempts) == ("claimed", "slack", "e2", 1)
    assert (record.created_at, record.retry_at) == (NOW, None)


def test_a_retry_no_longer_wanted_is_skipped_with_its_reason(store: Store) -> None:
    touch = deliver(running(store), a_touch(), "retry", retry_at=LATER)
    assert claim(store, a_touch(skip="acked")) == []
    record = store.touches.row(touch.key)
    assert record is not None
    assert (record.state, record.reason, record.attempts) == ("skipped", "acked", 1)


def test_a_late_touch_is_born_skipped(store: Store) -> None:
    assert claim(running(store), a_touch(skip="late")) == []
    assert [(row.state, row.reason) for row in rows(store)] == [("skipped", "late")]


def test_what_a_human_carries_is_born_sent(store: Store) -> None:
    assert claim(running(store), a_touch(rung=2, kind="personal", channel="personal")) == []
    assert [(row.state, row.sent_at) for row in rows(store)] == [("sent", NOW)]


def test_a_paused_campaign_is_not_claimed_for(store: Store) -> None:
    known = epochs(running(store))
    store.campaigns.pause("crm", by="dana", now=NOW)
    assert claim(store, a_touch(), epochs=known) == []
    assert rows(store) == ()


def test_a_newer_epoch_refuses_what_was_decided_before(store: Store) -> None:
    known = epochs(running(store))
    store.campaigns.save_version(a_plan(), {}, "", introduced={}, by="dana", now=NOW)
    assert claim(store, a_touch(), epochs=known) == []
    assert rows(store) == ()


def test_nothing_is_claimed_on_hold_and_nobody_loses_their_turn(store: Store) -> None:
    known = epochs(running(store))
    store.engine.hold("restored", now=NOW)
    assert claim(store, a_touch(), epochs=known) == []
    assert rows(store) == ()
    assert "ana" in store.loading.due(NOW)


def test_one_stopped_campaign_does_not_stop_the_other(store: Store) -> None:
    running(store).campaigns.save_version(a_plan(campaign="erp"), {}, "", introduced={}, by="dana", now=NOW)
    store.campaigns.start("erp", by="dana", now=NOW)
    known = epochs(store)
    store.campaigns.pause("crm", by="dana", now=NOW)
    erp = a_touch(campaign="erp")
    decisions = [(Decision("ana", (a_touch(), erp), LATER), seq(store))]
    assert claim(store, decisions=decisions, epochs=known, versions={"crm": 1, "erp": 1}) == [erp]


def test_the_bookmark_is_written_with_the_claim(store: Store) -> None:
    claim(idle(running(store)), a_touch(), wake_at=LATER)
    assert store.loading.due(NOW) == []
    assert store.loading.due(LATER) == ["ana"]
    assert store.loading.next_wake() == LATER


def test_news_since_the_decision_keep_the_person_due(store: Store) -> None:
    known = seq(running(store))
    store.answers.snooze("ana", "crm", "one-record", NOW.date(), now=NOW)
    claim(store, decisions=[(Decision("ana", (a_touch(),), LATER), known)])
    assert "ana" in store.loading.due(NOW)


def test_a_decree_since_the_decision_keeps_everybody_due(store: Store) -> None:
    known = epochs(running(store))
    store.campaigns.save_version(a_plan(campaign="erp"), {}, "", introduced={}, by="dana", now=NOW)
    store.campaigns.start("erp", by="dana", now=NOW)
    claim(store, a_touch(), epochs=known)
    assert "ana" in store.loading.due(NOW)


def test_whoever_lost_a_touch_to_another_stays_due(store: Store) -> None:
    claim(running(store), a_touch(), wake_at=LATER)
    store.loading.wipe_bookmarks(NOW)
    claim(store, a_touch(), owner="e2", wake_at=None)
    assert "ana" in store.loading.due(NOW)


def test_a_decision_without_touches_still_sets_the_bookmark(store: Store) -> None:
    running(store)
    claim(store, decisions=[(Decision("ben", (), None), seq(store, "ben"))])
    assert "ben" not in store.loading.due(utc("2030-01-01"))


def test_wiped_bookmarks_make_everybody_due(store: Store) -> None:
    idle(running(store)).loading.wipe_bookmarks(NOW)
    assert sorted(store.loading.due(NOW)) == ["ana", "ben", "mia"]
    assert len(store.loading.due(NOW, limit=2)) == 2


def test_the_due_are_served_in_the_order_of_their_bookmarks(store: Store) -> None:
    running(store)
    claim(store, a_touch("ana"), wake_at=NOW - HOUR)
    claim(store, a_touch("ben"), wake_at=NOW - 2 * HOUR)
    claim(store, a_touch("mia"), wake_at=NOW)
    assert store.loading.due(NOW) == ["ben", "ana", "mia"]


def test_histories_hold_only_what_is_the_persons_own(store: Store) -> None:
    running(store)
    claim(store, a_touch("ana"), a_touch("ben"))
    assert [row.key for row in rows(store, "ben")] == [a_touch("ben").key]
    assert store.loading.histories(["nobody"]) == {}
    assert store.loading.histories(["ben"])["ben"].person.email == BEN.email


def test_marking_and_settling_leave_the_other_touch_of_the_person_alone(store: Store) -> None:
    running(store)
    first, second = a_touch(), a_touch(message="other")
    decisions = [(Decision("ana", (first, second), LATER), seq(store))]
    assert claim(store, decisions=decisions) == [first, second]
    assert mark(store, first) == {first.key}
    settle(store, first, "sent")
    assert mark(store, second) == {second.key}


def test_the_key_of_somebody_erased_who_is_back_is_theirs_again(store: Store) -> None:
    """Else nobody could ever claim it, and they would be due for ever."""
    touch = deliver(running(store), a_touch())
    store.people.erase("ana", by="dana", now=NOW)
    store.people.save([ANA], by="dana", now=NOW)
    assert claim(store, touch) == []
    row = store.touches.row(touch.key)
    assert row is not None
    assert (row.person_id, row.state) == ("ana", "sent")


def test_the_key_of_somebody_who_is_there_is_never_taken_from_them(store: Store) -> None:
    touch = deliver(running(store), a_touch())
    assert claim(store, touch) == []
    row = store.touches.row(touch.key)
    assert row is not None
    assert row.person_id == "ana"


def test_a_late_receipt_leaves_no_retry_in_a_cancelled_campaign(store: Store) -> None:
    touch = a_touch()
    claim(running(store), touch)
    mark(store, touch)
    store.campaigns.cancel("crm", by="dana", now=NOW)
    settle(store, touch, "retry", retry_at=LATER)
    row = store.touches.row(touch.key)
    assert row is not None
    assert (row.state, row.reason) == ("skipped", "cancelled")


def test_whoever_is_erased_between_decision_and_claim_is_left_out_and_the_others_are_not(store: Store) -> None:
    running(store)
    decided = [(Decision(each.person, (each,), LATER), seq(store, each.person)) for each in (a_touch(), a_touch("ben"))]
    store.people.erase("ana", by="dana", now=NOW)
    claimed = claim(store, decisions=decided)
    assert [touch.person for touch in claimed] == ["ben"]
