"""The directory as the engine reads it: in pages, by audience, as a sample, and who signs a person's messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from commsengine.cadence.people import Person, role_of
from commsengine.cadence.plan import Message, Plan
from commsengine.content.values import Signers
from commsengine.store.store import Store

LONGEST_CHAIN = 10  # managers above managers

EXACT_UP_TO = 2000
"""People: a larger directory is estimated from a sample."""

PAGE = 1000


class SignerLookup:
    """Keeps the people it has looked up; make a new one for each batch, so that changes to the directory are seen.

    ``emails`` are looked up at once, others one by one when they are asked for.
    """

    def __init__(self, store: Store, emails: Iterable[str] = ()) -> None:
        self._store = store
        wanted = {email.lower(): email for email in emails if email}
        found = {email.lower(): person for email, person in store.people.by_emails(list(wanted.values())).items()}
        self._known: dict[str, Person | None] = {email: found.get(key) for key, email in wanted.items()}

    def of(self, person: Person, plan: Plan) -> Signers:
        sponsor = self.named(plan.sponsor) if plan.sponsor else None
        return Signers(lead=self.named(plan.owner[0]), manager=self.manager_of(person), sponsor=sponsor)

    def manager_of(self, person: Person) -> Person | None:
        # the reports of a manager who has left go to that one's manager
        seen = {person.email.lower()}
        for _ in range(LONGEST_CHAIN):
            manager = self._by_email(person.manager) if person.manager else None
            if manager is None or manager.email.lower() in seen:
                return None
            if manager.left is None:
                return manager
            seen.add(manager.email.lower())
            person = manager
        return None

    def named(self, email: str) -> Person:
        # an owner or sponsor need not be in the directory; then the address is all that is known
        return self._by_email(email) or Person(id=email.lower(), email=email)

    def _by_email(self, email: str) -> Person | None:
        if email not in self._known:
            self._known[email] = self._store.people.by_email(email)
        return self._known[email]


def sample(store: Store) -> tuple[list[Person], int]:
    """All people, or every n-th of a directory larger than ``EXACT_UP_TO``; and how many there are."""
    total = store.people.count()
    step = -(-total // EXACT_UP_TO) or 1
    return [person for index, person in enumerate(everybody(store)) if index % step == 0], total


def everybody(store: Store) -> Iterator[Person]:
    last = ""
    while page := store.people.all(after=last, limit=PAGE):
        yield from page
        last = page[-1].id


def pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))


def members(store: Store, plan: Plan) -> Iterator[tuple[Person, str]]:
    """All people of the audience with their role, in the order of ids."""
    listed = store.people.roster(plan.campaign) if plan.audience.people else None
    for person in everybody(store):
        role = role_of(plan.audience, person)
        if role is not None and person.left is None and (listed is None or person.id in listed):
            yield person, role


def roles_of(plan: Plan, message: Message) -> tuple[str, ...]:
    return tuple(role for role in plan.audience.roles if not message.to or role in message.to)
