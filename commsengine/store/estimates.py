"""What was learned of each role, day by day: written once, never changed, and taken into use at its own instant."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, select, update

from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.recall.learning import Learned
from commsengine.store.bookkeeping import due_later
from commsengine.store.database import Database, insert
from commsengine.store.tables import answer, person, role_estimate, touch

_STAMPS = (
    select(role_estimate.c.counted_at, role_estimate.c.effective_at)
    .where(role_estimate.c.campaign == bindparam("the_id"))
    .distinct()
    .order_by(role_estimate.c.counted_at.desc())
    .limit(2)
)


class Estimates:
    """The estimates of roles, by campaign."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(
        self, campaign: str, *, effective: dt.datetime | None = None, counted: dt.datetime | None = None
    ) -> LearnedRoles:
        """What was published last; of that what is in use by ``effective``, or was counted by ``counted``."""
        mine = [role_estimate.c.campaign == campaign]
        mine += [role_estimate.c.effective_at <= effective] if effective else []
        mine += [role_estimate.c.counted_at <= counted] if counted else []
        last = select(func.max(role_estimate.c.counted_at)).where(*mine).scalar_subquery()
        rows = self._database.rows(select(role_estimate).where(*mine, role_estimate.c.counted_at == last))
        if not rows:
            return LearnedRoles()
        return LearnedRoles(rows[0].counted_at, rows[0].effective_at, {row.role: _learned(row) for row in rows})

    def stamps(self, campaign: str) -> list[tuple[dt.datetime, dt.datetime]]:
        """When the last two were counted and take effect, the newest first: one in use, and one perhaps not yet."""
        return [(counted, effective) for counted, effective in self._database.rows(_STAMPS, {"the_id": campaign})]

    def publish(self, campaign: str, known: LearnedRoles) -> bool:
        """Puts them on record and makes everybody of these roles due when they take effect; false if known."""
        when = {"campaign": campaign, "counted_at": known.counted_at, "effective_at": known.effective_at}
        rows = [{**when, "role": role, **asdict(learned)} for role, learned in sorted(known.roles.items())]
        keys = ["campaign", "role", "counted_at"]
        with self._database.write() as connection:
            new = insert(connection, role_estimate).on_conflict_do_nothing(index_elements=keys)
            if not connection.execute(new.returning(role_estimate.c.role), rows).first():
                return False
            _wake(connection, campaign, known.effective_at)
            return True

    def answered_since(self, campaign: str, since: dt.datetime, until: dt.datetime) -> bool:
        """Whether a check was answered after ``since`` and up to ``until``."""
        found = select(answer.c.id).where(*_checks(campaign, until), answer.c.at > since).limit(1)
        return self._database.first(found) is not None

    def who_answered(self, campaign: str, until: dt.datetime) -> list[str]:
        """The ids of the people who have answered a check by then."""
        found = select(answer.c.person_id).where(*_checks(campaign, until)).distinct()
        return sorted(str(row.person_id) for row in self._database.rows(found))


def _checks(campaign: str, until: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    counted = (answer.c.kind == "check", answer.c.counts, answer.c.withdrawn_at.is_(None))
    return (answer.c.campaign == campaign, answer.c.measures == "recall", *counted, answer.c.at <= until)


def _learned(row: Row[Any]) -> Learned:
    pooled = tuple(tuple(each) for each in row.pooled)
    return Learned(tuple(row.likelihoods), pooled, row.checks, row.forecasts, row.right, row.error)


def _wake(connection: Connection, campaign: str, at: dt.datetime) -> None:
    # People who have had anything of this campaign may be due earlier by a new estimate; no fact about them changes.
    theirs = select(touch.c.person_id).where(touch.c.campaign == campaign)
    connection.execute(update(person).where(person.c.id.in_(theirs), due_later(at)).values(wake_at=at))
