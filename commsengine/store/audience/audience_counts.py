"""The audience of a campaign, counted by the database: the same people and roles that ``role_of`` finds one by one.

Everything is as the directory stands, on a day: those who have left by then are not among them. What is by role has no
entry for a role without people.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Date, Select, String, Subquery, case, cast, func, select

from commsengine.cadence.kinds_and_states import ASKED_FOR, BY_HAND, GOT_IT, AnswerKind
from commsengine.cadence.plan import OutcomeId
from commsengine.store.audience.audience import in_roster, role_in
from commsengine.store.database import Database, rows_with
from commsengine.store.dialogue.answers import answered_by
from commsengine.store.person_rows import is_here
from commsengine.store.records import CampaignRecord, Drawn, TouchCounts
from commsengine.store.tables import answer, deed, person, touch
from commsengine.store.touches import reached_by

ByRole = Mapping[str, int]
Days = Mapping[tuple[str, str, dt.date], int]
"""Numbers by message, role and day in UTC."""

_CARRIED = touch.c.kind.not_in(("service", *BY_HAND))


class RoleInDepartment(NamedTuple):
    role: str
    department: str


class AudienceCounts:
    """Counts people by role, one grouped query each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sizes(self, record: CampaignRecord, day: dt.date) -> ByRole:
        with self._database.read() as connection:
            return sizes_of(connection, record, day)

    def reached(self, record: CampaignRecord, message: str, day: dt.date) -> ByRole:
        """Who has got the message by a channel, or perhaps has."""
        return self._among(record, day, reached_by(record.id, message))

    def answered(self, record: CampaignRecord, message: str, kinds: Sequence[AnswerKind], day: dt.date) -> ByRole:
        return self._among(record, day, answered_by(record.id, message, kinds))

    def done(self, record: CampaignRecord, outcome: OutcomeId, day: dt.date) -> ByRole:
        theirs = select(deed.c.person_id).where(deed.c.campaign == record.id, deed.c.outcome == outcome)
        return self._among(record, day, theirs)

    def _among(self, record: CampaignRecord, day: dt.date, people: Select[Any]) -> ByRole:
        with self._database.read() as connection:
            return sizes_of(connection, record, day, people)

    def departments(self, record: CampaignRecord, day: dt.date) -> Mapping[RoleInDepartment, int]:
        """How many people are where."""
        with self._database.read() as connection:
            members = placed(connection, record, day)
            each = (members.c.role, members.c.department)
            rows = connection.execute(select(*each, func.count().label("n")).group_by(*each))
            return {RoleInDepartment(row.role, row.department): row.n for row in rows}

    def places(self, record: CampaignRecord, day: dt.date, ids: Sequence[str]) -> Mapping[str, RoleInDepartment]:
        """Where each of these people is, by id, as far as they are in the audience."""
        with self._database.read() as connection:
            members = placed(connection, record, day)
            rows = rows_with(connection, select(members), members.c.id, ids)
            return {row.id: RoleInDepartment(row.role, row.department) for row in rows}

    def silent(self, record: CampaignRecord, message: str, roles: Sequence[str], day: dt.date) -> list[str]:
        """The addresses of those in these roles who were reached and have given no answer, by the order of ids."""
        with self._database.read() as connection:
            members = placed(connection, record, day)
            theirs = select(members.c.email).where(members.c.role.in_(roles))
            theirs = theirs.where(members.c.id.in_(reached_by(record.id, message)))
            theirs = theirs.where(members.c.id.not_in(answered_by(record.id, message, ASKED_FOR)))
            return list(connection.execute(theirs.order_by(members.c.id)).scalars())

    def drawn(self, record: CampaignRecord, most: int, day: dt.date) -> Mapping[str, Drawn]:
        """The size of each role on that day, and at most so many of its people, by id."""
        with self._database.read() as connection:
            sizes = sizes_of(connection, record, day)
            steps = {role: -(-people // most) for role, people in sizes.items()}
            found = connection.execute(_evenly(placed(connection, record, day), steps)).all() if steps else ()
        return {
            role: Drawn(sizes.get(role, 0), tuple(row.id for row in found if row.role == role))
            for role in record.plan.audience.roles
        }

    def messages(self, record: CampaignRecord, day: dt.date) -> Mapping[tuple[str, str], TouchCounts]:
        """What each role had of each message and acknowledged, by message and role."""
        with self._database.read() as connection:
            members = placed(connection, record, day)
            had = {(message, role): counts for message, role, *counts in connection.execute(_had(record.id, members))}
            took = _first_acknowledged(record.id, members).subquery()
            each = (took.c.message, took.c.role)
            counted = connection.execute(select(*each, func.count().label("n")).group_by(*each))
            acknowledged = {(row.message, row.role): row.n for row in counted}
        return {
            cell: TouchCounts(*[*had.get(cell, [0, 0, 0]), acknowledged.get(cell, 0)])
            for cell in {**had, **acknowledged}
        }

    def carried_by_day(self, record: CampaignRecord, day: dt.date) -> Days:
        """Touches that a channel carried, by the day on which they fell due."""
        with self._database.read() as connection:
            members = placed(connection, record, day)
            theirs = select(touch.c.message, members.c.role, touch.c.due_at.label("at")).select_from(touch)
            theirs = theirs.join(members, members.c.id == touch.c.person_id)
            return _by_day(connection, theirs.where(touch.c.campaign == record.id, touch.c.state == "sent", _CARRIED))

    def acknowledged_by_day(self, record: CampaignRecord, day: dt.date) -> Days:
        """People, by the day on which they first acknowledged a message."""
        with self._database.read() as connection:
            return _by_day(connection, _first_acknowledged(record.id, placed(connection, record, day)))


def sizes_of(
    connection: Connection, record: CampaignRecord, day: dt.date, among: Select[Any] | None = None
) -> dict[str, int]:
    """How many people each role has; ``among`` is a query of ids, and only these people count."""
    members = placed(connection, record, day)
    counted = select(members.c.role, func.count().label("people")).group_by(members.c.role)
    if among is not None:
        counted = counted.where(members.c.id.in_(among))
    return {row.role: row.people for row in connection.execute(counted)}


def placed(connection: Connection, record: CampaignRecord, day: dt.date) -> Subquery:
    """The people who have a role: id, address, department, role."""
    members = select(person.c.id, person.c.email, person.c.department, role_in(connection, record.plan).label("role"))
    here = in_roster(members, record.plan).where(is_here(day), person.c.erased_at.is_(None)).subquery()
    return select(here).where(here.c.role.is_not(None)).subquery()


def _evenly(members: Subquery, steps: Mapping[str, int]) -> Select[Any]:
    """Id and role of one in so many people of each role, by the order of ids."""
    place = func.row_number().over(partition_by=members.c.role, order_by=members.c.id).label("place")
    each = select(members.c.id, members.c.role, place).subquery()
    step = case(steps, value=each.c.role)
    return select(each.c.id, each.c.role).where((each.c.place - 1) % step == 0).order_by(each.c.id)


def _had(campaign: str, members: Subquery) -> Select[Any]:
    by_channel, cell = case((_CARRIED, touch.c.person_id)), (touch.c.message, members.c.role)
    counts = (func.count(by_channel.distinct()), func.count(by_channel), func.count() - func.count(by_channel))
    theirs = select(*cell, *counts).join(members, members.c.id == touch.c.person_id)
    theirs = theirs.where(touch.c.campaign == campaign, touch.c.state == "sent", touch.c.kind != "service")
    return theirs.group_by(*cell)


def _first_acknowledged(campaign: str, members: Subquery) -> Select[Any]:
    took = (answer.c.campaign == campaign, answer.c.kind.in_(GOT_IT), answer.c.withdrawn_at.is_(None))
    firsts = select(answer.c.message, members.c.role, func.min(answer.c.at).label("at"))
    firsts = firsts.join(members, members.c.id == answer.c.person_id).where(*took)
    return firsts.group_by(answer.c.message, members.c.role, answer.c.person_id)


def _by_day(connection: Connection, dated: Select[Any]) -> Days:
    rows = dated.subquery()
    utc = func.substr(rows.c.at, 1, 10) if connection.dialect.name == "sqlite" else cast(rows.c.at, Date)
    each = (rows.c.message, rows.c.role, cast(utc, String).label("day"))
    counted = connection.execute(select(*each, func.count().label("n")).group_by(*each))
    return {(row.message, row.role, dt.date.fromisoformat(row.day)): row.n for row in counted}
