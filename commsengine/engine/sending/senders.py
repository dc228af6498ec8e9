"""The sender threads of one channel: render, wait for the rate, deliver, hand in what became of each touch."""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.channels.channel import RELEASED, Channel, Outcome
from commsengine.channels.providers import ProviderProfile, SendingLimits
from commsengine.content.message import RenderedMessage
from commsengine.engine.crash_suspects import Suspects
from commsengine.engine.sending.attempt import BatchDelivery, Claimed, SendingLog, receipt_of, render_failed
from commsengine.engine.sending.breaker import Breaker
from commsengine.engine.sending.recorder import Recorder
from commsengine.engine.sending.refusal_guard import RefusalGuard
from commsengine.engine.sending.shared_limits import Rate, SharedLimits
from commsengine.errors import CommsError, InputError
from commsengine.store.records import JudgedReceipt, Receipt, Rest

LARGEST_BATCH = 50
LARGEST_CLAIM = 1000
AT_ONCE = dt.timedelta()
WIDENS_AFTER = dt.timedelta(minutes=5)
"""One connection more is tried so long after the other side had enough of them."""


log = structlog.get_logger(__name__)


def ready_at_once(now: dt.datetime) -> float:
    del now
    return 0.0


@dataclass(frozen=True, slots=True)
class ChannelSetup:
    """How a channel is opened, by how many threads it is served, and its limit per minute (``None``: none).

    ``prepare`` is called at each beat with the time, and returns the seconds for which nothing may leave yet.
    ``known``, read at each beat, says instead what the other side allows, where more is known than that. ``lapse``
    moves the clock of a rehearsal on to an instant: waits for the rate take that time.
    """

    open: Callable[[], Channel]
    threads: int = 1
    per_minute: float | None = None
    prepare: Callable[[dt.datetime], float] = ready_at_once
    known: Callable[[], ProviderProfile] | None = None
    lapse: Callable[[dt.datetime], object] | None = None

    def profile(self) -> ProviderProfile:
        return self.known() if self.known else ProviderProfile("", "", SendingLimits(self.threads, self.per_minute))


