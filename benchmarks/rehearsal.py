"""How long the shipped campaign takes to rehearse, beside an anchor run in the same minute.

The anchor is a loop of ten million additions in plain Python: the ratio says more than the seconds, for machines differ
and wander. The goal is 30 s.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time


def anchor() -> float:
    began, total = time.perf_counter(), 0
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - began


def main() -> None:
    before = anchor()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "commsengine", "demo", "--json"], cwd=folder, check=True, capture_output=True
        )
    story = json.loads(done.stdout)
    anchored = (before + anchor()) / 2
    print(f"{story['touches']:,} touches for {story['people']} people, equal to the simulation: {story['agrees']}")
    print(f"rehearsal {story['seconds']:.1f} s, anchor {anchored:.2f} s, ratio {story['seconds'] / anchored:.0f}")


if __name__ == "__main__":
    main()
