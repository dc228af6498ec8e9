"""Two workers beside one: a relay that answers after 20 ms, eight connections a worker, one PostgreSQL.

Each round sends to so many people with one worker and with two, in turns; the first and the last tenth of the messages
are not counted, for workers start and end. The relay of the two takes sixteen connections: it is the provider's limit
that is divided among workers.

    .venv/bin/python -m benchmarks.workers --people 4000 --rounds 3
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.speed.sink import Sink
from tests.faults.machines import SCHEDULER, WORKER, hosts
from tests.postgres import start_postgres
from tests.waiting import expect

CONNECTIONS = 8
LAST = 600.0
"""Seconds for one sending."""

LOOKS = 0.02
"""Seconds between two looks at the relay's count."""


def rate(workers: int, people: int, delay_ms: int) -> float:
    """Messages a second."""
    server = start_postgres()
    try:
        with tempfile.TemporaryDirectory() as folder, Sink(delay_ms=delay_ms) as relay:
            return _rate(Path(folder), server.url, relay, workers, people)
    finally:
        server.stop()


def _rate(folder: Path, database: str, relay: Sink, workers: int, people: int) -> float:
    settings = {
        "COMMSENGINE_DATABASE_URL": database,
        "COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{relay.port}",
        "COMMSENGINE_SMTP_CONNECTIONS": str(CONNECTIONS * workers),
    }
    with hosts(folder, settings, people) as house:
        for worker in [house.start(WORKER) for _ in range(workers)]:
            expect(worker.is_ready)
        house.start(SCHEDULER)
        tenth = people // 10
        began, already = _when(relay, tenth)
        ended, by_then = _when(relay, people - tenth)
    return (by_then - already) / (ended - began)


def _when(relay: Sink, count: int) -> tuple[float, int]:
    """The time, in seconds, when the relay has so many messages, and how many it has."""
    until = time.monotonic() + LAST
    while (here := relay.received().messages) < count:
        if time.monotonic() > until:
            raise SystemExit(f"{here} of {count} arrived in {LAST:.0f} seconds")
        time.sleep(LOOKS)
    return time.monotonic(), here


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--people", type=int, default=4000)
    wanted.add_argument("--rounds", type=int, default=3)
    wanted.add_argument("--delay", type=int, default=20, help="milliseconds after which the relay answers")
    given = wanted.parse_args()
    ratios = []
    for number in range(1, given.rounds + 1):
        one, two = (rate(workers, given.people, given.delay) for workers in (1, 2))
        ratios.append(two / one)
        print(f"round {number}: one worker {one:.0f}/s, two {two:.0f}/s, ratio {ratios[-1]:.2f}", flush=True)
    print(f"two ÷ one, median: {statistics.median(ratios):.2f} (goal 1.6, stretch 1.9)")


if __name__ == "__main__":
    main()
