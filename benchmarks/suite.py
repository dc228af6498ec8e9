"""What the whole suite costs: CPU seconds of its process tree, beside an anchor run before and after it.

``--against CHECKOUT`` runs that checkout's suite too, with its own ``.venv``; more words go to pytest. The server of
PostgreSQL is no child of the tests and is not counted.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parents[1]
SUITE = ("-m", "pytest", "-q", "--dist", "loadfile", "--no-loadscope-reorder")
LOOPS = 5


def anchor() -> float:
    """CPU seconds of ten million additions in plain Python, the quickest of several."""
    return min(_additions() for _ in range(LOOPS))


def _additions() -> float:
    began, total = time.process_time(), 0
    for number in range(10_000_000):
        total += number
    return time.process_time() - began


def suite_cpu(checkout: Path, workers: int, words: list[str]) -> tuple[float, int]:
    """The CPU seconds, user and system, and pytest's status."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [str(checkout / ".venv/bin/python"), *SUITE, "-n", str(workers), *words],
        cwd=checkout,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        check=False,
        stdout=sys.stderr,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    parser.add_argument("--workers", type=int, default=4)
    asked, words = parser.parse_known_args()
    worst = 0
    for checkout in filter(None, (asked.against, HERE)):
        first = anchor()
        seconds, status = suite_cpu(checkout.absolute(), asked.workers, words)
        anchored = (first + anchor()) / 2
        ratio = seconds / anchored
        print(f"{checkout}: {seconds:.0f} CPU s, anchor {anchored:.2f} s, ratio {ratio:.0f}, status {status}")
        worst = max(worst, status)
    return worst


if __name__ == "__main__":
    sys.exit(main())
