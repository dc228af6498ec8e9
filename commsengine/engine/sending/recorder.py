"""The one thread that writes: it gathers the marks and receipts of all senders into common commits.

1. While a commit runs, senders queue up; the next commit takes everything that waits. Where several send, it waits a
   moment for the others: two milliseconds save most of the commits.
2. Marks and receipts go into one commit, then into the journal; what was marked and taken back goes into the journal
   first, for its row is gone with the commit, and a journal that still has it would take the database for a copy. If
   one of them fails (disk full, database gone) no mark is granted, and what is not on record is kept and tried again,
   every second and once more at the end: nothing leaves without a place for its outcome. A failure that lasts is
   logged once.
3. Each claim has its own fence, so what is left of a claim that was given back and claimed again can neither mark nor
   settle it. Claims under way at once are few; each takes one commit.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from commsengine.cadence.kinds_and_states import ReceiptState
from commsengine.engine.journal import Journal
from commsengine.errors import CommsError
from commsengine.store.records import Commit, JudgedReceipt, Lease, Marked, Receipt

RELEASED: ReceiptState = "released"
WAIT_AFTER_FAILURE = 1.0  # seconds
GATHER = 0.002  # seconds
NO_DATES: Mapping[str, str] = {}

Answered = Callable[[set[str]], object]
"""Hears which of the keys may leave."""

log = structlog.get_logger(__name__)


def loggable(failure: Exception) -> str:
    # our own sentence, or only the kind of an error with words that are not ours
    return failure.message if isinstance(failure, CommsError) else type(failure).__name__


class TouchRecords(Protocol):
    """The part of the store that this thread writes to."""

    def record(
        self,
        marks: Sequence[str],
        receipts: Sequence[Receipt],
        lease: Lease,
        now: dt.datetime,
        named: Mapping[str, str],
    ) -> Commit: ...

    def still_ours(self, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]: ...


@dataclass(slots=True)
class Unwritten:
    """What waits to be written for one claim. ``named`` are the dates in the texts that are to be marked."""

    mark_requests: list[tuple[Sequence[str], Answered]] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)

    def answer(self, granted: set[str]) -> None:
        for keys, answered in self.mark_requests:
            answered(granted.intersection(keys))


class Recorder:
    """Belongs to one engine. ``mark`` may be called from any thread and waits; ``settle`` returns at once.

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
        self._crowd = 0
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def mark(self, keys: Sequence[str], lease: Lease, named: Mapping[str, str] = NO_DATES) -> set[str]:
        """Makes these touches ``sending``, durably; the keys that come back may leave.

        ``named`` are the dates in their texts, by key: what people have read is kept in the same commit.
        """
        granted: Future[set[str]] = Future()
        self.request_mark(keys, lease, named, granted.set_result)
        return granted.result()

    def request_mark(self, keys: Sequence[str], lease: Lease, named: Mapping[str, str], answered: Answered) -> None:
        """The same without waiting: ``answered`` hears which may leave, mostly on the writing thread."""
        with self._news:
            closing = self._closing
            if keys and not closing:
                waiting = self._unwritten.setdefault(lease, Unwritten())
                waiting.mark_requests.append((keys, answered))
                waiting.named.update(named)
                self._news.notify_all()
        if closing or not keys:
            answered(set())

    def settle(self, receipts: Sequence[Receipt], lease: Lease) -> None:
        with self._news:
            self._unwritten.setdefault(lease, Unwritten()).receipts.extend(receipts)
            self._news.notify_all()

    def still_ours(self, keys: Sequence[str], lease: Lease) -> set[str]:
        return self._touches.still_ours(keys, lease, self._clock())

    def flush(self, timeout: float = 60.0) -> bool:
        """Wait until everything handed in is kept; ``False`` when that took longer than ``timeout`` seconds."""
        with self._news:
            return self._news.wait_for(lambda: not (self._unwritten or self._busy), timeout)

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
            failed = {lease: unwritten for lease, unwritten in waiting.items() if not self._write(lease, unwritten)}
            with self._news:
                self._busy, self._failed = False, bool(failed)
                for lease, unwritten in failed.items():
                    newer = self._unwritten.setdefault(lease, Unwritten())
                    newer.receipts[:0] = unwritten.receipts
                self._unwritten = {
                    lease: unwritten
                    for lease, unwritten in self._unwritten.items()
                    if unwritten.mark_requests or unwritten.receipts
                }
                self._news.notify_all()

    def _next(self) -> dict[Lease, Unwritten]:
        with self._news:
            if self._failed:
                self._news.wait_for(lambda: self._closing, WAIT_AFTER_FAILURE)
            self._news.wait_for(lambda: self._unwritten or self._closing)
            if self._crowd > 1 and not self._closing:
                self._news.wait_for(lambda: self._closing or self._waiting() >= self._crowd, GATHER)
            self._crowd = self._waiting()
            if self._failed and self._closing and self._given_up:
                for unwritten in self._unwritten.values():
                    unwritten.answer(set())
                return {}
            self._given_up = self._closing
            waiting, self._unwritten, self._busy = self._unwritten, {}, True
            return waiting

    def _waiting(self) -> int:
        return sum(len(unwritten.mark_requests) for unwritten in self._unwritten.values())

    def _write(self, lease: Lease, unwritten: Unwritten) -> bool:
        # one commit; whatever goes wrong, the receipts survive, and nothing unmarked leaves
        marks, now = [key for keys, _ in unwritten.mark_requests for key in keys], self._clock()
        taken_back = [each for each in unwritten.receipts if each.state == RELEASED and each.key in self._marked]
        try:
            if failure := self._write_down((), [(each.key, RELEASED) for each in taken_back], lease, now):
                raise failure
            recorded = self._touches.record(marks, unwritten.receipts, lease, now, unwritten.named)
        except Exception as failure:
            self._log(failure)
            unwritten.answer(set())
            return False
        for each in recorded.judged:
            self._heed(each)
        known = [(key, state) for key, state in recorded.settled.items() if state != RELEASED]
        journal_failure = self._write_down(recorded.marked, known, lease, now)
        leaving = {each.key for each in recorded.marked}
        self._marked = (self._marked - {each.key for each in unwritten.receipts}) | leaving
        unwritten.receipts = []
        self._log(journal_failure)
        unwritten.answer(set() if journal_failure else leaving)
        return journal_failure is None

    def _write_down(
        self, marked: Sequence[Marked], settled: Sequence[tuple[str, ReceiptState]], lease: Lease, now: dt.datetime
    ) -> CommsError | None:
        # what cannot be written in the journal does not leave
        if self._journal is None:
            return None
        try:
            self._journal.write(marked, settled, fence=lease.fence, now=now)
        except CommsError as failure:
            return failure
        return None

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
