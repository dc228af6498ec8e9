"""What it costs to keep one message's mark, receipt and journal lines, in groups of several sizes.

A commit takes the marks of one group and the receipts of the one before it, as the recorder's do while a campaign
sends. Microseconds are of CPU, for one message. The anchor is the least that a program could do: sqlite3's
``executemany`` of the same updates and inserts by their keys, in as many transactions, without a condition.

    .venv/bin/python -m benchmarks.recording
    .venv/bin/python -m benchmarks.recording --postgres --groups 1 32
"""

from __future__ import annotations

import argparse
import datetime as dt
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise
from pathlib import Path

from commsengine.cadence.history import Decision
from commsengine.engine.journal import Journal
from commsengine.store.database import sqlite_url
from commsengine.store.records import Receipt, ToRecord
from commsengine.store.store import Store
from tests.builders import someone
from tests.postgres import start_postgres
from tests.store.scene import LATER, NOW, a_touch, epochs, lease, running

GROUPS = (1, 3, 8, 32, 128)
LEAST, MOST = 256, 2048
"""Messages of one measurement."""


class Stopwatch:
    """CPU seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds += time.process_time() - began


def claimed(store: Store, day: int, count: int) -> list[str]:
    """The keys of the touches of so many people on that day."""
    date = NOW.date() + dt.timedelta(day)
    touches = [a_touch(someone(number).id, local_date=date) for number in range(count)]
    decisions = [(Decision(each.person, (each,), LATER), 1) for each in touches]
    won = store.outbox.claim(decisions, lease(), epochs=epochs(store), versions={"crm": 1}, now=NOW)
    return [touch.key for touch in won]


def groups_of(keys: Sequence[str], size: int) -> list[Sequence[str]]:
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def kept(store: Store, journal: Journal, keys: Sequence[str], size: int) -> tuple[float, float]:
    """Microseconds a message: of the commits, and of the journal."""
    commits, lines = Stopwatch(), Stopwatch()
    for arrived, leaving in pairwise([(), *groups_of(keys, size), ()]):
        receipts = [Receipt(key, "sent", NOW, "reply", f"250 queued as {key}", remote_id=key) for key in arrived]
        with commits.running():
            done = store.outbox.record({lease(): ToRecord(leaving, receipts)}, NOW)
        with lines.running():
            journal.write({each.fence: commit for each, commit in done.items()}, NOW)
    return commits.seconds / len(keys) * 1e6, lines.seconds / len(keys) * 1e6


def anchor(file: Path, keys: Sequence[str], size: int) -> float:
    watch = Stopwatch()
    with closing(sqlite3.connect(file, isolation_level=None)) as raw, watch.running():
        raw.execute("PRAGMA synchronous=FULL")
        for arrived, leaving in pairwise([(), *groups_of(keys, size), ()]):
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany(
                "UPDATE touch SET state = 'sent', sent_at = ?, attempts = attempts + 1, owner = '' WHERE key = ?",
                [(str(NOW), key) for key in arrived],
            )
            raw.executemany(
                "INSERT INTO attempt (key, n, at, owner, fence, channel, verdict, phase, reply, remote_id)"
                " VALUES (?, 1, ?, 'e1', 1, 'email', 'sent', 'reply', ?, ?)",
                [(key, str(NOW), f"250 queued as {key}", key) for key in arrived],
            )
            raw.executemany(
                "UPDATE touch SET state = 'sending', sending_at = ? WHERE key = ?", [(str(NOW), key) for key in leaving]
            )
            raw.execute("COMMIT")
    return watch.seconds / len(keys) * 1e6


def measure(store: Store, plain: Store, groups: Sequence[int], folder: Path) -> None:
    for each in (store, plain):
        running(each, [someone(number) for number in range(MOST)])
    assert plain.path is not None
    with closing(Journal(folder)) as journal:
        for day, size in enumerate(groups):
            count = min(MOST, max(LEAST, size * 16))
            least = anchor(plain.path, claimed(plain, day, count), size)
            commits, lines = kept(store, journal, claimed(store, day, count), size)
            costs = f"commits {commits:6.1f} µs, journal {lines:5.1f} µs; anchor {least:6.1f} µs"
            print(f"groups of {size:3}: {costs}; ÷ {(commits + lines) / least:.2f}", flush=True)


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--groups", type=int, nargs="+", default=GROUPS)
    wanted.add_argument("--postgres", action="store_true", help="on a server of its own, whose CPU is not counted")
    given = wanted.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as ends:
        folder, url = Path(name), sqlite_url(Path(name) / "store.db")
        if given.postgres:
            server = start_postgres()
            ends.callback(server.stop)
            url = server.url
        plain = ends.enter_context(Store.create(sqlite_url(folder / "plain.db")))
        measure(ends.enter_context(Store.create(url)), plain, given.groups, folder / "journal")


if __name__ == "__main__":
    main()
