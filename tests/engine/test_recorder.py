from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from commsengine.engine.journal import Journal
from commsengine.engine.sending.recorder import Recorder
from commsengine.store.records import Commit, Lease, Marked, Receipt
from tests.builders import utc
from tests.fakes import Clock
from tests.waiting import PATIENCE

NOW = utc("2027-01-11")


def under(fence: int) -> Lease:
    return Lease("me", fence, NOW + dt.timedelta(minutes=10))


class Ledger:
    """Remembers its commits; each takes a moment, as a disk does."""

    def __init__(self) -> None:
        self.commits: list[tuple[list[str], list[str], int]] = []
        self.broken = False
        self.go = threading.Event()
        self.go.set()

    def record(
        self,
        marks: Sequence[str],
        receipts: Sequence[Receipt],
        lease: Lease,
        now: dt.datetime,
        named: Mapping[str, str],
    ) -> Commit:
        self.go.wait(PATIENCE)
        if self.broken:
            raise OSError("disk full")
        self.commits.append((list(marks), [receipt.key for receipt in receipts], lease.fence))
        marked = [leaving(key) for key in marks if not key.startswith("paused")]
        return Commit(marked, {receipt.key: receipt.state for receipt in receipts})

    def still_ours(self, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]:
        return set()


def leaving(key: str) -> Marked:
    return Marked(key, "message", "crm", "one-record", NOW.date(), 0, "sales", "email", 1, 1, NOW)


def a_writer(ledger: Ledger, journal: Journal | None = None) -> Recorder:
    return Recorder(ledger, clock=Clock(NOW), journal=journal)


def test_marks_that_wait_for_one_commit_share_the_next() -> None:
    ledger = Ledger()
    writer = a_writer(ledger)
    ledger.go.clear()
    with ThreadPoolExecutor(9) as senders:
        granted = [senders.submit(writer.mark, [f"k{number}"], under(1)) for number in range(9)]
        time.sleep(0.3)
        ledger.go.set()
        assert [future.result() for future in granted] == [{f"k{number}"} for number in range(9)]
    writer.close()
    assert len(ledger.commits) <= 2


def test_only_granted_keys_come_back() -> None:
    writer = a_writer(Ledger())
    assert writer.mark(["a", "paused-b"], under(1)) == {"a"}
    writer.close()


def test_each_claim_is_written_under_its_own_fence() -> None:
    ledger = Ledger()
    writer = a_writer(ledger)
    ledger.go.clear()
    for fence in (1, 2, 3):
        writer.settle([Receipt(f"k{fence}", "sent", NOW)], under(fence))
    ledger.go.set()
    assert writer.flush(PATIENCE)
    writer.close()
    assert sorted((keys, fence) for _, keys, fence in ledger.commits) == [(["k1"], 1), (["k2"], 2), (["k3"], 3)]


def test_while_receipts_cannot_be_kept_nothing_may_leave_and_none_is_lost() -> None:
    ledger = Ledger()
    writer = a_writer(ledger)
    ledger.broken = True
    writer.settle([Receipt("k1", "sent", NOW)], under(1))
    assert writer.mark(["k2"], under(1)) == set()
    assert not writer.flush(0.1)
    ledger.broken = False
    assert writer.flush(PATIENCE)
    writer.close()
    assert [keys for _, keys, _ in ledger.commits] == [["k1"]]


def test_what_leaves_and_what_became_of_it_is_in_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    writer = a_writer(Ledger(), journal)
    assert writer.mark(["a", "paused-b"], under(7)) == {"a"}
    assert {key: entry.state for key, entry in journal.since(1).items()} == {"a": "sending"}
    writer.settle([Receipt("a", "sent", NOW)], under(7))
    assert writer.flush(PATIENCE)
    writer.close()
    assert {key: (entry.state, entry.fence) for key, entry in journal.since(1).items()} == {"a": ("sent", 7)}


def test_what_cannot_be_journalled_does_not_leave(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("where a folder should be")
    ledger = Ledger()
    writer = a_writer(ledger, Journal(tmp_path / "state"))
    assert writer.mark(["k1"], 1) == set()
    (tmp_path / "state").unlink()
    assert writer.flush(PATIENCE)
    assert writer.mark(["k2"], under(1)) == {"k2"}
    writer.close()


def test_closing_writes_what_waits() -> None:
    ledger = Ledger()
    writer = a_writer(ledger)
    writer.settle([Receipt("k1", "sent", NOW)], under(1))
    writer.close()
    assert [keys for _, keys, _ in ledger.commits] == [["k1"]]
    assert writer.mark(["k2"], under(1)) == set()


def test_what_was_marked_and_taken_back_is_in_the_journal_before_its_row_is_gone(tmp_path: Path) -> None:
    """Whoever dies between the two must not be taken for a restored database."""
    journal, seen = Journal(tmp_path), list[str]()

    class Looking(Ledger):
        def record(
            self,
            marks: Sequence[str],
            receipts: Sequence[Receipt],
            lease: Lease,
            now: dt.datetime,
            named: Mapping[str, str],
        ) -> Commit:
            seen.extend(entry.state for entry in journal.since(1).values())
            return super().record(marks, receipts, lease, now, named)

    writer = a_writer(Looking(), journal)
    assert writer.mark(["a"], under(7)) == {"a"}
    writer.settle([Receipt("a", "released", NOW), Receipt("never-marked", "released", NOW)], under(7))
    assert writer.flush(PATIENCE)
    writer.close()
    assert seen == ["released"]
    assert {key: entry.state for key, entry in journal.since(1).items()} == {"a": "released"}
