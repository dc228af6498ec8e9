"""One thread that drives all connections of a channel: nothing in it waits for a single one of them.

One round
1. Marks are asked for, in one request for each claim.
2. Each connection that can take a message gets one, also one that has just lost its own: it is rendered and laid out
   while the marks are written.
3. What the connections say is heard, then what other threads have answered: a connection that has ended meanwhile is
   known to have ended before its message would get its end.
4. Messages that stand before their end and are marked get it; where the other side takes pipelines, the next one is
   offered in the same write.
5. Receipts are handed over, in one group for each claim.

The mark is asked for when a message is offered, so that it is written while the other side answers. Where the last one
on that connection was slow or did not arrive, the mark waits until the message stands before its end: a mark is good
for seconds, and what is refused to all is not offered to many. To connect, to log in and to say goodbye is to wait:
each takes a thread of its own for that time.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from commsengine.channels.channel import (
    RELEASED,
    SENT,
    UNCERTAIN,
    BeforeTheEnd,
    DeliveryError,
    InterleavedChannel,
    Letter,
    Outcome,
    SendingEvent,
)
from commsengine.engine.sending.attempt import Claimed
from commsengine.engine.sending.batches import NEVER, Batch, Batches
from commsengine.store.records import Lease
from commsengine.translation import N_

if TYPE_CHECKING:
    import datetime as dt

    from commsengine.engine.sending.senders import SenderPool

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
GOODBYE = 2.0  # seconds at the end for all connections together
NOT_OFFERED = "data"
"""The phase of a message that was not marked."""

PROMPT, MARK_LASTS = 1.0, 5.0
"""Seconds: the longest from offer to end with which a connection counts as prompt, and how long a mark is good for."""

MarkState = Literal["", "asked", "granted", "refused"]
ASKED: MarkState = "asked"
GRANTED: MarkState = "granted"
REFUSED: MarkState = "refused"


@dataclass(eq=False, slots=True)
class SendingAttempt:
    """One message on its way, since then. ``stands``: before its end; ``marked_at`` is real time, in seconds."""

    one: Claimed
    batch: Batch
    letter: Letter
    named: str
    since: dt.datetime
    mark: MarkState = ""
    marked_at: float = 0.0
    stands: bool = False
    ended: bool = False


@dataclass(eq=False, slots=True)
class Connection:
    """One connection. ``aside``: a thread of its own opens or closes it. Times are real, in seconds."""

    number: int
    channel: InterleavedChannel
    sendings: dict[str, SendingAttempt] = field(default_factory=dict)
    aside: bool = False
    socket: socket.socket | None = None
    mask: int = 0
    until: float | None = None
    offered_at: float = 0.0
    prompt: bool = False
    arrived: bool = False  # what was sent last

    @property
    def marks_early(self) -> bool:
        return self.prompt and self.arrived


Placed = tuple[Connection, SendingAttempt]
"""A message on its connection."""


class SenderLoop:
    """``first`` is the first connection; more are opened as messages wait for them."""

    def __init__(self, pool: SenderPool, first: InterleavedChannel) -> None:
        self._pool = pool
        self._connections = [Connection(0, first)]
        self._batches = Batches(pool, self._is_sending)
        self._turned_away = False  # by the last connection that was opened
        self._to_mark: list[Placed] = []
        self._leaving: list[Placed] = []  # marked, and before their end
        self._calls: deque[Callable[[], object]] = deque()  # from other threads
        self._wakeup_in, self._wakeup_out = socket.socketpair()
        self._waking = False
        self._look_at = NEVER  # when the first connection may have been silent for too long
        self._selector = selectors.DefaultSelector()
        for end in (self._wakeup_in, self._wakeup_out):
            end.setblocking(False)
        self._selector.register(self._wakeup_in, READ)
        self._thread = threading.Thread(target=self._run, name=f"{pool.name}-loop", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        if not self._waking:
            self._waking = True
            with suppress(OSError):  # it has ended
                self._wakeup_out.send(b"!")

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    # -- the rounds -------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended():
            try:
                self._ask_for_marks()
                self._hand_out()
                self._hear()
                self._end_what_leaves()
                self._pool.hand_over()
            except Exception as failure:  # a defect of ours: what is under way still needs its receipts
                self._break(failure)
        until = time.monotonic() + GOODBYE
        for thread in [self._beside(each.channel.close) for each in self._connections]:
            thread.join(max(0.0, until - time.monotonic()))
        for end in (self._selector, self._wakeup_in, self._wakeup_out):
            end.close()

    def _ended(self) -> bool:
        opening_or_closing = any(each.aside for each in self._connections)
        return self._pool.stopping and self._pool.idle and not (opening_or_closing or self._is_sending())

    def _is_sending(self) -> bool:
        return any(each.sendings for each in self._connections)

    def _hear(self) -> None:
        calls = [self._calls.popleft() for _ in range(len(self._calls))]
        for key, mask in self._selector.select(0 if calls else self._most()):
            connection = key.data
            if connection is None:
                self._wakeup_in.recv(64)
                self._waking = False  # in this order: what comes in between is seen in the next round
            elif connection.socket is key.fileobj:
                self._heed(connection, connection.channel.receive() if mask & READ else connection.channel.send())
        for call in calls:
            call()
        if time.monotonic() >= self._look_at:
            self._look_for_silence()

    def _most(self) -> float | None:
        # seconds until there is something to do without a word from anybody
        if self._calls:
            return 0
        most = min(self._look_at, self._batches.goes_on_at) - time.monotonic()
        return None if most == NEVER else max(0.0, most)

    def _look_for_silence(self) -> None:
        now = time.monotonic()
        for connection in self._connections:
            if connection.until is not None and connection.until <= now:
                self._heed(connection, connection.channel.silent())
        self._look_at = min((each.until for each in self._connections if each.until is not None), default=NEVER)

    def _later(self, call: Callable[[], object]) -> None:
        self._calls.append(call)
        self.wake()

    def _beside(self, work: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=work, name=f"{self._pool.name}-beside", daemon=True)
        thread.start()
        return thread

    # -- messages ---------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        self._batches.goes_on_at = NEVER
        self._give_up_spared()
        if self._pool.stopping:
            self._batches.give_back()
        while (connection := self._free_connection()) is not None and (sending := self._next_sending()) is not None:
            self._begin(connection, sending)

    def _free_connection(self) -> Connection | None:
        free = [
            each for each in self._connections if not (each.sendings or each.aside or self._pool.is_spared(each.number))
        ]
        if self._turned_away and any(each.aside for each in self._connections):
            # a dead server is not asked by all at once
            return next((each for each in free if each.channel.at_hand), None)
        if not free and len(self._connections) < self._pool.limits.connections and self._batches.has_more():
            return self._new_connection()
        return next((each for each in free if each.channel.at_hand), free[0] if free else None)

    def _new_connection(self) -> Connection | None:
        taken, most = {each.number for each in self._connections}, self._pool.limits.connections
        number = next((n for n in range(most) if n not in taken and not self._pool.is_spared(n)), None)
        if number is None:
            return None
        channel = self._pool.open()
        if channel is None:
            self._batches.give_back()
            return None
        assert isinstance(channel, InterleavedChannel)  # noqa: S101 - as the first is
        self._connections.append(Connection(number, channel))
        return self._connections[-1]

    def _next_sending(self) -> SendingAttempt | None:
        while (taken := self._batches.next()) is not None:
            if sending := self._laid_out(*taken):
                return sending
        return None

    def _laid_out(self, one: Claimed, batch: Batch) -> SendingAttempt | None:
        pool, since = self._pool, self._pool.clock()
        if pool.attempts.rest(since, one.campaign):
            self._settle(one, batch, Outcome(one.key, RELEASED, begun=False), since)
            return None
        message = pool.rendered(one)
        if message is None:
            self._batches.done(batch)
            return None
        try:
            letter = self._connections[0].channel.lay_out(message, since)
        except DeliveryError as error:
            self._settle(one, batch, error.outcome(one.key), since)
            return None
        return SendingAttempt(one, batch, letter, message.named, since)

    def _settle(self, one: Claimed, batch: Batch, outcome: Outcome, since: dt.datetime, number: int = 0) -> None:
        self._pool.attempts.settle(one, outcome, since, number)
        self._batches.done(batch)

    # -- marks ------------------------------------------------------------------------------------

    def _ask_for_mark(self, connection: Connection, sending: SendingAttempt) -> None:
        sending.mark = ASKED
        self._to_mark.append((connection, sending))

    def _ask_for_marks(self) -> None:
        asking, self._to_mark = [each for each in self._to_mark if _is_open(*each)], []
        groups: defaultdict[Lease, list[Placed]] = defaultdict(list)
        for connection, sending in self._may_leave(asking):
            groups[sending.one.lease].append((connection, sending))
        for lease, group in groups.items():
            keys = [sending.one.key for _, sending in group]
            named = {sending.one.key: sending.named for _, sending in group if sending.named}
            self._pool.recorder.request_mark(keys, lease, named, partial(self._answered, group))

    def _answered(self, group: Sequence[Placed], granted: set[str]) -> None:
        self._later(lambda: self._note_marks(group, granted))

    def _note_marks(self, group: Sequence[Placed], granted: set[str]) -> None:
        now = time.monotonic()
        for connection, sending in group:
            if not _is_open(connection, sending):
                continue
            if sending.one.key in granted:
                sending.mark, sending.marked_at = GRANTED, now
                if sending.stands:
                    self._leaving.append((connection, sending))
            else:
                self._refuse(connection, sending)

    def _may_leave(self, going: Sequence[Placed]) -> list[Placed]:
        """Those that may; the others are refused."""
        if not going:
            return []
        stopped, now, leaving = self._pool.stopped, self._pool.clock(), []
        for connection, sending in going:
            if not stopped and self._pool.attempts.may_leave(sending.one, now):
                leaving.append((connection, sending))
            else:
                self._refuse(connection, sending)
        return leaving

    def _refuse(self, connection: Connection, sending: SendingAttempt) -> None:
        sending.mark = REFUSED
        self._batches.look_again()
        if sending.stands:
            self._take_back(connection, sending)

    def _take_back(self, connection: Connection, sending: SendingAttempt) -> None:
        connection.channel.drop()
        self._heed(connection, [Outcome(sending.one.key, RELEASED, NOT_OFFERED, begun=False)])

    def _stand(self, connection: Connection, sending: SendingAttempt) -> None:
        now, sending.stands = time.monotonic(), True
        connection.prompt = now - connection.offered_at <= PROMPT
        if sending.mark == REFUSED or (sending.mark == GRANTED and now - sending.marked_at > MARK_LASTS):
            self._take_back(connection, sending)
        elif sending.mark == GRANTED:
            self._leaving.append((connection, sending))
        elif not sending.mark:  # there is time: an ending in the body is seen before the end goes
            connection.channel.begin_body()
            self._ask_for_mark(connection, sending)

    def _end_what_leaves(self) -> None:
        leaving, self._leaving = self._leaving, []
        for connection, sending in self._may_leave(leaving):  # a commit may wait for another program's
            self._end(connection, sending)

    # -- connections ------------------------------------------------------------------------------

    def _begin(self, connection: Connection, sending: SendingAttempt) -> None:
        connection.sendings[sending.one.key] = sending
        if connection.channel.at_hand:
            self._offer(connection, sending)
            self._heed(connection, connection.channel.send())
        else:
            self._open(connection, sending)

    def _offer(self, connection: Connection, sending: SendingAttempt) -> None:
        connection.channel.offer(sending.letter)
        connection.offered_at = time.monotonic()
        if connection.marks_early and not sending.mark:
            self._ask_for_mark(connection, sending)

    def _end(self, connection: Connection, sending: SendingAttempt) -> None:
        sending.ended = True
        events = connection.channel.end()
        if (
            connection.channel.at_hand
            and not self._pool.is_spared(connection.number)
            and (behind := self._next_sending())
        ):
            connection.sendings[behind.one.key] = behind
            self._offer(connection, behind)
        self._heed(connection, events + connection.channel.send())

    def _open(self, connection: Connection, sending: SendingAttempt) -> None:
        self._unwatch(connection)
        connection.aside, connection.arrived = True, False

        def opening() -> None:
            failure = None
            try:
                connection.channel.ready()
            except Exception as why:
                failure = why
            self._later(lambda: self._opened(connection, sending, failure))

        self._beside(opening)

    def _opened(self, connection: Connection, sending: SendingAttempt, failure: Exception | None) -> None:
        connection.aside, key, self._turned_away = False, sending.one.key, failure is not None
        if isinstance(failure, DeliveryError):
            self._heed(connection, [failure.outcome(key)])
        elif failure is not None:
            self._pool.broke(failure)
            self._heed(connection, [Outcome(key, RELEASED, begun=False)])
        elif self._is_over(sending):
            self._heed(connection, [Outcome(key, RELEASED, begun=False)])
        else:
            self._offer(connection, sending)
            self._heed(connection, connection.channel.send())

    def _is_over(self, sending: SendingAttempt) -> bool:
        pool = self._pool
        return pool.stopping or sending.mark == REFUSED or pool.attempts.rest(pool.clock(), sending.one.campaign)

    def _heed(self, connection: Connection, events: Sequence[SendingEvent]) -> None:
        again = None
        for event in events:
            if isinstance(event, Outcome):
                sending, connection.arrived = connection.sendings.pop(event.key), event.verdict == SENT
                self._settle(sending.one, sending.batch, event, sending.since, connection.number)
            elif isinstance(event, BeforeTheEnd):
                self._stand(connection, connection.sendings[event.key])
            else:
                again = connection.sendings[event.letter.key]
        self._watch(connection)
        if again is not None:
            self._open(connection, again)

    def _watch(self, connection: Connection) -> None:
        channel = connection.channel
        now, mask = channel.socket, READ | WRITE if channel.sends else READ
        if now is not connection.socket or mask != connection.mask:
            self._unwatch(connection)
            if now is not None:
                self._selector.register(now, mask, connection)
            connection.socket, connection.mask = now, mask
        if (patience := channel.patience) is None:
            connection.until = None
        else:
            connection.until = until = time.monotonic() + patience
            self._look_at = min(self._look_at, until)

    def _unwatch(self, connection: Connection) -> None:
        if connection.socket is not None:
            self._selector.unregister(connection.socket)
        connection.socket, connection.until = None, None

    def _give_up_spared(self) -> None:
        # also a connection that is kept idle counts
        for connection in self._connections:
            if connection.socket is not None and not connection.sendings and self._pool.is_spared(connection.number):
                self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._unwatch(connection)
        connection.aside = True

        def closing() -> None:
            connection.channel.close()
            self._later(lambda: setattr(connection, "aside", False))

        self._beside(closing)

    def _break(self, failure: Exception) -> None:
        self._pool.broke(failure)
        self._to_mark.clear()
        self._leaving.clear()
        self._batches.give_back()
        for connection in self._connections:
            connection.channel.drop()
            self._watch(connection)
            for key, sending in list(connection.sendings.items()):
                silent = Outcome(key, UNCERTAIN, reply=N_("the channel gave no answer"))
                self._heed(connection, [silent if sending.ended else Outcome(key, RELEASED, begun=False)])


def _is_open(connection: Connection, sending: SendingAttempt) -> bool:
    """It has no outcome yet."""
    return connection.sendings.get(sending.one.key) is sending
