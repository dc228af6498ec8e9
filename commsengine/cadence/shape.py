"""People of one shape: alike in all that ``decide`` reads of them, so that they share one decision.

A shape leaves out nothing that ``decide`` can tell apart under these campaigns:
1. Of who somebody is: their role in each campaign, whether it keeps them out, their arm of its experiment, their
   manager where that one holds a message, and everything that makes up their hours, channels, first and last day.
2. Of what is on record: every fact. A touch row is what it says without its key, for a key names its person; which
   answer belongs to which row stays, and so does the order in which touches left.
3. What lies before the start of all campaigns is the same as their start, for no clock of a message begins before.

Campaigns and the instant are not part of it: only decisions on the same campaigns at the same instant are shared.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import fields
from operator import attrgetter

from commsengine.cadence.audience import is_kept_out, role_of
from commsengine.cadence.decide import decide
from commsengine.cadence.experiment import arm_of
from commsengine.cadence.history import Answer, Campaigns, Decision, DirectReport, History, Touch, TouchRow
from commsengine.cadence.managers_first import briefs
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Notice, Plan

Shape = Hashable
NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


class SharedDecisions:
    """The decisions on these campaigns at one instant (aware, UTC), each made once for all people of its shape."""

    def __init__(self, campaigns: Campaigns, now: dt.datetime) -> None:
        self._campaigns, self._now = campaigns, now
        self._shapes = Shapes(campaigns)
        self._made: dict[Shape, Decision] = {}

    def of(self, person: Person, history: History) -> Decision:
        """Equal to ``decide`` of the same person, history and instant."""
        shape = self._shapes.of(person, history)
        made = self._made.get(shape)
        if made is None:
            made = self._made[shape] = decide(self._campaigns, person, history, self._now)
        return made if made.person == person.id else _for(person.id, made)


_NAMES = [field.name for field in fields(Touch) if field.init]
_BEFORE = attrgetter(*_NAMES[: _NAMES.index("person")])
_AFTER = attrgetter(*_NAMES[_NAMES.index("person") + 1 :])


def _for(person: str, made: Decision) -> Decision:
    return Decision(person, named(person, made.touches), made.wake_at, made.reasons, made.standings)


def named(person: str, touches: Iterable[Touch]) -> tuple[Touch, ...]:
    """The same touches for another person of the shape, by id."""
    # replace() takes three times as long, and is asked for each message
    return tuple([Touch(*(*_BEFORE(touch), person, *_AFTER(touch))) for touch in touches])


class Shapes:
    """The shapes of people under these campaigns."""

    def __init__(self, campaigns: Campaigns) -> None:
        plans = [campaign.plan for campaign in campaigns.running]
        roles = [role for plan in plans for role in plan.audience.roles.values()]
        self._plans = plans
        self._columns = sorted({column for role in roles for column in role.columns})
        self._kept_out = {plan.kept_out for plan in plans}
        self._experiments = [plan for plan in plans if plan.experiment]
        self._briefing = [(place, plan) for place, plan in enumerate(plans) if briefs(plan)]
        self._holding = {email for each in campaigns.running for hold in each.manager_holds for email in hold.managers}
        self._regions = any(plan.send.holidays for plan in plans)
        self._start = min((campaign.started_at for campaign in campaigns.running), default=NEVER)
        notices = [message for plan in plans for message in plan.messages if isinstance(message, Notice)]
        self._asked = {key for notice in notices for key in notice.answers}
        self._known_roles: dict[tuple[object, ...], tuple[object, ...]] = {}

    def of(self, person: Person, history: History) -> Shape:
        """Equal for people with equal decisions on these campaigns, at whatever instant."""
        return self._who(person), self._roles(person), self._what(history)

    def _who(self, person: Person) -> Shape:
        manager = person.manager.lower() if self._holding else ""
        return (
            person.time_zone,
            person.days,
            person.country,
            person.region if self._regions else "",
            person.leave,
            person.left,
            person.quiet,
            person.preferred_channel,
            self._from_start(person.since),
            manager if manager in self._holding else "",
            tuple([_interval(plan, person.id) for plan in self._experiments]),
        )

    def _roles(self, person: Person) -> tuple[object, ...]:
        """In each campaign the role, and whether the person is kept out."""
        email = person.email.lower()
        kept = email if email in self._kept_out else ""
        read = (kept, person.is_manager, *[person.column(column) for column in self._columns])
        known = self._known_roles.get(read)
        if known is None:
            roles = [(role_of(plan, person), is_kept_out(plan, person)) for plan in self._plans]
            known = self._known_roles[read] = tuple(roles)
        return known

    def _from_start(self, since: dt.datetime | None) -> dt.datetime:
        return self._start if since is None or since <= self._start else since

    def _what(self, history: History) -> Shape:
        return (
            self._touches(history) if history.rows or history.answers else (),
            history.questions,
            history.snoozes,
            history.outcomes,
            history.deeds,
            frozenset(history.unreachable),
            self._rosters(history.rosters) if history.rosters else (),
            self._reports(history.reports) if history.reports else (),
        )

    def _touches(self, history: History) -> Shape:
        rows, answers = history.rows, history.answers
        left = sorted(range(len(rows)), key=lambda place: rows[place].sent_at or rows[place].due_at)
        places = {row.key: place for place, row in enumerate(rows)} if answers else {}
        return (
            tuple([_row(row, row.key if row.key in self._asked else "") for row in rows]),
            tuple(left),
            tuple([_answer(answer, places.get(answer.key)) for answer in answers]),
        )

    def _rosters(self, rosters: Mapping[str, dt.datetime]) -> Shape:
        return tuple([plan.campaign in rosters and self._from_start(rosters[plan.campaign]) for plan in self._plans])

    def _reports(self, reports: Collection[DirectReport]) -> Shape:
        return tuple([_counted(self._led(plan, place, reports)) for place, plan in self._briefing])

    def _led(self, plan: Plan, place: int, reports: Collection[DirectReport]) -> Counter[object]:
        listed = [each for each in reports if not plan.audience.people or plan.campaign in each.rosters]
        return Counter(self._roles(each.person)[place] for each in listed if each.person.left is None)


def _interval(plan: Plan, person: str) -> int | None:
    # arms differ in nothing else
    arm = arm_of(plan, person)
    return None if arm is None else arm.every


def _row(row: TouchRow, asked: str) -> Shape:
    return (
        *(row.campaign, row.message, row.rung, row.kind, row.local_date, row.due_at, row.channel, row.state),
        *(row.retry_at, row.attempts > 0, row.number, row.held, row.refusal_id is None, row.named, row.asks, asked),
    )


def _answer(answer: Answer, place: int | None) -> Shape:
    return (
        *(answer.campaign, answer.message, answer.kind, answer.at, answer.right, answer.whole_campaign),
        *(answer.counts, answer.measures, place),
    )


def _counted(counts: Counter[object]) -> Shape:
    return frozenset(counts.items())
