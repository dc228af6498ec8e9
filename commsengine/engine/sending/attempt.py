"""One batch on its way through a channel: which touches may leave, what became of each, and its receipt.

1. ``mark`` lets only those through with a send window that is still open, as long as nothing has stopped us: the end of
   this process, a STOP, a channel that is shut, a campaign that fails. It looks before the commit and after it.
2. Every outcome becomes a receipt at once; it also tells the breaker how the channel is, the guard how the campaign.
   A refusal that is not known to be the person's is a retry; the store says what comes of it (``store/refusals``).
3. Once nothing may leave, the rest of the batch is not laid before the other side at all.
4. A touch without an outcome (a defect in the channel) is uncertain if marked, else given back.
5. "Not now" is tried five times, with growing waits in between. Then it fails if it is the person's own, such as a full
   mailbox; else it is as a refusal that is not known.
"""

from __future__ import annotations

import datetime as dt
import logging
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog

from commsengine.cadence.kinds_and_states import ChannelName, ReceiptState
from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, UNCERTAIN, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.sending.breaker import Breaker
from commsengine.engine.sending.recorder import Recorder
from commsengine.engine.sending.refusal_guard import RefusalGuard
from commsengine.errors import CommsError
from commsengine.store.records import Lease, Receipt
from commsengine.text import without_addresses
from commsengine.translation import N_

BACK_OFF = (1, 5, 15, 60)
"""Minutes from the n-th attempt to the next; the one after the last is the last."""

MOST_ATTEMPTS = len(BACK_OFF) + 1
RENDER = "render"
"""The phase of a message that could not be written."""

LONGEST_REASON = 300  # characters

TIMED_OUT = dt.timedelta(seconds=10)
"""A failure that took this long is not waited for four times more."""

AFTER_THE_OTHERS = dt.timedelta(seconds=15)
"""A touch that met a resting channel is not the first to try it again: the refusal may have been its own after all."""

RecordReceipt = Callable[["Claimed", Receipt, dt.timedelta], None]
"""Puts one receipt on record; it took so long."""

SERVICE = "service"
"""What a log calls mail that is no message of a plan."""

