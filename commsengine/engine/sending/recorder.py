"""The one thread that writes: it gathers the marks and receipts of all senders into common commits.

1. While a commit runs, senders hand in more; the next commit takes everything that waits, whatever claims it is of.
   Marks go as soon as the thread is free. Receipts alone wait a moment for the marks of others: a row without its
   receipt is ``sending``, so nothing is lost.
2. Marks and receipts go into one commit, then into the journal; what was marked and taken back goes into the journal
   first, for its row is gone with the commit, and a journal that still has it would take the database for a copy. If
   one of them fails (disk full, database gone) no mark is granted, and what is not on record is kept and tried again,
   every second and once more at the end: nothing leaves without a place for its outcome. A failure that lasts is
   logged once.
3. Each claim has its own fence, so what is left of a claim that was given back and claimed again can neither mark nor
   settle it.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from commsengine.cadence.kinds_and_states import ReceiptState
from commsengine.engine.journal import Journal
from commsengine.errors import CommsError
from commsengine.store.records import Commit, JudgedReceipt, Lease, Receipt, ToRecord

RELEASED: ReceiptState = "released"
WAIT_AFTER_FAILURE = 1.0  # seconds
RECEIPTS_WAIT = 0.2  # seconds, for the next mark's commit
NO_DATES: Mapping[str, str] = {}

Answered = Callable[[set[str]], object]
"""Hears which of the keys may leave. It is called by the writing thread, so it is quick and never raises."""

log = structlog.get_logger(__name__)


def loggable(failure: Exception) -> str:
    # our own sentence, or only the kind of an error with words that are not ours
    return failure.message if isinstance(failure, CommsError) else type(failure).__name__


class TouchRecords(Protocol):
    """The part of the store that this thread writes to."""

    def record(self, work: Mapping[Lease, ToRecord], now: dt.datetime) -> Mapping[Lease, Commit]: ...

    def still_ours(self, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]: ...


@dataclass(slots=True)
class Unwritten:
    """What waits to be written for one claim. ``named`` are the dates in the texts that are to be marked."""

    mark_requests: list[tuple[Sequence[str], Answered]] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> ToRecord:
        marks = [key for keys, _ in self.mark_requests for key in keys]
        return ToRecord(marks, self.receipts, self.named)

    def answer(self, granted: set[str]) -> None:
        for keys, answered in self.mark_requests:
            answered(granted.intersection(keys))


class Recorder:
    """Belongs to one engine. Any thread may call it; ``mark`` waits, ``request_mark`` and ``settle`` return at once.

    ``heed`` hears of each receipt with a refusal that the store has judged, once it is on record.
    """

    def __init__(
        self,
        touches: TouchRecords,
        *,
        clock: Callable[[], dt.datetime],
        journal: Journal | None = None,
        heed: Callable[[JudgedReceipt], None] = lambda _: None,
    ) -> None:
        self._touches, self._clock, self._journal, self._heed = touches, clock, journal, heed
        self._unwritten: dict[Lease, Unwritten] = {}
        self._marked: set[str] = set()  # what the journal has as leaving; the writing thread's own
        self._busy = self._failed = self._closing = self._given_up = False
        self._trouble: Exception | None = None
        self._last_logged = ""
        self._flushing = 0
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def request_mark(self, keys: Sequence[str], lease: Lease, named: Mapping[str, str], answered: Answered) -> None:
        """Makes these touches ``sending``, durably; ``answered`` hears which of them may leave, once that is on record.

        ``named`` are the dates in their texts, by key: what people have read is kept in the same commit.
        """
        with self._news:
            closing = self._closing
            if not closing:
                waiting = self._unwritten.setdefault(lease, Unwritten())
                waiting.mark_requests.append((keys, answered))
                waiting.named.update(named)
                self._news.notify_all()
        if closing:
            answered(set())

    def mark(self, keys: Sequence[str], lease: Lease, named: Mapping[str, str] = NO_DATES) -> set[str]:
        """As ``request_mark``, and waits for the answer."""
        if not keys:
            return set()
        granted: Future[set[str]] = Future()
        self.request_mark(keys, lease, named, granted.set_result)
        return granted.result()

    def settle(self, receipts: Sequence[Receipt], lease: Lease) -> None:
        with self._news:
            if not self._unwritten:
                self._news.notify_all()
            if (waiting := self._unwritten.get(lease)) is None:
                waiting = self._unwritten[lease] = Unwritten()
            waiting.receipts.extend(receipts)

    def still_ours(self, keys: Sequence[str], lease: Lease) -> set[str]:
        return self._touches.still_ours(keys, lease, self._clock())

    def flush(self, timeout: float = 60.0) -> bool:
        """Wait until everything handed in is kept; ``False`` when that took longer than ``timeout`` seconds."""
        with self._news:
            self._flushing += 1
            self._news.notify_all()
            try:
                return self._news.wait_for(lambda: not (self._unwritten or self._busy), timeout)
            finally:
                self._flushing -= 1

    def take_trouble(self) -> Exception | None:
        """The last failure to write since this was asked before."""
        with self._news:
            trouble, self._trouble = self._trouble, None
            return trouble

    def close(self, timeout: float = 10.0) -> None:
        """Writes what waits, then ends the thread. What cannot be written stays ``sending`` and is uncertain later."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._thread.join(timeout)
        lost = sum(len(unwritten.receipts) for unwritten in self._unwritten.values())
        if lost:
            log.error("receipts_not_kept", count=lost)

    def _run(self) -> None:
        while waiting := self._next():
            kept = self._write(waiting)
            with self._news:
                self._busy, self._failed = False, not kept
                for lease, unwritten in waiting.items():
                    if unwritten.receipts:
                        self._unwritten.setdefault(lease, Unwritten()).receipts[:0] = unwritten.receipts
                self._news.notify_all()

    def _next(self) -> dict[Lease, Unwritten]:
        with self._news:
            if self._failed:
                self._news.wait_for(lambda: self._closing, WAIT_AFTER_FAILURE)
            self._news.wait_for(lambda: self._unwritten or self._closing)
            self._news.wait_for(self._pressing, RECEIPTS_WAIT)
            if self._failed and self._closing and self._given_up:
                for unwritten in self._unwritten.values():
                    unwritten.answer(set())
                return {}
            self._given_up = self._closing
            waiting, self._unwritten, self._busy = self._unwritten, {}, True
            return waiting

    def _pressing(self) -> bool:
        marks = any(unwritten.mark_requests for unwritten in self._unwritten.values())
        return marks or self._flushing > 0 or self._closing

    def _write(self, waiting: Mapping[Lease, Unwritten]) -> bool:
        # one commit; whatever goes wrong, the receipts survive, and nothing unmarked leaves
        now = self._clock()
        try:
            self._write_down(self._taken_back(waiting), now)
            recorded = self._touches.record({lease: unwritten.work for lease, unwritten in waiting.items()}, now)
        except Exception as failure:
            if len(waiting) > 1:  # what one claim cannot keep does not hold up the others
                kept = [self._write({lease: unwritten}) for lease, unwritten in waiting.items()]
                return all(kept)
            self._answer(waiting, {}, failure)
            return False
        for commit in recorded.values():
            for each in commit.judged:
                self._heed(each)
        return self._let_go(waiting, recorded, now)

    def _taken_back(self, waiting: Mapping[Lease, Unwritten]) -> dict[int, Commit]:
        back = {
            lease.fence: {e.key: RELEASED for e in unwritten.receipts if e.state == RELEASED and e.key in self._marked}
            for lease, unwritten in waiting.items()
        }
        return {fence: Commit(settled=settled) for fence, settled in back.items() if settled}

    def _let_go(self, waiting: Mapping[Lease, Unwritten], recorded: Mapping[Lease, Commit], now: dt.datetime) -> bool:
        # what cannot be written in the journal does not leave
        failure: CommsError | None = None
        try:
            self._write_down({lease.fence: _without_released(commit) for lease, commit in recorded.items()}, now)
        except CommsError as error:
            failure = error
        leaving = {lease: {each.key for each in commit.marked} for lease, commit in recorded.items()}
        self._marked.difference_update(each.key for unwritten in waiting.values() for each in unwritten.receipts)
        self._marked.update(*leaving.values())
        for unwritten in waiting.values():
            unwritten.receipts = []
        self._answer(waiting, {} if failure else leaving, failure)
        return failure is None

    def _write_down(self, commits: Mapping[int, Commit], now: dt.datetime) -> None:
        if self._journal is not None:
            self._journal.write(commits, now)

    def _answer(
        self, waiting: Mapping[Lease, Unwritten], leaving: Mapping[Lease, set[str]], failure: Exception | None
    ) -> None:
        self._log(failure)
        for lease, unwritten in waiting.items():
            unwritten.answer(leaving.get(lease, set()))

    def _log(self, failure: Exception | None) -> None:
        # a full disk fails every second for hours: logged when it begins, when it changes and when it is over
        what = loggable(failure) if failure else ""
        if what and what != self._last_logged:
            log.error("record_failed", error=what)
        elif self._last_logged and not what:
            log.warning("records_again", after=self._last_logged)
        self._last_logged = what
        if failure is not None:
            with self._news:
                self._trouble = failure


def _without_released(commit: Commit) -> Commit:
    if RELEASED not in commit.settled.values():
        return commit
    return replace(commit, settled={key: state for key, state in commit.settled.items() if state != RELEASED})
