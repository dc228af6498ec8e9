"""What Slack calls people and where their direct messages are, so that Slack is asked once."""

from __future__ import annotations

from sqlalchemy import select

from commsengine.store.database import Database, insert
from commsengine.store.persons import email_key
from commsengine.store.tables import slack_id


class SlackIds:
    """Ids by address, any case. What was read or written here once is remembered: every message asks for it.

    Where another process has learnt better, Slack refuses the old id, and the channel asks and writes anew.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[str, str, str]] = {}

    def get(self, email: str) -> tuple[str, str] | None:
        """(user id, id of the direct-message channel)."""
        known = self._row(email)
        return known[:2] if known else None

    def grid_id(self, email: str, user_id: str) -> str:
        """What the same user is called in a whole Enterprise Grid; empty if that is not known."""
        known = self._row(email)
        return known[2] if known and known[0] == user_id else ""

    def put(self, email: str, user_id: str, dm_id: str, grid_id: str = "") -> None:
        """An empty ``grid_id`` leaves the one that is known of this user."""
        grid_id = grid_id or self.grid_id(email, user_id)
        ids = {"user_id": user_id, "dm_id": dm_id, "grid_id": grid_id}
        self._known[email_key(email)] = (user_id, dm_id, grid_id)
        with self._database.write() as connection:
            new = insert(connection, slack_id).values({**ids, "email_key": email_key(email)})
            connection.execute(new.on_conflict_do_update(index_elements=["email_key"], set_=ids))

    def _row(self, email: str) -> tuple[str, str, str] | None:
        key = email_key(email)
        if key not in self._known:
            with self._database.read() as connection:
                row = connection.execute(select(slack_id).where(slack_id.c.email_key == key)).first()
            if row is None:
                return None
            self._known[key] = (row.user_id, row.dm_id, row.grid_id)
        return self._known[key]
