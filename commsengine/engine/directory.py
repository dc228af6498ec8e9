"""The directory as the engine reads it: in pages, by audience, as a sample, and who signs a person's messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from commsengine.cadence.audience import members, role_of
from commsengine.cadence.people import Person, by_address, manager_of
from commsengine.cadence.plan import Plan
from commsengine.content.person_values import Signers
from commsengine.store.campaign_facts.manager_words import LineRecord
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store

EXACT_UP_TO = 2000
"""People: a larger directory is estimated from a sample."""


class SignerLookup:
    """Keeps the people it has looked up; make a new one for each batch, so that changes to the directory are seen.

    ``emails`` are looked up at once, others one by one when they are asked for.
    """

    def __init__(self, store: Store, emails: Iterable[str] = ()) -> None:
        self._store = store
        wanted = {email.lower(): email for email in emails if email}
        found = {email.lower(): person for email, person in store.people.by_emails(list(wanted.values())).items()}
        self._lines: dict[str, list[LineRecord]] = {}
        self._signers: dict[tuple[str, str], Signers] = {}
        self._known: dict[str, Person | None] = {email: found.get(key) for key, email in wanted.items()}

    def of(self, person: Person, plan: Plan, day: dt.date) -> Signers:
        manager = self.manager_of(person, day)
        known = plan.campaign, manager.id if manager else ""
        if known not in self._signers:
            self._signers[known] = self._signing(manager, plan)
        return self._signers[known]

    def _signing(self, manager: Person | None, plan: Plan) -> Signers:
        sponsor = self.named(plan.sponsor.email) if plan.sponsor else None
        lines = self._lines_of(manager, plan) if manager else {}
        return Signers(lead=self.named(plan.owner[0]), manager=manager, sponsor=sponsor, lines=lines)

    def _lines_of(self, manager: Person, plan: Plan) -> Mapping[str, str]:
        if not any(message.sender == "manager" for message in plan.messages):
            return {}
        if plan.campaign not in self._lines:
            self._lines[plan.campaign] = self._store.manager_words.lines(plan.campaign)
        return {line.message: line.text for line in self._lines[plan.campaign] if line.person_id == manager.id}

    def manager_of(self, person: Person, day: dt.date) -> Person | None:
        return manager_of(person, self._by_email, day)

    def named(self, email: str) -> Person:
        # an owner or sponsor need not be in the directory
        return self._by_email(email) or by_address(email)

    def _by_email(self, email: str) -> Person | None:
        if email not in self._known:
            self._known[email] = self._store.people.by_email(email)
        return self._known[email]


@dataclass(frozen=True, slots=True)
class Sample:
    """The ids of some people, evenly out of ``total``."""

    ids: Sequence[str]
    total: int

    @property
    def exact(self) -> bool:
        return len(self.ids) == self.total

    def scaled(self, count: int) -> int:
        """As many of all, by what was counted of these."""
        return round(count * self.total / len(self.ids)) if self.ids else 0


def sample(store: Store) -> Sample:
    """All people, or every n-th of a directory larger than ``EXACT_UP_TO``."""
    everybody = store.people.population()
    total = len(everybody)
    return Sample(everybody.ids(-(-total // EXACT_UP_TO) or 1), total)


def members_of(store: Store, plan: Plan, day: dt.date) -> Iterator[tuple[Person, str]]:
    """All people of the audience on that day with their role, in the order of ids."""
    listed = store.people.roster(plan.campaign) if plan.audience.people else None
    people = (person for person in store.people.all() if listed is None or person.id in listed)
    return members(plan, people, day)


def campaigns_of(store: Store, person: Person) -> list[CampaignRecord]:
    """The campaigns that run or are paused and are for this person, by id."""
    going_on = (record for record in store.campaigns.all() if record.state in ("running", "paused"))
    meant = (record for record in going_on if role_of(record.plan, person) is not None)
    return [one for one in meant if not one.plan.audience.people or person.id in store.people.roster(one.id)]
