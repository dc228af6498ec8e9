"""Cards to be drawn again: one draws at a time, and the last picture is the newest."""

from __future__ import annotations

from commsengine.store.records import Redraw
from commsengine.store.store import Store
from tests.store.scene import HOUR, LATER, NOW

CARD = "D1:1.000001"
UNTIL = NOW + 2 * HOUR


def begin(store: Store) -> int | None:
    return store.redraws.begin(CARD, "k", until=UNTIL, now=NOW)


def test_a_card_that_is_drawn_waits_no_more(store: Store) -> None:
    store.redraws.want(CARD, "k", UNTIL)
    version = begin(store)
    assert version == 2
    assert (store.redraws.done(CARD, version), store.redraws.waiting()) == (0, [])


def test_who_comes_while_it_is_drawn_has_it_drawn_once_more(store: Store) -> None:
    first = begin(store)
    assert (first, begin(store)) == (1, None)
    assert store.redraws.done(CARD, 1) == 2
    assert store.redraws.done(CARD, 2) == 0


def test_a_card_that_time_changes_is_taken_then_and_waits_for_nothing_before(store: Store) -> None:
    version = begin(store)
    assert version
    assert store.redraws.done(CARD, version, LATER) == 0
    assert (store.redraws.waiting(), store.redraws.take(until=UNTIL, now=NOW)) == ([], None)
    taken = store.redraws.take(until=LATER + HOUR, now=LATER)
    assert taken == Redraw(CARD, "k", 0, 0)
    assert (store.redraws.done(CARD, taken.version), store.redraws.take(until=UNTIL, now=UNTIL)) == (0, None)


def test_a_card_that_changes_before_time_changes_it_is_drawn_as_it_is_then(store: Store) -> None:
    version = begin(store)
    assert version
    store.redraws.done(CARD, version, UNTIL)
    assert begin(store) == 1
    assert store.redraws.done(CARD, 1) == 0
    assert store.redraws.take(until=UNTIL + HOUR, now=UNTIL) is None


def test_after_a_crash_the_card_is_taken_when_its_time_is_over(store: Store) -> None:
    begin(store)
    assert store.redraws.take(until=UNTIL + HOUR, now=LATER) is None
    assert store.redraws.take(until=UNTIL + HOUR, now=UNTIL) == Redraw(CARD, "k", 1, 0)
    assert store.redraws.take(until=UNTIL + HOUR, now=UNTIL) is None


def test_a_change_that_was_announced_and_never_came_is_drawn_in_the_end(store: Store) -> None:
    store.redraws.want(CARD, "k", UNTIL)
    assert store.redraws.take(until=UNTIL + HOUR, now=NOW) is None
    assert store.redraws.take(until=UNTIL + HOUR, now=UNTIL) is not None


def test_what_failed_waits_and_is_taken_in_the_order_in_which_it_is_due(store: Store) -> None:
    for name in ("D1:1", "D1:2"):
        store.redraws.begin(name, "k", until=UNTIL, now=NOW)
    store.redraws.put_off("D1:1", LATER)
    store.redraws.put_off("D1:2", NOW, failed=False)
    taken = [store.redraws.take(until=UNTIL, now=LATER) for _ in range(2)]
    assert taken == [Redraw("D1:2", "k", 1, 0), Redraw("D1:1", "k", 1, 1)]
    for name in ("D1:1", "D1:2"):
        store.redraws.drop(name)
    assert store.redraws.waiting() == []
