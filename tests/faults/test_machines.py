"""A scheduler and workers on one PostgreSQL send a campaign once, whichever of them is ended on the way."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsing import WEB
from tests.faults.machines import SCHEDULER, WORKER, Machines, machines
from tests.faults.witness import SmtpWitness
from tests.postgres import start_postgres
from tests.stories.campaign import addresses
from tests.waiting import PATIENCE, expect

PEOPLE = 300


@pytest.fixture
def house(tmp_path: Path, witness: SmtpWitness) -> Iterator[Machines]:
    server = start_postgres()
    try:
        with machines(tmp_path, server.url, witness, PEOPLE) as found:
            yield found
    finally:
        server.stop()


def everybody_has_it(house: Machines) -> None:
    expect(lambda: house.states()["sent"] == PEOPLE, step=0.3)
    assert set(house.witness.copies) == set(addresses(PEOPLE))
    assert (house.unflagged(), house.lost(), house.unbalanced()) == ([], set(), "")


def test_two_workers_and_a_scheduler_send_everything_once(house: Machines) -> None:
    scheduler, workers = house.start(SCHEDULER), [house.start(WORKER) for _ in range(2)]
    everybody_has_it(house)
    assert set(house.witness.copies.values()) == {1}
    for each in (scheduler, *workers):
        assert WEB.get(f"{each.address}/readyz").json()["because"] == ""
        each.signal(signal.SIGTERM)
    for each in (scheduler, *workers):
        assert each.process is not None
        _, said = each.process.communicate(timeout=PATIENCE)
        assert each.process.returncode == 0, said
        assert "Traceback" not in said
        sent = said.count('"event": "sent"')
        assert (sent == 0) == (each is scheduler), said
