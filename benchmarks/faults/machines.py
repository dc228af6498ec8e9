"""Three workers, two schedulers, one PostgreSQL: SIGKILL, SIGSTOP, SIGCONT at random, a host cut off, clocks apart.

One worker is a host of its own: it has a network namespace, which is cut off from the database and the relay now and
then. Where there can be none, it reaches the database by a proxy that closes its connections. One stop or cut in ten
outlasts the leases of a silent worker and of a leading scheduler; other strikes come meanwhile. With libfaketime the
clocks of the processes are minutes apart. A process that was killed is started again, as systemd does. The strikes are
spread over the sending: each waits for its share of the arrivals, on a busy machine too.
"""

from __future__ import annotations

import argparse
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.network import Network, network
from benchmarks.faults.report import Report, say
from tests.faults.machines import SCHEDULER, WORKER, Cable, Machine, Machines, machines
from tests.faults.witness import HOST, Rule, smtp_witness
from tests.postgres import start_postgres

WORKERS, SCHEDULERS = 3, 2
CLOCKS = ("+0", "+4m", "-3m", "+7m", "-6m")
"""How far the processes' clocks are from that of the server."""

LONGEST = 3.0
"""Seconds for which a process stands still or a cable is cut, at most, unless it is for long."""

FOR_LONG = (31.0, 45.0)
"""Seconds, one time in ten: longer than a worker or a scheduler may be silent."""

BETWEEN = 1.5
"""Seconds from the arrivals that a strike waits for until it comes, at most."""

LONGEST_WAIT = 20.0
"""Seconds a strike waits for its share of the arrivals: the earlier ones may have left few that send."""

LAST_WAIT = 1800.0
"""Seconds for what is still open: leases of hosts of which nothing is known are long."""


def add_options(options: argparse.ArgumentParser) -> None:
    options.add_argument("--strikes", type=int, default=500)
    options.add_argument("--people", type=int, default=5000)


def run(asked: argparse.Namespace, folder: Path) -> Report:
    report = Report(f"machines: {asked.strikes} strikes, {asked.people:,} people, seed {asked.seed}")
    faketime = _faketime()
    report.add("clocks apart", ", ".join(CLOCKS) if faketime else "no: there is no libfaketime here")
    with ExitStack() as stack:
        apart = stack.enter_context(network())
        report.add("cut off by", "a network namespace" if apart else "a proxy")
        server = start_postgres(address=apart.address if apart else "")
        stack.callback(server.stop)
        address = apart.address if apart else HOST
        witness = stack.enter_context(smtp_witness(folder / "witness", Rule("dot", wait=0.2), address=address))
        house = stack.enter_context(machines(folder, server.url, witness, asked.people))
        cable = apart or stack.enter_context(Cable(folder / "cable", server.url))
        _strike_all(house, cable, faketime, asked, report)
        _judge(house, report)
    return report


@dataclass
class Striker:
    """What may be done to the machines; ``done`` counts it."""

    house: Machines
    hosts: list[Machine]
    cable: Cable | Network
    dice: random.Random
    done: dict[str, int] = field(default_factory=dict)
    _later: list[threading.Timer] = field(default_factory=list)

    def strike(self) -> str:
        what: Callable[[], str] = self.dice.choices((self._kill, self._stop, self._cut), (5, 4, 1))[0]
        name = what()
        self.done[name] = self.done.get(name, 0) + 1
        return name

    def wait(self) -> None:
        """Until everything goes on."""
        for each in self._later:
            each.join()

    def _kill(self) -> str:
        host = self.dice.choice(self.hosts)
        host.kill()
        self.house.again(host)
        return "kill"

    def _stop(self) -> str:
        host = self.dice.choice(self.hosts)
        host.signal(signal.SIGSTOP)
        return "stop and go on" + self._until_over(lambda: host.signal(signal.SIGCONT))

    def _cut(self) -> str:
        self.cable.cut()
        return "cut off" + self._until_over(self.cable.mend)

    def _until_over(self, end: Callable[[], None]) -> str:
        if self.dice.random() < 0.1:
            self._later.append(threading.Timer(self.dice.uniform(*FOR_LONG), end))
            self._later[-1].start()
            return " for long"
        time.sleep(self.dice.uniform(0, LONGEST))
        end()
        return ""


def _strike_all(
    house: Machines, cable: Cable | Network, faketime: str, asked: argparse.Namespace, report: Report
) -> None:
    dice = random.Random(asked.seed)
    hosts = [house.start(WORKER, cable.within, COMMSENGINE_DATABASE_URL=cable.url, **_clock(faketime, 0))]
    others = [WORKER] * (WORKERS - 1) + [SCHEDULER] * SCHEDULERS
    hosts += [house.start(command, **_clock(faketime, number)) for number, command in enumerate(others, 1)]
    house.witness.wait_for(1)
    striker = Striker(house, hosts, cable, dice)
    meanwhile = 0
    for number in range(1, asked.strikes + 1):
        house.witness.wait_for(number * asked.people // (asked.strikes + 1), LONGEST_WAIT)
        time.sleep(dice.uniform(0, BETWEEN))
        meanwhile += len(house.witness.copies) < asked.people
        said = striker.strike()
        say(f"strike {number}, {said}: {len(house.witness.arrivals()):,} arrived")
    report.add("struck", ", ".join(f"{count} {name}" for name, count in sorted(striker.done.items())))
    report.add("while messages were leaving", meanwhile)
    striker.wait()
    house.witness.behave()
    until = time.monotonic() + LAST_WAIT
    while _is_open(house, asked.people) and time.monotonic() < until:
        time.sleep(2.0)
    for host in hosts:
        host.kill()


def _is_open(house: Machines, people: int) -> bool:
    states = house.states()
    return sum(states[state] for state in ("sent", "failed", "uncertain")) < people


def _judge(house: Machines, report: Report) -> None:
    lost, unflagged, unbalanced = house.lost(), house.unflagged(), house.unbalanced()
    states = house.states()
    copies = house.witness.copies
    report.add("messages arrived", len(house.witness.arrivals()))
    report.add("extra copies, flagged", sum(copies.values()) - len(copies))
    report.add("lost", len(lost))
    report.add("duplicates not flagged", len(unflagged))
    report.add("states", ", ".join(f"{state} {count:,}" for state, count in sorted(states.items())))
    report.promise(not lost, f"{len(lost)} lost: {sorted(lost)[:5]}")
    report.promise(not unflagged, f"{len(unflagged)} duplicates are not flagged: {unflagged[:5]}")
    report.promise(not unbalanced, f"the books do not balance: {unbalanced}")
    report.promise(not states["failed"], f"{states['failed']} failed, though nothing was wrong with them")
    report.promise(sum(states.values()) == house.people, f"{sum(states.values())} touches for {house.people} people")


def _clock(faketime: str, number: int) -> dict[str, str]:
    if not faketime:
        return {}
    return {"LD_PRELOAD": faketime, "FAKETIME": CLOCKS[number % len(CLOCKS)], "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _faketime() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0]) if found else ""
