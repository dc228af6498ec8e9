"""SIGKILL at random instants of one large Slack run, started again each time.

The witness has a post for a moment before it says so, so that kills meet posts whose answer never comes. Without a
resolver it refuses its history, as where the bot lacks the scope.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.faults.kills import LOOK_EVERY, tell
from benchmarks.faults.report import Report, say
from commsengine.wiring import SLACK_THREADS
from tests.faults.killer import Killer
from tests.faults.office import office
from tests.faults.slack_witness import POST, Rule, slack_witness
from tests.stories.campaign import IN_FORCE, addresses, write_for

NO_HISTORY = Rule("conversations.history", "missing_scope")


def add_options(options: argparse.ArgumentParser) -> None:
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--people", type=int, default=3000)
    options.add_argument("--resolver", action="store_true", help="let the program look into Slack's history")
    options.add_argument("--command", choices=("run", "tick"), default="run")


def run(asked: argparse.Namespace, folder: Path) -> Report:
    name = f"{asked.kills} kills, {asked.people:,} people, {'with' if asked.resolver else 'without'} a resolver"
    report = Report(f"slack-kills: {name}, seed {asked.seed}")
    people = addresses(asked.people)
    refused = [] if asked.resolver else [NO_HISTORY]
    with slack_witness(folder / "witness", people, Rule(POST, wait=0.05), *refused) as witness:
        program = office(folder, {**witness.settings, "COMMSENGINE_SLACK_RATE": "60000"})
        write_for(program, asked.people)
        program.change("schedules/crm.yaml", ("channels: [email]", "channels: [slack]"))
        for command in IN_FORCE:
            program.here(*command)
        damages: list[str] = []
        killer = Killer(program, witness, "crm", people)

        def look(number: int) -> None:
            blow = killer.blows[-1]
            say(f"kill {number}: {blow.arrived:,} arrived, {blow.sending} were leaving")
            if number % LOOK_EVERY == 0 and (damage := killer.damage()):
                damages.append(damage)

        killer.after_each = look
        killer.storm(asked.kills, asked.seed, asked.command)
        in_time = killer.blows[-1].arrived
        witness.behave(*refused)
        killer.finish(timeout=900.0)  # a history that is refused is asked for some minutes
        verdict = killer.verdict()
    tell(report, verdict)
    struck = sum(blow.sending > 0 for blow in killer.blows)
    report.add("kills while rows were leaving", struck)
    report.add("arrived before the last kill", in_time)
    report.promise(not damages, f"the database was damaged on the way: {damages[:1]}")
    report.promise(verdict.bound <= verdict.kills * SLACK_THREADS, "more rows were sending than threads send")
    report.promise(struck >= 0.9 * asked.kills, f"only {struck} kills fell within the send")
    if asked.resolver:
        report.promise(verdict.extra == 0, f"{verdict.extra} duplicates, with a resolver")
        report.promise(verdict.uncertain == 0, f"{verdict.uncertain} left uncertain, with a resolver")
    return report
