"""Twenty years of daily touches in twelve zones, at the minutes that clock changes skip or repeat: one for each date.

The unit is a campaign of a year and a week, over New Year: the decision of a day replays the person's campaign, and the
minute of the next year's changes is another one anyway. Each touch is compared with the clock on the wall.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.faults.year import ZONES, Trial, misses, trials

YEARS = range(2027, 2047)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument(
        "--part", default="1/1", metavar="I/K", help="the i-th of k parts, so that several cores share it"
    )
    asked.add_argument("--zones", nargs="*", default=ZONES, metavar="ZONE", help="only these zones")
    given = asked.parse_args()
    part, parts = (int(number) for number in given.part.split("/"))
    work = [trial for zone in given.zones for year in YEARS for trial in trials(zone, year)][part - 1 :: parts]
    began, missed = time.process_time(), 0
    print(f"{'zone':22} {'campaigns':>9} {'dates':>7} {'missed':>6}")
    for zone in given.zones:
        mine = [trial for trial in work if trial.zone == zone]
        wrong = {trial: found for trial in mine if (found := misses(trial))}
        print(f"{zone:22} {len(mine):9} {sum(len(trial.dates) for trial in mine):7} {len(wrong):6}", flush=True)
        for trial, found in wrong.items():
            _tell(trial, found)
        missed += len(wrong)
    print(f"{len(work)} campaigns, {missed} missed, {time.process_time() - began:.0f} s of CPU")
    return 1 if missed else 0


def _tell(trial: Trial, found: list[str]) -> None:
    print(f"    {trial.year} at minute {trial.minute}: {'; '.join(found[:3])}{' …' if len(found) > 3 else ''}")


if __name__ == "__main__":
    sys.exit(main())
