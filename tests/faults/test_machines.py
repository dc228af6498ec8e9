"""A scheduler and workers on one PostgreSQL send a campaign once, whichever of them is ended on the way."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from commsengine.wiring import now
from tests.browsing import WEB
from tests.faults.machines import SCHEDULER, WORKER, Cable, Machine, Machines, machines
from tests.faults.witness import Rule, SmtpWitness
from tests.postgres import start_postgres
from tests.stories.campaign import addresses
from tests.waiting import PATIENCE, expect

PEOPLE = 300
CONNECTIONS = 3
"""Of each worker."""


@pytest.fixture
def house(tmp_path: Path, witness: SmtpWitness) -> Iterator[Machines]:
    server = start_postgres()
    try:
        with machines(tmp_path, server.url, witness, PEOPLE) as found:
            yield found
    finally:
        server.stop()


def everybody_has_it(house: Machines, uncertain: int = 0) -> None:
    """Sent to all; of so many at most nobody can know yet."""

    def done() -> bool:
        states = house.states()
        return states["sent"] + states["uncertain"] == PEOPLE and states["uncertain"] <= uncertain

    expect(done, step=0.3)
    assert (house.unflagged(), house.lost(), house.unbalanced()) == ([], set(), "")
    assert len(set(addresses(PEOPLE)) - set(house.witness.copies)) <= uncertain


def half_way(house: Machines) -> None:
    house.witness.behave(Rule("dot", wait=0.05))
    assert house.witness.wait_for(PEOPLE // 4)


def leads(house: Machines, machine: Machine) -> bool:
    with house.store() as store:
        lead = store.leadership.current()
    return lead is not None and machine.process is not None and f"/{machine.process.pid}/" in lead.owner


@pytest.mark.slow
def test_two_workers_and_a_scheduler_send_everything_once(house: Machines) -> None:
    scheduler, workers = house.start(SCHEDULER), [house.start(WORKER) for _ in range(2)]
    everybody_has_it(house)
    assert set(house.witness.copies.values()) == {1}
    for each in (scheduler, *workers):
        assert WEB.get(f"{each.address}/readyz").json()["because"] == ""
        each.signal(signal.SIGTERM)
    for each in (scheduler, *workers):
        assert each.process is not None
        each.process.wait(PATIENCE)
        said = each.log.read_text(encoding="utf-8")
        assert each.process.returncode == 0, said
        assert "Traceback" not in said
        sent = said.count('"event": "sent"')
        assert (sent == 0) == (each is scheduler), said


@pytest.mark.slow
def test_f60_a_worker_that_is_killed_leaves_its_people_to_the_others(house: Machines) -> None:
    """It is started again, as systemd does; only what was just leaving is uncertain."""
    house.start(SCHEDULER)
    first, _second = house.start(WORKER), house.start(WORKER)
    half_way(house)
    first.kill()
    house.again(first)
    everybody_has_it(house, uncertain=CONNECTIONS)


@pytest.mark.slow
def test_f61_another_scheduler_takes_over_from_one_that_is_killed(house: Machines) -> None:
    schedulers = [house.start(SCHEDULER), house.start(SCHEDULER)]
    house.start(WORKER)
    half_way(house)
    killed, other = sorted(schedulers, key=lambda each: not leads(house, each))
    killed.kill()
    expect(lambda: leads(house, other))
    with house.store() as store:
        store.loading.wipe_bookmarks(now())
        expect(lambda: store.loading.due_count(now()) == 0)
    everybody_has_it(house)
    assert set(house.witness.copies.values()) == {1}


@pytest.mark.slow
def test_f62_a_host_that_is_cut_off_sends_nothing_twice(house: Machines, tmp_path: Path) -> None:
    with Cable(tmp_path / "cable", house.settings["COMMSENGINE_DATABASE_URL"]) as cable:
        house.start(SCHEDULER)
        apart = house.start(WORKER, COMMSENGINE_DATABASE_URL=cable.url)
        half_way(house)
        cable.cut()
        expect(lambda: WEB.get(f"{apart.address}/readyz").json()["because"] == "the database does not answer")
        house.start(WORKER)
        cable.mend()
        everybody_has_it(house)
        apart.kill()
    assert set(house.witness.copies.values()) == {1}
