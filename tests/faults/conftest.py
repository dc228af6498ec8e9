"""A mail witness in its own process, and the program in an empty workspace that hands its mail to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.office import office
from tests.faults.witness import SmtpWitness, smtp_witness
from tests.stories.program import Program


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[SmtpWitness]:
    with smtp_witness(tmp_path / "witness") as witness:
        yield witness


@pytest.fixture
def program(tmp_path: Path, witness: SmtpWitness) -> Program:
    return office(tmp_path, witness.settings)
