"""Who a campaign is for, counted by the database: the same people and roles that ``role_of`` finds one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select, true

from commsengine.cadence.people import COLUMNS
from commsengine.cadence.plan import Role
from commsengine.store.records import CampaignRecord, Drawn
from commsengine.store.tables import person, roster


def by_role(connection: Connection, record: CampaignRecord) -> Mapping[str, int]:
    """How many people have each role; a role without people is not among them."""
    theirs = _members(connection, record).subquery()
    counted = (
        select(theirs.c.role, func.count().label("people")).where(theirs.c.role.is_not(None)).group_by(theirs.c.role)
    )
    return {row.role: row.people for row in connection.execute(counted)}


def drawn(connection: Connection, record: CampaignRecord, most: int) -> Mapping[str, Drawn]:
    """The number of people of every role, and at most so many of them, evenly, in the order of ids."""
    theirs = _members(connection, record).subquery()
    placed = select(
        theirs.c.id,
        theirs.c.role,
        func.count().over(partition_by=theirs.c.role).label("people"),
        func.row_number().over(partition_by=theirs.c.role, order_by=theirs.c.id).label("place"),
    ).where(theirs.c.role.is_not(None))
    each = placed.subquery()
    step = (each.c.people + (most - 1)) // most
    found = connection.execute(select(each).where((each.c.place - 1) % step == 0).order_by(each.c.id)).all()
    sizes = {row.role: row.people for row in found}
    return {
        role: Drawn(sizes.get(role, 0), tuple(row.id for row in found if row.role == role))
        for role in record.plan.audience.roles
    }


def _members(connection: Connection, record: CampaignRecord) -> Select[Any]:
    """Everybody who is there and, if the campaign has a roster, in it: the id, and the role or NULL."""
    audience = record.plan.audience
    roles = case(*((_matches(connection, role), name) for name, role in audience.roles.items()), else_=None)
    members = select(person.c.id, roles.label("role")).where(person.c.left.is_(None), person.c.erased_at.is_(None))
    if audience.people is None:
        return members
    return members.join(roster, and_(roster.c.person_id == person.c.id, roster.c.campaign == record.id))


def _matches(connection: Connection, role: Role) -> ColumnElement[bool]:
    if role.rest:
        return true()
    head = true() if role.is_manager is None else person.c.is_manager == role.is_manager
    return and_(head, *(_column(connection, name).in_(values) for name, values in role.columns.items()))


def _column(connection: Connection, name: str) -> ColumnElement[Any]:
    """The value of one column of people.csv, empty where the person has none."""
    return person.c[name] if name in COLUMNS else func.coalesce(_attribute(connection, name), "")


def _attribute(connection: Connection, name: str) -> Any:
    """NULL where the person has none. A JSON path of SQLite could not name every column that a file may have."""
    if connection.dialect.name == "postgresql":
        return person.c.attributes[name].as_string()
    pairs = func.json_each(person.c.attributes).table_valued("key", "value")
    return select(pairs.c.value).where(pairs.c.key == name).correlate(person).scalar_subquery()
