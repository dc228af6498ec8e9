"""How much of a message a group still knows, estimated: at any instant, with an interval that says what it covers.

1. Each person's memory is folded from their touches and what they said; the group's recall is the mean over its people.
   A person who was not reached knows nothing.
2. It is one curve that is drawn, also over days that have passed: that of the last closed block of the role's answers.
   The curve by which is sent may be newer; it moves with every answer, and a daily look would show which way.
3. An answer to a check counts from the day on which its block is closed (``recall.privacy``); before, it is a reading.
   So a step of the line tells of ten people's answers, never of one's.
4. The interval is for 95 % and adds up what the hypotheses about the role disagree, what one campaign was missed by in
   simulation (``MISS``), and chance: in so many people, and in drawing some of them. It says nothing of those who never
   answer.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pvariance

from commsengine.cadence.calendar import DAY
from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.cadence.history import Answer, History
from commsengine.cadence.plan import Message, Plan
from commsengine.cadence.repeats import HOUR, events_of, seen_at
from commsengine.recall.learning import GRID, Learned, nothing, posterior_of, states_of
from commsengine.recall.memory import Estimate, Event, State, Vector, fold, recall_at
from commsengine.recall.statistics import Z

MISS = 0.06
"""Standard deviation by which one campaign's forecast missed the truth of its own people, in simulation."""

TYPICAL = (1 / 6, 1 / 2, 5 / 6)
"""The people for whom the hypotheses are compared: these quantiles of recall stand for the group."""

CountsFrom = Mapping[tuple[str, str, dt.datetime], dt.datetime]
"""Since when an answer counts, by person, message and its instant; one that does not count yet is not there."""

NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)
MOST_POINTS = 60
MORNING = 6 * HOUR
"""UTC; before anything is sent in most places: the line shows the low of each day."""


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean recall of a group at one instant, with its interval."""

    at: dt.datetime
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Past:
    """What one person had and answered of one message; each answer with the instant from which it counts."""

    message: Message
    seen: tuple[dt.datetime, ...]
    answers: tuple[tuple[Answer, dt.datetime], ...]

    def events(self, at: dt.datetime) -> tuple[Event, ...]:
        """The events up to ``at``, as they were shown at that time."""
        seen = [each for each in self.seen if each <= at]
        if not seen:
            return ()
        return events_of(self.message, seen, [_as_shown(one, since, at) for one, since in self.answers if one.at <= at])

    def changes(self) -> list[dt.datetime]:
        return sorted({*self.seen, *(each for one, since in self.answers for each in (one.at, since))})

    def recall(self, estimate: Estimate, at: dt.datetime) -> float:
        return estimate.memory(self.events(at)).recall((at - self.seen[0]) / HOUR) if self.seen else 0.0


def past_of(plan: Plan, message: Message, history: History, person: str, counts_from: CountsFrom) -> Past:
    answers = tuple(
        (answer, counts_from.get((person, answer.message, answer.at), NEVER) if answer.kind == "check" else answer.at)
        for answer in history.answers_to(plan.campaign, message.id)
    )
    return Past(message, tuple(seen_at(history.rows_of(plan.campaign, message.id))), answers)


def _as_shown(answer: Answer, since: dt.datetime, at: dt.datetime) -> Answer:
    return answer if since <= at else answer.as_others_know_it


class Group:
    """The ``people`` of one role and one message, by those of them who are added: all, or some spread over all."""

    def __init__(self, role: str, people: int, known: LearnedRoles) -> None:
        self.people, self.estimate = people, known.estimate_of(role)
        self._learned = known.roles.get(role) or nothing()
        self.posterior = posterior_of(self._learned, known.others(role))
        self._pasts: list[Past] = []

    @property
    def drawn(self) -> int:
        return len(self._pasts)

    @property
    def first(self) -> dt.datetime | None:
        return min((past.seen[0] for past in self._pasts if past.seen), default=None)

    def add(self, past: Past) -> None:
        self._pasts.append(past)

    def line(self, instants: Sequence[dt.datetime], ranked_at: dt.datetime) -> tuple[Mean, ...]:
        return tuple(mean_of([moment]) for moment in self.moments(instants, ranked_at))

    def moments(self, instants: Sequence[dt.datetime], ranked_at: dt.datetime) -> list[MeanParts]:
        """What a mean with its interval is made of, at each instant; ``instants`` are in order."""
        recalls = [list(_recall_over_time(past, self.estimate, instants)) for past in self._pasts]
        at_rank = [past.recall(self.estimate, ranked_at) for past in self._pasts]
        typical = self._hypotheses(instants, at_rank)
        return [
            MeanParts(at, self.people, [one[n] for one in recalls], typical[n], self.posterior)
            for n, at in enumerate(instants)
        ]

    def _hypotheses(self, instants: Sequence[dt.datetime], at_rank: Sequence[float]) -> list[Vector]:
        ranked = sorted(range(len(at_rank)), key=lambda n: at_rank[n])
        chosen = [self._pasts[ranked[int(len(ranked) * quantile)]] for quantile in TYPICAL]
        each = [list(_recall_by_hypothesis(self._learned, past, instants)) for past in chosen]
        return [tuple(fmean(values) for values in zip(*row, strict=True)) for row in zip(*each, strict=True)]


@dataclass(frozen=True, slots=True)
class MeanParts:
    """A group at one instant: what each person drawn may know, and the typical ones under each hypothesis."""

    at: dt.datetime
    people: int
    recalls: Sequence[float]
    hypotheses: Vector
    posterior: Vector


def mean_of(moments: Sequence[MeanParts]) -> Mean:
    """The mean of one role over one or several messages, each counting alike, with its interval."""
    first = moments[0]
    values = [value for moment in moments for value in moment.recalls]
    mean, drawn = fmean(values), len(first.recalls)
    disagreement = _variance(
        [fmean(each) for each in zip(*(m.hypotheses for m in moments), strict=True)], first.posterior
    )
    chance = fmean(value * (1 - value) for value in values) / first.people
    drawing = pvariance(values, mean) / drawn * (1 - drawn / first.people)
    width = Z * math.sqrt(disagreement + MISS**2 + chance + drawing)
    return Mean(first.at, mean, max(0.0, mean - width), min(1.0, mean + width))


def _variance(values: Iterable[float], weights: Vector) -> float:
    pairs = list(zip(values, weights, strict=True))
    mean = sum(value * weight for value, weight in pairs)
    return sum(weight * (value - mean) ** 2 for value, weight in pairs)


def _recall_over_time(past: Past, estimate: Estimate, instants: Sequence[dt.datetime]) -> Iterator[float]:
    # folded again only where something happened in between
    for at, events, _ in _eventful(past, instants):
        state = fold(estimate.curve, events) if events else None
        yield recall_at(state, (at - past.seen[0]) / HOUR) if state else 0.0


def _recall_by_hypothesis(learned: Learned, past: Past, instants: Sequence[dt.datetime]) -> Iterator[list[float]]:
    states: list[State] = []
    for at, events, new in _eventful(past, instants):
        if new:
            states = states_of(learned, events) if events else []
        hours = (at - past.seen[0]) / HOUR if past.seen else 0.0
        yield [recall_at(state, hours) for state in states] or [0.0] * len(GRID.curves)


def _eventful(past: Past, instants: Sequence[dt.datetime]) -> Iterator[tuple[dt.datetime, tuple[Event, ...], bool]]:
    """Each instant with the events up to it, and whether these are others than at the instant before."""
    changes, place = past.changes(), -1
    events: tuple[Event, ...] = ()
    for at in instants:
        passed = bisect_right(changes, at)
        new = passed != place
        if new:
            place, events = passed, past.events(at)
        yield at, events, new


def mornings(first: dt.datetime, end: dt.datetime, *more: dt.datetime) -> list[dt.datetime]:
    """The mornings from the day of ``first`` to ``end``, every n-th where there are too many, and ``more`` instants."""
    start = first.replace(hour=0, minute=0, second=0, microsecond=0) + MORNING
    step = max(1, -(-(end - start).days // MOST_POINTS))
    days = [start + n * step * DAY for n in range(max(0, (end - start) // (step * DAY)) + 1)]
    return sorted({*(day for day in days if day <= end), *(one for one in more if first <= one <= end), end})
