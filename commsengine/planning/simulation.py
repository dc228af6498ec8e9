"""A whole campaign before it happens: the forecast of every person, counted for people to read.

Loaded only by the commands that forecast; it decides nothing itself.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from commsengine.cadence.calendar import zone_of
from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.cadence.forecast import (
    Forecast,
    Supposition,
    all_answer,
    forecast,
    forecast_together,
    messages_of,
    no_answers,
    typical,
)
from commsengine.cadence.history import Campaign, Campaigns, History, Touch
from commsengine.cadence.people import Person, role_of
from commsengine.cadence.plan import Budget, Plan, Workspace
from commsengine.cadence.simulated_people import STRONG, WEAK, people_who_forget
from commsengine.cadence.terms import TouchKind
from commsengine.planning.recall_forecast import RecallForecast, RepeatResult, compared

SUPPOSITIONS = ("none", "all", "typical", "weak", "strong")
COMPARED = 50
"""So many people, spread over all, are forecast a second time without an attention budget, to see what it moves."""

NO_BUDGET = Budget.model_construct(per_day=10**6, per_week=10**6)


@dataclass(frozen=True, slots=True)
class ShownBasis:
    """What figures of recall may rest on: the same campaigns, people and knowledge, less the answers that are not yet
    those of ten people (``reports.check_results``)."""

    campaigns: Campaigns
    as_shown: Callable[[Person, History], History]
    known: Mapping[str, LearnedRoles]


@dataclass(frozen=True, slots=True)
class ForecastTouch:
    """One touch with its person, for whom ``zone`` is local."""

    touch: Touch
    person: Person
    zone: ZoneInfo

    @property
    def local_at(self) -> dt.datetime:
        return self.touch.due_at.astimezone(self.zone)


@dataclass(frozen=True, slots=True)
class Simulation:
    """Every touch of one campaign from ``start`` up to ``until``, in order, and who gets none, with the reason."""

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

    @property
    def sent(self) -> list[ForecastTouch]:
        """Those that a channel carries; the others are carried by a human."""
        return [seen for seen in self.touches if seen.touch.kind in ("message", "remind")]

    def of_kind(self, kind: TouchKind) -> list[ForecastTouch]:
        return [seen for seen in self.touches if seen.touch.kind == kind]

    def per_person(self) -> Counter[str]:
        return Counter(seen.person.email for seen in self.sent)

    def per_day(self) -> dict[dt.date, int]:
        """Touches by the person's own date."""
        return dict(sorted(Counter(seen.touch.local_date for seen in self.sent).items()))

    def per_week(self) -> dict[str, int]:
        """Touches by ISO week, ``2027-W02``."""
        weeks = Counter("{}-W{:02d}".format(*seen.touch.local_date.isocalendar()[:2]) for seen in self.sent)
        return dict(sorted(weeks.items()))

    def follow_ups_per_day(self) -> dict[dt.date, int]:
        return dict(sorted(Counter(seen.touch.local_date for seen in self.of_kind("personal")).items()))

    def summary(self) -> dict[str, Any]:
        """The figures, by documented names (docs/commands.md)."""
        counts = sorted(self.per_person().values())
        return {
            "from": self.start,
            "until": self.until,
            "answers": self.answers,
            "audience": self.audience,
            "reached": len(counts),
            "touches": len(self.sent),
            "reminders": len(self.of_kind("remind")),
            "follow_ups": len(self.of_kind("personal")),
            "sponsor_proposals": len(self.of_kind("sponsor")),
            "skipped": self.skipped,
            "corrected": dict(self.plan.corrected),
            "per_person": {"median": median(counts) if counts else 0, "most": max(counts, default=0)},
            "per_day": {day.isoformat(): n for day, n in self.per_day().items()},
            "per_week": self.per_week(),
            "follow_ups_per_day": {day.isoformat(): n for day, n in self.follow_ups_per_day().items()},
            "moved_by_budget": self.moved,
            "at_weekly_limit": self.at_weekly_limit,
            "never_reached": [{"person": person.email, "reason": reason} for person, reason in self.unreached],
            "recall": self.recall.as_data() if self.recall else [],
            "compared": {name: each.as_data() for name, each in self.compared.items()},
        }


