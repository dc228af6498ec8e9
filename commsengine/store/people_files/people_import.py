"""Importing people: add and update, never remove; a change makes its person due.

1. What changes is found out by ``people_files.difference``; new rows are added, changed ones updated, and an address
   may move from one person to another in the same import.
2. Who became or ceased to be a manager is worked out over the whole directory.
3. Only ``complete`` marks as leavers those whom the file leaves out.
4. With ``rekey`` people known by address get the file's id, and all that is on record about them goes along.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from commsengine.cadence.people import Person
from commsengine.spool import batches
from commsengine.store import bookkeeping
from commsengine.store.database import many, rows_with
from commsengine.store.people_files import rekey as rekeying
from commsengine.store.people_files.difference import Pair, PeopleDifference, difference, moves
from commsengine.store.person_rows import IMPORTED, SELECTING, email_key, values_of
from commsengine.store.plain_sql import Prepared
from commsengine.store.records import ImportCounts
from commsengine.store.tables import person, unreachable


def save(
    connection: Connection,
    people: Sequence[Person],
    now: dt.datetime,
    columns: Collection[str] | None,
    present: Collection[str] | None,
    *,
    rekey: bool = False,
) -> ImportCounts:
    """``columns``: only these of whom is known already. With ``present`` the import is complete, but for those."""
    changes = difference(connection, people, columns, present, rekey=rekey)
    rekeying.rename(connection, changes.rekeyed, now)
    _update(connection, changes.changed, now)
    for some in batches(changes.added):
        _INSERT.run_each(connection, [_new(each, now) for each in some])
    _recount_managers(connection, now)
    for some in batches(changes.missing):
        _mark_leavers(connection, [each.id for each in some], now)
    _tell_managers(connection, changes, now)
    return ImportCounts(len(changes.added), len(changes.changed), changes.unchanged, len(changes.missing))


_INSERT = Prepared(person.insert().values({column.name: bindparam(column.name) for column in person.c}))


def _tell_managers(connection: Connection, changes: PeopleDifference, now: dt.datetime) -> None:
    told = {email_key(each.manager) for each in changes.added}
    for pair in changes.changed:
        told |= {email_key(each.manager) for each in pair}
    bookkeeping.managers_changed(connection, told, now)


def _new(each: Person, now: dt.datetime) -> dict[str, Any]:
    keys = {"id": each.id, "email_key": email_key(each.email), "manager_key": email_key(each.manager)}
    unknown = {"wished_channel": "", "is_manager": False, "quiet_from": None, "quiet_to": None, "erased_at": None}
    return {**values_of(each), **keys, **unknown, "revoked": 0, "since": now, "facts_seq": 1, "wake_at": now}


def _update(connection: Connection, changed: Sequence[Pair], now: dt.datetime) -> None:
    moved = [new.id for old, new in changed if moves(new, old)]
    # Two people may swap addresses: step aside first, so that no moment has the same address twice.
    aside = update(person).where(person.c.id == bindparam("the_id")).values(email_key="moving\x1f" + person.c.id)
    many(connection, aside, ({"the_id": each} for each in moved))
    columns = (*IMPORTED, "email_key", "manager_key", "since")
    change = (
        update(person)
        .where(person.c.id == bindparam("the_id"))
        .values({name: bindparam(name) for name in columns})
        .values(facts_seq=person.c.facts_seq + 1, wake_at=now)
    )
    many(connection, change, (_changed(*pair, now) for pair in changed))
    _reachable_again(connection, moved, now)


def _changed(old: Person, new: Person, now: dt.datetime) -> dict[str, Any]:
    returned = old.left is not None and new.left is None
    another = returned or any(getattr(new, name) != getattr(old, name) for name in SELECTING)
    keys = {"email_key": email_key(new.email), "manager_key": email_key(new.manager)}
    return {**values_of(new), **keys, "the_id": new.id, "since": now if another else old.since}


def _reachable_again(connection: Connection, ids: Sequence[str], now: dt.datetime) -> None:
    # What was found out about an old address says nothing about the new one.
    withdrawn = update(unreachable).where(
        unreachable.c.person_id == bindparam("the_id"), unreachable.c.withdrawn_at.is_(None)
    )
    marks = withdrawn.values(withdrawn_at=now, withdrawn_by="import: new address")
    many(connection, marks, ({"the_id": each} for each in ids))


def _recount_managers(connection: Connection, now: dt.datetime) -> None:
    # A plain subquery, computed once: PostgreSQL would run a correlated one for each of many thousand people.
    bosses = select(person.c.manager_key).where(person.c.manager_key != "", person.c.erased_at.is_(None))
    has_reports = person.c.email_key.in_(bosses)
    change = update(person).where(person.c.is_manager != has_reports, person.c.erased_at.is_(None))
    flipped = change.values(is_manager=~person.c.is_manager, since=now, facts_seq=person.c.facts_seq + 1, wake_at=now)
    connection.execute(flipped)


def _mark_leavers(connection: Connection, missing: Sequence[str], now: dt.datetime) -> None:
    leave = update(person).where(person.c.id == bindparam("the_id")).values(left=now.date())
    many(connection, leave, ({"the_id": each} for each in missing))
    bookkeeping.changed(connection, missing, now)
    bookkeeping.managers_changed(connection, managers_of(connection, missing), now)


def managers_of(connection: Connection, ids: Sequence[str]) -> set[str]:
    """The addresses, as keys, of whom these people report to."""
    return {row.manager_key for row in rows_with(connection, select(person), person.c.id, ids)}
