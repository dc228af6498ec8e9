"""How long somebody waits for the answer to a bad input: every form of all 44, each command a process of its own.

Run it as ``python -m benchmarks.faults.bad_inputs``; with words, only those whose name holds one of them.
Tells what is slowest, in seconds by the clock and of processor time; the goal is 2 seconds each on a machine at rest.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults.bad_inputs import BAD_INPUTS
from tests.faults.bad_inputs.case import Attempt, Workspace

GOAL = 2.0  # seconds
SHOWN = 10


@dataclass(frozen=True)
class Measured:
    name: str
    command: str
    status: int
    wanted: int
    clock: float
    processor: float
    memory: int


def measured(name: str, attempt: Attempt, folder: Path) -> list[Measured]:
    found = []
    for command in attempt.commands:
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        said = attempt.as_process(folder, command)
        clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append(
            Measured(name, " ".join(command), said.status, attempt.status, clock, processor, after.ru_maxrss // 1024)
        )
        if "Traceback" in said.err or "defect of its own" in said.err:
            print(f"{name}: {said.err}")
    return found


def main(words: list[str]) -> int:
    found: list[Measured] = []
    chosen = [bad for bad in BAD_INPUTS if not words or any(word in str(bad) for word in words)]
    with tempfile.TemporaryDirectory() as root:
        before = Workspace.make(Path(root) / "before" / "workspace")
        for bad in chosen:
            print(bad, file=sys.stderr)
            for number, attempt in enumerate(bad.attempts):
                folder = Path(root) / f"{bad.number}-{number}" / "workspace"
                shutil.copytree(before.folder, folder)
                attempt.prepare(folder)
                found += measured(str(bad), attempt, folder)
                folder.chmod(0o755)
    return told(found)


def told(found: list[Measured]) -> int:
    wrong = [one for one in found if one.status not in (one.wanted, 0)]
    slowest = sorted(found, key=lambda one: -one.clock)
    print(f"{len(found)} commands; load {os.getloadavg()[0]:.1f}; most memory {max(one.memory for one in found)} MB")
    print(f"{'clock':>7}{'CPU':>7}  what")
    for one in slowest[:SHOWN]:
        print(f"{one.clock:>7.2f}{one.processor:>7.2f}  {one.name}: {one.command}")
    late, busy = sum(one.clock >= GOAL for one in found), sum(one.processor >= GOAL for one in found)
    print(f"{late} took {GOAL:.0f} s or more by the clock, {busy} of processor time")
    for one in wrong:
        print(f"{one.name}: {one.command} ended with {one.status}, not {one.wanted}")
    return int(bool(late or wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
