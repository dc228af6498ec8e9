"""Pauses at random instants while a large campaign leaves: nothing arrives after ``pause`` has returned 0."""

from __future__ import annotations

import argparse
import random
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

from benchmarks.faults.report import Report, say
from tests.faults.killer import Killer
from tests.faults.office import WARNINGS_ONLY, office
from tests.faults.witness import Rule, SmtpWitness, smtp_witness
from tests.stories.campaign import addresses, start_for
from tests.stories.program import Program
from tests.waiting import wait_until

QUIET = 1.5
"""Seconds for which nothing may arrive after a pause."""

STILL_OPEN = 3
SLOW = (Rule("rcpt", wait=0.4), Rule("dot", wait=0.6))
"""A message a second on each connection: 5,000 last for 200 pauses, each a process that has to start."""

LONGEST = 1.0
"""Seconds between the first message after a resume and the next pause, at most."""


def add_options(options: argparse.ArgumentParser) -> None:
    options.add_argument("--pauses", type=int, default=200)
    options.add_argument("--people", type=int, default=5000)
    options.add_argument(
        "--command", choices=("run", "tick"), default="run",
        help="what sends: one long run that goes on at its next beat, or a tick after each resume (quicker)",
    )  # fmt: skip


def run(asked: argparse.Namespace, folder: Path) -> Report:
    report = Report(f"pauses: {asked.pauses} pauses, {asked.people:,} people, seed {asked.seed}")
    dice = random.Random(asked.seed)
    after = still_open = in_mid_send = 0
    with smtp_witness(folder / "witness", *SLOW) as witness:
        program = office(folder, {**witness.settings, **WARNINGS_ONLY})
        start_for(program, asked.people)
        killer = Killer(program, witness, "crm", addresses(asked.people))
        with program.running("run") if asked.command == "run" else nullcontext():
            for left in range(asked.pauses, 0, -1):
                with program.running("tick") if asked.command == "tick" else nullcontext() as tick:
                    witness.wait_for(len(witness.arrivals()) + 1, 60)  # a run goes on at its next beat
                    time.sleep(dice.uniform(0, LONGEST))
                    in_mid_send += killer.count("claimed", "sending") > 0
                    status, late = _pause(program, witness)
                    if tick is not None:
                        tick.communicate(timeout=60)
                after += late if status == 0 else 0
                still_open += status == STILL_OPEN
                arrived = len(witness.arrivals())
                say(f"pause {asked.pauses - left + 1}: {arrived:,} arrived, status {status}, {late} late")
                program.done("resume", "crm", "--yes")
            witness.behave()
            if asked.command == "run":
                wait_until(lambda: not killer.is_open(), 120, 0.2)
        killer.finish()
        verdict = killer.verdict()
    report.judge(verdict)
    report.add("pauses", asked.pauses)
    report.add("  in mid-send", in_mid_send)
    report.add("  that returned 3: some rows still open", still_open)
    report.add("messages that arrived after pause returned 0", after)
    report.add("messages arrived", verdict.arrived)
    report.add("extra copies", verdict.extra)
    report.promise(after == 0, f"{after} messages arrived after a pause")
    report.promise(verdict.extra == 0, f"{verdict.extra} extra copies")
    report.promise(verdict.arrived == asked.people, f"{verdict.arrived} arrived, not {asked.people}")
    report.promise(in_mid_send >= 0.8 * asked.pauses, "the pauses did not fall within the send")
    return report


def _pause(program: Program, witness: SmtpWitness) -> tuple[int, int]:
    """The status of ``pause``, and how many messages arrived after it had spoken its last word."""
    with program.running("pause", "crm") as process:
        out = process.stdout.readline() if process.stdout else ""
        returned = time.time()
        status = process.wait()
    if status not in (0, STILL_OPEN):
        raise subprocess.CalledProcessError(status, "pause", out)
    time.sleep(QUIET)
    return status, sum(arrival.at > returned for arrival in witness.arrivals())