def simulate(
    campaigns: Campaigns,
    campaign: str,
    people: Iterable[tuple[Person, History]],
    start: dt.datetime,
    until: dt.datetime,
    answers: str,
    known: Mapping[str, LearnedRoles] | None = None,
    tellable: ShownBasis | None = None,
) -> Simulation:
    """Forecast every person over all ``campaigns`` and keep what concerns ``campaign``. Instants are aware UTC.

    ``known`` is what was learned of each campaign's roles before. Touches are foreseen by all there is; recall, of a
    campaign that has answers, once more by what is ``tellable``.
    """
    told_of = tellable.campaigns if tellable else campaigns
    mine_is = next(each for each in told_of.running if each.id == campaign)
    plan, seen_ahead = mine_is.plan, RecallForecast(mine_is, start, until)
    supposing = partial(supposition, answers, campaigns)  # anew for each forecast: people remember what they had
    free = replace(campaigns, workspace=_without_budget(campaigns.workspace), running=_unlimited(campaigns.running))
    touches: list[ForecastTouch] = []
    unreached: list[tuple[Person, str]] = []
    audience = skipped = moved = limited = 0
    everyone = [one for one in people if role_of(plan.audience, one[0]) is not None and not _gone(one[0], start)]
    step = -(-len(everyone) // COMPARED) or 1
    some = everyone[::step]
    foreseen = forecast_together(campaigns, everyone, start, until, supposing(), known=known)
    for place, (person, seen) in enumerate(foreseen):
        audience += 1
        if tellable is None:
            seen_ahead.add(person, seen.history)
        mine = [touch for touch in seen.touches if touch.campaign == campaign]
        carried = [touch for touch in mine if not touch.skip]
        skipped += len(mine) - len(carried)
        touches += [ForecastTouch(touch, person, zone_of(person, plan)) for touch in carried]
        if not any(touch.kind in ("message", "remind") for touch in carried):
            unreached.append((person, _why_not(seen, campaign)))
        if place % step == 0:
            history = everyone[place][1]
            moved += _moved(carried, forecast(free, person, history, start, until, supposing()), campaign)
        limited += _at_weekly_limit(seen.touches, campaigns.workspace, plan)
    if tellable is not None:
        everyone = [(person, tellable.as_shown(person, history)) for person, history in everyone]
        some = everyone[::step]
        for person, seen in forecast_together(told_of, everyone, start, until, supposing(), known=tellable.known):
            seen_ahead.add(person, seen.history)
    touches.sort(key=lambda seen: (seen.touch.due_at, seen.person.email, seen.touch.message))
    return Simulation(
        plan, start, until, answers, audience, tuple(touches), skipped, tuple(unreached),
        round(moved * audience / max(len(some), 1)), limited, seen_ahead,
        compared(told_of, mine_is, some, start, until, supposing),
    )  # fmt: skip


def supposition(answers: str, campaigns: Campaigns) -> Supposition:
    """What is supposed of answers, a word of ``SUPPOSITIONS``."""
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
    return person.left is not None and person.left <= start.date()


def _without_budget(workspace: Workspace) -> Workspace:
    return workspace.model_copy(update={"at_most": NO_BUDGET, "minimum_gap": 0})


def _unlimited(running: Sequence[Campaign]) -> tuple[Campaign, ...]:
    return tuple(replace(each, plan=_with_budget(each.plan, NO_BUDGET)) for each in running)


def _with_budget(plan: Plan, budget: Budget) -> Plan:
    return plan.model_copy(update={"send": plan.send.model_copy(update={"at_most": budget})})


def _moved(touches: Sequence[Touch], free: Forecast, campaign: str) -> int:
    """How many touches come later than they would if nobody's attention were limited."""
    wanted = {_place(touch): touch.due_at for touch in free.touches if touch.campaign == campaign and not touch.skip}
    return sum(touch.due_at > wanted.get(_place(touch), touch.due_at) for touch in touches)


def _place(touch: Touch) -> tuple[str, int, int]:
    return touch.message, touch.rung, touch.number


def _at_weekly_limit(touches: Sequence[Touch], workspace: Workspace, plan: Plan) -> bool:
    """Whether some seven local days hold as many touches as the budget allows."""
    limit = min(workspace.at_most.per_week, plan.send.at_most.per_week)
    days = sorted(touch.local_date for touch in touches if touch.kind in ("message", "remind") and not touch.skip)
    week = dt.timedelta(days=7)
    return any(later - first < week for first, later in zip(days, days[limit - 1 :], strict=False))


def _why_not(seen: Forecast, campaign: str) -> str:
    reasons = [reason.text for reason in seen.last.reasons if reason.campaign == campaign]
    reasons += [touch.skip for touch in seen.touches if touch.campaign == campaign and touch.skip]
    return reasons[0] if reasons else "No message is open for this person in this time."


def rates(
    touches: Sequence[ForecastTouch], per_minute: Mapping[str, int | None]
) -> Iterator[tuple[str, int, dt.datetime]]:
    """For each channel with a rate: the wave (touches due at one instant) that takes longest, its size, and its end.

    A wave waits until those before it have left.
    """
    for channel, rate in per_minute.items():
        waves = Counter(seen.touch.due_at for seen in touches if seen.touch.channel == channel)
        if rate and waves:
            ends: dict[dt.datetime, dt.datetime] = {}
            free = min(waves)
            for due in sorted(waves):
                ends[due] = free = max(free, due) + dt.timedelta(minutes=waves[due] / rate)
            slowest = max(waves, key=lambda due: ends[due] - due)
            yield channel, waves[slowest], ends[slowest]
