"""What a message costs: one tick of the whole program to so many people, over SMTP to a sink on loopback.

CPU seconds are those of the tick's process, less those of a tick with nothing to do: start-up stands beside them.
``--against`` measures another checkout of the program in turn with this one, in the same minutes: machines wander, so
only the ratio counts. ``due`` are the people looked at, one decision each.

    .venv/bin/python -m benchmarks.sending --people 12000
    .venv/bin/python -m benchmarks.sending --people 3000 --against ../before --rounds 5
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.servers import SmtpSink
from tests.stories.campaign import IN_FORCE, write_for
from tests.stories.program import HERE, Program


@dataclass(frozen=True)
class Sent:
    """One tick: wall seconds, CPU seconds, and its JSON."""

    wall: float
    cpu: float
    told: dict[str, int]


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


def run(tree: str, folder: Path, *arguments: str, port: int) -> Sent:
    own = {"PYTHONPATH": tree, "COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{port}", "PYTHONDONTWRITEBYTECODE": ""}
    given = {name: value for name, value in os.environ.items() if not name.startswith("COMMSENGINE_")}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "commsengine", *arguments], cwd=folder, env={**given, **own}, stdout=subprocess.PIPE
    )
    out = process.stdout.read() if process.stdout else b""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed in {tree}: {out.decode()}")
    told = json.loads(out) if "--json" in arguments else {}
    return Sent(time.perf_counter() - began, used.ru_utime + used.ru_stime, told)


def cost(tree: str, people: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder, SmtpSink() as sink:
        write_for(Program(Path(folder)), people)
        for command in IN_FORCE:
            run(tree, Path(folder), *command, port=sink.port)
        sent = run(tree, Path(folder), "tick", "--json", port=sink.port)
        idle = run(tree, Path(folder), "tick", "--json", port=sink.port)
        arrived = len(set(sink.recipients))
    if (arrived, sent.told["sent"]) != (people, people):
        raise SystemExit(f"{arrived} of {people} have it, {sent.told['sent']} are told: {tree}")
    thousands = people / 1000
    return Cost(
        (sent.cpu - idle.cpu) / thousands, (sent.wall - idle.wall) / thousands, idle.cpu, sent.told["due"] / people
    )


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--people", type=int, default=3000)
    wanted.add_argument("--rounds", type=int, default=1)
    wanted.add_argument("--against", type=Path, help="another checkout of the program")
    given = wanted.parse_args()
    before = str(given.against.resolve()) if given.against else ""
    cpu, wall = [], []
    for number in range(1, given.rounds + 1):
        here = cost(HERE, given.people)
        print(f"round {number}, this:  {here}", flush=True)
        if before:
            other = cost(before, given.people)
            print(f"round {number}, other: {other}", flush=True)
            cpu.append(other.cpu / here.cpu)
            wall.append(other.wall / here.wall)
    if before:
        ratio = f"CPU {statistics.median(cpu):.2f}, time {statistics.median(wall):.2f}"
        print(f"other ÷ this, median of {given.rounds}: {ratio}")


if __name__ == "__main__":
    main()
