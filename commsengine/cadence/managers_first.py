"""Managers first: when a manager gets a message whose people get it, and when these do.

A message's ``from`` is when people get it; their managers get it so many working days before. Where the campaign or the
message begins later than that, or the gate before it opens later, managers get it at once, and their people so many
working days after.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from commsengine.cadence.calendar import Hours
from commsengine.cadence.history import Campaign, Campaigns, DirectReport
from commsengine.cadence.people import END_OF_DAYS, Person, manager_of
from commsengine.cadence.phases import words_for
from commsengine.cadence.plan import DAY_MINUTES, Message, Plan


def opening(campaign: Campaign, message: Message, hours: Hours, *, leads: bool) -> dt.datetime:
    """The earliest start of a message for one person, by plan and record; ``leads``: their people get it."""
    opens = hours.opening(campaign.plan, message)
    introduced = campaign.introduced.get(message.id, campaign.started_at)
    begun = max(campaign.started_at, introduced, *words_for(campaign, message, hours))
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
    return any(briefs(campaign.plan) for campaign in campaigns.running)


def briefs(plan: Plan) -> bool:
    return any(message.managers_first is not None for message in plan.messages)


def by_manager(people: Iterable[Person], rosters: Mapping[str, frozenset[str]]) -> dict[str, tuple[DirectReport, ...]]:
    """Who reports to whom among these people, by the manager's id; ``rosters`` are those of each, by id."""
    everyone = {person.email.lower(): person for person in people}
    found = defaultdict[str, list[DirectReport]](list)
    for person, manager in _pairs(everyone):
        found[manager.id].append(DirectReport(person, rosters.get(person.id, frozenset())))
    return {manager: tuple(reports) for manager, reports in found.items()}


def reports_of(plan: Plan, people: Iterable[Person]) -> Mapping[str, tuple[DirectReport, ...]]:
    """Who reports to whom of the people of a plan, by the manager's id; all of them stand in its roster."""
    everyone = tuple(people)
    listed = frozenset({plan.campaign}) if plan.audience.people else frozenset[str]()
    return by_manager(everyone, {person.id: listed for person in everyone}) if briefs(plan) else {}


def _pairs(everyone: Mapping[str, Person]) -> Iterator[tuple[Person, Person]]:
    for person in everyone.values():
        manager = manager_of(person, lambda email: everyone.get(email.lower()), END_OF_DAYS)
        if manager is not None and not person.has_left(END_OF_DAYS):
            yield person, manager
