"""How much of a message a group still knows, estimated: at any instant, with an interval that says what it covers.

1. Each person's memory is folded from their touches and what they said; the group's recall is the mean over its people.
   Whoever was not reached knows nothing.
2. It is the curve in use now that is drawn, also over days that have passed.
3. An answer to a check counts from the day on which its block is closed (``cadence.groups``); before, it is a reading.
   So a step of the line tells of ten people's answers, never of one's.
4. The interval is for 95 % and adds up what the hypotheses about the role disagree, by which one campaign was missed in
   simulation (``MISS``), and the chance in so many people. It says nothing of those who never answer.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from commsengine.cadence.calendar import DAY
from commsengine.cadence.history import Answer, History
from commsengine.cadence.learning import ASSUMED, GRID, nothing, posterior_of, recalls
from commsengine.cadence.lessons import Known
from commsengine.cadence.plan import Message, Plan
from commsengine.cadence.recall import Estimate, Event, Vector, recall_at
from commsengine.cadence.rhythm import HOUR, NEVER, events_of, seen_at
from commsengine.cadence.shares import Z

MISS = 0.06
"""Standard deviation by which one campaign's forecast missed the truth of its own people, in simulation."""

TYPICAL = (1 / 6, 1 / 2, 5 / 6)
"""The people by whose histories the hypotheses are compared: these quantiles of recall stand for the group."""

CountsFrom = Mapping[tuple[str, str, dt.datetime], dt.datetime]
"""Since when an answer counts, by person, message and its instant; one that does not count yet is not there."""

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
    """What one person had of one message and said about it; each answer with the instant from which it counts."""

    message: Message
    seen: tuple[dt.datetime, ...]
    said: tuple[tuple[Answer, dt.datetime], ...]

    def events(self, at: dt.datetime) -> tuple[Event, ...]:
        """The events up to ``at``, as they were shown at that time."""
        seen = [each for each in self.seen if each <= at]
        if not seen:
            return ()
        return events_of(self.message, seen, [_as_shown(one, since, at) for one, since in self.said if one.at <= at])

    def changes(self) -> list[dt.datetime]:
        """When the events change."""
        said = {each for one, since in self.said for each in (one.at, since)}
        return sorted({*self.seen, *said})

    def recall(self, estimate: Estimate, at: dt.datetime) -> float:
        return estimate.memory(self.events(at)).recall((at - self.seen[0]) / HOUR) if self.seen else 0.0


def past_of(plan: Plan, message: Message, history: History, person: str, counts_from: CountsFrom) -> Past:
    rows = [row for row in history.rows if row.campaign == plan.campaign and row.message == message.id]
    said = tuple(
        (answer, counts_from.get((person, answer.message, answer.at), NEVER) if answer.kind == "check" else answer.at)
        for answer in history.answers
        if answer.campaign == plan.campaign and (answer.message == message.id or answer.whole_campaign)
    )
    return Past(message, tuple(seen_at(rows)), said)


def _as_shown(answer: Answer, since: dt.datetime, at: dt.datetime) -> Answer:
    return answer if since <= at else replace(answer, kind="acknowledged", right=None)


