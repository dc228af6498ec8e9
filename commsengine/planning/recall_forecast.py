"""How well a campaign will be remembered, as far as it is foreseen: by role and week, and had it gone by the calendar.

An estimate by the curves in use when it is asked, and no measurement. Groups of fewer than ten people are not shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from commsengine.cadence.audience import is_for, role_of
from commsengine.cadence.calendar import DAY, Hours
from commsengine.cadence.daily_learning import messages_by_recall, recall_of, with_interval
from commsengine.cadence.forecast import Forecast, Walk
from commsengine.cadence.history import Campaign, Campaigns, History
from commsengine.cadence.kinds_and_states import HUMAN
from commsengine.cadence.people import ANYBODY, Person
from commsengine.cadence.plan import Message
from commsengine.recall.small_groups import enough

MISSES_BY = 0.12
"""So far a single campaign ends from its forecast, 19 times in 20, in simulation (standard deviation .06)."""

WEEK = 7 * DAY
CALENDARS = {"every_48h": 48, "weekly": 168}
"""The intervals in hours that a cadence by recall is held against."""

PersonAndPast = tuple[Person, History]
Foresee = Callable[[Campaigns, Person, History], Forecast]


class RecallForecast:
    """Recall by role at the end of each week. First ``add`` everybody, then read it; one counts as ``each`` people."""

    def __init__(self, campaign: Campaign, start: dt.datetime, until: dt.datetime, each: float = 1.0) -> None:
        self._campaign, self._each, begin = campaign, each, max(start, _first_open(campaign, ANYBODY))
        weeks = int((until - begin) / WEEK)
        self.weeks = [begin + week * WEEK for week in range(1, weeks + 1)]
        self._people: dict[str, list[list[float]]] = {}
        self._of_walk: dict[Walk, list[float]] = {}

    def add(self, person: Person, seen: Forecast) -> None:
        role = role_of(self._campaign.plan, person) or ""
        if not _meant_for(self._campaign, person):
            return
        if seen.walk not in self._of_walk:
            self._of_walk[seen.walk] = [_mean(self._campaign, person, seen.history, week) for week in self.weeks]
        self._people.setdefault(role, []).append(self._of_walk[seen.walk])

    @property
    def by_role(self) -> Mapping[str, Sequence[float]]:
        """The mean recall at each week's end; small groups are left out."""
        return {
            role: [fmean(column) for column in zip(*people, strict=True)]
            for role, people in self._people.items()
            if enough(len(people)) and self.weeks
        }

    @property
    def hidden(self) -> Sequence[str]:
        return sorted(role for role, people in self._people.items() if not enough(len(people)))

    def as_data(self) -> list[dict[str, Any]]:
        return [
            {
                "role": role,
                "people": round(self._each * len(self._people[role])),
                "at": week,
                "recall": round(value, 4),
                "low": round(max(0.0, value - MISSES_BY), 4),
                "high": round(min(1.0, value + MISSES_BY), 4),
            }
            for role, values in self.by_role.items()
            for week, value in zip(self.weeks, values, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class RepeatResult:
    """What one way of repeating costs and brings, as means over people.

    ``messages`` is per person; ``at_target`` the recall on the day a message aims at, ``lowest`` from day 7 on until
    then; both ``None`` where no message names a day.
    """

    messages: float
    at_target: float | None
    lowest: float | None

    def as_data(self) -> dict[str, Any]:
        rounded = {"recall_at_target": self.at_target, "lowest_recall": self.lowest}
        return {
            "messages_per_person": round(self.messages, 2),
            **{name: None if value is None else round(value, 4) for name, value in rounded.items()},
        }


def compared(
    campaigns: Campaigns, campaign: Campaign, people: Sequence[PersonAndPast], start: dt.datetime, foresee: Foresee
) -> Mapping[str, RepeatResult]:
    """The plan as it is, and by the calendar instead; empty without messages by recall or with few people."""
    if not enough(len(people)) or all(message.cadence.recall_floor is None for message in campaign.plan.messages):
        return {}
    ways = {"plan": campaign, **{name: with_interval(campaign, hours) for name, hours in CALENDARS.items()}}
    others = tuple(each for each in campaigns.running if each.id != campaign.id)
    running = {name: replace(campaigns, running=(*others, way)) for name, way in ways.items()}
    return {name: _remembered(each, campaign, people, start, foresee) for name, each in running.items()}


def _remembered(
    running: Campaigns, campaign: Campaign, people: Iterable[PersonAndPast], start: dt.datetime, foresee: Foresee
) -> RepeatResult:
    by_recall = {message.id for message in messages_by_recall(campaign.plan)}
    counts, targets, days = [], [], list[list[float]]()
    for person, past in people:
        if not _meant_for(campaign, person):
            continue
        seen = foresee(running, person, past)
        mine = [each for each in seen.touches if each.campaign == campaign.id and each.message in by_recall]
        counts.append(sum(not touch.skip and touch.channel != HUMAN for touch in mine))
        after_a_week, by = max(start, _first_open(campaign, person)) + WEEK, _target_of(campaign, person)
        if by is not None and by > after_a_week:
            targets.append(_mean(campaign, person, seen.history, by))
            days.append([_mean(campaign, person, seen.history, day) for day in _days(after_a_week, by)])
    lowest = min((fmean(column) for column in zip(*days, strict=False)), default=None)
    return RepeatResult(fmean(counts or [0.0]), fmean(targets) if targets else None, lowest)


def _days(start: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    return [start + number * DAY for number in range(int((until - start) / DAY) + 1)]


def _first_open(campaign: Campaign, person: Person) -> dt.datetime:
    hours = Hours(campaign.plan, person)
    return min(hours.instant_of(campaign.plan, message.opens) for message in messages_by_recall(campaign.plan))


def _target_of(campaign: Campaign, person: Person) -> dt.datetime | None:
    hours = Hours(campaign.plan, person)
    moments = [message.cadence.by for message in messages_by_recall(campaign.plan) if message.cadence.by is not None]
    return max((hours.instant_of(campaign.plan, moment) for moment in moments), default=None)


def _mean(campaign: Campaign, person: Person, history: History, at: dt.datetime) -> float:
    return fmean(recall_of(campaign, message, person, history, at) for message in _meant_for(campaign, person))


def _meant_for(campaign: Campaign, person: Person) -> list[Message]:
    role = role_of(campaign.plan, person) or ""
    return [message for message in messages_by_recall(campaign.plan) if is_for(message, role)]
