"""Any real reply of a provider at random to 100,000 people: no one fails for a reason that is not their own."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import structlog

from benchmarks.faults.report import Report
from commsengine.store.store import Store
from tests.faults.any_reply import play


def add_options(options: argparse.ArgumentParser) -> None:
    options.add_argument("--people", type=int, default=100_000)
    options.add_argument("--to-people", type=float, default=0.05, help="to one recipient, data or final dot in so many")
    options.add_argument("--to-all", type=float, default=0.001, help="to one connection or sender in so many")
    options.add_argument("--steps", type=int, default=2000, help="of two virtual minutes at most with any reply")


def run(asked: argparse.Namespace, folder: Path) -> Report:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    report = Report(f"any reply to {asked.people:,} people, seed {asked.seed}")
    with Store.create(f"sqlite:///{folder}/providers.db", durable=False) as store:
        result = play(
            store,
            asked.people,
            seed=asked.seed,
            to_people=asked.to_people,
            to_all=asked.to_all,
            steps=asked.steps,
        )
    for verdict, number in sorted(result.said.items()):
        report.add(f"told: {verdict}", number)
    for state, number in sorted(result.states.items()):
        report.add(f"in the end {state}", number)
    report.add("people held at most", result.held_at_most)
    report.add("words of the lead about a text", result.words)
    report.add("failed for being refused alike twice", result.twice_alike)
    report.broken += result.broken[:20]
    if len(result.broken) > 20:
        report.broken.append(f"… and {len(result.broken) - 20:,} more")
    return report
