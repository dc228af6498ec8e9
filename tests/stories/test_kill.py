"""``kill -9`` in mid-send and a new start: nobody misses the message, and every second copy is flagged."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from commsengine.settings import SMTP_CONNECTIONS
from tests.stories.campaign import start_for
from tests.stories.program import Program
from tests.stories.relay import NEVER, Relay
from tests.waiting import PATIENCE

PEOPLE = 150


def killed(program: Program, relay: Relay, command: str, arrived: int, silent_from: int | None = None) -> None:
    """Start it, and end it the hard way once so many mails have arrived; the last of them, or all, have no answer."""
    relay.silent_from = arrived if silent_from is None else silent_from
    with program.running(command) as process:
        assert relay.wait_for(arrived, timeout=PATIENCE)
        process.kill()
        process.wait()
    relay.silent_from = NEVER


@pytest.mark.parametrize(("command", "seed"), [("tick", 1), ("run", 3)])
def test_nobody_misses_it_and_second_copies_are_flagged(
    program: Program, relay: Relay, command: str, seed: int
) -> None:
    start_for(program, PEOPLE)
    relay.pause = 0.005
    killed(program, relay, command, random.Random(seed).randint(1, PEOPLE - 30))  # noqa: S311 - where to strike
    assert len(relay.copies) < PEOPLE
    relay.pause = 0
    program.here("tick")
    books = program.books("crm")
    assert books.counts["sent"] == PEOPLE
    rows = {row["person"]: row for row in books.rows}
    assert set(relay.copies) == set(rows) == {f"p{n:04d}@example.com" for n in range(PEOPLE)}
    twice = {person for person, copies in relay.copies.items() if copies > 1}
    assert twice <= {person for person, row in rows.items() if row["possible_duplicate"]}
    assert len(relay.arrived) - PEOPLE <= SMTP_CONNECTIONS


def test_what_was_cut_off_twice_waits_for_a_person(program: Program, relay: Relay) -> None:
    program = replace(program, settings={**program.settings, "COMMSENGINE_SMTP_CONNECTIONS": "4"})
    start_for(program, 4)
    for arrived in (4, 8):
        killed(program, relay, "tick", arrived, silent_from=0)
    assert "4 messages are uncertain. To settle: commsengine today\n" in program.run("tick").err
    assert set(relay.copies.values()) == {2}
    for address in relay.copies:
        first, second = relay.of(address)
        assert (first.message["Message-ID"], first.key) == (second.message["Message-ID"], second.key)
    held = program.look("today")["held"]
    assert {row["person"] for row in held} == set(relay.copies)
    assert {row["possible_duplicate"] for row in held} == {True}
    program.here("touch", held[0]["key"], "--sent")
    program.here("touch", held[1]["key"], "--resend")
    program.here("tick")
    assert sorted(relay.copies.values()) == [2, 2, 2, 3]
    assert relay.copies[held[1]["person"]] == 3
    counts = program.books("crm").counts
    assert (counts["sent"], counts["uncertain"]) == (2, 2)
