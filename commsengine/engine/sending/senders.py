"""The senders of one channel: what is under way, at which rate, over how many connections, and what became of it.

Messages are carried by threads that wait (``sender_threads``), or by one loop over many connections (``sender_loop``).
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

import structlog

from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.channels.channel import RELEASED, Channel, InterleavedChannel, Outcome
from commsengine.channels.providers import ProviderProfile, SendingLimits
from commsengine.content.message import RenderedMessage
from commsengine.engine.crash_suspects import Suspects
from commsengine.engine.sending.attempt import Attempts, Claimed, SendingLog, receipt_of, render_failed
from commsengine.engine.sending.breaker import Breaker
from commsengine.engine.sending.recorder import Recorder
from commsengine.engine.sending.refusal_guard import RefusalGuard
from commsengine.engine.sending.sender_loop import SenderLoop
from commsengine.engine.sending.sender_threads import SenderThreads
from commsengine.engine.sending.shared_limits import Rate, SharedLimits
from commsengine.errors import CommsError, InputError
from commsengine.store.records import JudgedReceipt, Lease, Receipt, Rest

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
    """How a channel is opened, over how many connections at once, and its limit per minute (``None``: none).

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


class Senders(Protocol):
    """What carries the batches of a pool to the other side: threads, or one loop."""

    def wake(self) -> None:
        """Something has changed: a batch has come, a limit, the end."""

    def join(self, timeout: float) -> None: ...


