"""Twenty years of daily touches in twelve zones, at the minutes that clock changes skip or repeat: one for each date.

The unit is a campaign of a year and a week, over New Year: the decision of a day replays the person's campaign, and the
minute of the next year's changes is another one anyway. Each touch is compared with the clock on the wall.
``--engine`` runs one of the years for all zones at once on a real engine and SQLite, and compares it with the forecast.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time

from commsengine.cadence.plan import Workspace
from commsengine.engine.engine import Engine
from commsengine.store.store import Store
from tests.builders import someone, utc
from tests.engine.conftest import run
from tests.fakes import Clock, Mailbag, Scribe, a_channel
from tests.faults.stepping import play
from tests.faults.year import HALF_PAST_TWO, ZONES, Trial, foreseen, misses, trials

YEARS = range(2027, 2047)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument(
        "--part", default="1/1", metavar="I/K", help="the i-th of k parts, so that several cores share it"
    )
    asked.add_argument("--zones", nargs="*", default=ZONES, metavar="ZONE", help="only these zones")
    asked.add_argument("--engine", type=int, metavar="YEAR", help="this year, on a real engine instead")
    given = asked.parse_args()
    if given.engine:
        return on_an_engine(given.engine, given.zones)
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


def on_an_engine(year: int, zones: list[str]) -> int:
    """Everybody at half past two, in a window that no change covers whole."""
    began, bag, clock = time.process_time(), Mailbag(), Clock(utc(f"{year - 1}-12-25"))
    people = [someone(n, time_zone=zone) for n, zone in enumerate(zones)]
    every = [Trial(zone, year, HALF_PAST_TWO) for zone in zones]
    expected = {
        (person.id, touch.local_date, touch.due_at)
        for person, trial in zip(people, every, strict=True)
        for touch in foreseen(trial)
    }
    with tempfile.TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/year.db") as store:
        run(store, people, every[0].plan(), started=f"{year - 1}-12-25")
        channels = {"email": a_channel(bag)}
        with Engine(store, channels, Scribe, workspace=Workspace(), clock=clock, interval=10.0) as engine:
            play(engine, store, clock, f"{year + 1}-01-20")
        rows = list(store.touches.list("crm"))
    made = {(row.person_id, row.local_date, row.due_at) for row in rows if row.state == "sent"}
    letters = len({message.key for message in bag.arrived})
    wrong = len(made ^ expected) + len(rows) - len(made) + len(bag.arrived) - letters
    print(f"{len(people)} people, {len(rows)} touches, {letters} letters, {len(made ^ expected)} not as foreseen")
    print(f"{time.process_time() - began:.0f} s of CPU")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
