"""``pause`` while 2,000 messages are leaving: once it has returned 0, not one more arrives."""

from __future__ import annotations

import re
import time

from tests.stories.campaign import start_for
from tests.stories.program import Program
from tests.stories.relay import Relay

PEOPLE = 2000


def test_nothing_arrives_after_a_pause_and_the_rest_arrives_once(program: Program, relay: Relay) -> None:
    start_for(program, PEOPLE)
    relay.pause = 0.005
    with program.running("tick") as sending:
        assert relay.wait_for(200, timeout=30)
        said = program.done("pause", "crm")
        assert re.fullmatch(r"crm is paused; nothing more of it leaves \([\d,]+ given back unsent.*\)\.\n", said), said
        arrived = len(relay.arrived)
        assert 200 <= arrived < PEOPLE
        out, err = sending.communicate(timeout=30)
        assert sending.returncode == 0, err
        assert out
    time.sleep(3)
    assert len(relay.arrived) == arrived
    books = program.books("crm")
    assert (books.state, books.counts["sent"]) == ("paused", arrived)
    assert program.done("tick").startswith("0 messages sent")

    relay.pause = 0
    resumed = program.done("resume", "crm", "--yes")
    assert f"{PEOPLE - arrived:,} messages would leave now" in resumed
    program.done("tick")
    assert len(relay.arrived) == PEOPLE
    assert set(relay.copies.values()) == {1}
    assert program.books("crm").counts["sent"] == PEOPLE


def test_a_running_engine_hears_of_the_pause_too(program: Program, relay: Relay) -> None:
    start_for(program, 400)
    relay.pause = 0.15  # slow enough for a pause that has to start as a process
    with program.running("run"):
        assert relay.wait_for(40, timeout=30)
        program.done("pause", "--all")
        arrived = len(relay.arrived)
        time.sleep(3)
        assert len(relay.arrived) == arrived < 400
        relay.pause = 0
        program.done("resume", "crm", "--yes")
        assert relay.wait_for(400, timeout=30)
    assert set(relay.copies.values()) == {1}
