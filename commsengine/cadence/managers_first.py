"""Managers first: when a manager gets a message whose people get it, and when these do.

A message's ``from`` is when people get it; their managers get it so many working days before. Where the campaign or the
message begins later than that, managers get it at once, and their people so many working days after.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from commsengine.cadence.calendar import Hours
from commsengine.cadence.history import Campaign, Campaigns, Report
from commsengine.cadence.people import Person, manager_of
from commsengine.cadence.plan import DAY_MINUTES, Message


def opening(campaign: Campaign, message: Message, hours: Hours, *, leads: bool) -> dt.datetime:
    """The earliest start of a message for one person, by plan and record; ``leads``: their people get it."""
    opens = hours.instant_of(campaign.plan, message.opens)
    begun = max(campaign.started_at, campaign.introduced.get(message.id, campaign.started_at))
    if message.managers_first is None:
        return max(opens, begun)
    days = message.managers_first
    early = _working_days_before(hours, opens, days)
    if begun <= early:
        return early if leads else opens
    wait = hours.midnight(hours.after_working_days(hours.local_date(begun), days))
    return begun if leads else max(opens, wait)


def _working_days_before(hours: Hours, at: dt.datetime, days: int) -> dt.datetime:
    day = hours.local_date(at)
    return hours.later(at, (hours.after_working_days(day, -days) - day).days * DAY_MINUTES)


def wanted(campaigns: Campaigns) -> bool:
    """Whether decisions need to know who reports to whom."""
    messages = (message for campaign in campaigns.running for message in campaign.plan.messages)
    return any(message.managers_first is not None for message in messages)


def by_manager(people: Iterable[Person], rosters: Mapping[str, frozenset[str]]) -> dict[str, tuple[Report, ...]]:
    """Who reports to whom among these people, by the manager's id; ``rosters`` are those of each, by id."""
    everyone = {person.email.lower(): person for person in people}
    found: dict[str, tuple[Report, ...]] = {}
    for person, manager in _pairs(everyone):
        found[manager.id] = (*found.get(manager.id, ()), Report(person, rosters.get(person.id, frozenset())))
    return found


def _pairs(everyone: Mapping[str, Person]) -> Iterator[tuple[Person, Person]]:
    for person in everyone.values():
        manager = manager_of(person, lambda email: everyone.get(email.lower()))
        if manager is not None and person.left is None:
            yield person, manager
