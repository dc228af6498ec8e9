"""Senders that wait: one thread for each connection of a channel, a batch at a time."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from commsengine.channels.channel import Channel
from commsengine.content.message import RenderedMessage
from commsengine.engine.sending.attempt import BatchDelivery, Claimed

if TYPE_CHECKING:
    from commsengine.engine.sending.senders import SenderPool


class SenderThreads:
    """``first`` is the channel of the first thread; each of the others opens its own when it has a batch."""

    def __init__(self, pool: SenderPool, first: Channel) -> None:
        self._pool, self._threads = pool, list[threading.Thread]()
        self._first: Channel | None = first
        self.wake()

    def wake(self) -> None:
        for number in range(len(self._threads), self._pool.limits.connections):
            named = f"{self._pool.name}-{number}"
            self._threads.append(threading.Thread(target=self._run, args=(number,), name=named, daemon=True))
            self._threads[-1].start()

    def join(self, timeout: float) -> None:
        for thread in self._threads:
            thread.join(timeout)

    def _run(self, number: int) -> None:
        pool, channel = self._pool, self._first if number == 0 else None
        while (batch := self._next(number, keeps=channel is not None)) is not None:
            if batch:
                channel = channel or pool.open()
                if channel and self._may_go(len(batch), number):
                    self._carry(channel, batch, number)
                else:
                    pool.give_back(batch)
                pool.breaker.leave(number)
                pool.done(len(batch))
            if channel and pool.is_spared(number):  # also a connection that is kept idle counts
                channel.close()
                channel = None
        if channel:
            channel.close()

    def _next(self, number: int, *, keeps: bool) -> list[Claimed] | None:
        """Its next batch; an empty one where it ``keeps`` a connection that is to be given up; ``None`` at the end."""
        pool = self._pool
        with pool.news:
            while not pool.stopping:
                if pool.is_spared(number) and keeps:
                    return []
                if not pool.is_spared(number) and (batch := pool.next()):
                    return batch
                pool.news.wait()
            return pool.next()

    def _may_go(self, count: int, number: int) -> bool:
        seconds = self._pool.wait_for_rate(count)
        if seconds:
            with self._pool.news:
                self._pool.news.wait_for(lambda: self._pool.stopping, seconds)
        return seconds is not None and self._pool.admits(count, number)

    def _carry(self, channel: Channel, batch: Sequence[Claimed], number: int) -> None:
        pool, claimed = self._pool, {one.key: one for one in self._pool.still_ours(batch)}
        messages = [message for one in claimed.values() if (message := pool.rendered(one)) is not None]
        delivery = BatchDelivery(
            {message.key: claimed[message.key] for message in messages},
            {message.key: message.named for message in messages if message.named},
            pool.recorder,
            pool.attempts,
            stopped=lambda: pool.stopped,
            number=number,
        )
        try:
            for outcome in channel.deliver(DatedBatch(messages, pool.clock), delivery.mark) if messages else ():
                delivery.settle(outcome)
                pool.hand_over()
                if delivery.over or delivery.refused or delivery.narrowed:
                    break
        except Exception as failure:  # the others of this batch still need their receipts
            pool.broke(failure)
        rest = delivery.untried() if (delivery.refused or delivery.narrowed) and not delivery.over else frozenset()
        delivery.settle_rest(but=rest)
        pool.doubtful = delivery.refused
        pool.again([replace(claimed[each.key], render=_as_it_is(each)) for each in messages if each.key in rest])


def _as_it_is(message: RenderedMessage) -> Callable[[], RenderedMessage]:
    return lambda: message


class DatedBatch(Sequence[RenderedMessage]):
    """The time is read as late as possible: a slow channel may take minutes over the messages before this one."""

    def __init__(self, messages: Sequence[RenderedMessage], clock: Callable[[], dt.datetime]) -> None:
        self._messages, self._clock = messages, clock

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return DatedBatch(self._messages[place], self._clock)
        return self._messages[place]._replace(date=self._clock())
