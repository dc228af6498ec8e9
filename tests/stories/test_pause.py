"""``pause`` while hundreds of messages are leaving: once it has returned 0, not one more arrives."""

from __future__ import annotations

import re
import time

import pytest

from tests.cli.terminal import Said
from tests.stories.campaign import start_for
from tests.stories.program import Program
from tests.stories.relay import NEVER, Relay
from tests.waiting import PATIENCE, expect

PEOPLE = 400


def paused_at(program: Program, relay: Relay, arrived: int, *command: str) -> Said:
    """The pause comes when so many have arrived; those that are on their way by then hear of it after it is written."""
    assert relay.wait_for(arrived, timeout=PATIENCE)
    with program.running(*command) as pausing:
        expect(lambda: program.look("status")["campaigns"][0]["state"] == "paused", step=0.2)
        relay.silent_from = NEVER
        out, err = pausing.communicate(timeout=PATIENCE)
    assert pausing.returncode == 0, err
    return Said(pausing.returncode, out, err)


@pytest.mark.slow
def test_nothing_arrives_after_a_pause_and_the_rest_arrives_once(program: Program, relay: Relay) -> None:
    start_for(program, PEOPLE)
    relay.pause, relay.silent_from = 0.005, 200
    with program.running("tick") as sending:
        said = paused_at(program, relay, 200, "pause", "crm").out
        assert re.fullmatch(r"crm is paused; nothing more of it is sent \([\d,]+ not sent.*\)\.\n", said), said
        arrived = len(relay.arrived)
        assert 200 <= arrived < PEOPLE
        out, err = sending.communicate(timeout=PATIENCE)
        assert sending.returncode == 0, err
        assert out
    assert len(relay.arrived) == arrived
    books = program.books("crm")
    assert (books.state, books.counts["sent"]) == ("paused", arrived)
    assert program.here("tick").startswith("0 messages sent")

    relay.pause = 0
    resumed = program.here("resume", "crm", "--yes")
    assert f"{PEOPLE - arrived:,} people get a message now" in resumed
    program.here("tick")
    assert len(relay.arrived) == PEOPLE
    assert set(relay.copies.values()) == {1}
    assert program.books("crm").counts["sent"] == PEOPLE


@pytest.mark.slow
def test_a_running_engine_hears_of_the_pause_too(program: Program, relay: Relay) -> None:
    people = 200
    start_for(program, people)
    relay.silent_from = 40
    with program.running("run"):
        paused_at(program, relay, 40, "pause", "--all")
        arrived = len(relay.arrived)
        time.sleep(3)  # three beats of an engine that goes on running
        assert len(relay.arrived) == arrived < people
        program.here("resume", "crm", "--yes")
        assert relay.wait_for(people, timeout=PATIENCE)
    assert set(relay.copies.values()) == {1}
