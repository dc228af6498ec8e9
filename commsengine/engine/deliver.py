"""The sender threads of one channel: render, wait for the rate, deliver, hand in what became of each touch."""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import structlog

from commsengine.channels.channel import RELEASED, RETRY, Channel, Outcome
from commsengine.content.message import Message
from commsengine.engine.breaker import Breaker
from commsengine.engine.dated import Dated
from commsengine.engine.doubts import Doubts
from commsengine.engine.guard import Guard
from commsengine.engine.poison import Desk
from commsengine.engine.rate import Rate
from commsengine.engine.receipts import receipt_of, render_failed
from commsengine.engine.trip import Claimed, Trip
from commsengine.engine.writer import Writer
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


class Pool:
    """The senders of one channel. A claim is ours for ``lease``: no more is taken than can leave in half of it.

    ``progress`` is set whenever a batch is done that leaves it half empty; ``sent`` and ``failed`` count touches. While
    ``stopped`` says so, nothing leaves. A thread whose connection is one too many for the other side gives it up and
    lets the others go on.
    """

    def __init__(
        self,
        name: str,
        setup: ChannelSetup,
        writer: Writer,
        *,
        clock: Callable[[], dt.datetime],
        lease: dt.timedelta,
        progress: threading.Event,
        guard: Guard,
        stopped: Callable[[], bool] = lambda: False,
        desk: Desk | None = None,
    ) -> None:
        self._progress, self._guard, self._told_to_stop, self._desk = progress, guard, stopped, desk
        self.name, self.breaker, self._setup, self._writer, self._clock = name, Breaker(name), setup, writer, clock
        self._rate = Rate(setup.per_minute)
        limit = LARGEST_CLAIM if setup.per_minute is None else int(setup.per_minute * lease.total_seconds() / 120)
        self._capacity = max(1, min(limit, LARGEST_CLAIM))
        self._queue: deque[list[Claimed]] = deque()
        self._open = 0
        self.sent = self.failed = 0
        self._doubts = Doubts()
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
        """How many more touches may be claimed for this channel now."""
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
        """So much is under way that claiming more had better wait."""
        with self._news:
            return self._open > self._capacity // 2

    def put(self, claimed: Sequence[Claimed]) -> None:
        """Hand over the touches of one claim."""
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
        """Wait until nothing is under way, at most ``timeout`` real seconds; whether that came about."""
        with self._news:
            return self._news.wait_for(lambda: self._open == 0, timeout)

    def stop(self) -> None:
        """Begin nothing new: what has not been marked is given back."""
        with self._news:
            self._stopping = True
            self._news.notify_all()

    def join(self, timeout: float) -> bool:
        """After ``stop``: wait for the sends that had begun; ``False`` when one is open after ``timeout`` seconds."""
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
        """A defect of ours or a channel that cannot be opened: keep still for a while, like after any failure."""
        log.error("channel_broke", channel=self.name, error=type(failure).__name__)
        told = failure.message.rstrip(".") if isinstance(failure, InputError) else ""
        because = told or f"{self.name} failed unexpectedly ({type(failure).__name__})"
        self.breaker.fail(because, self._clock(), at_once=True)

    def _next(self, number: int) -> list[Claimed] | None:
        with self._news:
            self._news.wait_for(lambda: self._stopping or (self._queue and number not in self._spared))
            return self._queue.popleft() if self._queue else None

    def _narrow(self, number: int) -> bool:
        """This thread does without a connection from now on; the last one is not given up."""
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
        """Nothing is under way that could tell what these were refused for: they are tried again."""
        for doubt in self._doubts.take():
            again = doubt.attempts > 0
            wait = TOLD_BY_NOBODY if again else None
            doubt.book(replace(doubt.outcome, verdict=RETRY, begun=not again, retry_after=wait))

    def _book(self, one: Claimed, receipt: Receipt) -> None:
        """One receipt on its way to the record."""
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
        trip = Trip(
            {message.key: claimed[message.key] for message in messages},
            fence, self._writer, self.breaker, guard=self._guard, clock=self._clock,
            stopped=lambda: self._stopping or self._told_to_stop(), book=self._book, doubts=self._doubts,
            narrow=partial(self._narrow, number),
        )  # fmt: skip
        try:
            for outcome in channel.deliver(Dated(messages, self._clock), trip.mark) if messages else ():
                trip.settle(outcome)
                if trip.over or trip.refused or trip.narrowed:
                    break
        except Exception as failure:  # the others of this batch must still be told what became of them
            self._broke(failure)
        rest = trip.untried() if (trip.refused or trip.narrowed) and not trip.over else frozenset()
        trip.settle_rest(but=rest)
        self._doubtful = trip.refused
        self._again(
            [replace(claimed[each.key], render=partial(_as_it_is, each)) for each in messages if each.key in rest]
        )

    def _again(self, rest: Sequence[Claimed]) -> None:
        """The rest of a batch of which one was stopped: next; after a refused mark, with a look at the record."""
        if rest:
            with self._news:
                self._open += len(rest)
                self._queue.appendleft(list(rest))

    def _still_ours(self, batch: Sequence[Claimed]) -> Sequence[Claimed]:
        """After a refused mark, a look at the record saves a relay from many letters that end before their dot."""
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
        """Wait for the rate; ``False`` when the pool has been stopped or the channel has been shut meanwhile."""
        with self._news:
            self._news.wait_for(lambda: self._stopping, self._rate.take(count))
        return not (self._stopping or self._told_to_stop()) and self.breaker.admit(count, self._clock())

    def _rendered(self, batch: Sequence[Claimed]) -> list[Message]:
        messages = []
        for claimed in batch:
            try:
                with self._desk.writing(claimed.key) if self._desk else nullcontext():
                    messages.append(claimed.render())
            except Exception as failure:  # one bad row must not stop the others
                log.error("render_failed", campaign=claimed.campaign, message=claimed.message, key=claimed.key)
                self._book(claimed, render_failed(claimed.key, failure, claimed.attempts, self._clock()))
        return messages

    def _give_back(self, batch: Sequence[Claimed]) -> None:
        """Only rows that are still ``claimed`` change; whatever has its receipt keeps it."""
        now = self._clock()
        given = [Outcome(one.key, RELEASED, begun=False) for one in batch]
        self._writer.settle([receipt_of(outcome, 0, now) for outcome in given], batch[0].fence)


def _as_it_is(message: Message) -> Message:
    """What was rendered before."""
    return message