EVENTS: Mapping[ReceiptState, str] = {
    "sent": "sent",
    "failed": "failed",
    "retry": "refused",
    "uncertain": "uncertain",
    "released": "given_back",
}
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
A_MINUTE = dt.timedelta(minutes=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed touch on its way: the lease of its claim, how to render it, and the attempts made before this one.

    ``not_after`` is the end of the send window it was decided for; ``None`` for service mail, which may leave any time.
    """

    key: str
    campaign: str
    message: str
    lease: Lease
    render: Callable[[], RenderedMessage]
    not_after: dt.datetime | None = None
    attempts: int = 0
    rung: int = 0
    person: str = ""

    @property
    def service(self) -> bool:
        return not self.message

    def in_time(self, now: dt.datetime) -> bool:
        return self.not_after is None or now < self.not_after


class Attempts:
    """What holds for every attempt of one channel, however it is sent. ``narrow`` gives the connection of that number
    up, unless it is the last, and says whether it did."""

    def __init__(
        self,
        breaker: Breaker,
        guard: RefusalGuard,
        clock: Callable[[], dt.datetime],
        *,
        record: RecordReceipt,
        narrow: Callable[[int], bool],
    ) -> None:
        self._breaker, self._guard, self.clock = breaker, guard, clock
        self._record_receipt, self._narrow = record, narrow

    def may_leave(self, one: Claimed, now: dt.datetime) -> bool:
        """As far as the channel, its campaign and its window go; whether all is stopped is asked apart."""
        return one.in_time(now) and not self.rest(now, one.campaign)

    def rest(self, now: dt.datetime, *campaigns: str) -> bool:
        """Whether nothing of these campaigns may leave by this channel at present."""
        return self._breaker.shut(now) or self._guard.stops(*campaigns)

    def settle(self, one: Claimed, outcome: Outcome, since: dt.datetime, number: int) -> bool:
        """The receipt of an attempt by connection ``number``; whether that connection was given up."""
        now = self.clock()
        narrowed = outcome.narrow and self._narrow(number)
        if not narrowed:
            self._heed(outcome, one, now, took=now - since)
        receipt = receipt_of(self._behind_the_others(outcome, now), one.attempts, now, service=one.service)
        self._record_receipt(one, receipt, now - since)
        return narrowed

    def _behind_the_others(self, outcome: Outcome, now: dt.datetime) -> Outcome:
        until = self._breaker.until
        judged = outcome.fault in ("us", "quota")
        if not judged or until is None or not self._breaker.shut(now):
            return outcome
        return outcome._replace(retry_after=(until - now + AFTER_THE_OTHERS).total_seconds())

    def _heed(self, outcome: Outcome, one: Claimed, now: dt.datetime, *, took: dt.timedelta) -> None:
        if outcome.channel_down:
            self._breaker.fail(outcome.channel_down, now, outcome.fault or "later", at_once=took >= TIMED_OUT)
        elif outcome.verdict == RETRY and not outcome.begun and outcome.retry_after is not None:
            self._breaker.later(outcome.retry_after, now)
        elif outcome.verdict == RETRY and outcome.begun:
            self._breaker.refuse(outcome.reply, now, again=one.attempts > 0)
        elif outcome.verdict in (SENT, PERMANENT) and outcome.begun and outcome.fault != "unknown":
            self._breaker.succeed(now)


class BatchDelivery:
    """Belongs to one sender thread, for one call of ``deliver``. ``named`` are the dates in its texts, by key.

    ``refused`` says that a mark was; ``narrowed`` that the connection ``number`` was given up.
    """

    def __init__(
        self,
        claimed: Mapping[str, Claimed],
        named: Mapping[str, str],
        recorder: Recorder,
        attempts: Attempts,
        *,
        stopped: Callable[[], bool],
        number: int,
    ) -> None:
        self._claimed, self._named, self._recorder, self._attempts = claimed, named, recorder, attempts
        self._campaigns = frozenset(one.campaign for one in claimed.values())
        self._stopped, self._number = stopped, number
        self._last, self._down = attempts.clock(), False
        self._marked: set[str] = set()
        self._open: set[str] = set()  # marked and not settled
        self._settled: set[str] = set()
        self.refused = self.narrowed = False

    def mark(self, keys: Sequence[str]) -> set[str]:
        going = self._may_leave(keys)
        named = {key: self._named[key] for key in going if key in self._named}
        granted = self._recorder.mark(going, self._claimed[going[0]].lease, named) if going else ()
        leaving = set(self._may_leave(granted))  # a commit may wait for another program's
        self._marked |= leaving
        self._open |= leaving
        self.refused = self.refused or len(leaving) < len(keys)
        return leaving

    @property
    def over(self) -> bool:
        attempts = self._attempts
        return not self._open and (self._down or self._stopped() or attempts.rest(attempts.clock(), *self._campaigns))

    def settle(self, outcome: Outcome) -> None:
        self._settled.add(outcome.key)
        self._open.discard(outcome.key)
        self.narrowed |= self._attempts.settle(self._claimed[outcome.key], outcome, self._last, self._number)
        self._down |= bool(outcome.channel_down) and not self.narrowed
        self._last = self._attempts.clock()

    def untried(self) -> frozenset[str]:
        return frozenset(self._claimed.keys() - self._settled - self._marked)

    def settle_rest(self, but: Collection[str] = ()) -> None:
        for key in self._claimed.keys() - self._settled - set(but):
            silent = Outcome(key, UNCERTAIN, reply=N_("the channel gave no answer"))
            self.settle(silent if key in self._marked else Outcome(key, RELEASED, begun=False))

    def _may_leave(self, keys: Collection[str]) -> list[str]:
        now = self._attempts.clock()
        return [] if self._stopped() else [key for key in keys if self._attempts.may_leave(self._claimed[key], now)]


class SendingLog:
    """A line for each sending and for what became of it, without the person.

    They are of the level info; the first failure of each reason in a minute is a warning.
    """

    def __init__(self, channel: ChannelName, clock: Callable[[], dt.datetime]) -> None:
        self._channel, self._clock = channel, clock
        self._warned: dict[tuple[str, str], dt.datetime] = {}
        self._log = log.bind()

    def tell(self, one: Claimed, receipt: Receipt, took: dt.timedelta) -> None:
        event, reason = EVENTS[receipt.state], ""
        if event != SENT:
            reason = without_addresses(RENDER if receipt.phase == RENDER else receipt.reason or receipt.reply)
        level = self._level(event, reason)
        if not self._log.is_enabled_for(level):
            return
        about: dict[str, object] = {
            "key": one.key,
            "campaign": one.campaign,
            "message": one.message or SERVICE,
            "channel": self._channel,
            "attempt": one.attempts + 1,
            "ms": round(took.total_seconds() * 1000),
        }
        if event != SENT:
            about |= {"reason": reason, "fault": receipt.fault}
        if receipt.retry_at is not None:
            about["until"] = receipt.retry_at.isoformat()
        self._log.log(level, event, **about)

    def _level(self, event: str, reason: str) -> int:
        if event == "given_back":
            return logging.DEBUG
        if event not in ("failed", "uncertain"):
            return logging.INFO
        now = self._clock()
        if now - self._warned.get((event, reason), NEVER) < A_MINUTE:
            return logging.INFO
        self._warned = {told: at for told, at in self._warned.items() if now - at < A_MINUTE}
        self._warned[event, reason] = now
        return logging.WARNING


def receipt_of(outcome: Outcome, attempts: int, now: dt.datetime, *, service: bool = False) -> Receipt:
    """The receipt of one attempt; ``attempts`` counts those before it.

    A person who cannot be reached on this channel is decided again at once, for the next one; ``service`` mail is not
    decided, and would be tried over and over.
    """
    number = attempts + 1
    if service and outcome.unreachable:
        return _receipt(outcome, "failed", now)
    if outcome.verdict == RELEASED or (not outcome.begun and (outcome.unreachable or outcome.verdict == RETRY)):
        later = None if outcome.retry_after is None else now + dt.timedelta(seconds=outcome.retry_after)
        return _receipt(outcome, "released", now, retry_at=later)
    if outcome.unreachable:
        return _receipt(outcome, "retry", now, retry_at=now)
    not_theirs = outcome.verdict == PERMANENT and outcome.fault in ("unknown", "message")
    if outcome.verdict == RETRY or not_theirs:
        return _tried_again(outcome, number, now, service=service)
    known: Mapping[str, ReceiptState] = {SENT: "sent", PERMANENT: "failed"}
    return _receipt(outcome, known.get(outcome.verdict, "uncertain"), now)


def _tried_again(outcome: Outcome, number: int, now: dt.datetime, *, service: bool) -> Receipt:
    last = number >= MOST_ATTEMPTS
    if last and (service or outcome.own or outcome.phase == RENDER):
        given_up = outcome._replace(fault="person") if outcome.own else outcome
        return _receipt(given_up, "failed", now, reason=f"given up after {number} attempts: {outcome.reply}")
    if last and outcome.fault not in ("unknown", "message"):
        outcome = outcome._replace(fault="unknown", alike=outcome.alike or outcome.reply)
    return _receipt(outcome, "retry", now, retry_at=retry_at(outcome, min(number, len(BACK_OFF)), now))


def retry_at(outcome: Outcome, number: int, now: dt.datetime) -> dt.datetime:
    """When to try again after the ``number``-th attempt, not before the other side asked us to.

    The key adds up to a fifth, so that not all come at once; those whom a relay turns away together least of all.
    """
    spread = zlib.crc32(outcome.key.encode()) / 0xFFFFFFFF / 5
    seconds = max(BACK_OFF[number - 1] * 60, outcome.retry_after or 0)
    return now + dt.timedelta(seconds=seconds * (1 + spread))


def render_failed(key: str, failure: Exception, attempts: int, now: dt.datetime) -> Receipt:
    # What its author must mend fails for good. A defect of ours may have been of the moment: it is tried again.
    verdict = PERMANENT if isinstance(failure, CommsError) else RETRY
    return receipt_of(Outcome(key, verdict, RENDER, f"{type(failure).__name__}: {failure}"), attempts, now)


def _receipt(
    outcome: Outcome, state: ReceiptState, now: dt.datetime, *, retry_at: dt.datetime | None = None, reason: str = ""
) -> Receipt:
    words = reason or outcome.unreachable or outcome.channel_down or ("" if state == "sent" else outcome.reply)
    reason = words[:LONGEST_REASON]
    said = (outcome.phase, outcome.reply, retry_at, outcome.remote_id, outcome.unreachable, reason)
    return Receipt(outcome.key, state, now, *said, fault=outcome.fault, alike=outcome.alike)
