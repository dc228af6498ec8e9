"""Messages that were sent for review: what it takes to show each again, until it expires. No answer is ever in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, select, update

from commsengine.cadence.history import Touch
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.store.database import Database
from commsengine.store.person_rows import email_key
from commsengine.store.records import ReviewCopy
from commsengine.store.tables import review_copy

_PEOPLE = TypeAdapter(tuple[Person, ...])
_TOUCH = TypeAdapter(Touch)


class KeptCopies:
    """The copies, by the key of their touch, which is on record nowhere else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, copy: ReviewCopy) -> None:
        names = {name for person in copy.people for name in (person.id, email_key(person.email))}
        row = {name: getattr(copy, name) for name in ("key", "recipient", "made_at", "expires_at", "by")}
        row |= {"plan": copy.plan.model_dump(mode="json"), "templates": dict(copy.templates)}
        row |= {"people": _PEOPLE.dump_python(copy.people, mode="json")}
        row |= {"touch": _TOUCH.dump_python(copy.touch, mode="json")}
        with self._database.write() as connection:
            connection.execute(
                review_copy.insert(), {**row, "names": sorted(names | {email_key(copy.recipient)}), "remote_id": ""}
            )

    def sent(self, key: str, remote_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(update(review_copy).where(review_copy.c.key == key).values(remote_id=remote_id))

    def find(self, key: str, now: dt.datetime) -> ReviewCopy | None:
        ours = (review_copy.c.key == key, review_copy.c.expires_at > now)
        row = self._database.first(select(review_copy).where(*ours))
        if row is None:
            return None
        plan, people = Plan.model_validate(row.plan), _PEOPLE.validate_python(row.people)
        about, times = _TOUCH.validate_python(row.touch), (row.made_at, row.expires_at)
        return ReviewCopy(row.key, row.recipient, plan, row.templates, people, about, *times, row.by)

    def is_open(self, key: str, now: dt.datetime) -> bool:
        ours = (review_copy.c.key == key, review_copy.c.expires_at > now)
        return self._database.first(select(review_copy.c.key).where(*ours)) is not None

    def sent_as(self, remote_id: str) -> bool:
        """Whether one of them has this name on the other side."""
        ours = review_copy.c.remote_id == remote_id
        return bool(remote_id) and self._database.first(select(review_copy.c.key).where(ours)) is not None

    def remove(self, key: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(review_copy).where(review_copy.c.key == key))

    def remove_expired(self, now: dt.datetime) -> None:
        with self._database.write() as connection:
            connection.execute(delete(review_copy).where(review_copy.c.expires_at <= now))


def forget(connection: Connection, names: Sequence[str]) -> None:
    """Those that have somebody with one of these names in them."""
    rows = connection.execute(select(review_copy.c.key, review_copy.c.names)).all()
    keys = [row.key for row in rows if set(row.names) & set(names)]
    connection.execute(delete(review_copy).where(review_copy.c.key.in_(keys)))
