"""Beats, fences and holds."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest

from commsengine.cadence.history import Standstill
from commsengine.errors import InputError
from commsengine.store.records import HeartbeatRecord, Lease, Receipt, Rest
from commsengine.store.store import Store
from tests import outbox
from tests.store.scene import LATER, NOW, epochs, idle, running

DAY = dt.timedelta(days=1)


def test_a_beat_remembers_who_and_since_when(store: Store) -> None:
    assert store.engine.heartbeat() is None
    store.engine.beat("e1", pid=7, host="box", boot_id="b", interval=60.0, now=NOW)
    store.engine.beat("e1", pid=7, host="box", boot_id="b", interval=30.0, now=LATER)
    assert store.engine.heartbeat() == HeartbeatRecord("e1", 7, "box", "b", NOW, LATER, 30.0)


def test_the_last_beat_of_any_engine_counts(store: Store) -> None:
    store.engine.beat("e1", pid=7, host="box", now=NOW)
    store.engine.beat("e2", pid=8, host="box", now=LATER)
    assert [beat.owner for beat in store.engine.heartbeats()] == ["e2", "e1"]


def test_fences_only_grow(store: Store) -> None:
    fences: list[int] = []
    threads = [threading.Thread(target=lambda: fences.append(store.engine.next_fence())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(fences)) == 8
    with Store.open(store.database.url.render_as_string(hide_password=False)) as again:
        assert again.engine.next_fence() > max(fences)


def test_a_hold_stands_until_somebody_releases_it(store: Store) -> None:
    before = epochs(running(store))
    assert store.engine.hold("restored", now=NOW)
    assert not store.engine.hold("backlog", now=LATER)
    [hold] = store.engine.holds()
    assert (hold.reason, hold.since, hold.since_by, hold.until) == ("restored", NOW, "engine", None)
    assert store.engine.release("none", by="dana", now=LATER)
    assert store.campaigns.running().holds == (Standstill(NOW, LATER, "none"),)
    assert epochs(store)["crm"] > before["crm"]


def test_a_release_makes_everybody_due(store: Store) -> None:
    running(store).engine.hold("restored", now=NOW)
    idle(store).engine.release("all", by="dana", now=NOW)
    assert sorted(store.loading.due(NOW)) == ["ana", "ben", "mia"]


def test_releasing_what_is_not_held_says_so(store: Store) -> None:
    assert not store.engine.release("all", by="dana", now=NOW)
    with pytest.raises(InputError, match="'some'"):
        store.engine.release("some", by="dana", now=NOW)


def test_an_engine_that_has_stopped_is_at_work_no_more_and_forgotten_after_ten_days(store: Store) -> None:
    for owner in ("e1", "e2"):
        store.engine.beat(owner, pid=7, host="box", now=NOW)
    assert store.engine.at_work(NOW) == ["e1", "e2"]
    store.engine.end("e1", LATER)
    assert (store.engine.at_work(NOW), store.engine.at_work(LATER)) == (["e2"], [])
    store.engine.beat("e3", pid=7, host="box", now=NOW + 11 * DAY)
    store.engine.end("e3", NOW + 11 * DAY)
    assert [beat.owner for beat in store.engine.heartbeats()] == ["e3"]


def a_rest(until: dt.datetime, **changes: Any) -> Rest:
    return Rest("email", until, NOW, "535 refused", "us", 2, **changes)


def test_a_rest_is_one_row_that_all_engines_read(store: Store) -> None:
    assert store.channels.rests() == {}
    store.channels.keep(a_rest(LATER, next_tick=True))
    assert store.channels.rests() == {"email": a_rest(LATER, next_tick=True)}
    store.channels.keep(a_rest(NOW, open=False))
    assert store.channels.rests() == {"email": a_rest(NOW, open=False)}


def test_until_when_nothing_could_leave_is_kept(store: Store) -> None:
    assert store.channels.ends() == {}
    store.engine.beat("e1", pid=7, host="box", now=NOW, awaited=True)
    store.engine.beat("e1", pid=7, host="box", now=LATER)
    store.channels.were_full({"email": NOW, "slack": LATER})
    assert store.channels.ends() == {"": NOW, "email": NOW, "slack": LATER}
    assert store.channels.rests() == {}
    store.channels.keep(a_rest(LATER))
    store.channels.were_full({"email": NOW})
    assert store.channels.ends()["email"] == LATER


def test_a_clock_set_back_ends_what_lies_ahead(store: Store) -> None:
    store.engine.beat("e1", pid=7, host="box", now=LATER)
    store.channels.keep(a_rest(LATER))
    store.channels.reserve("email", LATER - NOW, NOW)
    assert not store.engine.set_back(NOW, ahead=LATER)
    assert store.engine.set_back(NOW, ahead=NOW)
    assert store.channels.ends() == {"email": NOW}
    assert store.channels.reserve("email", DAY, NOW) == NOW


def test_of_engines_that_reserve_at_once_each_gets_a_time_of_its_own(store: Store) -> None:
    second, begins = dt.timedelta(seconds=1), list[dt.datetime]()
    reserve = lambda: begins.append(store.channels.reserve("email", second, NOW))  # noqa: E731
    threads = [threading.Thread(target=reserve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(begins) == [NOW + n * second for n in range(8)]
    assert store.channels.reserve("slack", second, NOW) == NOW
    assert store.channels.reserve("email", second, NOW + DAY) == NOW + DAY


def test_connections_that_were_too_many_are_remembered(store: Store) -> None:
    assert store.channels.narrowed("email") is None
    store.channels.narrow("email", 2, NOW)
    assert store.channels.narrowed("email") == (2, NOW)
    store.channels.narrow("email", None, LATER)
    assert store.channels.narrowed("email") is None


def test_what_has_left_lately_is_counted_with_service_mail_and_without_what_is_older(store: Store) -> None:
    for n in range(4):
        store.service_mail.add(f"k{n}", category="digest", channel="email", payload={}, now=NOW)
    store.service_mail.claim([f"k{n}" for n in range(3)], Lease("e1", 1, LATER), NOW)
    assert (store.channels.under_way("email"), store.channels.under_way("slack")) == (3, 0)
    for n in range(2):
        at = NOW + n * (LATER - NOW)
        outbox.record(store, [f"k{n}"], [], Lease("e1", 1, LATER), NOW)
        outbox.record(store, [], [Receipt(f"k{n}", "sent", at)], Lease("e1", 1, LATER), NOW)
    assert (store.channels.under_way("email"), store.channels.sent("email", NOW - DAY)) == (1, 2)
    assert store.channels.sent("email", NOW) == 1
    assert store.channels.times("email", NOW - DAY) == [NOW, LATER]
    assert [store.channels.sent_at("email", NOW - DAY, place) for place in (0, 1, 2)] == [NOW, LATER, None]


def test_what_the_mail_server_greets_with_is_remembered_by_host(store: Store) -> None:
    store.channels.greeted("mail.example.com", "220 ESMTP Postfix", NOW)
    store.channels.greeted("mail.example.com", "220 ESMTP Exim", LATER)
    assert (store.channels.banner("mail.example.com"), store.channels.banner("x")) == ("220 ESMTP Exim", "")


def test_the_longest_times_between_ticks_lately(store: Store) -> None:
    for number, interval in enumerate((300.0, 61200.0, 3600.0)):
        store.engine.beat(f"e{number}", pid=7, host="box", interval=interval, now=NOW if number else NOW - DAY)
    assert store.engine.longest_intervals(NOW, 2) == [61200.0, 3600.0]
    assert store.engine.longest_intervals(NOW - DAY, 5) == [61200.0, 3600.0, 300.0]
