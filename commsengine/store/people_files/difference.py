"""What an import changes, found out before it is done, and what of it a person is asked about.

1. People are matched by id; where the file has no ids (the id is the address), by address. Columns that the file does
   not have stay as they are.
2. With ``rekey`` the file's id comes in place of the one that a person, known by address, has so far.
3. It asks when a leaver would be active again, and when more than one in twenty would get another manager or be marked
   as left: a wrong or a short file looks like that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, func, select

from commsengine.cadence.kinds_and_states import FileReasonKind
from commsengine.cadence.people import Person, updated
from commsengine.errors import InputError
from commsengine.spool import BATCH, KeyIndex, Spool, batches
from commsengine.store.database import rows_with
from commsengine.store.person_rows import IMPORTED, email_key, person_of
from commsengine.store.tables import person
from commsengine.translation import N_, _

MOST_AT_ONCE = 0.05
"""The share of the people that one file may give another manager, or mark as left, without being asked about."""

MOST_NAMED = 5

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
    added: Sequence[Person] = ()
    changed: Sequence[Pair] = ()
    unchanged: int = 0
    missing: Sequence[Person] = ()
    moved: Sequence[Person] = ()
    rekeyed: Mapping[str, str] = field(default_factory=dict)

    @property
    def returning(self) -> Sequence[Person]:
        return Spool(new for old, new in self.changed if old.left is not None and new.left is None)

    @property
    def leaving(self) -> Sequence[Person]:
        by_column = (new for old, new in self.changed if old.left is None and new.left is not None)
        return Spool(chain(by_column, self.missing))

    @property
    def reasons(self) -> tuple[FileReason, ...]:
        """Why a person is asked first; empty where it may simply be done."""
        returning = self.returning
        found = [_reason("returning", returning, self.here)] if returning else []
        many: dict[FileReasonKind, Sequence[Person]] = {"managers": self.moved, "leavers": self.leaving}
        most = max(1, MOST_AT_ONCE * self.here)
        return (*found, *(_reason(kind, some, self.here) for kind, some in many.items() if len(some) > most))


def _reason(kind: FileReasonKind, people: Sequence[Person], of: int) -> FileReason:
    return FileReason(kind, len(people), of, tuple(each.email for each in people[:MOST_NAMED]))


def difference(
    connection: Connection,
    people: Sequence[Person],
    columns: Collection[str] | None,
    present: Collection[str] | None,
    *,
    rekey: bool = False,
) -> PeopleDifference:
    """``columns``: only these of whom is known already. With ``present`` the file is complete: who is neither in it nor
    among these ids is ``missing``.

    Raises ``InputError`` for a person who stands there twice, and for an address or an id that is another's.
    """
    found = _Comparison(connection, columns, frozenset(each.id for each in people) if rekey else frozenset())
    for some in batches(people):
        found.take(some)
    found.refuse_taken()
    here = connection.execute(select(func.count()).select_from(person).where(*_HERE)).scalar_one()
    missing = () if present is None else found.missing(present)
    moved = _moved(connection, found.changed)
    return PeopleDifference(here, found.added, found.changed, found.unchanged, missing, moved, found.rekeyed)


_HERE = (person.c.left.is_(None), person.c.erased_at.is_(None))


@dataclass(frozen=True, slots=True)
class _Taken:
    """Somebody's address belongs to another, the ``owner``; ``known``: the directory has this person's id."""

    person: Person
    owner: str
    known: bool


class _Comparison:
    """The people of a file, a batch at a time, beside the directory; ``in_file`` are all of their ids, for a rekey."""

    def __init__(self, connection: Connection, columns: Collection[str] | None, in_file: frozenset[str]) -> None:
        self._connection, self._in_file = connection, in_file
        self._columns = None if columns is None else frozenset(columns)
        self._ids, self._addresses, self._taken = KeyIndex(), KeyIndex(), list[_Taken]()
        self.added, self.changed, self.unchanged = Spool[Person](), Spool[Pair](), 0
        self.rekeyed: dict[str, str] = {}

    def take(self, some: Sequence[Person]) -> None:
        known = self._known(some)
        pairs = [(self._as_it_will_be(new, known.get(new.id)), known.get(new.id)) for new in some]
        for new, old in pairs:
            self._sort_in(new, old)
        self._find_owners(pairs)

    def _as_it_will_be(self, new: Person, old: Person | None) -> Person:
        if old is None:
            return new
        new = replace(new, id=old.id) if new.id != old.id else new
        return new if self._columns is None else updated(old, new, self._columns)

    def _sort_in(self, new: Person, old: Person | None) -> None:
        self._refuse_twice(new)
        if old is None:
            self.added.append(new)
        elif differs(new, old):
            self.changed.append((old, new))
        else:
            self.unchanged += 1

    def _known(self, some: Sequence[Person]) -> dict[str, Person]:
        """Whom the directory has of them, by the id of the file, under the ids to come."""
        found = _stored(self._connection, person.c.id, [each.id for each in some])
        strangers = [each for each in some if each.id not in found]
        rows = _stored(self._connection, person.c.email_key, [email_key(each.email) for each in strangers])
        by_address = {email_key(each.email): each for each in rows.values()}
        for each in strangers:
            owner = by_address.get(email_key(each.email))
            if owner is not None and each.id == email_key(each.email):
                found[each.id] = owner
            elif owner is not None and self._in_file and owner.id not in self._in_file:
                self.rekeyed[owner.id] = each.id
                found[each.id] = replace(owner, id=each.id)
        return found

    def _refuse_twice(self, new: Person) -> None:
        ids, addresses = self._ids.add(new.id, 1), self._addresses.add(email_key(new.email), 1)
        if ids or addresses:
            cause = _("'{address}' is in the import twice (id '{id}').", address=new.email, id=new.id)
            raise InputError(cause, _("Keep one row per person."))

    def _find_owners(self, pairs: Iterable[tuple[Person, Person | None]]) -> None:
        moving = {email_key(new.email): (new, old) for new, old in pairs if old is None or moves(new, old)}
        for owner in _stored(self._connection, person.c.email_key, list(moving)).values():
            new, old = moving[email_key(owner.email)]
            self._taken.append(_Taken(new, owner.id, old is not None))

    def refuse_taken(self) -> None:
        # An address of a person outside this import is not taken from them silently.
        taken = [each for each in self._taken if each.owner not in self._ids and each.owner not in self.rekeyed]
        if not taken:
            return
        cause = N_("The address '{address}' of '{person}' belongs to the person with the id '{owner}'.")
        some = ((each.person, each.owner) for each in taken[:MOST_NAMED])
        causes = [_(cause, address=each.email, person=each.id, owner=owner) for each, owner in some]
        if (more := len(taken) - len(causes)) > 0:
            causes.append(_("The same is true of {people:,} more.", people=more))
        raise InputError(" ".join(causes), _fix(taken))

    def missing(self, present: Collection[str]) -> Sequence[Person]:
        rows = self._connection.execute(select(person.c.id).where(*_HERE), execution_options={"yield_per": BATCH})
        there = {*self.rekeyed, *present}
        gone = Spool(row.id for row in rows if row.id not in self._ids and row.id not in there)
        return Spool(one for some in batches(gone) for one in _stored(self._connection, person.c.id, some).values())


def _fix(taken: Sequence[_Taken]) -> str:
    if any(each.known for each in taken):  # that id is somebody else's already
        return _("Give that person's row the same id as in the directory, or a new address first.")
    return _("To take the ids of the file instead, their history with them: add --rekey.")


def _moved(connection: Connection, changed: Sequence[Pair]) -> Sequence[Person]:
    pairs = Spool(
        (email_key(old.manager), new)
        for old, new in changed
        if old.manager and email_key(old.manager) != email_key(new.manager)
    )
    if not pairs:
        return ()
    before = {email_key(one.email): one.id for one in _by_address(connection, {was for was, _new in pairs})}
    leading = {email_key(new.manager) for _was, new in pairs}
    now = {email_key(new.email): new.id for _old, new in changed if email_key(new.email) in leading}
    return Spool(new for was, new in pairs if was not in before or before[was] != now.get(email_key(new.manager)))


def _by_address(connection: Connection, keys: Collection[str]) -> Iterable[Person]:
    return _stored(connection, person.c.email_key, sorted(keys)).values()


def _stored(connection: Connection, column: Any, wanted: Sequence[str]) -> dict[str, Person]:
    return {row.id: person_of(row) for row in rows_with(connection, select(person), column, wanted)}


_imported = attrgetter(*IMPORTED)


def differs(new: Person, old: Person) -> bool:
    return bool(_imported(new) != _imported(old))


def moves(new: Person, old: Person) -> bool:
    return email_key(new.email) != email_key(old.email)
