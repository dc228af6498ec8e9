"""Free places in the channels: how many people a beat may take, and who waits until there is a place again.

1. A beat takes no more than the senders of all channels can carry soon.
2. A touch without a free place is left out of its decision; its person waits in the line of that channel.
3. The person is decided again only when something has changed: a place, the facts, or the time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from commsengine.cadence.history import Decision, Touch
from commsengine.cadence.kinds_and_states import HUMAN, Carrier
from commsengine.engine.sending.senders import SenderPool

BATCH = 1000
SHORT_WAIT = dt.timedelta(minutes=1)
"""A channel that opens this soon is waited for, also where no other is open."""

LOOK_AGAIN = dt.timedelta(minutes=5)
"""When a person who waits for a crowded channel is due again by their bookmark: half a lease, as much as it holds."""


class FreePlaces:
    """Made for each beat. ``crowded`` counts the touches that were left out."""

    def __init__(self, pools: Mapping[Carrier, SenderPool], waiting: WaitingPeople, now: dt.datetime) -> None:
        self._pools, self._waiting, self._now = pools, waiting, now
        self._left = {name: pool.free(now) for name, pool in pools.items()}
        self.crowded = 0

    def take(self, channel: Carrier) -> bool:
        if self._left.get(channel, 0) <= 0:
            return False
        self._left[channel] -= 1
        return True

    def places(self) -> dict[Carrier, int]:
        # none in a channel that is more than half full, so that people are taken by the hundred
        return {name: left for name, left in self._left.items() if left > 0 and not self._pools[name].crowded}

    def full(self) -> set[Carrier]:
        """The channels without a place left: who is due for one of them has to wait."""
        return {name for name, left in self._left.items() if left <= 0 or self._pools[name].crowded}

    def most(self) -> int:
        # While every channel is shut for long, as many as ever: some may need a call, or nothing any more.
        if not all(pool.breaker.shut(self._now) for pool in self._pools.values()):
            return min(sum(self.places().values()), BATCH)
        opens = min((self._opens(name) for name in self._pools), default=None)
        return 0 if opens is not None and opens <= self._now + SHORT_WAIT else BATCH

    def next(self) -> list[str]:
        people: list[str] = []
        for name, left in self.places().items():
            people += self._waiting.next(name, min(left, BATCH - len(people)))
        return people

    def still_waiting(self, people: Sequence[str]) -> dict[str, tuple[Decision, int]]:
        """Those of these who wait on, with the bookmark and the facts that hold for that."""
        found = {}
        for person, (channel, place) in self._waiting.unchanged(people, self._now).items():
            later = replace(place, look_at=min(self._opens(channel), place.changes_at))
            self._waiting.join(channel, person, later)
            found[person] = (Decision(person, (), later.look_at), place.facts_seq)
        return found

    def fit(self, decision: Decision, facts_seq: int) -> Decision:
        """The decision without the touches that their channel has no place for, and when to look at them again."""
        left_out = [touch for touch in decision.touches if not self._fits(touch)]
        if not left_out:
            return decision
        self.crowded += len(left_out)
        changes_at = min([touch.not_after for touch in left_out] + ([decision.wake_at] if decision.wake_at else []))
        look_at = min([changes_at, *(self._opens(touch.channel) for touch in left_out)])
        self._waiting.join(left_out[0].channel, decision.person, Place(facts_seq, look_at, changes_at))
        return replace(decision, touches=tuple(t for t in decision.touches if t not in left_out), wake_at=look_at)

    def _fits(self, touch: Touch) -> bool:
        return bool(touch.skip) or touch.channel == HUMAN or self.take(touch.channel)

    def _opens(self, channel: Carrier) -> dt.datetime:
        # a crowded channel is looked at again before it opens, as soon as it has a place
        pool = self._pools.get(channel)
        until = pool.breaker.until if pool and pool.breaker.shut(self._now) else None
        return until or self._now + LOOK_AGAIN


class WaitingPeople:
    """The people who wait for a place, by channel, the longest first. Belongs to the beat of one engine."""

    def __init__(self) -> None:
        self._lines: dict[Carrier, dict[str, Place]] = {}

    def __bool__(self) -> bool:
        return any(self._lines.values())

    def join(self, channel: Carrier, person: str, place: Place) -> None:
        self._lines.setdefault(channel, {})[person] = place

    def next(self, channel: Carrier, most: int) -> list[str]:
        line = self._lines.get(channel, {})
        first = list(islice(line, most))
        for person in first:
            del line[person]
        return first

    def leave(self, people: Iterable[str]) -> None:
        for line in self._lines.values():
            for person in people:
                line.pop(person, None)

    def unchanged(self, people: Iterable[str], now: dt.datetime) -> dict[str, tuple[Carrier, Place]]:
        """Those who are due by the bookmark that they wait with, and for no other reason."""
        return {
            person: (channel, place)
            for person in people
            for channel, line in self._lines.items()
            if (place := line.get(person)) and place.look_at <= now < place.changes_at
        }


@dataclass(frozen=True, slots=True)
class Place:
    """For a person who waits: the facts they were decided on, the bookmark, and when time alone may change the
    decision."""

    facts_seq: int
    look_at: dt.datetime
    changes_at: dt.datetime
