"""The workspaces that our tokens cover, and who of the directory is in them: what their lists of users said.

Of these lists only people of the directory are kept. An active user replaces another one of the same address; a
deactivated account or a bot does not replace an active one, nor one of another workspace.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from commsengine.cadence.kinds_and_states import ChannelName, SlackStatus
from commsengine.store import bookkeeping
from commsengine.store.database import Database, columns_of, insert, many, rows_with
from commsengine.store.person_rows import email_key, is_here
from commsengine.store.slack.ids import SlackIds
from commsengine.store.tables import person, slack_id, slack_workspace, unreachable

ACTIVE: tuple[SlackStatus, ...] = ("", "member", "guest")
CLOCK_WENT_BACK = dt.timedelta(hours=2)
"""A wait that is longer is none of ours."""

_THEIRS = slack_id.c.email_key == person.c.email_key


@dataclass(frozen=True, slots=True)
class SlackWorkspace:
    """A row: what is known of a workspace, and how far its list of users has been read."""

    token: str
    team_id: str
    name: str
    cursor: str
    counted: int
    members: int
    missing: int
    began_at: dt.datetime | None
    finished_at: dt.datetime | None
    free_at: dt.datetime | None
    trouble: str


class _Listed(NamedTuple):
    email: str
    user_id: str
    status: SlackStatus
    grid_id: str = ""


_ROWS = select(*columns_of(slack_workspace, SlackWorkspace)).order_by(slack_workspace.c.team_id)


class SlackWorkspaces:
    """``token`` is a hash of the token, everywhere here."""

    def __init__(self, database: Database, ids: SlackIds) -> None:
        self._database, self._ids = database, ids

    def of(self, token: str) -> list[SlackWorkspace]:
        return [SlackWorkspace(*row) for row in self._database.rows(_ROWS.where(slack_workspace.c.token == token))]

    def begin(self, token: str, teams: Mapping[str, str], now: dt.datetime, *, anew: bool = False) -> None:
        """These workspaces (id, name) alone are read from the start. With ``anew`` nothing of before holds."""
        begun = {"cursor": "", "counted": 0, "began_at": now, "free_at": None, "trouble": ""}
        with self._database.write() as connection:
            connection.execute(delete(slack_workspace).where(slack_workspace.c.token != token))
            of_ours = slack_workspace.c.team_id.in_(list(teams))
            connection.execute(delete(slack_workspace).where(slack_workspace.c.token == token, ~of_ours))
            for team, name in teams.items():
                row = {**begun, "token": token, "team_id": team, "name": name, "members": 0, "missing": 0}
                change = {**begun, "name": name, **({"finished_at": None} if anew else {})}
                _upsert(connection, row, change)

    def take_turn(self, token: str, team: str, now: dt.datetime, until: dt.datetime) -> bool:
        """Whether the next page is ours to ask for; the one after it not before ``until``, whichever engine asks."""
        free = slack_workspace.c.free_at
        at_last = or_(free.is_(None), free <= now, free > now + CLOCK_WENT_BACK)
        turn = update(slack_workspace).where(_one(token, team), at_last).values(free_at=until)
        with self._database.write() as connection:
            return connection.execute(turn).rowcount > 0

    def wait(self, token: str, team: str, until: dt.datetime, trouble: str) -> None:
        """No page is asked for until then. The ``team`` may be unknown yet: empty."""
        waits = {"free_at": until, "trouble": trouble}
        counts = dict.fromkeys(("counted", "members", "missing"), 0)
        with self._database.write() as connection:
            row = {"token": token, "team_id": team, "name": "", "cursor": "", **counts, **waits}
            _upsert(connection, row, waits)

    def keep(
        self,
        token: str,
        team: str,
        users: Sequence[tuple[str, str, SlackStatus, str]],
        *,
        channel: ChannelName,
        cursors: tuple[str, str],
        counted: int,
        now: dt.datetime,
    ) -> None:
        """A page between two cursors, the last of them empty, with so many users, of which those with an address are
        given (address, id, status, id in the Grid). ``channel`` is open again to people who are active there again.
        """
        before, after = cursors
        with self._database.write() as connection:
            moved = update(slack_workspace).where(_one(token, team), slack_workspace.c.cursor == before)
            seen = slack_workspace.c.counted + counted
            done = {"finished_at": now, "members": seen} if not after else {}
            if not connection.execute(moved.values(cursor=after, counted=seen, trouble="", **done)).rowcount:
                return  # another engine has read it
            changed = _kept(connection, team, [_Listed(*user) for user in users], channel, now)
            if not after:
                connection.execute(
                    update(slack_workspace).where(_one(token, team)).values(missing=_missing(connection, now.date()))
                )
        self._ids.forget(changed)

    def missing(self, day: dt.date) -> int:
        """How many people who are in the directory on that day have no id, neither of their own nor on record."""
        with self._database.read() as connection:
            return _missing(connection, day)

    def people(self, day: dt.date) -> int:
        return int(self._database.scalar(select(func.count()).select_from(person).where(*_here(day))) or 0)

    def found(self, day: dt.date) -> dict[str, int]:
        """How many active people of the directory were found, by workspace; under an empty id by look-up alone."""
        active = (*_here(day), slack_id.c.status.in_(ACTIVE), slack_id.c.user_id != "")
        query = select(slack_id.c.team_id, func.count()).join(person, _THEIRS).where(*active)
        return dict(tuple(row) for row in self._database.rows(query.group_by(slack_id.c.team_id)))

    def deactivated(self, day: dt.date) -> list[str]:
        """The addresses of people of the directory whose account in Slack is deactivated."""
        gone = (*_here(day), slack_id.c.status == "deleted", person.c.slack_id.in_(("", slack_id.c.user_id)))
        query = select(person.c.email).join(slack_id, _THEIRS).where(*gone).order_by(person.c.email)
        return [row.email for row in self._database.rows(query)]


def _one(token: str, team: str) -> ColumnElement[bool]:
    return (slack_workspace.c.token == token) & (slack_workspace.c.team_id == team)


def _upsert(connection: Connection, row: Mapping[str, Any], change: Mapping[str, Any]) -> None:
    new = insert(connection, slack_workspace).values(row)
    connection.execute(new.on_conflict_do_update(index_elements=["token", "team_id"], set_=dict(change)))


def _here(day: dt.date) -> tuple[ColumnElement[bool], ...]:
    return person.c.erased_at.is_(None), is_here(day)


def _missing(connection: Connection, day: dt.date) -> int:
    known = select(slack_id.c.email_key).where(_THEIRS).exists()
    unknown = select(func.count()).select_from(person).where(*_here(day), person.c.slack_id == "", ~known)
    return int(connection.execute(unknown).scalar_one())


def _kept(
    connection: Connection, team: str, users: Sequence[_Listed], channel: ChannelName, now: dt.datetime
) -> set[str]:
    """The keys of the addresses whose rows are new or other than before."""
    listed = {email_key(user.email): user for user in sorted(users, key=lambda user: user.status in ACTIVE)}
    keys = list(listed)
    people = select(person.c.email_key, person.c.id).where(*_here(now.date()))
    here = {row.email_key: row.id for row in rows_with(connection, people, person.c.email_key, keys)}
    known = {row.email_key: row for row in rows_with(connection, select(slack_id), slack_id.c.email_key, list(here))}
    rows = {key: _merged(key, team, listed[key], known.get(key)) for key in here}
    changed = {key: row for key, row in rows.items() if row and (key not in known or row != dict(known[key]._mapping))}
    _write(connection, changed.values())
    back = [key for key, row in changed.items() if row["status"] in ACTIVE and not _active(known.get(key))]
    _reachable_again(connection, [here[key] for key in back], channel, now)
    return set(changed)


def _active(row: Any) -> bool:
    return row is not None and row.status in ACTIVE


def _merged(key: str, team: str, user: _Listed, known: Any) -> dict[str, Any] | None:
    same = known is not None and known.user_id == user.user_id
    elsewhere = _active(known) and not (same and known.team_id in ("", team))
    if user.status not in ACTIVE and elsewhere:
        return None
    return {
        "email_key": key,
        "user_id": user.user_id,
        "dm_id": known.dm_id if same else "",
        "grid_id": user.grid_id or (known.grid_id if same else ""),
        "team_id": team,
        "status": user.status,
    }


def _write(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    new = insert(connection, slack_id)
    change = {column.name: new.excluded[column.name] for column in slack_id.c if not column.primary_key}
    many(connection, new.on_conflict_do_update(index_elements=["email_key"], set_=change), rows)


def _reachable_again(connection: Connection, people: Collection[str], channel: ChannelName, now: dt.datetime) -> None:
    # Found out by trying, and no longer so. What a person said about the channel stays.
    found_out = (unreachable.c.channel == channel, unreachable.c.by == "channel", unreachable.c.withdrawn_at.is_(None))
    lifted = update(unreachable).where(unreachable.c.person_id.in_(list(people)), *found_out)
    lifted = lifted.values(withdrawn_at=now, withdrawn_by="channel")
    ids = [row.person_id for row in connection.execute(lifted.returning(unreachable.c.person_id))] if people else []
    bookkeeping.changed(connection, ids, now)
