"""A running campaign in a store, and decisions made by hand: the store is tested apart from the rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from commsengine.cadence.history import Decision, Touch, TouchRow
from commsengine.cadence.people import Person
from commsengine.store import schema
from commsengine.store.database import Database
from commsengine.store.records import Lease, Marked, Receipt
from commsengine.store.store import Store
from commsengine.store.tables import touch
from tests import outbox
from tests.builders import ANA, BEN, MIA, a_plan, utc

NOW = utc("2027-01-11 09:00")
HOUR = dt.timedelta(hours=1)
LATER = NOW + HOUR


def running(store: Store, people: Sequence[Person] = (ANA, BEN, MIA), **plan: Any) -> Store:
    """The campaign ``crm``, started, and its people."""
    store.people.save(people, by="dana", now=NOW - HOUR)
    store.campaigns.save_version(a_plan(**plan), {}, "", introduced={}, by="dana", now=NOW - HOUR)
    store.campaigns.start("crm", by="dana", now=NOW - HOUR)
    return store


def a_touch(person: str = "ana", **changes: Any) -> Touch:
    given: dict[str, Any] = {
        "campaign": "crm", "message": "one-record", "person": person, "role": "others", "rung": 0, "kind": "message",
        "channel": "email", "local_date": NOW.date(), "due_at": NOW, "not_after": NOW + 7 * HOUR,
    }  # fmt: skip
    return Touch(**{**given, **changes})


def epochs(store: Store) -> dict[str, int]:
    return {campaign.id: campaign.epoch for campaign in store.campaigns.running().running}


def seq(store: Store, person: str = "ana") -> int:
    return store.loading.histories([person])[person].facts_seq


def claim(
    store: Store,
    *touches: Touch,
    owner: str = "e1",
    fence: int = 1,
    wake_at: dt.datetime | None = LATER,
    **changes: Any,
) -> list[Touch]:
    """Claims each touch with a decision of its own on what is known now."""
    decisions = [(Decision(each.person, (each,), wake_at), seq(store, each.person)) for each in touches]
    given = {"epochs": epochs(store), "versions": {"crm": 1}, "now": NOW, **changes}
    return store.outbox.claim(given.pop("decisions", decisions), lease(owner, fence), **given)


def lease(owner: str = "e1", fence: int = 1) -> Lease:
    return Lease(owner, fence, NOW + HOUR)


def leases_end(store: Store, hours: int = 2) -> Store:
    """As if they had been made so long ago, by whatever clock the database decides."""
    with store.database.write() as connection:
        for row in connection.execute(select(touch.c.key, touch.c.lease_until)).all():
            until = row.lease_until and row.lease_until - hours * HOUR
            connection.execute(touch.update().where(touch.c.key == row.key).values(lease_until=until))
    return store


def mark(store: Store, *touches: Touch, owner: str = "e1", fence: int = 1, now: dt.datetime = NOW) -> set[str]:
    return outbox.mark(store, [each.key for each in touches], lease(owner, fence), now)


def settle(store: Store, touch: Touch, state: str, *, owner: str = "e1", fence: int = 1, **receipt: Any) -> set[str]:
    receipts = [Receipt(touch.key, state, NOW, **receipt)]
    return outbox.settle(store, receipts, lease(owner, fence), NOW)


def deliver(store: Store, touch: Touch, state: str = "sent", **receipt: Any) -> Touch:
    assert claim(store, touch) == [touch]
    assert mark(store, touch) == {touch.key}
    assert settle(store, touch, state, **receipt) == {touch.key}
    return touch


def marked(touch: Touch) -> Marked:
    """What the sent-journal is told of it."""
    return Marked(
        touch.key, touch.kind, touch.campaign, touch.message, touch.local_date, touch.rung, touch.role, touch.channel,
        touch.number, 1, touch.due_at,
    )  # fmt: skip


def rows(store: Store, person: str = "ana") -> tuple[TouchRow, ...]:
    return store.loading.histories([person])[person].history.rows


def state(store: Store, touch: Touch) -> str | None:
    record = store.touches.row(touch.key)
    return record.state if record else None


def idle(store: Store) -> Store:
    """Nobody is due: what is due afterwards was made so by what the test did."""
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE person SET wake_at = NULL")
    return store


def older(path: Path) -> None:
    """A database as the first version made it."""
    database = Database(f"sqlite:///{path}")
    database.use_wal()
    with database.write() as connection:
        schema.run_migrations(connection, "0001")
    database.close()
