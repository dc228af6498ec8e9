"""Another id for somebody: all that is on record about them goes along, in the transaction of the import."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, union, update

from commsengine.store import bookkeeping, tables
from commsengine.store.database import chunks, many
from commsengine.store.erasure import SIGNED
from commsengine.store.tables import person

_NAMED = (*SIGNED, (tables.fresh_link, "about"), (tables.fresh_link, "recipient"))


def rename(connection: Connection, ids: Mapping[str, str], now: dt.datetime) -> None:
    """By the id that somebody has the one that they get; references to it follow by themselves."""
    given = [{"was": was, "new": new} for was, new in ids.items()]
    many(connection, update(person).where(person.c.id == bindparam("was")).values(id=bindparam("new")), given)
    for table, column in _NAMED if given else ():
        mine = update(table).where(table.c[column] == bindparam("was"))
        many(connection, mine.values({column: bindparam("new")}), given)
    bookkeeping.changed(connection, ids.values(), now)


def with_history(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Which of these people were sent something or have answered."""
    found: set[str] = set()
    for some in chunks(ids):
        sent = select(tables.touch.c.person_id).where(tables.touch.c.person_id.in_(some))
        said = select(tables.answer.c.person_id).where(tables.answer.c.person_id.in_(some))
        rows: Any = connection.execute(union(sent, said))
        found |= {row.person_id for row in rows}
    return found
