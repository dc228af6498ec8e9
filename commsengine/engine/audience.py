"""Who a campaign is for today, read from the directory in pages: the same people whom the books count."""

from __future__ import annotations

from collections.abc import Iterator

from commsengine.cadence.people import Person, role_of
from commsengine.cadence.plan import Message, Plan
from commsengine.engine.outlook import everybody
from commsengine.store.store import Store


def members(store: Store, plan: Plan) -> Iterator[tuple[Person, str]]:
    """Everybody of the audience with their role, in the order of ids."""
    listed = store.people.roster(plan.campaign) if plan.audience.people else None
    for person in everybody(store):
        role = role_of(plan.audience, person)
        if role is not None and person.left is None and (listed is None or person.id in listed):
            yield person, role


def roles_of(plan: Plan, message: Message) -> tuple[str, ...]:
    """The roles that a message is for, in the plan's order."""
    return tuple(role for role in plan.audience.roles if not message.to or role in message.to)
