"""SIGKILL at random instants of one large e-mail run, started again each time.

The witness takes its time before and after the dot, so that the run is long enough for all kills and they meet every
step of a conversation. One start in ten is killed before it sends at all; those come on top.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.faults.report import Report, say
from commsengine.settings import SMTP_CONNECTIONS
from tests.faults.killer import Killer, Verdict
from tests.faults.office import office
from tests.faults.witness import Rule, smtp_witness
from tests.stories.campaign import addresses, start_for

LOOK_EVERY = 25


def add_options(options: argparse.ArgumentParser) -> None:
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--people", type=int, default=5000)
    options.add_argument("--resolver", action="store_true", help="let the program look into the relay's log")
    options.add_argument("--command", choices=("run", "tick"), default="run")


def run(asked: argparse.Namespace, folder: Path) -> Report:
    name = f"{asked.kills} kills, {asked.people:,} people, {'with' if asked.resolver else 'without'} a resolver"
    report = Report(f"kills: {name}, seed {asked.seed}")
    with smtp_witness(folder / "witness") as witness:
        more = {"COMMSENGINE_POSTFIX_LOG": str(witness.mail_log)} if asked.resolver else {}
        program = office(folder, {**witness.settings, **more})
        start_for(program, asked.people)
        witness.behave(Rule("rcpt", wait=0.015), Rule("dot", wait=0.025))
        damages: list[str] = []
        killer = Killer(program, witness, "crm", addresses(asked.people))

        def look(number: int) -> None:
            blow = killer.blows[-1]
            say(f"kill {number}: {blow.arrived:,} arrived, {blow.sending} were leaving")
            if number % LOOK_EVERY == 0 and (damage := killer.damage()):
                damages.append(damage)

        killer.after_each = look
        killer.storm(asked.kills, asked.seed, asked.command)
        in_time = killer.blows[-1].arrived
        witness.behave()
        killer.finish()
        verdict = killer.verdict()
    tell(report, verdict)
    struck = sum(blow.sending > 0 for blow in killer.blows)
    report.add("kills while rows were leaving", struck)
    report.add("arrived before the last kill", in_time)
    failed = dict(verdict.states).get("failed", 0)
    report.promise(failed == 0, f"{failed} failed, though nothing was wrong with them")
    report.promise(not damages, f"the database was damaged on the way: {damages[:1]}")
    report.promise(verdict.extra <= verdict.bound, f"{verdict.extra} extra copies, {verdict.bound} rows were sending")
    report.promise(verdict.bound <= verdict.kills * SMTP_CONNECTIONS, "more rows were sending than connections open")
    report.promise(struck >= 0.9 * asked.kills, f"only {struck} kills fell within the send")
    if asked.resolver:
        report.promise(verdict.extra == 0, f"{verdict.extra} duplicates, with a resolver")
        report.promise(verdict.uncertain == 0, f"{verdict.uncertain} left uncertain, with a resolver")
    return report


def tell(report: Report, verdict: Verdict) -> None:
    report.judge(verdict)
    report.add("kills", verdict.kills)
    report.add("messages arrived", verdict.arrived)
    report.add("lost", len(verdict.lost))
    report.add("extra copies", verdict.extra)
    report.add("  rows sending at the kills", verdict.bound)
    report.add("most copies to one person", verdict.most)
    report.add("duplicates not flagged", len(verdict.unflagged))
    report.add("left uncertain", verdict.uncertain)
    report.add("arrived without an attempt", len(verdict.unexplained))
    report.add("states", ", ".join(f"{state} {count:,}" for state, count in verdict.states))
