"""Which running campaigns people join by an import, and when they get their first message there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from commsengine.cadence.audience import members
from commsengine.cadence.calendar import last_closing
from commsengine.cadence.forecast import forecast, no_answers
from commsengine.cadence.history import Campaign, Campaigns, History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.engine.decisions import Decisions
from commsengine.spool import Spool
from commsengine.store.people_files.difference import PeopleDifference
from commsengine.store.store import Store

LOOKED_AT = 12
"""So many of those who join are forecast: the first message of a campaign hardly differs from one to the next."""


@dataclass(frozen=True, slots=True)
class Joining:
    """So many people join a campaign. ``first_at`` is the first message that one of them gets, ``None`` if none does.

    ``looked_at`` of them were asked; ``time_zone`` is that of the plan.
    """

    campaign: str
    people: int
    first_at: dt.datetime | None
    looked_at: int
    time_zone: str


def joining(store: Store, decisions: Decisions, change: PeopleDifference, now: dt.datetime) -> list[Joining]:
    """By campaign. A campaign with people of its own (a roster) is joined by that only."""
    campaigns = decisions.campaigns(now)
    found = []
    for campaign in campaigns.running:
        people = _new_in(campaign.plan, change, now.date())
        if people:
            some = [replace(each, since=now) for each in people[:: -(-len(people) // LOOKED_AT)]]
            first = min(_firsts(store, campaigns, campaign, some, now), default=None)
            zone = campaign.plan.send.time_zone
            found.append(Joining(campaign.id, len(people), first, len(some), zone))
    return found


def _new_in(plan: Plan, change: PeopleDifference, day: dt.date) -> Sequence[Person]:
    if plan.audience.people:
        return ()
    new = (person for person, _role in members(plan, change.added, day))
    joined = (are for were, are in change.changed if not any(members(plan, [were], day)))
    return Spool(chain(new, (person for person, _role in members(plan, joined, day))))


def _firsts(
    store: Store, campaigns: Campaigns, campaign: Campaign, people: Sequence[Person], now: dt.datetime
) -> Iterator[dt.datetime]:
    known = store.loading.histories([person.id for person in people])
    until = max(last_closing(campaign.plan, people), now)
    for person in people:
        past = known[person.id].history if person.id in known else History()
        touches = forecast(campaigns, person, past, now, until, no_answers).touches
        yield from (touch.due_at for touch in touches if touch.campaign == campaign.id and not touch.skip)
