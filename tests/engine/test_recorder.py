from __future__ import annotations

import datetime as dt
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from commsengine.engine.journal import Journal
from commsengine.engine.sending.recorder import Recorder
from commsengine.store.records import Commit, Lease, Marked, Receipt, ToRecord
from tests.builders import utc
from tests.fakes import Clock
from tests.waiting import PATIENCE, expect

NOW = utc("2027-01-11")


def under(fence: int) -> Lease:
    return Lease("me", fence, NOW + dt.timedelta(minutes=10))


class Ledger:
    """Remembers its commits; each takes a moment, as a disk does."""

    def __init__(self) -> None:
        self.commits: list[list[tuple[int, list[str], list[str]]]] = []
        self.broken = False
        self.poisoned: set[int] = set()
        self.go, self.begun = threading.Event(), threading.Event()
        self.go.set()

    def record(self, work: Mapping[Lease, ToRecord], now: dt.datetime) -> dict[Lease, Commit]:
        self.begun.set()
        self.go.wait(PATIENCE)
        if self.broken or any(lease.fence in self.poisoned for lease in work):
            raise OSError("disk full")
        self.commits.append([(lease.fence, list(each.marks), _keys(each.receipts)) for lease, each in work.items()])
        return {lease: _kept(each) for lease, each in work.items()}

    def still_ours(self, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]:
        return set()


def _keys(receipts: Sequence[Receipt]) -> list[str]:
    return [receipt.key for receipt in receipts]


def _kept(work: ToRecord) -> Commit:
    marked = [leaving(key) for key in work.marks if not key.startswith("paused")]
    return Commit(marked, {receipt.key: receipt.state for receipt in work.receipts})


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


def test_marks_and_receipts_of_several_claims_share_a_commit() -> None:
    ledger = Ledger()
    writer = a_writer(ledger)
    ledger.go.clear()
    writer.settle([Receipt("first", "sent", NOW)], under(1))
    granted: queue.Queue[tuple[str, set[str]]] = queue.Queue()
    writer.request_mark(["begun"], under(1), {}, lambda keys: granted.put(("begun", keys)))
    assert ledger.begun.wait(PATIENCE)
    writer.settle([Receipt("a", "sent", NOW)], under(1))
    for fence, keys in ((2, ["b", "paused-b"]), (3, ["c"])):
        writer.request_mark(keys, under(fence), {}, lambda keys, fence=fence: granted.put((f"{fence}", keys)))
    ledger.go.set()
    assert [granted.get(timeout=PATIENCE) for _ in range(3)] == [("begun", {"begun"}), ("2", {"b"}), ("3", {"c"})]
    writer.close()
    assert ledger.commits[-1] == [(1, [], ["a"]), (2, ["b", "paused-b"], []), (3, ["c"], [])]


def test_receipts_are_kept_although_no_mark_follows() -> None:
    ledger = Ledger()
    writer = a_writer(ledger)
    writer.settle([Receipt("k1", "sent", NOW)], under(1))
    expect(lambda: ledger.commits)
    writer.close()


def test_what_one_claim_cannot_keep_does_not_hold_up_the_others() -> None:
    ledger = Ledger()
    writer = a_writer(ledger)
    ledger.poisoned = {1}
    writer.settle([Receipt("k1", "sent", NOW)], under(1))
    assert writer.mark(["k2"], under(2)) == {"k2"}
    ledger.poisoned = set()
    assert writer.flush(PATIENCE)
    writer.close()
    assert ledger.commits == [[(2, ["k2"], [])], [(1, [], ["k1"])]]


def test_each_claim_is_written_under_its_own_fence() -> None:
    ledger = Ledger()
    writer = a_writer(ledger)
    ledger.go.clear()
    for fence in (1, 2, 3):
        writer.settle([Receipt(f"k{fence}", "sent", NOW)], under(fence))
    ledger.go.set()
    assert writer.flush(PATIENCE)
    writer.close()
    assert sorted(each for commit in ledger.commits for each in commit) == [
        (1, [], ["k1"]), (2, [], ["k2"]), (3, [], ["k3"])
    ]  # fmt: skip


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
    assert ledger.commits == [[(1, [], ["k1"])]]


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
    assert writer.mark(["k1"], under(1)) == set()
    (tmp_path / "state").unlink()
    assert writer.flush(PATIENCE)
    assert writer.mark(["k2"], under(1)) == {"k2"}
    writer.close()


def test_closing_writes_what_waits() -> None:
    ledger = Ledger()
    writer = a_writer(ledger)
    writer.settle([Receipt("k1", "sent", NOW)], under(1))
    writer.close()
    assert ledger.commits == [[(1, [], ["k1"])]]
    assert writer.mark(["k2"], under(1)) == set()


def test_what_was_marked_and_taken_back_is_in_the_journal_before_its_row_is_gone(tmp_path: Path) -> None:
    """Whoever dies between the two must not be taken for a restored database."""
    journal, seen = Journal(tmp_path), list[str]()

    class Looking(Ledger):
        def record(self, work: Mapping[Lease, ToRecord], now: dt.datetime) -> dict[Lease, Commit]:
            seen.extend(entry.state for entry in journal.since(1).values())
            return super().record(work, now)

    writer = a_writer(Looking(), journal)
    assert writer.mark(["a"], under(7)) == {"a"}
    writer.settle([Receipt("a", "released", NOW), Receipt("never-marked", "released", NOW)], under(7))
    assert writer.flush(PATIENCE)
    writer.close()
    assert seen == ["released"]
    assert {key: entry.state for key, entry in journal.since(1).items()} == {"a": "released"}
