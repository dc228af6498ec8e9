"""What one person costs an engine before anything is sent: load, decide, claim and bookmark, CPU time beside an anchor.

People of six zones, with a manager each, to whom one campaign sends its first message: few shapes. The anchor is a loop
of hashes in the same minute.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from commsengine.cadence.people import Person
from commsengine.cadence.plan import Workspace
from commsengine.engine.decisions import Decisions
from commsengine.interpreter import prepare_for_work
from commsengine.store.records import Lease
from commsengine.store.store import Store
from tests import fresh
from tests.builders import a_plan, someone, utc

BEFORE, NOW = utc("2027-01-04"), utc("2027-01-11 12:00")
BATCH = 500
ZONES = ("Europe/Berlin", "Europe/Madrid", "Europe/Rome", "Europe/Paris", "Europe/Vienna", "Europe/Warsaw")

T = TypeVar("T")


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--people", type=int, default=6000)
    people = [someone(number, time_zone=ZONES[number % 6]) for number in range(wanted.parse_args().people)]
    with tempfile.TemporaryDirectory() as folder, fresh.a_store(Path(folder) / "store.db") as store:
        _put_in_force(store, people)
        decisions = Decisions(store, Workspace(), frozenset({"email"}))
        prepare_for_work()
        batches = [people[start : start + BATCH] for start in range(0, len(people), BATCH)]
        costs = [_cost(store, decisions, [person.id for person in batch]) for batch in batches]
    load, decide, claim = (min(each) / BATCH for each in zip(*costs, strict=True))
    print(
        f"load {load:.1f} µs, decide {decide:.1f}, claim and bookmark {claim:.1f}: {load + decide + claim:.1f} a person"
    )
    print(f"anchor {min(_cpu(_hashes)[0] for _ in range(9)) / 20_000:.3f} µs a hash")


def _put_in_force(store: Store, people: list[Person]) -> None:
    store.people.save(people, by="dana", now=BEFORE)
    store.campaigns.save_version(a_plan(), {}, "", introduced={}, by="dana", now=BEFORE)
    store.campaigns.start("crm", by="dana", now=BEFORE)


def _cost(store: Store, decisions: Decisions, ids: list[str]) -> tuple[float, float, float]:
    campaigns = decisions.campaigns(NOW)
    loading, _ = _cpu(lambda: store.loading.histories(ids))
    both, decided = _cpu(lambda: decisions.of(ids, campaigns, NOW))
    lease = Lease("bench", store.engine.next_fence(), NOW + dt.timedelta(minutes=10))
    epochs = {campaign.id: campaign.epoch for campaign in campaigns.running}
    versions = {campaign.id: campaign.version for campaign in campaigns.running}
    made = [(one.decision, one.facts_seq) for one in decided]
    claiming, won = _cpu(lambda: store.outbox.claim(made, lease, epochs=epochs, versions=versions, now=NOW))
    if len(won) != len(ids):
        raise SystemExit(f"{len(won)} of {len(ids)} claimed")
    return loading, both - loading, claiming


def _cpu(work: Callable[[], T]) -> tuple[float, T]:
    """Microseconds, and what came of it."""
    began = time.process_time()
    done = work()
    return (time.process_time() - began) * 1e6, done


def _hashes() -> int:
    return sum(hash((number, number)) for number in range(20_000))


if __name__ == "__main__":
    main()
