"""The database replaced by an older copy of itself while a campaign leaves: nothing is sent before its release."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.faults.report import Report, say
from tests.faults.killer import DATABASE, START, Killer
from tests.faults.office import office
from tests.faults.witness import Rule, smtp_witness
from tests.stories.campaign import addresses, start_for
from tests.stories.program import Program
from tests.waiting import wait_until

SLOW = (Rule("dot", wait=0.25),)
"""Some four messages a second on each connection."""

ON_HOLD = 1


def add_options(options: argparse.ArgumentParser) -> None:
    options.add_argument("--restores", type=int, default=100)
    options.add_argument("--people", type=int, default=3000)


def run(asked: argparse.Namespace, folder: Path) -> Report:
    report = Report(f"restores: {asked.restores} restores, {asked.people:,} people, seed {asked.seed}")
    dice = random.Random(asked.seed)
    before_release = held = gone_back = put_back = 0
    with smtp_witness(folder / "witness", *SLOW) as witness:
        program = office(folder, witness.settings)
        start_for(program, asked.people)
        killer = Killer(program, witness, "crm", addresses(asked.people))
        for left in range(asked.restores, 0, -1):
            rest = asked.people - len({arrival.key for arrival in witness.arrivals()})
            step = max(1, rest // (left + 1))
            snapshot = folder / "snapshot.db"
            with program.running("run") as process:
                begun = len(witness.arrivals()) + dice.randint(0, step)
                wait_until(lambda m=begun: len(witness.arrivals()) >= m or process.poll() is not None, START)
                taken = len(witness.arrivals())
                _snapshot(program, snapshot)
                more = len(witness.arrivals()) + dice.randint(1, step + 1)
                wait_until(lambda m=more: len(witness.arrivals()) >= m or not killer.is_open(), START)
                process.send_signal(signal.SIGKILL if dice.random() < 0.5 else signal.SIGTERM)
                process.wait()
            time.sleep(0.2)
            arrived = len(witness.arrivals())
            gone_back += arrived > taken
            killer.struck()
            _restore(program, snapshot)
            said = program.run("tick")
            before_release += len(witness.arrivals()) - arrived
            held += said.status == ON_HOLD and "looks restored" in said.err
            put_back += _put_back(program)
            program.done("release", "--backlog", "all", "--yes")
            say(f"restore {asked.restores - left + 1}: {arrived:,} arrived, {arrived - taken} after the snapshot")
        witness.behave()
        killer.finish()
        verdict = killer.verdict()
    # The attempts of what was put back are lost with the database, so they explain neither copies nor arrivals.
    report.judge(replace(verdict, unexplained=(), doubts=verdict.extra))
    report.add("restores", asked.restores)
    report.add("  to before something had left", gone_back)
    report.add("  that put the engine on hold", held)
    report.add("messages put back on record", put_back)
    report.add("messages that arrived before the release", before_release)
    report.add("messages arrived", verdict.arrived)
    report.add("extra copies (all flagged)", verdict.extra)
    report.add("left uncertain", verdict.uncertain)
    report.promise(before_release == 0, f"{before_release} messages arrived before the release")
    report.promise(held == asked.restores, f"only {held} of {asked.restores} restores were held")
    return report


def _snapshot(program: Program, target: Path) -> None:
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(program.folder / DATABASE)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _restore(program: Program, snapshot: Path) -> None:
    """As somebody does it who does not know of ``commsengine restore``: the file is replaced."""
    for suffix in ("-wal", "-shm"):
        (program.folder / f"{DATABASE}{suffix}").unlink(missing_ok=True)
    shutil.copy(snapshot, program.folder / DATABASE)


def _put_back(program: Program) -> int:
    with closing(sqlite3.connect(program.folder / DATABASE)) as database:
        rows = database.execute(
            "SELECT detail FROM audit WHERE action = 'put back' ORDER BY id DESC LIMIT 1"
        ).fetchall()
    return int(rows[0][0].partition(":")[2].strip(" }")) if rows else 0
