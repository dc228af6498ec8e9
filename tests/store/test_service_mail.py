"""Mail that is not a touch: claimed alike, counted nowhere."""

from __future__ import annotations

import pytest

from commsengine.store.records import Receipt
from commsengine.store.store import Store
from tests import outbox
from tests.store.scene import HOUR, LATER, NOW, lease, rows, running, seq


def add(store: Store, key: str = "digest-1", category: str = "digest", campaign: str = "crm") -> bool:
    return store.service_mail.add(
        key, category=category, channel="email", payload={"to": "dana", "n": 3}, campaign=campaign, now=NOW
    )


def due(store: Store) -> list[str]:
    return [row.key for row in store.service_mail.due(NOW)]


def claim(store: Store) -> list[str]:
    claimed = store.service_mail.claim(due(store), lease(), NOW)
    return [row.key for row in claimed]


def mark(store: Store) -> set[str]:
    return outbox.mark(store, ["digest-1"], lease(), NOW)


def settle(store: Store, state: str, **receipt: object) -> None:
    outbox.settle(store, [Receipt("digest-1", state, NOW, **receipt)], lease(), NOW)  # type: ignore[arg-type]


def test_it_travels_like_a_touch(store: Store) -> None:
    assert add(running(store))
    assert claim(store) == ["digest-1"]
    assert claim(store) == []
    assert mark(store) == {"digest-1"}
    settle(store, "sent", remote_id="Q1")
    row = store.touches.row("digest-1")
    assert row is not None
    assert (row.kind, row.message, row.state, row.payload) == ("service", "digest", "sent", {"to": "dana", "n": 3})


def test_the_same_key_is_written_once(store: Store) -> None:
    assert add(running(store))
    assert not add(store)
    assert due(store) == ["digest-1"]


def test_given_back_it_waits_and_keeps_its_payload(store: Store) -> None:
    add(running(store))
    claim(store)
    settle(store, "released")
    assert store.service_mail.due(NOW)[0].payload == {"to": "dana", "n": 3}


def test_a_retry_waits_for_its_time(store: Store) -> None:
    add(running(store))
    claim(store)
    settle(store, "retry", retry_at=LATER)
    assert due(store) == []
    assert [row.attempts for row in store.service_mail.due(LATER)] == [1]


def test_it_is_in_nobodys_history_and_no_news(store: Store) -> None:
    running(store)
    before = seq(store)
    store.service_mail.add("a1", category="answer", channel="email", payload={}, person_id="ana", now=NOW)
    store.service_mail.claim(["a1"], lease(), NOW)
    assert (rows(store), seq(store)) == ((), before)
    assert list(store.touches.list("crm")) == []
    assert [row.key for row in store.touches.of_person("ana")] == ["a1"]


@pytest.mark.parametrize(("decree", "leaves"), [("pause", False), ("cancel", False), ("finish", True)])
def test_a_stopped_campaign_keeps_its_mail(store: Store, decree: str, leaves: bool) -> None:
    add(running(store))
    getattr(store.campaigns, decree)("crm", by="dana", now=NOW)
    assert (due(store) == ["digest-1"]) is leaves


def test_a_pause_stops_what_is_claimed_already(store: Store) -> None:
    add(running(store))
    claim(store)
    store.campaigns.pause("crm", by="dana", now=NOW)
    assert mark(store) == set()


def test_on_hold_only_alerts_leave(store: Store) -> None:
    add(running(store))
    add(store, "alert-1", "alert", campaign="")
    store.engine.hold("restored", now=NOW)
    assert due(store) == ["alert-1"]


def test_a_hold_stops_what_is_claimed_already(store: Store) -> None:
    add(running(store))
    claim(store)
    store.engine.hold("restored", now=NOW)
    assert mark(store) == set()


def test_an_alert_of_a_paused_campaign_leaves(store: Store) -> None:
    running(store)
    store.service_mail.add("a1", category="alert", channel="email", payload={}, now=NOW, campaign="crm")
    store.campaigns.pause("crm", by="dana", now=NOW)
    assert [row.key for row in store.service_mail.claim(["a1"], lease(), NOW)] == ["a1"]
    assert outbox.mark(store, ["a1"], lease(), NOW) == {"a1"}


def test_an_uncertain_one_is_sent_once_more(store: Store) -> None:
    add(running(store))
    claim(store)
    mark(store)
    store.recovery.reconcile(now=NOW + HOUR, dead_owners=["e1"])
    assert store.recovery.settle_uncertain(NOW + HOUR)["retry"] == 1
    row = store.touches.row("digest-1")
    assert row is not None
    assert (row.state, row.possible_duplicate) == ("retry", True)
