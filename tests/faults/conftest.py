"""The engine on a real database with fake channels and a clock to set; a mail witness of its own, and the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import bag, clock, engine, store
from tests.faults.office import office
from tests.faults.witness import SmtpWitness, smtp_witness
from tests.stories.program import Program

__all__ = ["bag", "clock", "engine", "store"]


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[SmtpWitness]:
    with smtp_witness(tmp_path / "witness") as witness:
        yield witness


@pytest.fixture
def program(tmp_path: Path, witness: SmtpWitness) -> Program:
    return office(tmp_path, witness.settings)
