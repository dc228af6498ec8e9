"""What follows when an engine is gone, or nobody can know whether a message left."""

from __future__ import annotations

import pytest

from commsengine.errors import InputError
from commsengine.store.records import Reborn, Uncertain
from commsengine.store.store import Store
from tests.store.scene import HOUR, LATER, NOW, a_touch, claim, deliver, idle, leases_end, mark, marked, running, state


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


def settled(store: Store, dead: str = "e1") -> dict[str, int]:
    """The engine is known to be dead, and nobody can say what it had sent."""
    store.recovery.reconcile(now=NOW, dead_owners=[dead])
    return store.recovery.settle_uncertain(NOW)


def test_the_claims_of_a_dead_engine_are_free_and_its_sendings_uncertain(store: Store) -> None:
    counts = crashed(store).recovery.reconcile(now=NOW, dead_owners=["e1"])
    assert counts == {"released": 1, "uncertain": 1, "poison": 0}
    assert state(store, a_touch("ana")) is None
    assert flags(store) == ("uncertain", False, False, 1)
    assert sorted(store.loading.due(NOW)) == ["ana", "ben"]
    assert [attempt.verdict for attempt in store.touches.attempts(a_touch("ben").key)] == ["uncertain"]


def test_the_claims_of_a_living_engine_stay(store: Store) -> None:
    counts = crashed(store).recovery.reconcile(now=NOW, dead_owners=["e9"], silent_since=NOW)
    assert counts == {"released": 0, "uncertain": 0, "poison": 0}


def test_a_lease_long_over_is_as_good_as_dead(store: Store) -> None:
    counts = leases_end(crashed(store)).recovery.reconcile(now=NOW, silent_since=NOW)
    assert (counts["released"], counts["uncertain"]) == (1, 1)


def test_once_sends_again_one_time_and_says_so(store: Store) -> None:
    assert settled(crashed(store)) == {"retry": 1, "held": 0}
    assert flags(store) == ("retry", True, False, 1)
    claim(store, a_touch("ben"), owner="e2")
    mark(store, a_touch("ben"), owner="e2")
    assert settled(store, "e2") == {"retry": 0, "held": 1}
    assert flags(store) == ("uncertain", True, True, 2)


def test_hold_leaves_it_to_a_person(store: Store) -> None:
    assert settled(crashed(store, on_uncertain="hold")) == {"retry": 0, "held": 1}
    assert flags(store) == ("uncertain", False, True, 1)
    assert store.recovery.settle_uncertain(LATER) == {"retry": 0, "held": 0}


def test_an_uncertain_receipt_follows_the_same_policy(store: Store) -> None:
    touch = deliver(running(store), a_touch(), "uncertain", phase="reply")
    assert store.recovery.settle_uncertain(NOW) == {"retry": 1, "held": 0}
    assert state(store, touch) == "retry"


@pytest.mark.parametrize(("verdict", "after"), [("sent", ("sent", False)), ("resend", ("retry", True))])
def test_a_person_settles_what_is_held(store: Store, verdict: str, after: tuple[str, bool]) -> None:
    settled(crashed(store, on_uncertain="hold"))
    row = idle(store).recovery.resolve(a_touch("ben").key, verdict, by="dana", now=LATER)
    assert (row.state, row.possible_duplicate, row.held) == (*after, False)
    assert store.loading.due(LATER) == ["ben"]


def test_saying_sent_twice_changes_nothing(store: Store) -> None:
    touch = deliver(running(store), a_touch(), "uncertain")
    first = store.recovery.resolve(touch.key, "sent", by="dana", now=LATER)
    assert store.recovery.resolve(touch.key, "sent", by="tom", now=LATER + HOUR) == first


