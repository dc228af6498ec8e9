"""The milestones of a campaign as a calendar that people subscribe to: a date that moves, moves there too.

It names no person. Each milestone keeps its UID, and SEQUENCE rises with the plan's versions.
"""

from __future__ import annotations

import datetime as dt

from icalendar import Calendar, Event

from commsengine.cadence.plan import Milestone, Plan
from commsengine.cadence.told import monday_of
from commsengine.content.phrases import milestone_text
from commsengine.translation import N_, _

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(weeks=1)
OFTEN = dt.timedelta(hours=6)
"""How often a calendar looks for news, if it heeds that."""


def calendar_feed(plan: Plan, version: int, since: dt.datetime, *, cancelled: bool, language: str) -> bytes:
    """All-day events; a milestone that is not firm takes its week and is tentative. ``since`` is aware.

    A ``cancelled`` campaign's events say so.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//commsengine//milestones//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", plan.title)
    calendar.add("refresh-interval", OFTEN, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    for name, milestone in plan.milestones.items():
        event = _event(plan, name, milestone, language)
        event.add("status", "CANCELLED" if cancelled else "CONFIRMED" if milestone.firm else "TENTATIVE")
        event.add("sequence", version + cancelled)
        event.add("dtstamp", since.replace(microsecond=0))
        event.add("last-modified", since.replace(microsecond=0))
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _event(plan: Plan, name: str, milestone: Milestone, language: str) -> Event:
    event, title = Event(), plan.milestone_title(name)
    spoken = title[:1].upper() + title[1:]
    first = milestone.date if milestone.firm else monday_of(milestone.date)
    event.add("uid", f"{name}.{plan.campaign}@milestones.commsengine")
    event.add("summary", _title(plan, spoken, milestone, language))
    event.add("dtstart", first)
    event.add("dtend", first + (DAY if milestone.firm else WEEK))
    event.add("transp", "TRANSPARENT")
    if milestone.because and "{" not in milestone.because:
        event.add("description", milestone.because)
    return event


def _title(plan: Plan, spoken: str, milestone: Milestone, language: str) -> str:
    if milestone.firm:
        return _(N_("{milestone} – {campaign}"), milestone=spoken, campaign=plan.title)
    planned = milestone_text(milestone, language)
    return _(N_("{milestone}, {planned} – {campaign}"), milestone=spoken, planned=planned, campaign=plan.title)
