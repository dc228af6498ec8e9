"""Prepared statements give what SQLAlchemy gives, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Integer, Text, bindparam, select

from commsengine.store.outbox import marks, receipts
from commsengine.store.plain_sql import Prepared, as_rows, given
from commsengine.store.store import Store
from commsengine.store.tables import touch
from tests.store.scene import NOW, a_touch, claim, running

AWKWARD = ["", "it's", 'a "b"', "%s %(x)s ? :y", "ü 漢字 🙂", "back\\slash", "two\nlines", "null"]
GIVEN = given("them", key=Text(), number=Integer(), at=touch.c.due_at.type)


def test_rows_come_out_as_they_went_in(store: Store) -> None:
    rows = [(word, number, NOW + number * dt.timedelta(microseconds=1)) for number, word in enumerate(AWKWARD)]
    rows.append((None, None, None))  # type: ignore[arg-type]
    with store.database.read() as connection:
        assert Prepared(select(GIVEN)).rows(connection, them=as_rows(rows)) == rows
        assert Prepared(select(GIVEN)).rows(connection, them=as_rows([])) == []


@pytest.mark.parametrize("state", ["claimed", "sent"])
def test_values_held_and_given_are_told_apart(store: Store, state: str) -> None:
    _, second = claim(running(store), a_touch("ana"), a_touch("ben"))
    wanted = select(touch.c.key, touch.c.local_date, touch.c.due_at).where(
        touch.c.person_id == bindparam("person"), touch.c.due_at <= bindparam("now", type_=touch.c.due_at.type)
    )
    prepared = Prepared(wanted.where(touch.c.state.in_([state, "failed"])))
    found = {"claimed": [(second.key, NOW.date(), NOW)], "sent": []}
    with store.database.read() as connection:
        assert prepared.rows(connection, person="ben", now=NOW) == found[state]
        assert prepared.rows(connection, now=NOW - dt.timedelta(1), person="ben") == []


@pytest.mark.parametrize("statement", [marks._GOING, marks._HELD, receipts._ARRIVE, receipts._NOTE])
def test_rows_are_found_by_their_keys_however_many_are_in_one_state(statement: Prepared) -> None:
    with Store.in_memory() as store, store.database.read() as connection:
        compiled = statement._for(connection.dialect)
        asked = tuple(compiled.fixed.get(name) for name in compiled.order or ())
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled.sql}", asked)]
    assert [step for step in plan if "touch" in step] == ["SEARCH touch USING INDEX sqlite_autoindex_touch_1 (key=?)"]
