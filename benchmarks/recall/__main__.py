"""``python -m benchmarks.recall``: our memory model on forgetting tables, a review log and in simulation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from benchmarks.recall import agreement, campaigns, review_log, tables


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall", description=__doc__)
    parser.add_argument("part", nargs="?", choices=["all", "tables", "log", "campaigns", "price"], default="all")
    parser.add_argument("--choose", action="store_true", help="choose the prior for the log again, on its first part")
    campaigns.add_options(parser)
    chosen = parser.parse_args()
    parts: dict[str, list[Callable[[], bool]]] = {
        "tables": [tables.show],
        "log": [lambda: review_log.show(choose=chosen.choose)],
        "price": [lambda: campaigns.price(chosen.seeds)],
        "campaigns": [agreement.show, lambda: campaigns.show(chosen.seeds, chosen.goal_seeds)],
    }
    good = True
    for name, steps in parts.items():
        if chosen.part == name or (chosen.part == "all" and name != "price"):  # it is a part of the campaigns
            print(f"\n== {name}", flush=True)
            for step in steps:
                good = step() and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
