"""A whole campaign before it happens: the forecast of every person, counted for people to read."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from commsengine.cadence.audience import role_of, takes_part
from commsengine.cadence.budget import stricter
from commsengine.cadence.calendar import Hours, zone_of
from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.cadence.forecast import (
    Forecast,
    Supposition,
    Walk,
    all_answer,
    doing,
    forecast,
    forecast_together,
    messages_of,
    no_answers,
    typical,
)
from commsengine.cadence.history import Campaign, Campaigns, History, Touch
from commsengine.cadence.kinds_and_states import BY_HAND, CARRIED, Carrier, TouchKind
from commsengine.cadence.people import Person
from commsengine.cadence.phases import ends_of, waiting_for
from commsengine.cadence.plan import Budget, Plan
from commsengine.channels.providers import SendingLimits
from commsengine.planning.departures import NEVER, Departure, Left, Waiting, Wave, departures, largest_wave
from commsengine.planning.message_outlook import MessageOutlook, MessageTally, at_weekly_limit
from commsengine.planning.recall_forecast import PersonAndPast, RecallForecast, RepeatResult, compared
from commsengine.planning.simulated_people import STRONG, WEAK, people_who_forget
from commsengine.translation import _

COMPARED = 50
"""Of so many people, spread over all, a second forecast without an attention budget shows what it moves."""

T = TypeVar("T", str, dt.date)

NO_BUDGET = Budget.model_construct(per_day=10**6, per_week=10**6)


@dataclass(frozen=True, slots=True)
class ShownBasis:
    """What figures of recall may rest on: all but the answers that are not yet those of ten people."""

    campaigns: Campaigns
    as_shown: Callable[[Person, History], History]
    known: Mapping[str, LearnedRoles]


@dataclass(frozen=True, slots=True)
class SimulationInput:
    """What one simulation starts from; ``start`` and ``until`` are aware UTC.

    ``answers`` is one of ``cadence.terms.SUPPOSITIONS``; ``known`` is what was learned of each campaign's roles before.
    ``on_record`` says when gates were opened, in truth. ``limits`` are those of the channels, and ``left`` how each was
    left. Where people are only some of the
    audience, evenly out of it, each of them counts as ``each`` people.
    """

    campaigns: Campaigns
    campaign: str
    start: dt.datetime
    until: dt.datetime
    answers: str = "none"
    known: Mapping[str, LearnedRoles] | None = None
    # Touches are foreseen by all there is; recall, of a campaign that has answers, by what may be shown.
    shown: ShownBasis | None = None
    on_record: Mapping[str, dt.datetime] = field(default_factory=dict)
    # The share of people who are supposed to do what the messages ask for.
    done: float = 0.0
    limits: Mapping[Carrier, SendingLimits] = field(default_factory=dict)
    left: Mapping[Carrier, Left] = field(default_factory=dict)
    each: float = 1.0
    # Hears how much is done, from 0 to 1.
    progress: Callable[[float], object] = bool

    @property
    def shown_campaigns(self) -> Campaigns:
        return self.shown.campaigns if self.shown else self.campaigns

    @property
    def shown_campaign(self) -> Campaign:
        return running_campaign(self.shown_campaigns, self.campaign)

    def supposing(self) -> Supposition:
        # A new one for each forecast: simulated people remember what they had.
        others = supposition(self.answers, self.campaigns)
        return doing(self.campaigns, self.done, others) if self.done else others

    def forecast_one(self, campaigns: Campaigns, person: Person, past: History) -> Forecast:
        return forecast(campaigns, person, past, self.start, self.until, self.supposing())

    def forecast(
        self, campaigns: Campaigns, people: Sequence[PersonAndPast], known: Mapping[str, LearnedRoles] | None
    ) -> list[Forecast]:
        return forecast_together(
            campaigns, people, self.start, self.until, self.supposing(), known=known, progress=self.progress
        )


@dataclass(frozen=True, slots=True)
class ForecastTouch:
    """``sent_at`` is when it should leave; ``None`` if a newer touch of the same message leaves in its place."""

    touch: Touch
    person: Person
    zone: ZoneInfo
    sent_at: dt.datetime | None = None

    @property
    def local_at(self) -> dt.datetime:
        return self.touch.due_at.astimezone(self.zone)

    @property
    def departure(self) -> Departure:
        return Departure(self.local_at, self.sent_at and self.sent_at.astimezone(self.zone))

    def as_data(self) -> dict[str, Any]:
        return {
            "at": self.touch.due_at,
            "local_at": self.local_at.isoformat(),
            "sent_at": self.sent_at,
            "person": self.person.email,
            "message": self.touch.message,
            "rung": self.touch.rung,
            "kind": self.touch.kind,
            "channel": self.touch.channel,
            "key": self.touch.key,
            "asks": self.touch.asks or "",
            "corrects": self.touch.corrects,
        }


@dataclass(frozen=True, slots=True)
class GateSupposed:
    """The gate after a phase: open from ``opens`` on, or ``None`` for shut. ``supposed``: the lead has not said so."""

    until: dt.datetime
    opens: dt.datetime | None
    supposed: bool
    waiting: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        shown = {"until": self.until, "opens": self.opens, "supposed": self.supposed}
        return {**shown, "messages": list(self.waiting)}


def _gates(asked: SimulationInput) -> dict[str, GateSupposed]:
    campaign = running_campaign(asked.campaigns, asked.campaign)
    ends, opened = ends_of(campaign.plan), campaign.opened
    return {
        name: GateSupposed(
            ends[name], opened.get(name), name not in asked.on_record, tuple(waiting_for(campaign.plan, name))
        )
        for name, phase in campaign.plan.phases.items()
        if phase.gate
    }


@dataclass(frozen=True, slots=True)
class Simulation:
    """Every touch of one campaign from ``start`` up to ``until``, in order, and who gets none, with the reason.

    ``room`` is the attention budget: touches a day, and a week. ``touches`` and ``unreached`` are of the people who
    were looked at, each of whom counts as ``each`` people; numbers are of all, estimated if not ``exact``.
    """

    plan: Plan
    start: dt.datetime
    until: dt.datetime
    answers: str
    audience: int
    touches: tuple[ForecastTouch, ...]
    skipped: int
    unreached: tuple[tuple[Person, str], ...]
    moved: int
    at_weekly_limit: int
    recall: RecallForecast | None = None
    compared: Mapping[str, RepeatResult] = field(default_factory=dict)
    waves: Sequence[Wave] = ()
    ready_after: Mapping[Carrier, dt.timedelta] = field(default_factory=dict)
    gates: Mapping[str, GateSupposed] = field(default_factory=dict)
    done: float = 0.0
    messages: Sequence[MessageOutlook] = ()
    room: tuple[int, int] = (0, 0)
    looked_at: int = 0
    each: float = 1.0

    @property
    def exact(self) -> bool:
        return self.each == 1

    def scaled(self, looked_at: int) -> int:
        """As many of all people, by what was counted of those who were looked at."""
        return round(looked_at * self.each)

    def _all_by(self, counts: Mapping[T, int]) -> dict[T, int]:
        return {name: self.scaled(count) for name, count in sorted(counts.items())}

    @property
    def starved(self) -> list[MessageOutlook]:
        return [message for message in self.messages if message.starved]

    @property
    def sent(self) -> list[ForecastTouch]:
        return [seen for seen in self.touches if seen.touch.kind in CARRIED]

    def of_kind(self, kind: TouchKind) -> list[ForecastTouch]:
        return [seen for seen in self.touches if seen.touch.kind == kind]

    def _number_of(self, kind: TouchKind) -> int:
        return self.scaled(len(self.of_kind(kind)))

    def per_person(self) -> Counter[str]:
        return Counter(seen.person.email for seen in self.sent)

    def per_day(self) -> dict[dt.date, int]:
        # By the person's own date.
        return self._all_by(Counter(seen.touch.local_date for seen in self.sent))

    def per_week(self) -> dict[str, int]:
        """By ISO week, ``2027-W02``."""
        weeks = Counter("{}-W{:02d}".format(*seen.touch.local_date.isocalendar()[:2]) for seen in self.sent)
        return self._all_by(weeks)

    def follow_ups_per_day(self) -> dict[dt.date, int]:
        return self._all_by(Counter(seen.touch.local_date for seen in self.of_kind("personal")))

    def as_data(self) -> dict[str, Any]:
        """By documented names (docs/commands.md)."""
        return {
            "campaign": self.plan.campaign,
            "touches": [seen.as_data() for seen in self.touches],
            "summary": self.summary(),
        }

    def summary(self) -> dict[str, Any]:
        counts = sorted(self.per_person().values())
        return {
            "from": self.start,
            "until": self.until,
            "answers": self.answers,
            "done": self.done,
            "exact": self.exact,
            "looked_at": self.looked_at,
            "audience": self.audience,
            "reached": self.scaled(len(counts)),
            "touches": self.scaled(len(self.sent)),
            "reminders": self._number_of("remind"),
            "commitments": self._number_of("commitment"),
            "follow_ups": self._number_of("personal"),
            "sponsor_proposals": self._number_of("sponsor"),
            "skipped": self.skipped,
            "gates": {name: gate.as_data() for name, gate in self.gates.items()},
            "corrected": dict(self.plan.corrected),
            "per_person": {"median": median(counts) if counts else 0, "most": max(counts, default=0)},
            "per_day": {day.isoformat(): n for day, n in self.per_day().items()},
            "per_week": self.per_week(),
            "follow_ups_per_day": {day.isoformat(): n for day, n in self.follow_ups_per_day().items()},
            "moved_by_budget": self.moved,
            "at_weekly_limit": self.at_weekly_limit,
            "never_reached": [{"person": person.email, "reason": reason} for person, reason in self.unreached],
            "messages": [message.as_data() for message in self.messages],
            "departures": [wave.as_data() for wave in self.waves],
            "ready_after": {name: needed.total_seconds() for name, needed in self.ready_after.items()},
            "recall": self.recall.as_data() if self.recall else [],
            "compared": {name: each.as_data() for name, each in self.compared.items()},
        }


def simulate(asked: SimulationInput, people: Iterable[PersonAndPast]) -> Simulation:
    """Forecasts every person over all running campaigns and counts what concerns one of them."""
    everyone = _collect(asked, people)
    recall = RecallForecast(asked.shown_campaign, asked.start, asked.until, asked.each)
    tally = MessageTally(asked.campaigns, running_campaign(asked.campaigns, asked.campaign))
    forecasts = [*_forecast(asked, everyone, recall, tally)]
    shown_people = everyone
    if asked.shown is not None:
        shown_people = [(person, asked.shown.as_shown(person, history)) for person, history in everyone]
        for (person, _), seen in zip(
            shown_people, asked.forecast(asked.shown.campaigns, shown_people, asked.shown.known), strict=True
        ):
            recall.add(person, seen)
    if asked.campaigns.workspace.recall == "off":
        return _count(asked, forecasts, tally, None, {})
    some = shown_people[:: _step(everyone)]
    ways = compared(asked.shown_campaigns, asked.shown_campaign, some, asked.start, asked.forecast_one)
    return _count(asked, forecasts, tally, recall, ways)


def running_campaign(campaigns: Campaigns, campaign: str) -> Campaign:
    return next(each for each in campaigns.running if each.id == campaign)


def _collect(asked: SimulationInput, people: Iterable[PersonAndPast]) -> list[PersonAndPast]:
    campaign = running_campaign(asked.campaigns, asked.campaign)
    return [one for one in people if takes_part(campaign, *one) and not _gone(one[0], asked.start)]


def _step(everyone: Sequence[object]) -> int:
    return -(-len(everyone) // COMPARED) or 1


@dataclass(frozen=True, slots=True)
class _PersonForecast:
    # ``moved`` is 0 but for those who are forecast without an attention budget, too.
    person: Person
    member: bool
    touches: Sequence[ForecastTouch]
    skipped: int
    why_not: str
    moved: int
    at_weekly_limit: bool
    queue: Sequence[Waiting]

    @property
    def reached(self) -> bool:
        return any(seen.touch.kind in CARRIED for seen in self.touches)


def _forecast(
    asked: SimulationInput, everyone: Sequence[PersonAndPast], recall: RecallForecast, tally: MessageTally
) -> Iterator[_PersonForecast]:
    step, free, queues = _step(everyone), _without_limits(asked.campaigns), dict[Walk, list[Waiting]]()
    plan = running_campaign(asked.campaigns, asked.campaign).plan
    for place, seen in enumerate(asked.forecast(asked.campaigns, everyone, asked.known)):
        person, past = everyone[place]
        if asked.shown is None:
            recall.add(person, seen)
        tally.add(person, past, seen)
        mine = [touch for touch in seen.touches if touch.campaign == asked.campaign]
        carried = [touch for touch in mine if not touch.skip]
        shown = [ForecastTouch(touch, person, zone_of(person, plan)) for touch in carried]
        skipped = len(mine) - len(carried)
        moved = 0
        if place % step == 0:
            moved = _moved(carried, asked.forecast_one(free, person, past), asked.campaign)
        automatic = (touch for touch in seen.touches if touch.kind in CARRIED and not touch.skip)
        at_limit = at_weekly_limit(automatic, asked.campaigns.workspace, plan)
        if seen.walk not in queues:
            queues[seen.walk] = queue_of(asked.campaigns, person, seen.touches)
        queue = [*_named(queues[seen.walk], seen.touches)]
        member = role_of(plan, person) is not None  # else a manager of such people
        yield _PersonForecast(person, member, shown, skipped, _why_not(seen, asked.campaign), moved, at_limit, queue)


def _queued(touches: Sequence[Touch]) -> list[Touch]:
    return [touch for touch in reversed(touches) if not touch.skip and touch.kind not in BY_HAND]


def _named(queue: Sequence[Waiting], touches: Sequence[Touch]) -> Iterator[Waiting]:
    # the same messages of another person of the walk
    for one, touch in zip(queue, _queued(touches), strict=True):
        yield Waiting(touch.key, one.channel, one.due, one.closes, one.hours, one.newer_due)


def queue_of(campaigns: Campaigns, person: Person, touches: Sequence[Touch]) -> list[Waiting]:
    """What of all campaigns their channels have to carry."""
    plans = {campaign.id: campaign.plan for campaign in campaigns.running}
    hours = {name: Hours(plan, person, campaigns.workspace.black_out) for name, plan in plans.items()}
    newer: dict[tuple[str, str], dt.datetime] = {}
    queue = []
    for touch in _queued(touches):
        about, its_hours = (touch.campaign, touch.message), hours[touch.campaign]
        message = plans[touch.campaign].message(touch.message)
        closes = its_hours.closing(plans[touch.campaign], message)
        own = its_hours.of(message)
        queue.append(Waiting(touch.key, touch.channel, touch.due_at, closes, own, newer.get(about, NEVER)))
        newer[about] = touch.due_at
    return queue


def _departing(asked: SimulationInput, forecasts: Sequence[_PersonForecast]) -> list[ForecastTouch]:
    """The touches of the campaign in order, each with when it leaves."""
    limits = {name: _shared_by(each, asked.each) for name, each in asked.limits.items()}
    step = max(1, round(asked.each))
    left = {name: replace(each, times=each.times[::step]) for name, each in asked.left.items()}
    found = departures((one for person in forecasts for one in person.queue), limits, left)
    touches = [touch for one in forecasts for touch in one.touches]
    touches.sort(key=lambda seen: (seen.touch.due_at, seen.person.email, seen.touch.message))
    return [replace(seen, sent_at=found.get(seen.touch.key, seen.touch.due_at)) for seen in touches]


def _shared_by(limits: SendingLimits, each: float) -> SendingLimits:
    per_minute, per_day = limits.per_minute, limits.per_day
    return replace(
        limits,
        per_minute=per_minute and per_minute / each,
        per_day=None if per_day is None else max(1, int(per_day / each)),
    )


def _waves(asked: SimulationInput, touches: Sequence[ForecastTouch]) -> list[Wave]:
    by_channel: defaultdict[Carrier, list[Departure]] = defaultdict(list)
    for seen in touches:
        by_channel[seen.touch.channel].append(seen.departure)
    bounds = {name: _shared_by(limits, asked.each) for name, limits in asked.limits.items()}
    found = (largest_wave(name, by_channel[name], limits) for name, limits in bounds.items())
    return [wave.times(asked.each) for wave in found if wave]


def _ready_after(asked: SimulationInput, touches: Sequence[ForecastTouch]) -> dict[Carrier, dt.timedelta]:
    """What the channels that are used need, once something is due, before their first message."""
    used = {seen.touch.channel for seen in touches}
    return {name: each.ready_after for name, each in asked.left.items() if each.ready_after and name in used}


def _count(
    asked: SimulationInput,
    forecasts: Sequence[_PersonForecast],
    tally: MessageTally,
    recall: RecallForecast | None,
    ways: Mapping[str, RepeatResult],
) -> Simulation:
    touches = _departing(asked, forecasts)
    compared_people = len(range(0, len(forecasts), _step(forecasts)))
    moved, each = sum(one.moved for one in forecasts), asked.each
    return Simulation(
        asked.shown_campaign.plan,
        asked.start,
        asked.until,
        asked.answers,
        round(each * sum(one.member for one in forecasts)),
        tuple(touches),
        round(each * sum(one.skipped for one in forecasts)),
        tuple((one.person, one.why_not) for one in forecasts if not one.reached),
        round(each * moved * len(forecasts) / max(compared_people, 1)),
        round(each * sum(one.at_weekly_limit for one in forecasts)),
        recall,
        ways,
        _waves(asked, touches),
        _ready_after(asked, touches),
        _gates(asked),
        asked.done,
        [one.times(each) for one in tally.outlooks(_leaving(touches), asked.forecast_one)],
        stricter(asked.shown_campaign.plan.send.at_most, asked.campaigns.workspace),
        len(forecasts),
        each,
    )


def _leaving(touches: Sequence[ForecastTouch]) -> dict[str, list[dt.datetime]]:
    """When those of each message leave, in the time of the person."""
    found: defaultdict[str, list[dt.datetime]] = defaultdict(list)
    for seen in touches:
        if seen.touch.kind in CARRIED:
            found[seen.touch.message].append((seen.sent_at or seen.touch.due_at).astimezone(seen.zone))
    return found


def supposition(answers: str, campaigns: Campaigns) -> Supposition:
    """``answers`` is one of ``cadence.terms.SUPPOSITIONS``."""
    messages = messages_of(campaigns)
    suppositions = {
        "none": no_answers,
        "all": all_answer(messages),
        "typical": typical(messages),
        "weak": people_who_forget(messages, WEAK),
        "strong": people_who_forget(messages, STRONG),
    }
    return suppositions[answers]


def _gone(person: Person, start: dt.datetime) -> bool:
    return person.has_left(start.date())


def _without_limits(campaigns: Campaigns) -> Campaigns:
    workspace = campaigns.workspace.model_copy(update={"at_most": NO_BUDGET, "minimum_gap": 0})
    running = tuple(replace(each, plan=_without_budget(each.plan)) for each in campaigns.running)
    return replace(campaigns, workspace=workspace, running=running)


def _without_budget(plan: Plan) -> Plan:
    return plan.model_copy(update={"send": plan.send.model_copy(update={"at_most": NO_BUDGET})})


def _moved(touches: Sequence[Touch], free: Forecast, campaign: str) -> int:
    # Later than without an attention budget.
    wanted = {_place(touch): touch.due_at for touch in free.touches if touch.campaign == campaign and not touch.skip}
    return sum(touch.due_at > wanted.get(_place(touch), touch.due_at) for touch in touches)


def _place(touch: Touch) -> tuple[str, int, int]:
    return touch.message, touch.rung, touch.number


def _why_not(seen: Forecast, campaign: str) -> str:
    reasons = [reason.text for reason in seen.last.reasons if reason.campaign == campaign]
    reasons += [_(touch.skip) for touch in seen.touches if touch.campaign == campaign and touch.skip]
    return reasons[0] if reasons else _("No message is open for this person in this time.")
