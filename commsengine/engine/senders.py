"""The sender threads of one channel: render, wait for the rate, deliver, hand in what became of each touch."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import structlog

from commsengine.cadence.history import Decision, Touch
from commsengine.channels.channel import RELEASED, RETRY, Channel, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.attempt import BatchDelivery, Claimed, receipt_of, render_failed
from commsengine.engine.breaker import Breaker
from commsengine.engine.recorder import Recorder
from commsengine.engine.refusal_guard import RefusalGuard
from commsengine.engine.suspects import Suspects
from commsengine.engine.unclear_refusals import UnclearRefusals
from commsengine.errors import CommsError, InputError
from commsengine.store.records import Receipt

LARGEST_BATCH = 50
LARGEST_CLAIM = 1000
WIDENS_AFTER = dt.timedelta(minutes=5)
"""One connection more is tried so long after the other side had enough of them."""

TOLD_BY_NOBODY = 900.0  # seconds until a refusal that may be about us is tried once more

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelSetup:
    """How a channel is opened, by how many threads it is served, and its limit per minute (``None``: none)."""

    open: Callable[[], Channel]
    threads: int = 1
    per_minute: float | None = None


class SenderPool:
    """The senders of one channel. A claim is ours for ``lease``: no more is taken than can leave in half of it.

    ``progress`` is set whenever a batch is done that leaves it half empty; ``sent`` and ``failed`` count touches. While
    ``stopped`` says so, nothing leaves. A thread whose connection is one too many for the other side gives it up and
    lets the others go on.
    """

    def __init__(
        self,
        name: str,
        setup: ChannelSetup,
        writer: Recorder,
        *,
        clock: Callable[[], dt.datetime],
        lease: dt.timedelta,
        progress: threading.Event,
        guard: RefusalGuard,
        stopped: Callable[[], bool] = lambda: False,
        suspects: Suspects | None = None,
    ) -> None:
        self._progress, self._guard, self._told_to_stop, self._suspects = progress, guard, stopped, suspects
        self.name, self.breaker, self._setup, self._writer, self._clock = name, Breaker(name), setup, writer, clock
        self._rate = Rate(setup.per_minute)
        limit = LARGEST_CLAIM if setup.per_minute is None else int(setup.per_minute * lease.total_seconds() / 120)
        self._capacity = max(1, min(limit, LARGEST_CLAIM))
        self._queue: deque[list[Claimed]] = deque()
        self._open = 0
        self.sent = self.failed = 0
        self._doubts = UnclearRefusals()
        self._spared: list[int] = []  # threads that do without a connection
        self._spared_at = clock()
        self._stopping = self._doubtful = False
        self._news = threading.Condition()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"{name}-{number}", daemon=True)
            for number in range(setup.threads)
        ]
        for thread in self._threads:
            thread.start()

    def room(self, now: dt.datetime) -> int:
        with self._news:
            if self._stopping or self.breaker.shut(now):
                return 0
            return max(0, (1 if self.breaker.trying else self._capacity) - self._open)

    @property
    def idle(self) -> bool:
        with self._news:
            return self._open == 0

    @property
    def crowded(self) -> bool:
        # so much is under way that claiming more had better wait
        with self._news:
            return self._open > self._capacity // 2

    def put(self, claimed: Sequence[Claimed]) -> None:
        with self._news:
            self._widen()
            carriers = len(self._threads) - len(self._spared)
            size = max(1, min(-(-len(claimed) // carriers), LARGEST_BATCH, self._rate.burst or LARGEST_BATCH))
            if self._stopping:  # nobody may be left to take it
                self._give_back(claimed)
                return
            self._open += len(claimed)
            self._queue.extend(list(claimed[start : start + size]) for start in range(0, len(claimed), size))
            self._news.notify_all()

    def wait(self, timeout: float) -> bool:
        """Waits until nothing is under way, at most ``timeout`` real seconds; whether that came about."""
        with self._news:
            return self._news.wait_for(lambda: self._open == 0, timeout)

    def stop(self) -> None:
        # what has not been marked is given back
        with self._news:
            self._stopping = True
            self._news.notify_all()

    def join(self, timeout: float) -> bool:
        """After ``stop``: waits for the sends that had begun; ``False`` when one is open after ``timeout`` seconds."""
        done = self.wait(timeout)
        for thread in self._threads:
            thread.join(5.0 if done else 0.0)
        return done

    def _run(self, number: int) -> None:
        channel: Channel | None = None
        while batch := self._next(number):
            channel = channel or self._opened()
            if channel and self._may_go(len(batch)):
                self._carry(channel, batch, number)
            else:
                self._give_back(batch)
            if channel and number in self._spared:  # also a connection that is kept idle counts
                channel.close()
            self.breaker.leave()
            self._done(len(batch))
        if channel:
            channel.close()

    def _opened(self) -> Channel | None:
        try:
            return self._setup.open()
        except Exception as failure:  # the thread must live on and try again later
            self._broke(failure)
            return None

    def _broke(self, failure: Exception) -> None:
        # a defect of ours or a channel that cannot be opened: keep still for a while, like after any failure
        log.error("channel_broke", channel=self.name, error=type(failure).__name__)
        told = failure.message.rstrip(".") if isinstance(failure, InputError) else ""
        because = told or f"{self.name} failed unexpectedly ({type(failure).__name__})"
        self.breaker.fail(because, self._clock(), at_once=True)

    def _next(self, number: int) -> list[Claimed] | None:
        with self._news:
            self._news.wait_for(lambda: self._stopping or (self._queue and number not in self._spared))
            return self._queue.popleft() if self._queue else None

    def _narrow(self, number: int) -> bool:
        # this thread does without a connection from now on; the last one is not given up
        with self._news:
            if len(self._spared) + 1 >= len(self._threads):
                return False
            self._spared.append(number)
            self._spared_at = self._clock()
            log.info("channel_narrows", channel=self.name, connections=len(self._threads) - len(self._spared))
            return True

    def _widen(self) -> None:
        if self._spared and not dt.timedelta() <= self._clock() - self._spared_at < WIDENS_AFTER:
            self._spared.pop(0)
            self._spared_at = self._clock()

    def _done(self, count: int) -> None:
        with self._news:
            if self._open == count:
                self._leave_open()
            self._open -= count
            self._news.notify_all()
        if not self.crowded:
            self._progress.set()

    def _leave_open(self) -> None:
        # nothing is under way that could tell what these were refused for: they are tried again
        for doubt in self._doubts.take():
            again = doubt.attempts > 0
            wait = TOLD_BY_NOBODY if again else None
            doubt.book(replace(doubt.outcome, verdict=RETRY, begun=not again, retry_after=wait))

    def _book(self, one: Claimed, receipt: Receipt) -> None:
        with self._news:
            self.sent += receipt.state == "sent" and not one.service
            self.failed += receipt.state == "failed" and not one.service
        self._guard.note(one.campaign, one.message, one.rung, receipt)
        self._writer.settle([receipt], one.fence)

    def _carry(self, channel: Channel, batch: Sequence[Claimed], number: int) -> None:
        fence = batch[0].fence
        batch = self._still_ours(batch)
        messages = self._rendered(batch)
        claimed = {one.key: one for one in batch}
        delivery = BatchDelivery(
            {message.key: claimed[message.key] for message in messages},
            fence, self._writer, self.breaker, guard=self._guard, clock=self._clock,
            stopped=lambda: self._stopping or self._told_to_stop(), book=self._book, doubts=self._doubts,
            narrow=partial(self._narrow, number),
        )  # fmt: skip
        try:
            for outcome in channel.deliver(DatedBatch(messages, self._clock), delivery.mark) if messages else ():
                delivery.settle(outcome)
                if delivery.over or delivery.refused or delivery.narrowed:
                    break
        except Exception as failure:  # the others of this batch must still be told what became of them
            self._broke(failure)
        rest = delivery.untried() if (delivery.refused or delivery.narrowed) and not delivery.over else frozenset()
        delivery.settle_rest(but=rest)
        self._doubtful = delivery.refused
        self._again(
            [replace(claimed[each.key], render=partial(_as_it_is, each)) for each in messages if each.key in rest]
        )

    def _again(self, rest: Sequence[Claimed]) -> None:
        if rest:
            with self._news:
                self._open += len(rest)
                self._queue.appendleft(list(rest))

    def _still_ours(self, batch: Sequence[Claimed]) -> Sequence[Claimed]:
        # after a refused mark, a look at the record saves a relay from many letters that end before their dot
        if not (self._doubtful and batch):
            return batch
        try:
            ours = self._writer.still_ours([one.key for one in batch], batch[0].fence)
        except CommsError as failure:
            self._broke(failure)
            self._give_back(batch)
            return []
        if lapsed := [one for one in batch if one.key not in ours]:  # what is not ours any more stays as it is
            self._give_back(lapsed)
        return [one for one in batch if one.key in ours]

    def _may_go(self, count: int) -> bool:
        """Waits for the rate; ``False`` when the pool has been stopped or the channel has been shut meanwhile."""
        with self._news:
            self._news.wait_for(lambda: self._stopping, self._rate.take(count))
        return not (self._stopping or self._told_to_stop()) and self.breaker.admit(count, self._clock())

    def _rendered(self, batch: Sequence[Claimed]) -> list[RenderedMessage]:
        messages = []
        for claimed in batch:
            try:
                with self._suspects.writing(claimed.key) if self._suspects else nullcontext():
                    messages.append(claimed.render())
            except Exception as failure:  # one bad row must not stop the others
                log.error("render_failed", campaign=claimed.campaign, message=claimed.message, key=claimed.key)
                self._book(claimed, render_failed(claimed.key, failure, claimed.attempts, self._clock()))
        return messages

    def _give_back(self, batch: Sequence[Claimed]) -> None:
        # only rows that are still ``claimed`` change; a row with its receipt keeps it
        now = self._clock()
        given = [Outcome(one.key, RELEASED, begun=False) for one in batch]
        self._writer.settle([receipt_of(outcome, 0, now) for outcome in given], batch[0].fence)


def _as_it_is(message: RenderedMessage) -> RenderedMessage:
    return message


BURST_SECONDS = 1.0


class Rate:
    """So many messages a minute, evenly; ``None`` means as fast as it goes.

    It measures real seconds by any clock of the campaign: the other side's limit is real.
    """

    def __init__(self, per_minute: float | None) -> None:
        self.per_second = per_minute / 60 if per_minute else None
        self._lock = threading.Lock()
        self._free_at = 0.0

    @property
    def burst(self) -> int | None:
        # a second's worth, and at least one
        return None if self.per_second is None else max(1, int(self.per_second * BURST_SECONDS))

    def take(self, count: int) -> float:
        """Reserves ``count`` messages; returns the seconds to wait before they may go."""
        if self.per_second is None:
            return 0.0
        with self._lock:
            now = time.monotonic()
            starts = max(self._free_at, now)
            self._free_at = starts + count / self.per_second
            return starts - now


class DatedBatch(Sequence[RenderedMessage]):
    """The time is read as late as possible: a slow relay may take minutes over the messages before this one."""

    def __init__(self, messages: Sequence[RenderedMessage], clock: Callable[[], dt.datetime]) -> None:
        self._messages, self._clock = messages, clock

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return DatedBatch(self._messages[place], self._clock)
        return replace(self._messages[place], date=self._clock())


BATCH = 1000
BY_HAND = "personal"
SHORT_WAIT = dt.timedelta(minutes=1)
"""A channel that opens this soon is waited for, also where no other is open."""

LOOK_AGAIN = dt.timedelta(minutes=5)
"""When a person who waits for a crowded channel is due again by their bookmark: half a lease, as much as it holds."""


@dataclass(frozen=True, slots=True)
class Place:
    """For a person who waits: the facts they were decided on, the bookmark, and when time alone may change the
    decision."""

    facts_seq: int
    look_at: dt.datetime
    changes_at: dt.datetime


class WaitingPeople:
    """The people who wait for a place, by channel, the longest first. Belongs to the beat of one engine."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[str, Place]] = {}

    def __bool__(self) -> bool:
        return any(self._lines.values())

    def join(self, channel: str, person: str, place: Place) -> None:
        self._lines.setdefault(channel, {})[person] = place

    def next(self, channel: str, most: int) -> list[str]:
        line = self._lines.get(channel, {})
        first = list(islice(line, most))
        for person in first:
            del line[person]
        return first

    def leave(self, people: Iterable[str]) -> None:
        for line in self._lines.values():
            for person in people:
                line.pop(person, None)

    def unchanged(self, people: Iterable[str], now: dt.datetime) -> dict[str, tuple[str, Place]]:
        """Those who are due by the bookmark that they wait with, and for no other reason."""
        return {
            person: (channel, place)
            for person in people
            for channel, line in self._lines.items()
            if (place := line.get(person)) and place.look_at <= now < place.changes_at
        }


class FreePlaces:
    """Made for each beat. ``crowded`` counts the touches that were left out."""

    def __init__(self, pools: Mapping[str, SenderPool], waiting: WaitingPeople, now: dt.datetime) -> None:
        self._pools, self._waiting, self._now = pools, waiting, now
        self._left = {name: pool.room(now) for name, pool in pools.items()}
        self.crowded = 0

    def take(self, channel: str) -> bool:
        if self._left.get(channel, 0) <= 0:
            return False
        self._left[channel] -= 1
        return True

    def places(self) -> dict[str, int]:
        # none in a channel that is more than half full, so that people are taken by the hundred
        return {name: left for name, left in self._left.items() if left > 0 and not self._pools[name].crowded}

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
        return bool(touch.skip) or touch.channel == BY_HAND or self.take(touch.channel)

    def _opens(self, channel: str) -> dt.datetime:
        # a crowded channel is looked at again before it opens, as soon as it has a place
        pool = self._pools.get(channel)
        until = pool.breaker.until if pool and pool.breaker.shut(self._now) else None
        return until or self._now + LOOK_AGAIN
