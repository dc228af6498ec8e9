"""Supposed people who really forget: they read some touches, answer some, and know what they know.

Their memory is drawn, person by person, from a curve that need not be the assumed one. So a rehearsal shows whether the
schedule finds out. The engine learns their answers, nothing else.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from itertools import accumulate

from commsengine.cadence.check_questions import check_of
from commsengine.cadence.experiment import drawn
from commsengine.cadence.forecast import LATER, SOON, Fact, Messages, Supposition, answered, outreach_outcome
from commsengine.cadence.history import Touch
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.cadence.repeats import HOUR
from commsengine.recall.memory import Curve, Event, fold, recall_at, right_chance

WEAK, STRONG = -2.7, 2.7
"""Shifts of the log half-life: of a hundred who read it once, 15 or 40 know it after two days, not 25."""

READS, ANSWERS_CHECK, ACKNOWLEDGES = 0.48, 0.35, 0.45
"""Assumed shares: of touches read, and of readers who answer a check, or press "Got it" where there is none."""


def people_who_forget(messages: Messages, theta: float) -> Supposition:
    """Good for one forecast or one rehearsal: it keeps what these people have read."""
    people: dict[tuple[str, str, str], _SimulatedPerson] = {}

    def suppose(touch: Touch) -> tuple[Fact, ...]:
        draw = drawn(touch.person, touch.campaign, touch.message, str(touch.rung), str(touch.number))
        if touch.kind in BY_HAND:
            return tuple(outreach_outcome(touch, draw)) if touch.kind == "personal" else ()
        about = (touch.person, touch.campaign, touch.message)
        if touch.kind == "commitment":
            return tuple(answered(touch, messages, SOON, right=True)) if draw < READS * ACKNOWLEDGES else ()
        someone = people.setdefault(about, _SimulatedPerson(touch.due_at, _curve(touch.person, theta)))
        if draw >= READS:
            return ()
        after, asked = SOON if int(draw * 1000) % 2 else LATER, check_of(messages[about[1:]], touch.number, touch.asks)
        if draw >= READS * (ANSWERS_CHECK if asked else ACKNOWLEDGES):
            if asked is None:  # a question that is left alone tells nothing
                someone.lives(touch.due_at + after, "read")
            return ()
        right = bool(asked) and someone.knows(touch.due_at + after, len(asked.answers) if asked else 4, touch)
        someone.lives(touch.due_at + after, "read" if not asked else "right" if right else "wrong")
        return tuple(answered(touch, messages, after, right=right))

    return suppose


class _SimulatedPerson:
    """What one person has had of one message."""

    def __init__(self, zero: dt.datetime, curve: Curve) -> None:
        self._zero, self._curve, self._events = zero, curve, list[Event]()

    def lives(self, at: dt.datetime, signal: str) -> None:
        self._events.append(Event((at - self._zero) / HOUR, signal))

    def knows(self, at: dt.datetime, options: int, touch: Touch) -> bool:
        # by what they know, by a guess, or not by a slip
        state = fold(self._curve, tuple(self._events))
        known = recall_at(state, (at - self._zero) / HOUR) if self._events else 0.0
        return drawn("knows", touch.key) < right_chance(known, options)


def _curve(person: str, theta: float) -> Curve:
    # one class of the curve, by chance and for good
    whole, place = Curve.of(theta), drawn("mind", person)
    ends = accumulate(whole.weights)
    return _one_class(next((s for s, end in zip(whole.start, ends, strict=True) if place < end), whole.start[-1]))


@lru_cache(maxsize=100)
def _one_class(strength: float) -> Curve:
    return Curve((strength,), (1.0,))
