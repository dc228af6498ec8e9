"""Beats, fences and holds."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from commsengine.cadence.history import Standstill
from commsengine.errors import InputError
from commsengine.store.records import HeartbeatRecord
from commsengine.store.store import Store
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


def test_a_beat_tells_which_channels_rest(store: Store) -> None:
    rests = {"slack": {"until": LATER.isoformat(), "because": "Slack refuses us: invalid_auth"}}
    store.engine.beat("e1", pid=7, host="box", resting=rests, now=NOW)
    assert [beat.resting for beat in store.engine.heartbeats()] == [rests]
    store.engine.beat("e1", pid=7, host="box", now=LATER)
    assert [beat.resting for beat in store.engine.heartbeats()] == [{}]


def test_until_when_nothing_could_leave_is_kept(store: Store) -> None:
    def rest(until: dt.datetime, **how: bool) -> None:
        resting = {"email": {"until": until.isoformat(), "because": "535 refused"}}
        store.engine.beat("e1", pid=7, host="box", resting=resting, now=NOW, **how)

    assert store.engine.rests() == {}
    rest(LATER, awaited=True)
    store.engine.beat("e1", pid=7, host="box", now=LATER)
    assert store.engine.rests() == {"": NOW, "email": LATER}
    rest(NOW)
    assert store.engine.rests()["email"] == LATER


def test_a_clock_set_back_ends_rests_that_lie_ahead(store: Store) -> None:
    resting = {"email": {"until": LATER.isoformat(), "because": "535 refused"}}
    store.engine.beat("e1", pid=7, host="box", resting=resting, now=NOW)
    assert not store.engine.set_back(NOW, ahead=NOW)
    assert store.engine.rests() == {"email": LATER}
    store.engine.beat("e1", pid=7, host="box", now=LATER)
    assert store.engine.set_back(NOW, ahead=NOW)
    assert store.engine.rests() == {"email": NOW}


def test_the_longest_times_between_ticks_lately(store: Store) -> None:
    for number, interval in enumerate((300.0, 61200.0, 3600.0)):
        store.engine.beat(f"e{number}", pid=7, host="box", interval=interval, now=NOW if number else NOW - DAY)
    assert store.engine.longest_intervals(NOW, 2) == [61200.0, 3600.0]
    assert store.engine.longest_intervals(NOW - DAY, 5) == [61200.0, 3600.0, 300.0]
