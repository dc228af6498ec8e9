"""Reading the touches on record."""

from __future__ import annotations

import datetime as dt

from commsengine.store.records import SentText
from commsengine.store.store import Store
from tests import outbox
from tests.store.scene import NOW, a_touch, claim, deliver, epochs, lease, mark, running, settle


def pause(store: Store) -> None:
    store.campaigns.pause("crm", by="dana", now=NOW)


def test_open_rows_tell_what_a_pause_must_wait_for(store: Store) -> None:
    claim(running(store), a_touch("ana"), a_touch("ben"))
    mark(store, a_touch("ben"))
    pause(store)
    still_open = {row.person_id: row.state for row in store.touches.open_rows("crm")}
    assert still_open == {"ana": "claimed", "ben": "sending"}
    assert [row.person_id for row in store.touches.open_rows("crm", ["sending"])] == ["ben"]
    assert settle(store, a_touch("ben"), "sent") == {a_touch("ben").key}


def test_touches_are_listed_by_their_due_time_over_pages(store: Store) -> None:
    running(store)
    days = [NOW - dt.timedelta(days=number) for number in range(3)]
    for day in days:
        claim(store, a_touch(local_date=day.date(), due_at=day))
    assert [record.due_at for record in store.touches.list("crm")] == sorted(days)
    assert [record.due_at for record in store.touches.of_person("ana")] == sorted(days)


def test_the_dates_in_a_text_are_kept_with_its_mark(store: Store) -> None:
    first, second = claim(running(store), a_touch("ana"), a_touch("ben"))
    going = outbox.record(store, [first.key, second.key], (), lease(), NOW, {first.key: "go_live=2027-03-15"})
    assert {each.key for each in going.marked} == {first.key, second.key}
    assert {row.named for row in store.loading.histories(["ana"])["ana"].history.rows} == {"go_live=2027-03-15"}
    assert store.touches.people_with_dates("crm") == ["ana"]
    assert store.touches.texts_without_dates("crm") == []


def test_of_texts_that_left_before_that_their_version_is_known(store: Store) -> None:
    deliver(running(store), touched := a_touch("ana"))
    claim(store, a_touch("ben"))
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE touch SET named = NULL")
    assert store.touches.texts_without_dates("crm") == [SentText(touched.key, "ana", "one-record", 1)]
    store.touches.keep_dates({touched.key: "go_live=2027-W11"})
    assert store.touches.texts_without_dates("crm") == []
    assert store.touches.people_with_dates("crm") == ["ana"]
    assert epochs(store) == {"crm": 1}
