"""SIGKILL at every single write to disk of one tick, by strace: each time on a fresh copy of one workspace.

``--part 1/2`` and ``--part 2/2`` share the work between two processes, ``--every 5`` takes each fifth point.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from benchmarks.faults.report import Report, say
from tests.faults import syscalls
from tests.faults.killer import Killer, Verdict
from tests.faults.office import office
from tests.faults.witness import smtp_witness
from tests.stories.campaign import addresses, start_for
from tests.stories.program import Program


def add_options(options: argparse.ArgumentParser) -> None:
    options.add_argument("--people", type=int, default=50)
    options.add_argument("--every", type=int, default=1, help="only each so-manyth point")
    options.add_argument("--part", type=_part, default=(1, 1), metavar="I/K")
    options.add_argument("--resolver", action="store_true", help="let the program look into the relay's log")


def _part(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    return int(number), int(count)


def run(asked: argparse.Namespace, folder: Path) -> Report:
    report = Report(f"syscalls: one tick for {asked.people} people, part {asked.part[0]} of {asked.part[1]}")
    (folder / "first").mkdir()
    with smtp_witness(folder / "first" / "witness") as witness:
        first = office(folder / "first", witness.settings)
        start_for(first, asked.people)
        shutil.copytree(folder / "first", folder / "prepared")
        found = syscalls.points(first, "tick", [first.folder, folder / "first" / "state"])
    paths = [str(Path(path).relative_to(folder / "first")) for path in found.paths]
    report.add("durable system calls", sum(found.threads.values()))
    report.add("  by thread", ", ".join(f"{name} {count}" for name, count in sorted(found.threads.items())))
    chosen = list(found.all())[asked.part[0] - 1 :: asked.part[1]][:: asked.every]
    died = extra = uncertain = 0
    for thread, number in chosen:
        verdict = _strike(asked, folder, thread, number, paths)
        died += verdict.kills
        extra += verdict.extra
        uncertain += verdict.uncertain
        report.judge(verdict, f"{thread} {number}: ")
        if asked.resolver:
            report.promise(not (verdict.extra or verdict.uncertain), f"{thread} {number}: extra or uncertain")
        say(f"{thread} {number}: {verdict.arrived} arrived, {verdict.extra} extra, {verdict.uncertain} uncertain")
    report.add("points struck", len(chosen))
    report.add("  of which it died there", died)
    report.add("extra copies, all flagged", extra)
    report.add("left uncertain", uncertain)
    # How many calls the writer makes depends on how many marks share a commit: the last points may not be there.
    report.promise(died >= 0.6 * len(chosen), f"it died at only {died} of {len(chosen)} points")
    return report


def _strike(asked: argparse.Namespace, folder: Path, thread: str, number: int, paths: list[str]) -> Verdict:
    place = folder / f"{thread}-{number}"
    shutil.copytree(folder / "prepared", place)
    with smtp_witness(place / "witness") as witness:
        more = {"COMMSENGINE_POSTFIX_LOG": str(witness.mail_log)} if asked.resolver else {}
        settings = {"COMMSENGINE_STATE_DIR": str(place / "state"), **witness.settings, **more}
        program = Program(place / "office", settings)
        killer = Killer(program, witness, "crm", addresses(asked.people))
        if syscalls.die_at(program, "tick", thread, number, [place / path for path in paths]):
            killer.struck()
        before = killer.damage()
        killer.finish()
        verdict = killer.verdict()
    assert not before, before
    shutil.rmtree(place)
    return verdict
