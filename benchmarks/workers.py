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
from pathlib import Path

from tests.faults.machines import SCHEDULER, WORKER, machines
from tests.faults.witness import Rule, smtp_witness
from tests.postgres import start_postgres

CONNECTIONS = 8
ROUND_TRIP = 0.02
LAST = 600.0  # seconds


def rate(workers: int, people: int) -> float:
    """Messages a second."""
    server = start_postgres()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _rate(Path(folder), server.url, workers, people)
    finally:
        server.stop()


def _rate(folder: Path, database: str, workers: int, people: int) -> float:
    slow = [Rule(at, wait=ROUND_TRIP) for at in ("mail", "rcpt", "data", "dot")]
    with smtp_witness(folder / "witness", *slow) as witness, machines(folder, database, witness, people) as house:
        more = {"COMMSENGINE_SMTP_CONNECTIONS": str(CONNECTIONS * workers)}
        for _ in range(workers):
            house.start(WORKER, **more)
        house.start(SCHEDULER, **more)
        if not witness.wait_for(people, LAST):
            raise SystemExit(f"{len(witness.arrivals())} of {people} arrived in {LAST:.0f} seconds")
        instants = sorted(arrival.at for arrival in witness.arrivals())
    counted = instants[people // 10 : -people // 10]
    return (len(counted) - 1) / (counted[-1] - counted[0])


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--people", type=int, default=4000)
    wanted.add_argument("--rounds", type=int, default=3)
    given = wanted.parse_args()
    ratios = []
    for number in range(1, given.rounds + 1):
        one, two = rate(1, given.people), rate(2, given.people)
        ratios.append(two / one)
        print(f"round {number}: one worker {one:.0f}/s, two {two:.0f}/s, ratio {ratios[-1]:.2f}", flush=True)
    print(f"two ÷ one, median: {statistics.median(ratios):.2f} (goal 1.6, stretch 1.9)")


if __name__ == "__main__":
    main()
