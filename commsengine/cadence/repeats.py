"""When a message repeats: after a fixed interval, or just before it is forgotten.

By recall, with slots as the openings of the person's send windows, one a day:
1. A slot is due if recall has fallen below the floor by then; a hair below, for estimates are no sharper.
2. The last slot before the target's day is also due if recall on that day would be below the target.
3. So is one slot some days before it, if even a last touch, which not everybody reads, would not bring the target.
4. Of the week's budget one touch is kept for that last slot.

What a person remembers is folded from their touches and answers, by ``due_at`` and never by the time of sending.
An answer or a new estimate never makes due what has passed: by what was known then, it was not.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from commsengine.cadence.calendar import DAY, MINUTE, Hours
from commsengine.cadence.check_questions import asks_of, offered_check
from commsengine.cadence.history import Answer, TouchRow
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.cadence.plan import Message
from commsengine.recall.memory import Estimate, Event, Memory

HOUR = dt.timedelta(hours=1)
INTERVAL = 48 * 60
"""Minutes between two rungs of a message by recall where nothing else says when."""

WITHOUT_RECALL = 72 * 60
"""Minutes between two touches of a message by recall where nothing is estimated: about as many, in four weeks."""

HAIR = 0.023
"""So far recall falls below the floor before a touch is due: in simulation, the mean stays within .01 of it."""

AMBITION = 0.07
"""So far above the target the last touches aim: what decides is a cheap estimate, and a little low."""

READ_AT_LAST = 0.54
"""How many read the last touch, as planned for: of mail that is opened by 64 %, and by those who answer for sure."""

BEFORE_LAST = 2 * DAY
"""How long before the last slot the touch before it comes, at least."""

NOT_SEEN = frozenset({"skipped", "failed"})


@dataclass(frozen=True, slots=True)
class RepeatSlot:
    """A moment for the next touch; ``keep`` is the local date of a later one for which budget is kept."""

    at: dt.datetime
    keep: dt.date | None = None


@dataclass(frozen=True, slots=True)
class FixedInterval:
    """Every ``interval`` minutes, at most so many times; whole days keep the local time."""

    hours: Hours
    interval: int
    times: int | None

    def after(self, due: dt.datetime, seen: Sequence[dt.datetime], answers: Sequence[Answer]) -> RepeatSlot | None:
        del seen, answers
        return RepeatSlot(self.hours.later(due, self.interval))


@dataclass(frozen=True, slots=True)
class ByRecall:
    """Keeps recall above ``floor``, and brings it to ``target`` at the instant ``by``, with at most so many touches.

    ``interval`` in minutes is for rungs of the ladder that nothing else times.
    """

    hours: Hours
    message: Message
    estimate: Estimate
    closes: dt.datetime
    floor: float
    target: float
    by: dt.datetime | None
    times: int | None
    interval: int = INTERVAL

    def after(self, due: dt.datetime, seen: Sequence[dt.datetime], answers: Sequence[Answer]) -> RepeatSlot | None:
        """The slot after the touch that was due then; ``None`` if it is remembered until the message closes.

        ``seen`` is when the touches were due that may have been read, in order.
        """
        news = [answer.at for answer in answers] + [self.estimate.since]
        first = self.hours.next_opening(max([self.hours.next_day(due), *news]), self.closes)
        if first is None or not seen:
            return None if first is None else RepeatSlot(first)
        zero, memory = seen[0], self.estimate.memory(events_of(self.message, seen, answers))
        at, final = self._by_floor(memory, zero, first), None
        if self.by is not None and first < self.by:
            final = self.hours.last_open(self.by)
        if final is not None and final >= first:
            last = self.times is not None and len(seen) == self.times - 1  # the last touch is kept for the day
            at = final if last else self._by_target(memory, zero, first, final, at)
        if at is None or at >= self.closes:
            return None
        return RepeatSlot(at, self.hours.local_date(final) if final is not None and at < final else None)

    def _by_floor(self, memory: Memory, zero: dt.datetime, first: dt.datetime) -> dt.datetime | None:
        soonest, latest = (first - zero) / HOUR, (self.closes - zero) / HOUR
        falls = memory.falls_below(self.floor - HAIR, soonest, latest)
        if falls >= latest:
            return None
        return first if falls <= soonest else self.hours.next_opening(zero + falls * HOUR, self.closes)

    def _by_target(
        self, memory: Memory, zero: dt.datetime, first: dt.datetime, final: dt.datetime, at: dt.datetime | None
    ) -> dt.datetime | None:
        """The slot ``at``, or a sooner one that the target needs: the final slot, or one before it."""
        before = self.hours.last_open(final - BEFORE_LAST + MINUTE)
        if self.by is None or (at is not None and before is not None and at <= max(first, before)):
            return at
        target_at, wanted = (self.by - zero) / HOUR, self.target + AMBITION
        if_nothing = memory.recall(target_at)
        if if_nothing >= wanted:
            return at
        if before is not None and before >= first:
            if_read = memory.then(Event((final - zero) / HOUR, "read")).recall(target_at)
            if READ_AT_LAST * if_read + (1 - READ_AT_LAST) * if_nothing < wanted:
                return before
        return final if at is None else min(at, final)


RepeatRule = FixedInterval | ByRecall


def seen_at(rows: Iterable[TouchRow]) -> list[dt.datetime]:
    # a skipped touch, or one refused for good, cannot have been read
    return sorted(row.due_at for row in rows if row.state not in NOT_SEEN and row.kind not in BY_HAND)


def events_of(message: Message, seen: Sequence[dt.datetime], answers: Sequence[Answer]) -> tuple[Event, ...]:
    """What happened, in hours since the first touch: each touch by its strongest signal, at the time of that signal.

    An answer belongs to the touch before it. Without one, a touch that asks has said nothing.
    """
    zero = seen[0]
    events = [Event((due - zero) / HOUR, _unanswered(message, number)) for number, due in enumerate(seen, 1)]
    by_touch: dict[int, list[Answer]] = {}
    for answer in sorted(answers, key=lambda answer: answer.at) if answers else ():
        by_touch.setdefault(bisect_right(seen, answer.at), []).append(answer)
    for number, theirs in by_touch.items():
        if number:
            events[number - 1] = _answered(message, number, theirs, zero)
    return tuple(events)


def _unanswered(message: Message, number: int) -> str:
    return "sent" if message.checks and asks_of(message, number) else "unseen"


def _answered(message: Message, number: int, answers: Sequence[Answer], zero: dt.datetime) -> Event:
    checked = next((answer for answer in answers if answer.tells), None)
    if checked is None:
        return Event((answers[0].at - zero) / HOUR, "acknowledged")
    check = offered_check(message, number)
    options = len(check.answers) if check else 4
    return Event((checked.at - zero) / HOUR, "right" if checked.right else "wrong", options)
