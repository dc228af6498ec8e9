"""What follows when an engine is gone, or nobody can know whether a message left."""

from __future__ import annotations

import pytest

from commsengine.errors import InputError
from commsengine.store.store import Store
from tests.store.scene import HOUR, LATER, NOW, a_touch, claim, deliver, idle, mark, running, state


def crashed(store: Store, **plan: str) -> Store:
    """An engine ``e1`` died with Ana's message claimed and Ben's on its way."""
    idle(running(store, **plan))
    claim(store, a_touch("ana"), a_touch("ben"), wake_at=None)
    mark(store, a_touch("ben"))
    return store


def flags(store: Store, person: str = "ben") -> tuple[str, bool, bool, int]:
    row = store.touches.row(a_touch(person).key)
    assert row is not None
    return row.state, row.possible_duplicate, row.held, row.attempts


def test_the_claims_of_a_dead_engine_are_free_and_its_sendings_uncertain(store: Store) -> None:
    counts = crashed(store).touches.reconcile(now=NOW, dead_owners=["e1"], policy=False)
    assert counts == {"released": 1, "uncertain": 1, "retry": 0, "held": 0}
    assert state(store, a_touch("ana")) is None
    assert flags(store) == ("uncertain", False, False, 1)
    assert sorted(store.touches.due(NOW)) == ["ana", "ben"]
    assert [attempt.verdict for attempt in store.touches.attempts(a_touch("ben").key)] == ["uncertain"]


def test_the_claims_of_a_living_engine_stay(store: Store) -> None:
    counts = crashed(store).touches.reconcile(now=NOW, dead_owners=["e9"], silent_since=NOW)
    assert counts == {"released": 0, "uncertain": 0, "retry": 0, "held": 0}


def test_a_lease_long_over_is_as_good_as_dead(store: Store) -> None:
    counts = crashed(store).touches.reconcile(now=NOW + 3 * HOUR, silent_since=NOW + 2 * HOUR)
    assert (counts["released"], counts["uncertain"]) == (1, 1)


def test_once_sends_again_one_time_and_says_so(store: Store) -> None:
    assert crashed(store).touches.reconcile(now=NOW, dead_owners=["e1"])["retry"] == 1
    assert flags(store) == ("retry", True, False, 1)
    claim(store, a_touch("ben"), owner="e2")
    mark(store, a_touch("ben"), owner="e2")
    assert store.touches.reconcile(now=NOW, dead_owners=["e2"])["held"] == 1
    assert flags(store) == ("uncertain", True, True, 2)


def test_hold_leaves_it_to_a_person(store: Store) -> None:
    assert crashed(store, on_uncertain="hold").touches.reconcile(now=NOW, dead_owners=["e1"])["held"] == 1
    assert flags(store) == ("uncertain", False, True, 1)
    assert store.touches.settle_uncertain(LATER) == {"retry": 0, "held": 0}


def test_an_uncertain_receipt_follows_the_same_policy(store: Store) -> None:
    touch = deliver(running(store), a_touch(), "uncertain", phase="reply")
    assert store.touches.settle_uncertain(NOW) == {"retry": 1, "held": 0}
    assert state(store, touch) == "retry"


@pytest.mark.parametrize(("verdict", "after"), [("sent", ("sent", False)), ("resend", ("retry", True))])
def test_a_person_settles_what_is_held(store: Store, verdict: str, after: tuple[str, bool]) -> None:
    crashed(store, on_uncertain="hold").touches.reconcile(now=NOW, dead_owners=["e1"])
    row = idle(store).touches.resolve(a_touch("ben").key, verdict, by="dana", now=LATER)
    assert (row.state, row.possible_duplicate, row.held) == (*after, False)
    assert store.touches.due(LATER) == ["ben"]


def test_saying_sent_twice_changes_nothing(store: Store) -> None:
    touch = deliver(running(store), a_touch(), "uncertain")
    first = store.touches.resolve(touch.key, "sent", by="dana", now=LATER)
    assert store.touches.resolve(touch.key, "sent", by="tom", now=LATER + HOUR) == first


def test_only_the_uncertain_is_settled(store: Store) -> None:
    touch = deliver(running(store), a_touch())
    for key, verdict, said in (
        (touch.key, "resend", "is sent"),
        ("nokey", "sent", "no touch"),
        (touch.key, "lost", "does"),
    ):
        with pytest.raises(InputError, match=said):
            store.touches.resolve(key, verdict, by="dana", now=NOW)


def test_the_books_balance_after_a_crash(store: Store) -> None:
    crashed(store).touches.reconcile(now=NOW, dead_owners=["e1"])
    [books] = store.books.status(NOW)
    assert sum(books.touches.values()) == len(list(store.touches.list("crm"))) == 1
