"""Importing people: add and update, never remove; a change makes its person due.

1. People are matched by id; where the file has no ids (the id is the address), by address. Columns that the file does
   not have stay as they are.
2. New rows are added, changed ones updated; an address may move from one person to another in the same import.
3. Who became or ceased to be a manager is worked out over the whole directory.
4. Only ``complete`` marks as leavers those whom the file leaves out, and it refuses when they are too many.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from commsengine.cadence.people import Person, updated
from commsengine.errors import InputError
from commsengine.store import bookkeeping
from commsengine.store.database import many, rows_with
from commsengine.store.person_rows import IMPORTED, SELECTING, email_key, person_of, values_of
from commsengine.store.records import ImportCounts
from commsengine.store.tables import person, unreachable
from commsengine.translation import N_, _

MOST_LEAVERS = 0.05
"""The share of the directory that one complete import may mark as leavers."""

Stored = Mapping[str, Mapping[str, Any]]


def save(
    connection: Connection,
    people: Sequence[Person],
    now: dt.datetime,
    columns: Collection[str] | None,
    present: Collection[str] | None,
) -> ImportCounts:
    """``columns``: only these of whom is known already. With ``present`` the import is complete, but for those."""
    people, stored = _matched(connection, people)
    if columns is not None:
        people = [_beside(each, stored, frozenset(columns)) for each in people]
    _one_row_each(people)
    added = [each for each in people if each.id not in stored]
    updated = [each for each in people if each.id in stored and _differs(each, stored[each.id])]
    _addresses_are_free(connection, people, stored)
    _update(connection, updated, stored, now)
    many(connection, person.insert(), (_new(each, now) for each in added))
    _recount_managers(connection, now)
    there = None if present is None else {*present, *(each.id for each in people)}
    left = 0 if there is None else _mark_leavers(connection, there, now)
    told = {email_key(each.manager) for each in (*added, *updated)}
    bookkeeping.managers_changed(connection, told | {stored[each.id]["manager_key"] for each in updated}, now)
    return ImportCounts(len(added), len(updated), len(people) - len(added) - len(updated), left)


def _matched(connection: Connection, people: Sequence[Person]) -> tuple[list[Person], Stored]:
    """The people under the ids the directory knows them by, and what it has on them."""
    stored = _stored(connection, person.c.id, [each.id for each in people])
    nameless = [each.id for each in people if each.id not in stored and each.id == email_key(each.email)]
    by_address = {row["email_key"]: row for row in _stored(connection, person.c.email_key, nameless).values()}
    adopted = {each: by_address[each]["id"] for each in nameless if each in by_address}
    stored.update({row["id"]: row for row in by_address.values()})
    return [replace(each, id=adopted[each.id]) if each.id in adopted else each for each in people], stored


def _beside(new: Person, stored: Stored, columns: frozenset[str]) -> Person:
    return updated(person_of(stored[new.id]), new, columns) if new.id in stored else new


def _stored(connection: Connection, column: Any, wanted: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    return {row.id: dict(row._mapping) for row in rows_with(connection, select(person), column, wanted)}


def _one_row_each(people: Sequence[Person]) -> None:
    ids: set[str] = set()
    addresses: set[str] = set()
    for each in people:
        address = email_key(each.email)
        if each.id in ids or address in addresses:
            cause = _("'{address}' stands in the import twice (id '{id}').", address=each.email, id=each.id)
            raise InputError(cause, _("Keep one row per person."))
        ids.add(each.id)
        addresses.add(address)


def _differs(new: Person, old: Mapping[str, Any]) -> bool:
    return any(value != old[name] for name, value in values_of(new).items())


def _addresses_are_free(connection: Connection, people: Sequence[Person], stored: Stored) -> None:
    # An address of a person outside this import is not taken from them silently.
    moving = {email_key(each.email): each for each in people if _moves(each, stored)}
    owners = _stored(connection, person.c.email_key, list(moving))
    importing = {each.id for each in people}
    for owner in owners.values():
        if owner["id"] not in importing:
            wanted = moving[owner["email_key"]]
            cause = N_("The address '{address}' of '{person}' belongs to the person with the id '{owner}'.")
            raise InputError(
                _(cause, address=wanted.email, person=wanted.id, owner=owner["id"]),
                _("Give that person's row the same id as in the directory, or a new address first."),
            )


def _moves(each: Person, stored: Stored) -> bool:
    return each.id not in stored or stored[each.id]["email_key"] != email_key(each.email)


def _new(each: Person, now: dt.datetime) -> dict[str, Any]:
    keys = {"id": each.id, "email_key": email_key(each.email), "manager_key": email_key(each.manager)}
    unknown = {"wished_channel": "", "is_manager": False, "quiet_from": None, "quiet_to": None, "erased_at": None}
    return {**values_of(each), **keys, **unknown, "revoked": 0, "since": now, "facts_seq": 1, "wake_at": now}


def _update(connection: Connection, people: Sequence[Person], stored: Stored, now: dt.datetime) -> None:
    moved = [each for each in people if _moves(each, stored)]
    # Two people may swap addresses: step aside first, so that no moment has the same address twice.
    aside = update(person).where(person.c.id == bindparam("the_id")).values(email_key="moving\x1f" + person.c.id)
    many(connection, aside, ({"the_id": each.id} for each in moved))
    columns = (*IMPORTED, "email_key", "manager_key", "since")
    change = (
        update(person)
        .where(person.c.id == bindparam("the_id"))
        .values({name: bindparam(name) for name in columns})
        .values(facts_seq=person.c.facts_seq + 1, wake_at=now)
    )
    many(connection, change, (_changed(each, stored[each.id], now) for each in people))
    _reachable_again(connection, [each.id for each in moved], now)


def _changed(new: Person, old: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    values = values_of(new)
    returned = old["left"] is not None and new.left is None
    another = returned or any(values[name] != old[name] for name in SELECTING)
    keys = {"email_key": email_key(new.email), "manager_key": email_key(new.manager)}
    return {**values, **keys, "the_id": new.id, "since": now if another else old["since"]}


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


def _mark_leavers(connection: Connection, present: set[str], now: dt.datetime) -> int:
    here = (person.c.left.is_(None), person.c.erased_at.is_(None))
    known = connection.execute(select(person.c.id).where(*here)).scalars().all()
    missing = [each for each in known if each not in present]
    if len(missing) > MOST_LEAVERS * len(known):
        cause = N_("The file leaves out {missing} of {people} people; more than {share:.0%} is refused.")
        raise InputError(
            _(cause, missing=len(missing), people=len(known), share=MOST_LEAVERS),
            _("Check that the file is complete, or mark leavers in its column 'left'."),
        )
    leave = update(person).where(person.c.id == bindparam("the_id")).values(left=now.date())
    many(connection, leave, ({"the_id": each} for each in missing))
    bookkeeping.changed(connection, missing, now)
    bookkeeping.managers_changed(connection, managers_of(connection, missing), now)
    return len(missing)


def managers_of(connection: Connection, ids: Sequence[str]) -> set[str]:
    """The addresses, as keys, of whom these people report to."""
    return {row.manager_key for row in rows_with(connection, select(person), person.c.id, ids)}
