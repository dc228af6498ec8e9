"""Reading the touches on record."""

from __future__ import annotations

import datetime as dt

from commsengine.store.store import Store
from tests.store.scene import NOW, a_touch, claim, deliver, epochs, mark, running, settle


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


def test_told_names_who_heard_which_version(store: Store) -> None:
    deliver(running(store), a_touch("ana"))
    claim(store, a_touch("ben"))
    assert [(told.person_id, told.message, told.version, told.sent_at) for told in store.touches.carried("crm")] == [
        ("ana", "one-record", 1, NOW)
    ]
    assert epochs(store) == {"crm": 1}
