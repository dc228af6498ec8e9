"""Two workers beside one: a relay that answers after 20 ms, eight connections a worker, one durable PostgreSQL.

Each round sends to so many people with one worker and with two, in turns; the first and the last tenth of the messages
are not counted, for workers start and end. The relay of the two takes sixteen connections: it is the provider's limit
that is divided among workers. Beside the rates stand the shares of what such a relay takes, and the CPU seconds of the
workers for 1,000 messages: where two workers, the server and the relay need all cores, the ratio says nothing of
workers.

    .venv/bin/python -m benchmarks.workers --people 8000 --rounds 3
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.sink import Sink
from tests.faults.machines import SCHEDULER, WORKER, Machine, hosts
from tests.postgres import start_postgres
from tests.waiting import expect

CONNECTIONS = 8
LAST = 600.0
"""Seconds for one sending."""

LOOKS = 0.02
"""Seconds between two looks at the relay's count."""


TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sent:
    """Messages a second, and the workers' CPU seconds for 1,000."""

    rate: float
    cpu: float


def measure(workers: int, people: int, delay_ms: int) -> Sent:
    server = start_postgres(durable=True)
    try:
        with tempfile.TemporaryDirectory() as folder, Sink(delay_ms=delay_ms) as relay:
            return _measure(Path(folder), server.url, relay, workers, people)
    finally:
        server.stop()


def _measure(folder: Path, database: str, relay: Sink, workers: int, people: int) -> Sent:
    settings = {
        "COMMSENGINE_DATABASE_URL": database,
        "COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{relay.port}",
        "COMMSENGINE_SMTP_CONNECTIONS": str(CONNECTIONS * workers),
    }
    with hosts(folder, settings, people) as house:
        at_work = [house.start(WORKER) for _ in range(workers)]
        for worker in at_work:
            expect(worker.is_ready)
        house.start(SCHEDULER)
        tenth = people // 10
        began, already = _when(relay, tenth)
        before = _cpu(at_work)
        ended, by_then = _when(relay, people - tenth)
        used = _cpu(at_work) - before
    sent = by_then - already
    return Sent(sent / (ended - began), 1000 * used / sent)


def _cpu(machines: Sequence[Machine]) -> float:
    """Seconds so far."""
    stats = [Path(f"/proc/{each.process.pid}/stat").read_text() for each in machines if each.process]
    return sum(sum(map(int, stat.rpartition(")")[2].split()[11:13])) for stat in stats) / TICKS


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
    wanted.add_argument("--people", type=int, default=8000)
    wanted.add_argument("--rounds", type=int, default=3)
    wanted.add_argument("--delay", type=int, default=20, help="milliseconds after which the relay answers")
    given = wanted.parse_args()
    ideal = 1000 / given.delay * CONNECTIONS
    ratios = []
    for number in range(1, given.rounds + 1):
        one, two = (measure(workers, given.people, given.delay) for workers in (1, 2))
        ratios.append(two.rate / one.rate)
        said = (
            f"{name} {each.rate:.0f}/s, {each.rate / workers / ideal:.2f} of the ideal, {each.cpu:.2f} CPU s/1,000"
            for workers, name, each in ((1, "one worker", one), (2, "two", two))
        )
        print(f"round {number}: {'; '.join(said)}; ratio {ratios[-1]:.2f}", flush=True)
    print(f"two ÷ one, median: {statistics.median(ratios):.2f} (goal 1.6, stretch 1.9)")


if __name__ == "__main__":
    main()
