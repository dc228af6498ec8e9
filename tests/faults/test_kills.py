"""The program is ended in every way there is while mail leaves: nobody misses it, every second copy says so.

How many messages have left by then is up to the machine; the promises hold at every instant.
"""

from __future__ import annotations

import resource
import signal

import pytest

from tests.faults.killer import Killer
from tests.faults.office import later
from tests.faults.syscalls import MAIN, die_at, why_not
from tests.faults.witness import Rule, SmtpWitness
from tests.stories.campaign import addresses, start_for
from tests.stories.program import Program
from tests.waiting import PATIENCE, stopped_twice

PEOPLE = 100
SLOW = Rule("dot", wait=0.05)


@pytest.fixture
def killer(program: Program, witness: SmtpWitness) -> Killer:
    start_for(program, PEOPLE)
    witness.behave(SLOW)
    return Killer(program, witness, "crm", addresses(PEOPLE))


def settle(killer: Killer, witness: SmtpWitness) -> None:
    """Start once more, undisturbed, and see every promise kept."""
    witness.behave()
    told = later(killer.program, 0)
    verdict = killer.verdict()
    assert verdict.broken == (), f"{told}, {verdict.states}"
    assert verdict.extra <= verdict.bound
    assert dict(verdict.states).get("sent", 0) + verdict.uncertain == PEOPLE
    assert set(witness.copies) == set(addresses(PEOPLE))


def test_f01_killed_at_random_instants(killer: Killer, witness: SmtpWitness) -> None:
    killer.storm(1, seed=1, command="run", reach=0.4)
    killer.storm(1, seed=2, command="tick", reach=0.8)
    assert all(blow.arrived < PEOPLE for blow in killer.blows)
    assert sum(blow.sending for blow in killer.blows) > 0
    settle(killer, witness)


def test_f02_killed_as_it_writes_to_disk(killer: Killer, witness: SmtpWitness) -> None:
    """A few of the points; ``benchmarks/faults`` strikes at each of them."""
    if reason := why_not():
        pytest.skip(reason)
    witness.behave()
    for thread, call in (("writer", 40), (MAIN, 30)):
        assert die_at(killer.program, "tick", thread, call, [killer.database, killer.wal])
        killer.struck()
        assert killer.damage() == ""
    assert 1 <= len(witness.arrivals()) < PEOPLE
    settle(killer, witness)


def test_f03_asked_to_stop_it_lets_open_sends_finish(killer: Killer, witness: SmtpWitness) -> None:
    witness.behave(Rule("dot", wait=0.4))
    with killer.program.running("run") as process:
        assert witness.wait_for(1)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert 1 <= len(witness.arrivals()) < PEOPLE
    assert (killer.count("sending"), killer.count("uncertain"), killer.count("claimed")) == (0, 0, 0)
    assert killer.count("sent") == len(witness.arrivals())
    settle(killer, witness)
    assert set(witness.copies.values()) == {1}


def test_f04_asked_twice_it_leaves_at_once(killer: Killer, witness: SmtpWitness) -> None:
    witness.behave(Rule("dot", wait=PATIENCE))
    with killer.program.running("run") as process:
        assert witness.wait_for(1)
        assert stopped_twice(process) == 128 + signal.SIGTERM
    blow = killer.struck()
    assert 1 <= blow.sending <= 8
    settle(killer, witness)


def test_f05_starved_of_memory_and_then_killed_for_it(killer: Killer, witness: SmtpWitness) -> None:
    """The kernel kills for want of memory as anybody kills; before that, no thread gets a page more."""
    with killer.program.running("tick") as process:
        assert witness.wait_for(PEOPLE // 4)
        for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            resource.prlimit(process.pid, limit, (1, 1))
        assert witness.wait_for(PEOPLE // 2)
        process.kill()
        process.wait()
    killer.struck()
    settle(killer, witness)
