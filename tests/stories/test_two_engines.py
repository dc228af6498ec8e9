"""One engine per SQLite file: a second says who holds it, and a dead one holds nothing."""

from __future__ import annotations

import os
import platform
import signal

import pytest

from tests.stories.campaign import start_for
from tests.stories.conftest import free_port
from tests.stories.program import Program
from tests.stories.relay import Relay
from tests.waiting import PATIENCE


@pytest.mark.parametrize(("command", "status"), [("run", 1), ("tick", 0)])
@pytest.mark.slow
def test_f33_a_second_engine_names_who_holds_the_database(
    program: Program, relay: Relay, command: str, status: int
) -> None:
    start_for(program, 3)
    first = Program(program.folder, {**program.settings, "COMMSENGINE_HTTP_BIND": f"127.0.0.1:{free_port()}"})
    with first.running("run") as holder:
        assert relay.wait_for(3, timeout=PATIENCE)
        said = program.run(command)
        assert said.status == status  # a tick leaves the work to one that is at it
        assert f"pid {holder.pid} on {platform.node()}" in said.err
        assert holder.poll() is None  # the second did not wait for the first
    assert len(relay.arrived) == 3


def test_an_engine_that_was_killed_holds_nothing(program: Program, relay: Relay) -> None:
    start_for(program, 3)
    with program.running("run") as holder:
        assert relay.wait_for(3, timeout=PATIENCE)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    program.here("tick")
    assert set(relay.copies) == {"p0000@example.com", "p0001@example.com", "p0002@example.com"}
