"""Who a campaign is for today, read from the directory in pages: the same people whom the books count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from commsengine.cadence.people import Person, role_of
from commsengine.cadence.plan import Message, Plan
from commsengine.store.store import Store

EXACT_UP_TO = 2000
"""People: a larger directory is estimated from a sample."""

PAGE = 1000


def sample(store: Store) -> tuple[list[Person], int]:
    """Everybody, or every n-th of a directory larger than ``EXACT_UP_TO``; and how many there are."""
    total = store.people.count()
    step = -(-total // EXACT_UP_TO) or 1
    return [person for index, person in enumerate(everybody(store)) if index % step == 0], total


def everybody(store: Store) -> Iterator[Person]:
    """The directory in the order of ids, read in pages."""
    last = ""
    while page := store.people.all(after=last, limit=PAGE):
        yield from page
        last = page[-1].id


def pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))


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
