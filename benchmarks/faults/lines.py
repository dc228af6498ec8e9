"""Bad lines to the relay: a black hole, ten kilobits a second, a line that stalls and breaks."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.faults.report import Report, say
from tests.faults.killer import Killer
from tests.faults.office import WARNINGS_ONLY, office
from tests.faults.proxy import Proxy, bad_line
from tests.faults.witness import SILENCE, Rule, smtp_witness
from tests.stories.campaign import addresses, start_for
from tests.waiting import wait_until

TEN_KILOBITS = 10_000 // 8
MOST_GROWTH = 64 << 20
"""Bytes by which a waiting engine may grow: what it claims, not what it cannot send."""


def add_options(options: argparse.ArgumentParser) -> None:
    options.add_argument("--people", type=int, default=500)
    options.add_argument("--slow-people", type=int, default=120, help="each takes about six seconds on the slow line")


def run(asked: argparse.Namespace, folder: Path) -> Report:
    report = Report(f"lines: {asked.people} people, {asked.slow_people} on the slow line, seed {asked.seed}")
    for name, drive in (("hole", _hole), ("slow", _slow), ("bad", _bad)):
        (folder / name).mkdir()
        say(f"{name}: begun")
        drive(asked, folder / name, report)
    return report


def _hole(asked: argparse.Namespace, folder: Path, report: Report) -> None:
    """The relay takes connections and says nothing: the engine gives up after 30 seconds, rests, and loses nothing."""
    with smtp_witness(folder / "witness", Rule("connect", SILENCE)) as witness:
        program = office(folder, {**witness.settings, **WARNINGS_ONLY})
        start_for(program, 10 * asked.people)
        killer = Killer(program, witness, "crm", addresses(10 * asked.people))
        with program.running("run") as process:
            wait_until(lambda: witness.connections, 60)
            before = _memory(process.pid)
            began = time.monotonic()
            rested = wait_until(lambda: program.look("status")["engine"].get("resting"), 120, 1.0)
            report.add("black hole: seconds until the channel rests", round(time.monotonic() - began))
            time.sleep(60)
            grown = _memory(process.pid) - before
            connections = witness.connections
            witness.behave()
            wait_until(lambda: len(witness.arrivals()) >= 10 * asked.people, 600, 0.5)
            process.terminate()
            status = process.wait(40)
        killer.finish()
        verdict = killer.verdict()
    report.judge(verdict, "black hole: ")
    report.add("black hole: connections tried", connections)
    report.add("black hole: growth, MB", grown >> 20)
    report.promise(bool(rested), "black hole: the channel does not rest")
    report.promise(grown < MOST_GROWTH, f"black hole: grew by {grown >> 20} MB")
    report.promise(status == 0, f"black hole: exit status {status}")
    report.promise(verdict.arrived == 10 * asked.people, f"black hole: {verdict.arrived} arrived")


def _slow(asked: argparse.Namespace, folder: Path, report: Report) -> None:
    """Ten kilobits a second for all connections together: longer than a lease, and nothing is carried twice."""
    with smtp_witness(folder / "witness") as witness:
        witness.behave(bytes_per_second=TEN_KILOBITS)
        program = office(folder, witness.settings)
        start_for(program, asked.slow_people)
        killer = Killer(program, witness, "crm", addresses(asked.slow_people))
        began = time.monotonic()
        with program.running("tick") as process:
            out, err = process.communicate(timeout=asked.slow_people * 12 + 300)
        took = time.monotonic() - began
        sizes = sum(int(str(arrival.more["size"])) for arrival in witness.arrivals())
        verdict = killer.verdict()
    report.judge(verdict, "slow: ")
    report.add("slow line: seconds", round(took))
    report.add("slow line: share of the line that carried letters", f"{sizes / TEN_KILOBITS / took:.0%}")
    report.promise(process.returncode == 0, f"slow: {out}{err}")
    report.promise(verdict.arrived == asked.slow_people, f"slow: {verdict.arrived} arrived")


def _bad(asked: argparse.Namespace, folder: Path, report: Report) -> None:
    """One step in ten stalls, as lost packets make it; one in a hundred breaks the connection."""
    with smtp_witness(folder / "witness") as witness:
        with Proxy(witness.port, bad_line(asked.seed, stalls=0.1, seconds=1.0, resets=0.01)) as proxy:
            program = office(folder, {**proxy.settings, **WARNINGS_ONLY})
            start_for(program, asked.people)
            killer = Killer(program, witness, "crm", addresses(asked.people))
            with program.running("run") as process:
                done = wait_until(lambda: len(witness.copies) == asked.people and not killer.is_open(), 900, 0.5)
                process.terminate()
                status = process.wait(40)
            faults = proxy.faults
        verdict = killer.verdict()
    report.judge(verdict, "bad line: ")
    report.add("bad line: stalls and breaks", faults)
    report.add("bad line: extra copies, all flagged", verdict.extra)
    report.add("bad line: left uncertain for a person", verdict.uncertain)
    report.promise(done, "bad line: it does not come to an end")
    report.promise(status == 0, f"bad line: exit status {status}")


def _memory(pid: int) -> int:
    """Resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * 4096
