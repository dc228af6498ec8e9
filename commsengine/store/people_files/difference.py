"""What an import changes, found out before it is done, and what of it a person is asked about.

1. People are matched by id; where the file has no ids (the id is the address), by address. Columns that the file does
   not have stay as they are.
2. With ``rekey`` the file's id comes in place of the one that a person, known by address, has so far.
3. It asks when a leaver would be active again, and when more than one in twenty would get another manager or be marked
   as left: a wrong or a short file looks like that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, select

from commsengine.cadence.kinds_and_states import FileReasonKind
from commsengine.cadence.people import Person, updated
from commsengine.errors import InputError
from commsengine.store.database import rows_with
from commsengine.store.person_rows import email_key, person_of, values_of
from commsengine.store.tables import person
from commsengine.translation import N_, _

MOST_AT_ONCE = 0.05
"""The share of the people that one file may give another manager, or mark as left, without being asked about."""

MOST_NAMED = 5

Stored = Mapping[str, Mapping[str, Any]]
Pair = tuple[Person, Person]
"""Somebody as they are and as they will be."""


@dataclass(frozen=True, slots=True)
class FileReason:
    """Why a person is asked about a file: ``people`` of ``of``, and the first few of them by address."""

    kind: FileReasonKind
    people: int = 0
    of: int = 0
    some: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeopleDifference:
    """``here`` people have not left so far. ``missing`` are those of them whom a complete file leaves out.

    ``rekeyed`` says by the id that people have which one they get. ``moved`` have another manager than before; a
    manager with a new address is the same one, and whoever had none had none to lose.
    """

    here: int = 0
    added: tuple[Person, ...] = ()
    changed: tuple[Pair, ...] = ()
    unchanged: int = 0
    missing: tuple[Person, ...] = ()
    moved: tuple[Person, ...] = ()
    rekeyed: Mapping[str, str] = field(default_factory=dict)

    @property
    def returning(self) -> tuple[Person, ...]:
        return tuple(new for old, new in self.changed if old.left is not None and new.left is None)

    @property
    def leaving(self) -> tuple[Person, ...]:
        by_column = (new for old, new in self.changed if old.left is None and new.left is not None)
        return (*by_column, *self.missing)

    @property
    def reasons(self) -> tuple[FileReason, ...]:
        """Why a person is asked first; empty where it may simply be done."""
        found = [_reason("returning", self.returning, self.here)] if self.returning else []
        many: dict[FileReasonKind, Sequence[Person]] = {"managers": self.moved, "leavers": self.leaving}
        most = max(1, MOST_AT_ONCE * self.here)
        return (*found, *(_reason(kind, some, self.here) for kind, some in many.items() if len(some) > most))


def _reason(kind: FileReasonKind, people: Sequence[Person], of: int) -> FileReason:
    return FileReason(kind, len(people), of, tuple(each.email for each in people[:MOST_NAMED]))


@dataclass(frozen=True, slots=True)
class Matched:
    """The people of a file as they will be, under their ids to come, and the rows of those that are known."""

    people: list[Person]
    stored: Stored
    rekeyed: Mapping[str, str]


def matched(
    connection: Connection, people: Sequence[Person], columns: Collection[str] | None, *, rekey: bool = False
) -> Matched:
    """Raises ``InputError`` for a person who stands there twice, and for an address or an id that is another's."""
    stored = _stored(connection, person.c.id, [each.id for each in people])
    strangers = [each for each in people if each.id not in stored]
    by_address = _by_address(connection, strangers)
    adopted, rekeyed = dict[str, str](), dict[str, str]()
    for each in strangers:
        row = by_address.get(email_key(each.email))
        if row is not None and each.id == email_key(each.email):
            adopted[each.id] = row["id"]
            stored[row["id"]] = row
        elif row is not None and rekey and row["id"] not in stored:
            rekeyed[row["id"]] = each.id
            stored[each.id] = {**row, "id": each.id}
    people = [replace(each, id=adopted.get(each.id, each.id)) for each in people]
    if columns is not None:
        people = [_beside(each, stored, frozenset(columns)) for each in people]
    _one_row_each(people)
    _addresses_are_free(connection, people, stored, rekeyed)
    return Matched(people, stored, rekeyed)


