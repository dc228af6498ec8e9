"""The sender threads of one channel: render, wait for the rate, deliver, hand in what became of each touch."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.channels.channel import RELEASED, Channel, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.attempt import BatchDelivery, Claimed, receipt_of, render_failed
from commsengine.engine.breaker import Breaker
from commsengine.engine.crash_suspects import Suspects
from commsengine.engine.recorder import Recorder
from commsengine.engine.refusal_guard import RefusalGuard
from commsengine.errors import CommsError, InputError
from commsengine.store.records import JudgedReceipt, Receipt

LARGEST_BATCH = 50
LARGEST_CLAIM = 1000
WIDENS_AFTER = dt.timedelta(minutes=5)
"""One connection more is tried so long after the other side had enough of them."""

BURST_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelSetup:
    """How a channel is opened, by how many threads it is served, and its limit per minute (``None``: none)."""

    open: Callable[[], Channel]
    threads: int = 1
    per_minute: float | None = None


class SenderPool:
    """The senders of one channel. A claim is ours for ``lease``: no more is taken than can leave in half of it.

    ``progress`` is set whenever a batch is done that leaves it half empty; ``sent``, ``failed`` and ``held`` count
    touches. While ``stopped`` says so, nothing leaves. A thread whose connection is one too many for the other side
    gives it up and lets the others go on.
    """

    def __init__(
        self,
        name: ChannelName,
        setup: ChannelSetup,
        recorder: Recorder,
        *,
        clock: Callable[[], dt.datetime],
        lease: dt.timedelta,
        progress: threading.Event,
        guard: RefusalGuard,
        stopped: Callable[[], bool] = lambda: False,
        suspects: Suspects | None = None,
    ) -> None:
        self._progress, self._guard, self._stop_asked, self._suspects = progress, guard, stopped, suspects
        self.name, self.breaker, self._setup, self._recorder, self._clock = name, Breaker(name), setup, recorder, clock
        self._rate = Rate(setup.per_minute)
        limit = LARGEST_CLAIM if setup.per_minute is None else int(setup.per_minute * lease.total_seconds() / 120)
        self._capacity = max(1, min(limit, LARGEST_CLAIM))
        self._queue: deque[list[Claimed]] = deque()
        self._open = 0
        self.sent = self.failed = self.held = 0
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

    def free(self, now: dt.datetime) -> int:
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
            if self._stopping:  # no thread may be left to take it
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
        own_words = failure.message.rstrip(".") if isinstance(failure, InputError) else ""
        because = own_words or f"{self.name} failed unexpectedly ({type(failure).__name__})"
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
            self._open -= count
            self._news.notify_all()
        if not self.crowded:
            self._progress.set()

    def _record(self, one: Claimed, receipt: Receipt) -> None:
        with self._news:
            self.sent += receipt.state == "sent" and not one.service
            self.failed += receipt.state == "failed" and not one.service
        self._guard.note(one.campaign, one.message, one.rung, receipt)
        self._recorder.settle([receipt], one.lease)

    def heed(self, judged: JudgedReceipt) -> None:
        """A refusal that the store has judged: whether its touch is held or has failed, or the channel is to rest."""
        with self._news:
            self.held += judged.receipt.held
            self.failed += judged.receipt.state == "failed"
        self._guard.note(judged.campaign, judged.message, judged.rung, judged.receipt)
        if judged.rests:
            because = f"the other side refuses us: {judged.rests}"
            self.breaker.fail(because, self._clock(), "us")

    def _carry(self, channel: Channel, batch: Sequence[Claimed], number: int) -> None:
        lease = batch[0].lease
        batch = self._still_ours(batch)
        messages = self._rendered(batch)
        claimed = {one.key: one for one in batch}
        delivery = BatchDelivery(
            {message.key: claimed[message.key] for message in messages},
            lease,
            self._recorder,
            self.breaker,
            guard=self._guard,
            clock=self._clock,
            stopped=lambda: self._stopping or self._stop_asked(),
            record=self._record,
            narrow=partial(self._narrow, number),
        )
        try:
            for outcome in channel.deliver(DatedBatch(messages, self._clock), delivery.mark) if messages else ():
                delivery.settle(outcome)
                if delivery.over or delivery.refused or delivery.narrowed:
                    break
        except Exception as failure:  # the others of this batch still need their receipts
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
            ours = self._recorder.still_ours([one.key for one in batch], batch[0].lease)
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
        return not (self._stopping or self._stop_asked()) and self.breaker.admit(count, self._clock())

    def _rendered(self, batch: Sequence[Claimed]) -> list[RenderedMessage]:
        messages = []
        for claimed in batch:
            try:
                with self._suspects.writing(claimed.key) if self._suspects else nullcontext():
                    messages.append(claimed.render())
            except Exception as failure:  # one bad row must not stop the others
                log.error("render_failed", campaign=claimed.campaign, message=claimed.message, key=claimed.key)
                self._record(claimed, render_failed(claimed.key, failure, claimed.attempts, self._clock()))
        return messages

    def _give_back(self, batch: Sequence[Claimed]) -> None:
        # only rows that are still ``claimed`` change; a row with its receipt keeps it
        now = self._clock()
        given = [Outcome(one.key, RELEASED, begun=False) for one in batch]
        self._recorder.settle([receipt_of(outcome, 0, now) for outcome in given], batch[0].lease)


def _as_it_is(message: RenderedMessage) -> RenderedMessage:
    return message


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
