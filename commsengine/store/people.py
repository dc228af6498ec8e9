"""The directory: everybody the engine knows, their own wishes, and the rosters of campaigns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, bindparam, case, delete, func, not_, or_, select, true, update

from commsengine.cadence.kinds_and_states import Wish
from commsengine.cadence.people import Person
from commsengine.errors import InputError
from commsengine.store import bookkeeping, erasure, tables
from commsengine.store.database import Database, chunks, many, rows_with
from commsengine.store.dialogue import link_tokens
from commsengine.store.people_files import people_import
from commsengine.store.people_files.difference import PeopleDifference, difference
from commsengine.store.people_files.rekey import with_history
from commsengine.store.person_rows import TEXTS, email_key, is_here, person_of
from commsengine.store.population import PeopleOnRecord
from commsengine.store.records import ImportCounts
from commsengine.store.tables import person, roster, slack_id
from commsengine.text import like, near_names
from commsengine.translation import _

NO_SOURCE: Mapping[str, str] = {}
_HERE = person.c.erased_at.is_(None)
_USER = bindparam("the_user", type_=person.c.slack_id.type)
_KNOWN_AS = select(slack_id.c.email_key).where(
    slack_id.c.email_key == person.c.email_key,
    or_(slack_id.c.user_id == _USER, slack_id.c.grid_id == _USER),
    or_(person.c.slack_id == "", person.c.slack_id == slack_id.c.user_id),
)
_BY_SLACK_ID = select(person).where(_HERE, or_(person.c.slack_id == _USER, _KNOWN_AS.exists()))


class People:
    """Who is who. Erased people are found by no method here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        people: Sequence[Person],
        *,
        by: str,
        now: dt.datetime,
        columns: Collection[str] | None = None,
        complete: bool = False,
        present: Collection[str] = (),
        rekey: bool = False,
        source: Mapping[str, str] = NO_SOURCE,
    ) -> ImportCounts:
        """Adds and updates: of those it knows already only these ``columns``, or everything.

        ``complete`` marks as leavers all who are neither among them nor ``present``; ``rekey`` gives people the id of
        their row. ``source`` stands in the audit: the file, its SHA-256, why. ``InputError`` changes nothing.
        """
        with self._database.write() as connection:
            theirs = present if complete else None
            counts = people_import.save(connection, people, now, columns, theirs, rekey=rekey)
            changes = {"added": counts.added, "updated": counts.updated, "left": counts.left}
            bookkeeping.note(connection, "import", "people", by=by, now=now, **changes, **source)
        return counts

    def difference(
        self,
        people: Sequence[Person],
        *,
        columns: Collection[str] | None = None,
        complete: bool = False,
        present: Collection[str] = (),
        rekey: bool = False,
    ) -> PeopleDifference:
        """What ``save`` would change. Raises ``InputError`` as it would."""
        with self._database.read() as connection:
            return difference(connection, people, columns, present if complete else None, rekey=rekey)

    def with_history(self, ids: Sequence[str]) -> set[str]:
        """Which of these people were sent something or have answered."""
        with self._database.read() as connection:
            return with_history(connection, ids)

    def by_email(self, email: str) -> Person | None:
        return self.by_emails([email]).get(email_key(email))

    def by_id(self, person_id: str) -> Person | None:
        return self.by_ids([person_id]).get(person_id)

    def by_ids(self, ids: Sequence[str]) -> dict[str, Person]:
        return {row.id: person_of(row) for row in self._named(person.c.id, ids)}

    def by_emails(self, emails: Sequence[str]) -> dict[str, Person]:
        """The people with these addresses, by lower-cased address."""
        rows = self._named(person.c.email_key, [email_key(email) for email in emails])
        return {row.email_key: person_of(row) for row in rows}

    def by_slack_id(self, user_id: str) -> Person | None:
        """By their own ``slack_id``, else by what Slack was found to call them, here or in a whole Enterprise Grid."""
        rows = self._database.rows(_BY_SLACK_ID, {"the_user": user_id})
        own = [row for row in rows if row.slack_id == user_id]
        found = own or rows
        return person_of(found[0]) if len({row.id for row in found}) == 1 else None

    def _named(self, column: Column[Any], names: Sequence[str]) -> list[Row[Any]]:
        with self._database.read() as connection:
            return list(rows_with(connection, select(person).where(_HERE), column, names))

    def population(self, campaign: str = "") -> PeopleOnRecord:
        """Everybody, or the roster of a campaign. What it has counted it keeps: make another one to see changes."""
        return PeopleOnRecord(self._database, campaign)

    def all(self) -> Iterator[Person]:
        """Everybody in the order of their ids, read in pages."""
        return iter(self.population())

    def columns_in_use(self, *, left_by: dt.date, left: bool) -> set[str]:
        """The columns of texts and dates that are filled for any of those who have left by that day, or have not."""
        here = is_here(left_by)
        filled = {name: func.max(case((person.c[name] != "", 1), else_=0)).label(name) for name in TEXTS}
        filled["left"] = func.count(person.c.left).label("left")
        found = self._database.first(select(*filled.values()).where(_HERE, not_(here) if left else here))
        return {name for name in filled if getattr(found, name)}

    def attributes_in_use(self) -> list[str]:
        """The names of all columns of people's own, sorted."""
        with self._database.read() as connection:
            if connection.dialect.name == "postgresql":
                each = func.json_object_keys(person.c.attributes).table_valued("key").render_derived()
            else:
                each = func.json_each(person.c.attributes).table_valued("key")
            found = select(each.c.key).select_from(person.join(each, true())).where(_HERE)
            return sorted(connection.execute(found.distinct()).scalars())

    def count(self) -> int:
        return len(self.population())

    def near(self, email: str) -> Sequence[str]:
        """Up to three addresses that look like this one, the nearest first."""
        return self.population().near(email)

    def called(self, text: str) -> list[Person]:
        """Those of this name, else those with these words in it, else those whose name or address holds the text."""
        wanted, words = like(text), like(text).split()
        with self._database.read() as connection:
            rows = connection.execute(select(person.c.id, person.c.name, person.c.email).where(_HERE)).all()
        names = [(row.id, like(row.name), like(row.email.partition("@")[0])) for row in rows]
        ways: tuple[list[str], ...] = (
            [each for each, name, local in names if wanted and wanted in (name, local)],
            [each for each, name, _local in names if words and set(words) <= set(name.split())],
            [each for each, name, local in names if wanted and (wanted in name or wanted in local)],
        )
        return list(self.by_ids(next((found for found in ways if found), [])).values())

    def near_called(self, text: str) -> list[str]:
        """Up to three names that look like this one, whole or in one word."""
        rows = self._database.rows(select(person.c.name).where(_HERE, person.c.name != ""))
        by_word = {like(word): row.name for row in rows for word in (row.name, *row.name.split())}
        return list(dict.fromkeys(by_word[each] for each in near_names(like(text), by_word)))

    def set_preferences(
        self, person_id: str, *, channel: Wish, quiet: tuple[int, int] | None, now: dt.datetime
    ) -> None:
        """The person's own wish of a channel ('' for none) and of local hours, in minutes after midnight."""
        quiet_from, quiet_to = quiet or (None, None)
        wishes = {"wished_channel": channel, "quiet_from": quiet_from, "quiet_to": quiet_to}
        with self._database.write() as connection:
            connection.execute(update(person).where(person.c.id == person_id, _HERE).values(wishes))
            bookkeeping.changed(connection, [person_id], now)
            bookkeeping.note(connection, "preferences", person_id, by=person_id, now=now)

    def revoke_links(self, person_id: str, *, by: str, now: dt.datetime) -> None:
        """No link that they were sent so far opens anything from now on; what comes next brings new ones."""
        with self._database.write() as connection:
            mine = update(person).where(person.c.id == person_id, _HERE).values(revoked=person.c.revoked + 1)
            for row in connection.execute(mine.returning(person.c.email, person.c.email_key)).all():
                link_tokens.close(connection, (person_id, row.email, row.email_key), now)
            bookkeeping.changed(connection, [person_id], now)
            bookkeeping.note(connection, "revoke", person_id, by=by, now=now)

    def roster(self, campaign: str) -> frozenset[str]:
        """The ids of who stands in the roster of a campaign."""
        listed = select(roster.c.person_id).where(roster.c.campaign == campaign)
        return frozenset(row.person_id for row in self._database.rows(listed))

    def set_roster(self, campaign: str, ids: Sequence[str], now: dt.datetime) -> None:
        """Who stands in the roster of a campaign from now on; those who already did keep their date.

        An id that the directory does not have is looked up as an address. Raises ``InputError`` for an unknown one.
        """
        with self._database.write() as connection:
            wanted = _known(connection, ids)
            stood = {row.person_id for row in connection.execute(select(roster).where(roster.c.campaign == campaign))}
            gone = delete(roster).where(roster.c.campaign == campaign, roster.c.person_id == bindparam("gone"))
            many(connection, gone, ({"gone": each} for each in stood - wanted))
            new = ({"campaign": campaign, "person_id": each, "since": now} for each in sorted(wanted - stood))
            many(connection, roster.insert(), new)
            bookkeeping.changed(connection, stood ^ wanted, now)
            managers = people_import.managers_of(connection, sorted(stood ^ wanted))
            bookkeeping.managers_changed(connection, managers, now)

    def erase(self, person_id: str, *, by: str, now: dt.datetime) -> str:
        """Removes what is personal and keeps the counts under a pseudonym, which it returns. Cannot be undone."""
        with self._database.write() as connection:
            pseudonym = erasure.erase(connection, person_id, by=by, now=now)
        self._database.checkpoint()
        return pseudonym

    def all_of(self, person_id: str) -> dict[str, list[dict[str, Any]]]:
        """Everything stored about a person, by table: for their own page and for a request of information."""
        mine = person.c.id == person_id
        with self._database.read() as connection:
            address = connection.execute(select(person.c.email).where(mine)).scalar() or ""
            queries = {"person": select(person).where(mine), **_about(person_id, address)}
            return {name: [dict(row) for row in connection.execute(q).mappings()] for name, q in queries.items()}


def _about(person_id: str, address: str) -> dict[str, Select[Any]]:
    """The rows of every table but ``person`` that are about them."""
    direct = [table for table in tables.metadata.sorted_tables if "person_id" in table.c]
    by_address = (tables.suppression, tables.slack_id)
    attempts = select(tables.attempt).join(tables.touch).where(tables.touch.c.person_id == person_id)
    done = or_(tables.audit.c.subject == person_id, tables.audit.c.by.in_((person_id, address)))
    return {
        **{table.name: select(table).where(table.c.person_id == person_id) for table in direct},
        "attempt": attempts,
        **{table.name: select(table).where(table.c.email_key == email_key(address)) for table in by_address},
        "audit": select(tables.audit).where(done),
    }


def _known(connection: Connection, ids: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for some in chunks(ids):
        rows = connection.execute(
            select(person.c.id, person.c.email_key).where(person.c.id.in_(some) | person.c.email_key.in_(some), _HERE)
        ).all()
        named = {row.id for row in rows}
        known |= named
        strangers = set(some) - named - {row.email_key for row in rows}
        if strangers:
            cause = _("'{person}' of the roster is not in the directory.", person=min(strangers))
            raise InputError(cause, _("Import the people first."))
    return known
