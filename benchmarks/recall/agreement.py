"""Holds the arrays of this benchmark equal to the product's model: one small campaign, folded and learned by both."""

from __future__ import annotations

import numpy as np

from benchmarks.recall.beliefs import Roles, Touched, as_decided
from benchmarks.recall.worlds import DAY, People, worlds
from commsengine.recall import learning
from commsengine.recall.memory import Event, fold, recall_at

SOME = 24
DAYS = (0, 1, 3, 7, 9, 14, 21, 23)
WITHIN = 1e-9


def largest_difference() -> float:
    """Between the recall, posterior and estimate of both, for a few people who get a message on some days."""
    people, roles, past = People(worlds()["A"], 28, 1, SOME, 5), Roles(1, SOME, kind=np.float64), list[Touched]()
    events: list[list[Event]] = [[] for _ in range(SOME)]
    known, worst = learning.nothing(), 0.0
    everybody = np.ones((1, SOME), bool)
    for day in DAYS:
        who = everybody & (np.arange(SOME) % (1 + day % 3) == 0)
        seen = people.receive(day, who, who & (day > 0))
        past.append(Touched(day * DAY, who[0], seen.acknowledged[0], seen.answered[0], seen.right[0]))
        roles.learn(past[-1])
        known = _learned(known, past[-1], events)
        worst = max(worst, _apart(known, roles, past, events, day * DAY + 30))
    return worst


def _learned(known: learning.Learned, day: Touched, events: list[list[Event]]) -> learning.Learned:
    checks = []
    for person in np.flatnonzero(day.sent):
        before = tuple(events[person])
        signal = "acknowledged" if day.acknowledged[person] else "unseen"
        if day.answered[person]:
            signal = "right" if day.right[person] else "wrong"
        events[person].append(Event(day.hours, signal))
        if day.answered[person]:
            checks.append(learning.Checked(before, events[person][-1]))
    answered = [tuple(each) for each in events if any(event.signal in ("right", "wrong") for event in each)]
    return learning.learn(known, checks, answered) if checks else known


def _apart(
    known: learning.Learned, roles: Roles, past: list[Touched], events: list[list[Event]], hours: float
) -> float:
    theirs = np.array([learning.recalls(known, tuple(each), hours) for each in events])
    curve = learning.estimate(known).curve
    decided = np.array([recall_at(fold(curve, tuple(each)), hours) for each in events])
    return float(
        max(
            np.abs(theirs - roles.beliefs.recall(hours)).max(),
            np.abs(np.array(learning.posterior_of(known)) - roles.posterior()[0]).max(),
            np.abs(decided - as_decided(roles, past).recall(hours)[:, 0]).max(),
        )
    )


def show() -> bool:
    worst = largest_difference()
    print(
        f"Agreement with the product's model: {SOME} people, {len(DAYS)} days; "
        f"largest difference {worst:.1e} (limit {WITHIN:g})"
    )
    return worst <= WITHIN
