"""``kill -9`` in mid-send and a new start: nobody misses the message, and every second copy is flagged."""

from __future__ import annotations

import random

import pytest

from commsengine.wiring import SMTP_CONNECTIONS
from tests.stories.campaign import start_for
from tests.stories.program import Program
from tests.stories.relay import Relay

PEOPLE = 150


@pytest.mark.parametrize(("command", "seed"), [("tick", 1), ("tick", 2), ("run", 3)])
def test_nobody_misses_it_and_second_copies_are_flagged(
    program: Program, relay: Relay, command: str, seed: int
) -> None:
    start_for(program, PEOPLE)
    relay.pause = 0.02
    chance = random.Random(seed)  # noqa: S311 - where to strike
    kills = 2
    for _ in range(kills):
        strike = min(len(relay.arrived) + chance.randint(1, PEOPLE // 3), PEOPLE - 10)
        with program.running(command) as process:
            assert relay.wait_for(strike, timeout=30)
            process.kill()
            process.wait()
    assert len(relay.copies) < PEOPLE
    relay.pause = 0
    program.done("tick")
    books = program.books("crm")
    rows = {row["person"]: row for row in books.rows}
    assert set(relay.copies) == set(rows) == {f"p{n:04d}@example.com" for n in range(PEOPLE)}
    twice = {person for person, copies in relay.copies.items() if copies > 1}
    flagged = {person for person, row in rows.items() if row["possible_duplicate"]}
    assert twice <= flagged
    assert len(relay.arrived) - PEOPLE <= kills * SMTP_CONNECTIONS
    assert books.counts["sent"] == PEOPLE


def test_the_second_copy_is_the_same_message_by_its_id(program: Program, relay: Relay) -> None:
    start_for(program, 4)
    relay.pause = 5
    with program.running("tick") as process:
        assert relay.wait_for(4, timeout=30)
        process.kill()
        process.wait()
    relay.pause = 0
    program.done("tick")
    assert set(relay.copies.values()) == {2}
    for address in relay.copies:
        first, second = relay.of(address)
        assert first.message["Message-ID"] == second.message["Message-ID"]
        assert first.key == second.key
