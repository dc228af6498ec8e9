"""What is asked often goes by an index on both databases, and sorts nothing but what it found."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Self

import psycopg
import pytest
from sqlalchemy import event, text

from commsengine.store.database import Database
from commsengine.store.records import Lease, Receipt
from commsengine.store.store import Store
from tests import outbox
from tests.builders import someone
from tests.store.scene import NOW

PEOPLE = 600
LEASE = Lease("here", 7, NOW + dt.timedelta(hours=1))
FULL = """
INSERT INTO touch (key, kind, campaign, message, person_id, rung, role, channel, number, version, epoch, facts_seq,
  due_at, state, reason, owner, fence, attempts, uncertainties, possible_duplicate, held, created_at, remote_id)
SELECT id || '-' || n, 'touch', 'crm', 'm' || n, id, 0, 'sales', 'email', 1, 1, 1, 0, '2027-01-11 09:00:00+00:00',
  'sent', '', '', 1, 1, 0, false, false, '2027-01-11 09:00:00+00:00', ''
FROM person, (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) AS numbers
"""

KEYS = ["p1-1", "p2-1"]
ASKED: dict[str, Callable[[Store], Any]] = {
    "who is due": lambda store: store.loading.due(NOW, 5),
    "when the next is due": lambda store: store.loading.next_wake(),
    "histories": lambda store: store.loading.histories(["p1", "p2"]),
    "marks and receipts": lambda store: outbox.record(store, KEYS, [Receipt(KEYS[0], "sent", NOW)], LEASE, NOW),
    "what is still ours": lambda store: store.outbox.still_ours(KEYS, LEASE, NOW),
    "what is open": lambda store: store.touches.open_rows(states=("claimed", "sending")),
    "a message of one": lambda store: store.touches.rows(KEYS),
    "how full a channel is": lambda store: store.channels.sent("email", NOW),
}


@pytest.fixture
def crowded(store: Store) -> Store:
    store.people.save([someone(n) for n in range(PEOPLE)], by="dana", now=NOW)
    with store.database.write() as connection:
        connection.exec_driver_sql(FULL)
        if store.path is None:  # a server does so by itself, SQLite never
            connection.exec_driver_sql("ANALYZE")
    return store


@pytest.mark.parametrize("name", ASKED)
def test_an_index_finds_it(crowded: Store, name: str) -> None:
    with plans(crowded.database) as seen:
        ASKED[name](crowded)
    assert (bool(seen), [line for line in seen if WHOLE.search(line)]) == (True, [])


def test_who_is_due_first_is_not_sorted_out_of_all_who_are(crowded: Store) -> None:
    with plans(crowded.database) as seen:
        crowded.loading.due(NOW, 5)
    assert [line for line in seen if re.search("Sort|TEMP B-TREE", line)] == []


WHOLE = re.compile(r"(SCAN|Seq Scan on) (person|touch|attempt)\b(?! USING)")
"""A large table from end to end."""


@contextmanager
def plans(database: Database) -> Iterator[list[str]]:
    """How the database goes about each statement, line by line; heard at the driver, which all statements pass."""
    seen: list[str] = []
    listen = partial(_explain_each if database.dialect == "postgresql" else _trace, seen)
    database.engine.dispose()
    event.listen(database.engine, "connect", listen)
    try:
        yield seen
    finally:
        event.remove(database.engine, "connect", listen)
        database.engine.dispose()
    if database.dialect == "sqlite":
        asked = [text(f"EXPLAIN QUERY PLAN {each}".replace(":", "\\:")) for each in seen if not each.startswith(SAID)]
        seen[:] = [str(row[-1]) for each in asked for row in database.rows(each)]


SAID = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "--")


def _trace(seen: list[str], raw: sqlite3.Connection, _entry: object) -> None:
    raw.set_trace_callback(seen.append)


def _explain_each(seen: list[str], raw: psycopg.Connection, _entry: object) -> None:
    class Explained(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **how: Any) -> Self:
            with psycopg.Cursor(raw) as beside:
                seen.extend(str(row[-1]) for row in beside.execute(f"EXPLAIN {query}", params).fetchall())
            return super().execute(query, params, **how)

    raw.execute("SET enable_seqscan = off")  # a table of a test is small enough to be read whole
    raw.commit()
    raw.cursor_factory = Explained
