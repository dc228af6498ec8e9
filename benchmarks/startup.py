"""How long the command line takes to answer: the median of several starts of a fresh process, in seconds."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

STARTS = 15
GOALS = {"--help": 0.25, "--version": 0.25, "apply --help": 0.25, "nonsense": 0.25}
"""Arguments and the goal for each, in seconds."""


def seconds(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "commsengine", *arguments], capture_output=True, check=False)
    return time.perf_counter() - started


def main() -> int:
    slow = False
    print(f"{'commsengine':<16}{'median':>8}{'worst':>8}{'goal':>8}")
    for arguments, goal in GOALS.items():
        seconds(arguments.split())  # the first start fills the disk cache
        times = [seconds(arguments.split()) for _ in range(STARTS)]
        print(f"{arguments:<16}{statistics.median(times):>8.3f}{max(times):>8.3f}{goal:>8.2f}")
        slow = slow or statistics.median(times) > goal
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