class SenderPool:
    """The senders of one channel. A claim is ours for ``lease``: no more is taken than can leave in half of it.

    ``shared`` is what other engines have a say in; at each beat it gets what to ``obey``. ``progress`` is set
    whenever a batch is done that leaves it half empty; ``sent``, ``failed`` and ``held`` count touches. While
    ``stopped`` says so nothing leaves. A thread whose connection is one too many for the other side gives it up and
    lets the others go on.
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
        shared: SharedLimits,
        stopped: Callable[[], bool] = lambda: False,
        suspects: Suspects | None = None,
    ) -> None:
        self._progress, self._guard, self._stop_asked, self._suspects = progress, guard, stopped, suspects
        self.name, self._setup, self._recorder, self._clock, self._lease = name, setup, recorder, clock, lease
        self._log = SendingLog(name, clock)
        self.breaker, self._shared = Breaker(name, shared.renews), shared
        self._queue: deque[list[Claimed]] = deque()
        self._open = 0
        self._room: int | None = None
        self._rate = Rate(None)
        self.sent = self.failed = self.held = 0
        self._spared: list[int] = []  # threads that do without a connection
        self._spared_at = clock()
        self._stopping = self._doubtful = False
        self._news = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._limits = setup.profile().limits
        self._apply(self._limits)
        shared.begin(self, clock())

    def share(self, now: dt.datetime, rests: Mapping[str, Rest], place: tuple[int, int]) -> None:
        """At each beat: what the channel may send, and how it is, by all engines together."""
        self._shared.share(self, now, rests, place)

    def obey(self, limits: SendingLimits, room: int | None) -> None:
        """``room`` is how many more may leave today, of which nothing is under way; ``None`` without a limit."""
        with self._news:
            self._room = room
            if limits != self._limits:
                self._limits = limits
                self._apply(limits)
                self._news.notify_all()

    def _apply(self, limits: SendingLimits) -> None:
        per_minute = limits.per_minute
        if self._rate.per_minute != per_minute:
            self._rate = Rate(per_minute, self._shared.reserve, self._clock, lapsing=self._setup.lapse is not None)
        limit = LARGEST_CLAIM if per_minute is None else int(per_minute * self._lease.total_seconds() / 120)
        self._capacity = max(1, min(limit, LARGEST_CLAIM))
        self._spared = [number for number in self._spared if number < limits.connections]
        for number in range(len(self._threads), limits.connections):
            named = f"{self.name}-{number}"
            self._threads.append(threading.Thread(target=self._run, args=(number,), name=named, daemon=True))
            self._threads[-1].start()

    def free(self, now: dt.datetime) -> int:
        with self._news:
            if self._stopping or self.breaker.shut(now):
                return 0
            places = (1 if self.breaker.trying else self._capacity) - self._open
            return max(0, places if self._room is None else min(places, self._room))

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
            size = max(1, min(-(-len(claimed) // self._carriers), LARGEST_BATCH, self._rate.burst or LARGEST_BATCH))
            if self._stopping:  # no thread may be left to take it
                self._give_back(claimed)
                return
            self._open += len(claimed)
            if self._room is not None:  # until the next beat counts again
                self._room -= len(claimed)
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

    def write(self, now: dt.datetime) -> None:
        """Writes down how the channel is left."""
        self._shared.write(self, now)

    def join(self, timeout: float) -> bool:
        """After ``stop``: waits for the sends that had begun; ``False`` when one is open after ``timeout`` seconds."""
        done = self.wait(timeout)
        for thread in self._threads:
            thread.join(5.0 if done else 0.0)
        return done

    def _run(self, number: int) -> None:
        channel: Channel | None = None
        while (batch := self._next(number, keeps=channel is not None)) is not None:
            if batch:
                channel = channel or self._opened()
                if channel and self._may_go(len(batch)):
                    self._carry(channel, batch, number)
                else:
                    self._give_back(batch)
                self.breaker.leave()
                self._done(len(batch))
            if channel and self._is_spared(number):  # also a connection that is kept idle counts
                channel.close()
                channel = None
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

    def _next(self, number: int, *, keeps: bool) -> list[Claimed] | None:
        """Its next batch; an empty one where it ``keeps`` a connection that is to be given up; ``None`` at the end."""

        def wanted() -> bool:
            spared = self._is_spared(number)
            return self._stopping or bool(self._queue and not spared) or (spared and keeps)

        with self._news:
            self._news.wait_for(wanted)
            if not self._stopping and self._is_spared(number):
                return []
            return self._queue.popleft() if self._queue else None

    @property
    def _carriers(self) -> int:
        return self._limits.connections - len(self._spared)

    def _is_spared(self, number: int) -> bool:
        return number in self._spared or number >= self._limits.connections

    @property
    def connections(self) -> int | None:
        """How many the other side takes, where it has said that we have too many."""
        with self._news:
            return self._carriers if self._spared else None

    def narrow_to(self, connections: int, since: dt.datetime) -> None:
        with self._news:
            self._spared = list(range(max(1, connections), self._limits.connections))
            self._spared_at = since

    def _narrow(self, number: int) -> bool:
        # this thread does without a connection from now on; the last one is not given up
        with self._news:
            if self._is_spared(number) or self._carriers <= 1:
                return self._is_spared(number)
            self._spared.append(number)
            self._spared_at = self._clock()
            log.info("channel_narrows", channel=self.name, connections=self._carriers)
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

    def _record(self, one: Claimed, receipt: Receipt, took: dt.timedelta = AT_ONCE) -> None:
        self._log.tell(one, receipt, took)
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
            {message.key: message.named for message in messages if message.named},
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
        try:
            starts, asked = self._rate.take(count)
        except CommsError as failure:
            self._broke(failure)
            return False
        if self._setup.lapse is not None:
            self._setup.lapse(dt.datetime.fromtimestamp(starts, dt.UTC))
        else:
            with self._news:
                self._news.wait_for(lambda: self._stopping, starts - asked)
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
