"""What machines ask of an engine, a scheduler or a worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from commsengine.web.probes import Probes
from tests.answering import Answering, answering
from tests.browsing import WEB
from tests.builders import ANA
from tests.web.conftest import served


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Answering]:
    found = answering(tmp_path)
    yield found
    found.store.close()


def probes(house: Answering, age: float | None) -> Probes:
    return Probes(house.store, house.clock, lambda: None if age is None else dt.timedelta(seconds=age))


@pytest.mark.parametrize(
    ("age", "status", "because"),
    [(None, 503, "nothing beats"), (10, 200, ""), (300, 200, ""), (301, 503, "nothing beats")],
)
def test_it_is_ready_while_something_beats(house: Answering, age: int | None, status: int, because: str) -> None:
    with served(probes(house, age).app()) as address:
        ready, lives = WEB.get(f"{address}/readyz"), WEB.get(f"{address}/healthz")
    assert (ready.status_code, ready.json()["because"], lives.status_code) == (status, because, 200)


@pytest.mark.sqlite("its file is broken in the end")
def test_it_is_not_ready_on_hold_and_with_a_database_of_another_version_or_none(house: Answering) -> None:
    with served(probes(house, 1).app()) as address:
        house.store.engine.hold("The database was restored.", now=house.clock())
        said = [WEB.get(f"{address}/readyz")]
        with house.store.database.write() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        said.append(WEB.get(f"{address}/readyz"))
        assert house.store.path is not None
        house.store.path.write_bytes(b"no database")
        house.store.close()
        said.append(WEB.get(f"{address}/readyz"))
    assert [each.status_code for each in said] == [503, 503, 503]
    assert [each.json()["because"].partition(" is ")[0] for each in said] == [
        "on hold: commsengine today",
        "the schema",
        "the database does not answer",
    ]


def test_figures_are_counts_without_a_name(house: Answering) -> None:
    house.touch()
    with served(probes(house, 1).app()) as address:
        told = WEB.get(f"{address}/metrics")
    assert told.status_code == 200
    lines = [line for line in told.text.splitlines() if not line.startswith("#")]
    assert 'commsengine_touches{state="sent"} 1.0' in lines
    assert "commsengine_on_hold 0.0" in lines
    assert ANA.email not in told.text
