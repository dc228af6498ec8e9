"""Suppressions, and channels that never reach a person."""

from __future__ import annotations

from commsengine.store.store import Store
from tests.builders import ANA
from tests.store.scene import LATER, NOW, idle


def test_who_is_suppressed_is_reached_by_nothing_automatic(known: Store) -> None:
    known.reachability.suppress("Ana@example.com", "asked", by="dana", now=NOW)
    closed = known.loading.histories(["ana"])["ana"].history.unreachable
    assert closed == dict.fromkeys(("email", "slack"), "suppressed: asked")
    assert known.loading.histories(["ben"])["ben"].history.unreachable == {}


def test_a_suppression_of_one_channel_leaves_the_others(known: Store) -> None:
    known.reachability.suppress("ana@example.com", "bounced", channel="email", by="engine", now=NOW)
    assert known.loading.histories(["ana"])["ana"].history.unreachable == {"email": "suppressed: bounced"}


def test_a_suppression_can_be_lifted(known: Store) -> None:
    known.reachability.suppress("ana@example.com", "asked", by="dana", now=NOW)
    assert known.reachability.unsuppress("ana@example.com", by="dana", now=LATER)
    assert not known.reachability.unsuppress("ana@example.com", by="dana", now=LATER)
    assert known.loading.histories(["ana"])["ana"].history.unreachable == {}


def test_an_address_of_a_stranger_can_be_suppressed_ahead(store: Store) -> None:
    store.reachability.suppress("ana@example.com", "asked", by="dana", now=NOW)
    store.people.save([ANA], by="dana", now=LATER)
    assert "email" in store.loading.histories(["ana"])["ana"].history.unreachable


def test_what_was_unreachable_can_be_tried_again(known: Store) -> None:
    known.reachability.mark_unreachable("ana", "slack", "not on Slack", now=NOW)
    known.reachability.mark_reachable("ana", "slack", by="dana", now=LATER)
    assert known.loading.histories(["ana"])["ana"].history.unreachable == {}


def test_a_fact_makes_due_at_an_aware_instant(store: Store) -> None:
    """Else a tick that tells when the next is due cannot compare it."""
    store.people.save([ANA], by="dana", now=NOW)
    idle(store).reachability.mark_unreachable("ana", "slack", "not on Slack", now=LATER)
    assert store.loading.next_wake() == LATER