def difference(connection: Connection, found: Matched, present: Collection[str] | None) -> PeopleDifference:
    """With ``present`` the file is complete: who is neither in it nor among these ids is ``missing``."""
    known = [(person_of(found.stored[each.id]), each) for each in found.people if each.id in found.stored]
    changed = tuple((old, new) for old, new in known if differs(new, found.stored[new.id]))
    here = connection.execute(select(person.c.id).where(*_HERE)).scalars().all()
    missing: tuple[Person, ...] = ()
    if present is not None:
        there = {*present, *(each.id for each in found.people), *found.rekeyed}
        rows = _stored(connection, person.c.id, [each for each in here if each not in there])
        missing = tuple(person_of(row) for row in rows.values())
    added = tuple(each for each in found.people if each.id not in found.stored)
    moved = tuple(_moved(connection, changed))
    return PeopleDifference(len(here), added, changed, len(known) - len(changed), missing, moved, found.rekeyed)


_HERE = (person.c.left.is_(None), person.c.erased_at.is_(None))


def _moved(connection: Connection, changed: Sequence[Pair]) -> list[Person]:
    pairs = [(old, new) for old, new in changed if old.manager and email_key(old.manager) != email_key(new.manager)]
    rows = _stored(connection, person.c.email_key, [email_key(old.manager) for old, _new in pairs])
    before = {row["email_key"]: row["id"] for row in rows.values()}
    now = {email_key(new.email): new.id for _old, new in changed}
    same = [(before.get(email_key(old.manager)), now.get(email_key(new.manager))) for old, new in pairs]
    return [new for (_old, new), (was, is_) in zip(pairs, same, strict=True) if was is None or was != is_]


def _beside(new: Person, stored: Stored, columns: frozenset[str]) -> Person:
    return updated(person_of(stored[new.id]), new, columns) if new.id in stored else new


def _stored(connection: Connection, column: Any, wanted: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    return {row.id: dict(row._mapping) for row in rows_with(connection, select(person), column, wanted)}


def _by_address(connection: Connection, people: Sequence[Person]) -> dict[str, Mapping[str, Any]]:
    rows = _stored(connection, person.c.email_key, [email_key(each.email) for each in people])
    return {row["email_key"]: row for row in rows.values()}


def _one_row_each(people: Sequence[Person]) -> None:
    ids: set[str] = set()
    addresses: set[str] = set()
    for each in people:
        address = email_key(each.email)
        if each.id in ids or address in addresses:
            cause = _("'{address}' is in the import twice (id '{id}').", address=each.email, id=each.id)
            raise InputError(cause, _("Keep one row per person."))
        ids.add(each.id)
        addresses.add(address)


def differs(new: Person, old: Mapping[str, Any]) -> bool:
    return any(value != old[name] for name, value in values_of(new).items())


def moves(each: Person, stored: Stored) -> bool:
    return each.id not in stored or stored[each.id]["email_key"] != email_key(each.email)


def _addresses_are_free(
    connection: Connection, people: Sequence[Person], stored: Stored, rekeyed: Mapping[str, str]
) -> None:
    # An address of a person outside this import is not taken from them silently.
    moving = {email_key(each.email): each for each in people if moves(each, stored)}
    importing = {*(each.id for each in people), *rekeyed}
    owners = _stored(connection, person.c.email_key, list(moving)).values()
    taken = [(moving[owner["email_key"]], owner["id"]) for owner in owners if owner["id"] not in importing]
    if not taken:
        return
    cause = N_("The address '{address}' of '{person}' belongs to the person with the id '{owner}'.")
    causes = [_(cause, address=each.email, person=each.id, owner=owner) for each, owner in taken[:MOST_NAMED]]
    if (more := len(taken) - len(causes)) > 0:
        causes.append(_("The same is true of {people:,} more.", people=more))
    raise InputError(" ".join(causes), _fix(taken, stored))


def _fix(taken: Sequence[tuple[Person, str]], stored: Stored) -> str:
    if any(each.id in stored for each, _owner in taken):  # that id is somebody else's already
        return _("Give that person's row the same id as in the directory, or a new address first.")
    return _("To take the ids of the file instead, their history with them: add --rekey.")