class SenderPool:
    """The senders of one channel. A claim is ours for ``lease``: no more is taken than can leave in half of it.

    ``shared`` is what other engines have a say in; at each beat it gets what to ``obey``. ``progress`` is set
    whenever a batch is done that leaves it half empty; ``sent``, ``failed`` and ``held`` count touches. While
    ``stopped`` says so nothing leaves. Connections have numbers; one that is too many for the other side is given up,
    and the others go on.
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
        self.name, self.setup, self.recorder, self.clock, self._lease = name, setup, recorder, clock, lease
        self._log = SendingLog(name, clock)
        self.breaker, self._shared = Breaker(name, shared.renews), shared
        self.attempts = Attempts(self.breaker, guard, clock, record=self._record, narrow=self._narrow)
        self._queue: deque[list[Claimed]] = deque()
        self._receipts: defaultdict[Lease, list[Receipt]] = defaultdict(list)
        self._open = 0
        self._room: int | None = None
        self._rate = Rate(None)
        self.sent = self.failed = self.held = 0
        self._spared: list[int] = []  # connections that are done without
        self._spared_at = clock()
        self.stopping = self.doubtful = False
        self.news = threading.Condition()
        self._senders: Senders | None = None
        self.limits = setup.profile().limits
        self._apply(self.limits)
        shared.begin(self, clock())

    def share(self, now: dt.datetime, rests: Mapping[str, Rest], place: tuple[int, int]) -> None:
        """At each beat: what the channel may send, and how it is, by all engines together."""
        self._shared.share(self, now, rests, place)

    def obey(self, limits: SendingLimits, room: int | None) -> None:
        """``room`` is how many more may leave today, of which nothing is under way; ``None`` without a limit."""
        with self.news:
            self._room = room
            if limits != self.limits:
                self.limits = limits
                self._apply(limits)
                self._wake()

    def _apply(self, limits: SendingLimits) -> None:
        per_minute = limits.per_minute
        if self._rate.per_minute != per_minute:
            self._rate = Rate(per_minute, self._shared.reserve, self.clock, lapsing=self.setup.lapse is not None)
        limit = LARGEST_CLAIM if per_minute is None else int(per_minute * self._lease.total_seconds() / 120)
        self._capacity = max(1, min(limit, LARGEST_CLAIM))
        self._spared = [number for number in self._spared if number < limits.connections]

    def _wake(self) -> None:
        self.news.notify_all()
        if self._senders:
            self._senders.wake()

    def free(self, now: dt.datetime) -> int:
        with self.news:
            if self.stopping or self.breaker.shut(now):
                return 0
            places = (1 if self.breaker.trying else self._capacity) - self._open
            return max(0, places if self._room is None else min(places, self._room))

    @property
    def idle(self) -> bool:
        with self.news:
            return self._open == 0

    @property
    def crowded(self) -> bool:
        # so much is under way that claiming more had better wait
        with self.news:
            return self._open > self._capacity // 2

    def put(self, claimed: Sequence[Claimed]) -> None:
        with self.news:
            self._widen()
            size = max(1, min(-(-len(claimed) // self._carriers), LARGEST_BATCH, self._rate.burst or LARGEST_BATCH))
            if self.stopping or not self._has_senders():  # nothing is left to take it
                self.give_back(claimed)
                return
            self._open += len(claimed)
            if self._room is not None:  # until the next beat counts again
                self._room -= len(claimed)
            self._queue.extend(list(claimed[start : start + size]) for start in range(0, len(claimed), size))
            self._wake()

    def _has_senders(self) -> bool:
        # the first connection says how its like are driven
        if self._senders is None and (first := self.open()) is not None:
            self._senders = (
                SenderLoop(self, first) if isinstance(first, InterleavedChannel) else SenderThreads(self, first)
            )
        return self._senders is not None

    def wait(self, timeout: float) -> bool:
        """Waits until nothing is under way, at most ``timeout`` real seconds; whether that came about."""
        with self.news:
            return self.news.wait_for(lambda: self._open == 0, timeout)

    def stop(self) -> None:
        # what has not been marked is given back
        with self.news:
            self.stopping = True
            self._wake()

    def write(self, now: dt.datetime) -> None:
        """Writes down how the channel is left."""
        self._shared.write(self, now)

    def join(self, timeout: float) -> bool:
        """After ``stop``: waits for the sends that had begun; ``False`` when one is open after ``timeout`` seconds."""
        done = self.wait(timeout)
        if self._senders:
            self._senders.join(5.0 if done else 0.0)
        return done

    # -- for the senders --------------------------------------------------------------------------

    @property
    def stopped(self) -> bool:
        return self.stopping or self._stop_asked()

    def open(self) -> Channel | None:
        try:
            return self.setup.open()
        except Exception as failure:  # the senders must live on and try again later
            self.broke(failure)
            return None

    def broke(self, failure: Exception) -> None:
        # a defect of ours or a channel that cannot be opened: keep still for a while, like after any failure
        log.error("channel_broke", channel=self.name, error=type(failure).__name__)
        own_words = failure.message.rstrip(".") if isinstance(failure, InputError) else ""
        because = own_words or f"{self.name} failed unexpectedly ({type(failure).__name__})"
        self.breaker.fail(because, self.clock(), at_once=True)

    def next(self) -> list[Claimed] | None:
        with self.news:
            return self._queue.popleft() if self._queue else None

    @property
    def _carriers(self) -> int:
        return self.limits.connections - len(self._spared)

    def is_spared(self, number: int) -> bool:
        return number in self._spared or number >= self.limits.connections

    @property
    def connections(self) -> int | None:
        """How many the other side takes, where it has said that we have too many."""
        with self.news:
            return self._carriers if self._spared else None

    def narrow_to(self, connections: int, since: dt.datetime) -> None:
        with self.news:
            self._spared = list(range(max(1, connections), self.limits.connections))
            self._spared_at = since

    def _narrow(self, number: int) -> bool:
        # the last one is not given up
        with self.news:
            if self.is_spared(number) or self._carriers <= 1:
                return self.is_spared(number)
            self._spared.append(number)
            self._spared_at = self.clock()
            log.info("channel_narrows", channel=self.name, connections=self._carriers)
            return True

    def _widen(self) -> None:
        if self._spared and not dt.timedelta() <= self.clock() - self._spared_at < WIDENS_AFTER:
            self._spared.pop(0)
            self._spared_at = self.clock()

    def done(self, count: int) -> None:
        self.hand_over()  # what is not under way has its receipt
        with self.news:
            self._open -= count
            self.news.notify_all()
        if not self.crowded:
            self._progress.set()

    def _record(self, one: Claimed, receipt: Receipt, took: dt.timedelta = AT_ONCE) -> None:
        self._log.tell(one, receipt, took)
        with self.news:
            self.sent += receipt.state == "sent" and not one.service
            self.failed += receipt.state == "failed" and not one.service
            self._receipts[one.lease].append(receipt)
        self._guard.note(one.campaign, one.message, one.rung, receipt)

    def hand_over(self) -> None:
        """Hands the receipts that have come in to the one who writes them down."""
        with self.news:
            receipts, self._receipts = self._receipts, defaultdict(list)
        for lease, theirs in receipts.items():
            self.recorder.settle(theirs, lease)

    def heed(self, judged: JudgedReceipt) -> None:
        """A refusal that the store has judged: whether its touch is held or has failed, or the channel is to rest."""
        with self.news:
            self.held += judged.receipt.held
            self.failed += judged.receipt.state == "failed"
        self._guard.note(judged.campaign, judged.message, judged.rung, judged.receipt)
        if judged.rests:
            because = f"the other side refuses us: {judged.rests}"
            self.breaker.fail(because, self.clock(), "us")

    def again(self, rest: Sequence[Claimed]) -> None:
        """Back to the head of the queue, as a batch of its own."""
        if rest:
            with self.news:
                self._open += len(rest)
                self._queue.appendleft(list(rest))

    def still_ours(self, batch: Sequence[Claimed]) -> Sequence[Claimed]:
        # after a refused mark, a look at the record saves a relay from many letters that end before their dot
        if not (self.doubtful and batch):
            return batch
        try:
            ours = self.recorder.still_ours([one.key for one in batch], batch[0].lease)
        except CommsError as failure:
            self.broke(failure)
            self.give_back(batch)
            return []
        if lapsed := [one for one in batch if one.key not in ours]:  # what is not ours any more stays as it is
            self.give_back(lapsed)
        return [one for one in batch if one.key in ours]

    @property
    def rate_moves_clock(self) -> bool:
        # in a rehearsal
        return self.setup.lapse is not None and self.limits.per_minute is not None

    def wait_for_rate(self, count: int) -> float | None:
        """Takes ``count`` messages of the rate: the real seconds until they may go; ``None`` if that is not known."""
        try:
            starts, asked = self._rate.take(count)
        except CommsError as failure:
            self.broke(failure)
            return None
        if self.setup.lapse is None:
            return starts - asked
        self.setup.lapse(dt.datetime.fromtimestamp(starts, dt.UTC))
        return 0.0

    def admits(self, count: int, by: object) -> bool:
        """Whether so many may go now; ``False`` when all is stopped or the channel has been shut meanwhile."""
        return not self.stopped and self.breaker.admit(count, self.clock(), by)

    def rendered(self, claimed: Claimed) -> RenderedMessage | None:
        """``None`` where it cannot be written, which is on record then."""
        try:
            with self._suspects.writing(claimed.key) if self._suspects else nullcontext():
                return claimed.render()
        except Exception as failure:  # one bad row must not stop the others
            log.error("render_failed", campaign=claimed.campaign, message=claimed.message, key=claimed.key)
            self._record(claimed, render_failed(claimed.key, failure, claimed.attempts, self.clock()))
            return None

    def give_back(self, batch: Sequence[Claimed]) -> None:
        # only rows that are still ``claimed`` change; a row with its receipt keeps it
        now = self.clock()
        given = [Outcome(one.key, RELEASED, begun=False) for one in batch]
        self.recorder.settle([receipt_of(outcome, 0, now) for outcome in given], batch[0].lease)