class Group:
    """The people of one role and one message. Everybody is added; of those ``drawn`` the line over time is made."""

    def __init__(self, role: str, known: Known, estimates: Mapping[str, Estimate]) -> None:
        self.estimate = estimates.get(role, ASSUMED)
        self._learned = known.roles.get(role) or nothing()
        self._posterior = posterior_of(self._learned, known.others(role))
        self.people, self._sum, self._noise = 0, 0.0, 0.0
        self._drawn: list[tuple[float, Past]] = []

    @property
    def drawn(self) -> int:
        return len(self._drawn)

    @property
    def first(self) -> dt.datetime | None:
        """When any of those drawn had the message first."""
        return min((past.seen[0] for _, past in self._drawn if past.seen), default=None)

    def add(self, past: Past, now: dt.datetime, *, drawn: bool) -> None:
        recall = past.recall(self.estimate, now)
        self.people += 1
        self._sum += recall
        self._noise += recall * (1 - recall)
        if drawn:
            self._drawn.append((recall, past))

    def now(self, at: dt.datetime) -> Mean:
        """The mean of everybody that was added."""
        return together([self], at)

    @property
    def mean(self) -> float:
        return self._sum / self.people

    @property
    def noise(self) -> float:
        """The mean variance of one person's knowing it or not."""
        return self._noise / self.people

    def line(self, instants: Sequence[dt.datetime]) -> tuple[Mean, ...]:
        """The mean of those drawn at each of these instants, which are in order."""
        sums = [0.0] * len(instants)
        noise = [0.0] * len(instants)
        for _, past in self._drawn:
            for n, recall in enumerate(_course(past, self.estimate, instants)):
                sums[n] += recall
                noise[n] += recall * (1 - recall)
        return tuple(
            _mean(at, sums[n] / self.drawn, self.disagreement(at), noise[n] / self.drawn, self.people)
            for n, at in enumerate(instants)
        )

    def hypotheses(self, at: dt.datetime) -> Vector:
        """Mean recall of the typical people under each hypothesis about the role."""
        found = [recalls(self._learned, past.events(at), (at - past.seen[0]) / HOUR) for past in self._typical(at)]
        return (
            tuple(sum(each) / len(found) for each in zip(*found, strict=True)) if found else (0.0,) * len(GRID.curves)
        )

    def disagreement(self, at: dt.datetime) -> float:
        """The variance between the hypotheses."""
        return _variance(self.hypotheses(at), self._posterior)

    @property
    def posterior(self) -> Vector:
        return self._posterior

    def _typical(self, at: dt.datetime) -> list[Past]:
        ranked = sorted(self._drawn, key=lambda one: one[0])
        chosen = [ranked[int(len(ranked) * quantile)][1] for quantile in TYPICAL] if ranked else []
        return [past for past in chosen if past.seen and past.seen[0] <= at]


def together(groups: Sequence[Group], at: dt.datetime, people: int = 0) -> Mean:
    """The mean over several messages of one role, each person and message counting alike.

    ``people`` are those of the role, if not everybody was added.
    """
    pairs = sum(group.people for group in groups)
    parts = [(group, group.people / pairs) for group in groups]
    hypotheses = [sum(part * each for (_, part), each in zip(parts, row, strict=True))
                  for row in zip(*(group.hypotheses(at) for group in groups), strict=True)]  # fmt: skip
    return _mean(
        at,
        sum(part * group.mean for group, part in parts),
        _variance(hypotheses, groups[0].posterior),
        sum(part * group.noise for group, part in parts),
        people or max(group.people for group in groups),
    )


def _mean(at: dt.datetime, mean: float, disagreement: float, noise: float, people: int) -> Mean:
    width = Z * math.sqrt(disagreement + MISS**2 + noise / people)
    return Mean(at, mean, max(0.0, mean - width), min(1.0, mean + width))


def _variance(values: Iterable[float], weights: Vector) -> float:
    pairs = list(zip(values, weights, strict=True))
    mean = sum(value * weight for value, weight in pairs)
    return sum(weight * (value - mean) ** 2 for value, weight in pairs)


def _course(past: Past, estimate: Estimate, instants: Sequence[dt.datetime]) -> Iterable[float]:
    """One person's recall at each instant; folded anew only where something happened in between."""
    if not past.seen:
        yield from (0.0 for _ in instants)
        return
    changes, place, state = past.changes(), -1, None
    for at in instants:
        passed = sum(1 for each in changes if each <= at)
        if passed != place:
            place, events = passed, past.events(at)
            state = estimate.memory(events).state if events else None
        yield recall_at(state, (at - past.seen[0]) / HOUR) if state else 0.0


def mornings(first: dt.datetime, end: dt.datetime, *more: dt.datetime) -> list[dt.datetime]:
    """The mornings from the day of ``first`` to ``end``, every n-th where there are too many, and ``more`` instants."""
    start = first.replace(hour=0, minute=0, second=0, microsecond=0) + MORNING
    step = max(1, -(-(end - start).days // MOST_POINTS))
    days = [start + n * step * DAY for n in range(max(0, (end - start) // (step * DAY)) + 1)]
    return sorted({*(day for day in days if day <= end), *(one for one in more if first <= one <= end), end})