def test_what_a_resolver_found_is_sent_when_it_was_marked(store: Store) -> None:
    crashed(store).recovery.reconcile(now=LATER, dead_owners=["e1"])
    key = a_touch("ben").key
    found = {key: ("queue-1", "in the relay's log")}
    assert store.recovery.sighted(found, {}, by="postfix-log", now=LATER) == {"found": 1, "absent": 0}
    row = store.touches.row(key)
    assert row is not None
    assert (row.state, row.sent_at, row.remote_id, row.possible_duplicate) == ("sent", NOW, "queue-1", False)
    assert store.recovery.unsettled() == []


def test_what_a_resolver_proved_absent_is_tried_again_as_often_as_it_takes(store: Store) -> None:
    crashed(store).recovery.reconcile(now=NOW, dead_owners=["e1"])
    for owner in ("e2", "e3", "e4"):
        assert store.recovery.sighted({}, {a_touch("ben").key: "not there"}, by="postfix-log", now=NOW)["absent"] == 1
        assert flags(store)[:3] == ("retry", True, False)
        claim(store, a_touch("ben"), owner=owner)
        mark(store, a_touch("ben"), owner=owner)
        store.recovery.reconcile(now=NOW, dead_owners=[owner])
    assert store.recovery.settle_uncertain(NOW) == {"retry": 1, "held": 0}


def test_what_is_settled_meanwhile_is_no_resolvers_business(store: Store) -> None:
    touch = deliver(running(store), a_touch(), "uncertain")
    store.recovery.resolve(touch.key, "sent", by="dana", now=LATER)
    assert store.recovery.sighted({}, {touch.key: "not there"}, by="imap", now=LATER) == {"found": 0, "absent": 0}
    assert state(store, touch) == "sent"


def test_the_uncertain_are_told_with_where_to_look_for_them(store: Store) -> None:
    crashed(store).recovery.reconcile(now=LATER, dead_owners=["e1"])
    [uncertain] = store.recovery.unsettled()
    assert uncertain == Uncertain(a_touch("ben").key, "email", NOW, LATER, "ben@example.com", "")


def test_the_message_that_kills_engines_fails_alone(store: Store) -> None:
    idle(running(store))
    claim(store, a_touch("ana"), a_touch("ben"), wake_at=None)
    counts = store.recovery.reconcile(now=NOW, dead_owners=["e1"], poison=[a_touch("ben").key])
    assert counts == {"released": 1, "uncertain": 0, "poison": 1}
    row = store.touches.row(a_touch("ben").key)
    assert row is not None
    assert (row.state, row.reason) == ("failed", "poison: the engine crashed three times while it wrote this message")
    assert state(store, a_touch("ana")) is None


def test_what_the_journal_knows_comes_back_and_what_is_settled_stays(store: Store) -> None:
    done = deliver(running(store), a_touch("ana"))
    claim(store, a_touch("ben"))
    known = [
        Reborn(marked(touch), touch.person, told, 9, NOW)
        for touch, told in ((done, "uncertain"), (a_touch("ben"), "sent"), (a_touch("mia"), "uncertain"))
    ]
    store.recovery.put_back(known, now=LATER)
    states = {row.person_id: (row.state, row.reason) for row in store.touches.list("crm")}
    assert states == {"ana": ("sent", ""), "ben": ("sent", "restored"), "mia": ("uncertain", "")}
    assert claim(store, a_touch("ben"), owner="e2") == []


def test_only_the_uncertain_is_settled(store: Store) -> None:
    touch = deliver(running(store), a_touch())
    for key, verdict, said in (
        (touch.key, "resend", "is sent"),
        ("nokey", "sent", "no message"),
        (touch.key, "lost", "does"),
    ):
        with pytest.raises(InputError, match=said):
            store.recovery.resolve(key, verdict, by="dana", now=NOW)


def test_the_books_balance_after_a_crash(store: Store) -> None:
    crashed(store).recovery.reconcile(now=NOW, dead_owners=["e1"])
    [books] = store.counts.status(NOW)
    assert sum(books.touches.values()) == len(list(store.touches.list("crm"))) == 1
