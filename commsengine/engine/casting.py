"""Who appears in somebody's messages: the lead, the person's manager, the sponsor."""

from __future__ import annotations

from collections.abc import Iterable

from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.content.facts import Cast
from commsengine.store.store import Store

LONGEST_CHAIN = 10


class Casting:
    """Keeps whom it has looked up; make a new one for each batch, so that changes to the directory are seen."""

    def __init__(self, store: Store, emails: Iterable[str] = ()) -> None:
        """``emails`` are looked up at once; whoever else is asked for, one by one."""
        self._store = store
        wanted = {email.lower(): email for email in emails if email}
        found = {email.lower(): person for email, person in store.people.by_emails(list(wanted.values())).items()}
        self._known: dict[str, Person | None] = {email: found.get(key) for key, email in wanted.items()}

    def of(self, person: Person, plan: Plan) -> Cast:
        sponsor = self.named(plan.sponsor) if plan.sponsor else None
        return Cast(lead=self.named(plan.owner[0]), manager=self.manager_of(person), sponsor=sponsor)

    def manager_of(self, person: Person) -> Person | None:
        """Their manager; the reports of somebody who has left go to that one's manager."""
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
        """An owner or sponsor need not be in the directory; then the address is all that is known."""
        return self._by_email(email) or Person(id=email.lower(), email=email)

    def _by_email(self, email: str) -> Person | None:
        if email not in self._known:
            self._known[email] = self._store.people.by_email(email)
        return self._known[email]
