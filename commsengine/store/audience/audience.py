"""The audience of a plan in SQL: the same people and roles that ``role_of`` finds one by one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select, true

from commsengine.cadence.people import COLUMNS
from commsengine.cadence.plan import Plan, Role
from commsengine.store.tables import person, roster


def in_roster(people: Select[Any], plan: Plan) -> Select[Any]:
    """Those of these people who are in the campaign's roster; all of them where it has none."""
    if plan.audience.people is None:
        return people
    return people.join(roster, and_(roster.c.person_id == person.c.id, roster.c.campaign == plan.campaign))


def role_in(connection: Connection, plan: Plan) -> ColumnElement[Any]:
    """The role of a person in the plan, or NULL."""
    roles = [(_matches(connection, role), name) for name, role in plan.audience.roles.items()]
    out = [(person.c.email_key == plan.kept_out, None)] if plan.kept_out else []
    return case(*out, *roles, else_=None)


def _matches(connection: Connection, role: Role) -> ColumnElement[bool]:
    if role.rest:
        return true()
    head = true() if role.is_manager is None else person.c.is_manager == role.is_manager
    return and_(head, *(column_of(connection, name).in_(values) for name, values in role.columns.items()))


def column_of(connection: Connection, name: str) -> ColumnElement[Any]:
    """A column of people.csv, empty where the person has none."""
    return person.c[name] if name in COLUMNS else func.coalesce(_attribute(connection, name), "")


def _attribute(connection: Connection, name: str) -> Any:
    """NULL where the person has none."""
    if connection.dialect.name == "postgresql":
        return person.c.attributes[name].as_string()
    # A JSON path of SQLite could not name every column that a file may have.
    pairs = func.json_each(person.c.attributes).table_valued("key", "value")
    return select(pairs.c.value).where(pairs.c.key == name).correlate(person).scalar_subquery()
