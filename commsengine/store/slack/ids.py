"""What Slack calls people, by address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select

from commsengine.cadence.kinds_and_states import SlackStatus
from commsengine.store.database import Database, insert
from commsengine.store.person_rows import email_key
from commsengine.store.tables import slack_id


class _Known(NamedTuple):
    user_id: str
    dm_id: str
    grid_id: str = ""
    status: SlackStatus = ""


class SlackIds:
    """Ids by address, any case. What was read or written here once is remembered: every message asks for it.

    Where another process has learnt better, Slack refuses the old id, and the channel asks and writes again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Known] = {}

    def get(self, email: str) -> tuple[str, str] | None:
        """(user id, id of the direct-message channel)."""
        known = self._row(email)
        return (known.user_id, known.dm_id) if known else None

    def grid_id(self, email: str, user_id: str) -> str:
        """What the same user is called in a whole Enterprise Grid; empty if that is not known."""
        known = self._row(email)
        return known.grid_id if known and known.user_id == user_id else ""

    def status(self, email: str, user_id: str) -> SlackStatus:
        """What this user was when the list of users was read last; empty if it was not."""
        known = self._row(email)
        return known.status if known and known.user_id == user_id else ""

    def put(self, email: str, user_id: str, dm_id: str, grid_id: str = "") -> None:
        """An empty ``grid_id`` leaves the one that is known of this user."""
        grid_id = grid_id or self.grid_id(email, user_id)
        status = self.status(email, user_id)
        ids = {"user_id": user_id, "dm_id": dm_id, "grid_id": grid_id, "status": status}
        self._known[email_key(email)] = _Known(user_id, dm_id, grid_id, status)
        with self._database.write() as connection:
            new = insert(connection, slack_id).values({**ids, "email_key": email_key(email)})
            connection.execute(new.on_conflict_do_update(index_elements=["email_key"], set_=ids))

    def forget(self, keys: Iterable[str]) -> None:
        """These rows have been written elsewhere. Takes keys of addresses."""
        for key in keys:
            self._known.pop(key, None)

    def _row(self, email: str) -> _Known | None:
        key = email_key(email)
        if key not in self._known:
            columns = [slack_id.c[name] for name in _Known._fields]
            row = self._database.first(select(*columns).where(slack_id.c.email_key == key))
            if row is None:
                return None
            self._known[key] = _Known(*row)
        return self._known[key]
