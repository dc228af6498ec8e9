"""The model of faults at length: `python -m benchmarks.faults.model --runs 10000 --steps 50 --seed 1 --part 1/2`.

Prints how many runs and steps it played, and how often each rule was taken and each move of the state machine was seen.
Exits with 1 on a counterexample, or when a move of the table was never seen.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

import structlog
from hypothesis import Phase, seed

from commsengine.store.moves import MOVES
from tests.faults.test_model import Faults, play


def main() -> int:
    given = _arguments()
    part, parts = (int(number) for number in given.part.split("/"))
    runs = given.runs // parts + (part <= given.runs % parts)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began, spent, broken = time.monotonic(), time.process_time(), ""
    phases = (Phase.generate, Phase.shrink) if given.shrink else (Phase.generate,)
    try:
        seed(given.seed * 1000 + part)(Faults)
        play(runs, given.steps, derandomize=False, phases=phases)
    except Exception as failure:  # an invariant, or a defect that ended in a traceback
        told = "\n".join([str(failure), *getattr(failure, "__notes__", [])])
        broken = f"{type(failure).__name__}: {told}"
    _report(time.monotonic() - began, time.process_time() - spent)
    unseen = [move.name for move in MOVES if not Faults.moves[move.name]]
    if unseen:
        print(f"never seen: {', '.join(unseen)}")
    print(f"COUNTEREXAMPLE\n{broken}" if broken else "no counterexample")
    return 1 if broken or unseen else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="1/1", help="part i of k, each for a process of its own")
    parser.add_argument("--shrink", action="store_true", help="look for the shortest counterexample; may take minutes")
    return parser.parse_args()


def _report(seconds: float, spent: float) -> None:
    steps = sum(count for name, count in Faults.steps.items() if not name.startswith("("))
    print(f"{Faults.steps['(runs)']:,} runs, {steps:,} steps in {seconds:.0f} s, {spent:.0f} CPU seconds")
    print(f"{spent / max(steps, 1) * 1000:.1f} ms a step")
    for title, counted in (("rules", Faults.steps), ("moves", Faults.moves)):
        print(f"{title}: " + ", ".join(f"{name} {count:,}" for name, count in sorted(counted.items())))


if __name__ == "__main__":
    sys.exit(main())
