"""What a message costs: one tick of the whole program to so many people, over SMTP to a sink on loopback.

CPU seconds are those of the tick's process, less those of a tick with nothing to do: start-up stands beside them.
``--against`` measures another checkout of the program in turn with this one, in the same minutes: machines wander, so
only the ratio counts. ``due`` are the people looked at, one decision each.

    .venv/bin/python -m benchmarks.sending --people 12000
    .venv/bin/python -m benchmarks.sending --people 3000 --database postgresql
    .venv/bin/python -m benchmarks.sending --people 3000 --against ../before --rounds 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import program
from tests.postgres import start_postgres
from tests.servers import SmtpSink
from tests.stories.campaign import IN_FORCE, write_for
from tests.stories.program import HERE, Program


@dataclass(frozen=True)
class Cost:
    """Of one round; both for 1,000 messages."""

    cpu: float
    wall: float
    start: float
    decisions: float

    def __str__(self) -> str:
        return (
            f"{self.cpu:6.2f} CPU s and {self.wall:6.2f} s per 1,000 messages; {self.decisions:.2f} people looked at a "
            f"message; start-up {self.start:.2f} CPU s"
        )


@contextmanager
def database(kind: str) -> Iterator[Mapping[str, str]]:
    """The setting that names a new database; a SQLite file needs none."""
    if kind == "sqlite":
        yield {}
        return
    server = start_postgres(durable=True)
    try:
        yield {"COMMSENGINE_DATABASE_URL": server.url}
    finally:
        server.stop()


def cost(tree: str, people: int, kind: str) -> Cost:
    with tempfile.TemporaryDirectory() as folder, SmtpSink() as sink, database(kind) as named:
        settings = {"COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{sink.port}", **named}
        write_for(Program(Path(folder)), people)
        for command in IN_FORCE:
            program(Path(folder), *command, settings=settings, tree=tree)
        sent, idle = (program(Path(folder), "tick", "--json", settings=settings, tree=tree) for _ in range(2))
        told = json.loads(sent.out)
        arrived = len(set(sink.recipients))
    if (arrived, told["sent"]) != (people, people):
        raise SystemExit(f"{arrived} of {people} have it, {told['sent']} are told: {tree}")
    thousands = people / 1000
    return Cost((sent.cpu - idle.cpu) / thousands, (sent.wall - idle.wall) / thousands, idle.cpu, told["due"] / people)


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--people", type=int, default=3000)
    wanted.add_argument("--rounds", type=int, default=1)
    wanted.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    wanted.add_argument("--against", type=Path, help="another checkout of the program")
    given = wanted.parse_args()
    before = str(given.against.resolve()) if given.against else ""
    cpu, wall = [], []
    for number in range(1, given.rounds + 1):
        here = cost(HERE, given.people, given.database)
        print(f"round {number}, this:  {here}", flush=True)
        if before:
            other = cost(before, given.people, given.database)
            print(f"round {number}, other: {other}", flush=True)
            cpu.append(other.cpu / here.cpu)
            wall.append(other.wall / here.wall)
    if before:
        ratio = f"CPU {statistics.median(cpu):.2f}, time {statistics.median(wall):.2f}"
        print(f"other ÷ this, median of {given.rounds}: {ratio}")


if __name__ == "__main__":
    main()
