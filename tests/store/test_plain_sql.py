"""Prepared statements give what SQLAlchemy gives, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Integer, Text, bindparam, select

from commsengine.store import moves
from commsengine.store.outbox import marks, receipts
from commsengine.store.outbox.claims import row_of
from commsengine.store.plain_sql import Prepared, PreparedInsert, as_rows, given
from commsengine.store.records import Receipt, Rest
from commsengine.store.store import Store
from commsengine.store.tables import attempt, touch
from tests import outbox
from tests.builders import someone
from tests.store.scene import NOW, a_touch, claim, lease, running

AWKWARD = ["", "it's", 'a "b"', "%s %(x)s ? :y", "ü 漢字 🙂", "back\\slash", "two\nlines", "null"]
GIVEN = given("them", key=Text(), number=Integer(), at=touch.c.due_at.type)


def test_rows_come_out_as_they_went_in(store: Store) -> None:
    rows = [(word, number, NOW + number * dt.timedelta(microseconds=1)) for number, word in enumerate(AWKWARD)]
    rows.append((None, None, None))  # type: ignore[arg-type]
    with store.database.read() as connection:
        assert Prepared(select(GIVEN)).rows(connection, them=as_rows(rows)) == rows
        assert Prepared(select(GIVEN)).rows(connection, them=as_rows([])) == []


def test_a_nul_that_a_server_says_costs_no_record(store: Store) -> None:
    [claimed] = claim(running(store), a_touch("ana"))
    said = Receipt(claimed.key, "sent", NOW, "reply", "250 a\0b \\\\u0000")
    outbox.mark(store, [claimed.key], lease(), NOW)
    assert outbox.settle(store, [said], lease(), NOW) == {claimed.key}
    with store.database.read() as connection:
        assert connection.scalar(select(attempt.c.reply)) == "250 a\ufffdb \\\\u0000"
    store.channels.keep(Rest("email", NOW, NOW, "a\0b", "us", next_tick=True))
    assert store.channels.rests()["email"].because == ("a\0b" if store.path else "a\ufffdb")


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


def test_more_rows_than_one_statement_carries(store: Store) -> None:
    people = [someone(number) for number in range(7)]
    touches = [a_touch(person.id, corrects=AWKWARD[number]) for number, person in enumerate(people)]
    running(store, people)
    rows = [row_of(each, 1, {"crm": 1}, {"crm": 1}, lease(), NOW) for each in touches]
    few = PreparedInsert(lambda connection: moves.bearing(connection).returning(touch.c.key), most=2 * len(rows[0]))
    with store.database.write() as connection:
        assert few.rows(connection, rows) == [(each.key,) for each in touches]
        assert few.rows(connection, rows) == []
        kept = connection.execute(select(touch.c.person_id, touch.c.corrects, touch.c.due_at)).all()
    assert sorted(kept) == sorted((each.person, each.corrects, each.due_at) for each in touches)
