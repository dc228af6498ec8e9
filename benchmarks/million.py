"""A million people on the embedded database: what each command that a person waits for costs, as a process of its own.

CPU and wall seconds and peak memory stand beside their goals. The anchor is ``people show``, measured in the same
minutes. ``--people`` makes it smaller, ``--send`` says to how many the tick sends over SMTP to a sink on loopback,
``--limit`` ends a command after so many seconds and says so.

    .venv/bin/python -m benchmarks.million --people 100000
    .venv/bin/python -m benchmarks.million --only check,apply --tree ../before
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import program
from tests.servers import SmtpSink
from tests.stories.campaign import write_for
from tests.stories.program import HERE, Program

MOST_MEMORY = 250
"""MiB, at any number of people."""

DEPARTMENTS = ("Sales", "Service", "Logistics", "Finance", "Plant North", "Plant South", "IT", "HR", "Legal", "R&D")
CLOCKS = (
    ("DE", "Europe/Berlin", "de"), ("FR", "Europe/Paris", "fr"), ("ES", "Europe/Madrid", "es"),
    ("US", "America/New_York", "en"), ("GB", "Europe/London", "en"),
)  # fmt: skip
REPORTS = 12
"""People to a manager."""

PILOT = "Pilot"
EVERYBODY = "audience: {roles: {everybody: {rest: true}}}"
ROLES = f"audience: {{roles: {{pilot: {{department: [{PILOT}]}}, everybody: {{rest: true}}}}}}"
MESSAGES = """\
messages:
  - id: first
    to: [pilot]
    key_point: The pilot begins today.
    from: kickoff
    until: go_live
    cadence: {every: 48h, times: 5}
  - id: one-record
    key_point: Every customer conversation is logged in one record.
    from: go_live - 20d
    until: go_live
    cadence: {every: 48h, times: 5}
"""
"""A tick sends to the pilot; the others get their message later."""

STEPS: dict[str, tuple[tuple[str, ...], float | None]] = {
    "import": (("people", "import", "people.csv"), None),
    "anchor": (("people", "show", "p0000007@example.com"), None),
    "check": (("check", "schedules/crm.yaml"), 1.5),
    "preview": (("preview", "schedules/crm.yaml", "--json"), None),
    "apply": (("apply", "schedules/crm.yaml", "--yes"), 6),
    "start": (("start", "crm", "--yes"), None),
    "tick": (("tick", "--json"), None),
    "again": (("apply", "schedules/crm.yaml", "--dry-run"), 6),
    "pause": (("pause", "crm"), 1.5),
    "resume": (("resume", "crm", "--yes"), None),
    "status": (("status",), 1.5),
    "why": (("why", "p0000007@example.com"), 1.5),
    "reimport": (("people", "import", "people.csv"), None),
}
"""Each command with its goal: so many times the CPU seconds of the anchor at 100,000 people."""


def rows(people: int, pilot: int) -> Iterator[str]:
    yield "id,email,name,department,job,manager,country,time_zone,language,cost centre"
    for n in range(people):
        country, zone, language = CLOCKS[n % len(CLOCKS)]
        manager = f"p{n // REPORTS:07d}@example.com" if n else ""
        department = PILOT if n < pilot else DEPARTMENTS[n % len(DEPARTMENTS)]
        plain = (f"E{n:07d}", f"p{n:07d}@example.com", f"Person {n}", department)
        yield ",".join((*plain, f"Job {n % 40}", manager, country, zone, language, f"C{n % 25}"))


def prepare(folder: Path, people: int, pilot: int) -> None:
    write_for(Program(folder), 1, messages=MESSAGES)
    plan = folder / "schedules" / "crm.yaml"
    plan.write_text(plan.read_text().replace(EVERYBODY, ROLES))
    with (folder / "people.csv").open("w") as file:
        file.writelines(f"{row}\n" for row in rows(people, pilot))


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--people", type=int, default=1_000_000)
    wanted.add_argument("--send", type=int, default=1000)
    wanted.add_argument("--limit", type=float, default=1200.0, metavar="SECONDS")
    wanted.add_argument("--only", default="", help="these steps, separated by commas")
    wanted.add_argument("--folder", type=Path, help="a workspace to keep, or one that was kept")
    wanted.add_argument("--tree", type=Path, help="another checkout of the program")
    given = wanted.parse_args()
    tree = str(given.tree.resolve()) if given.tree else HERE
    names = [name for name in STEPS if not given.only or name in given.only.split(",")]
    with tempfile.TemporaryDirectory() as temporary, SmtpSink() as sink:
        folder = given.folder or Path(temporary)
        if not (folder / "people.csv").exists():
            folder.mkdir(exist_ok=True)
            prepare(folder, given.people, given.send)
        anchor, own = 0.0, {"COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{sink.port}"}
        for name in names:
            arguments, goal = STEPS[name]
            one = program(folder, *arguments, settings=own, tree=tree, limit=given.limit)
            anchor = one.cpu if name == "anchor" else anchor
            times = f"{one.cpu / anchor:5.1f} × the anchor" if anchor else ""
            aim = f"(goal {goal:g})" if goal else ""
            late = ", ended" if one.ended else ""
            seconds, memory = f"{one.cpu:7.1f} CPU s {one.wall:7.1f} s", f"{one.peak:6.0f} MiB (goal {MOST_MEMORY})"
            print(f"{name:9} {seconds} {memory} {times} {aim}{late}", flush=True)


if __name__ == "__main__":
    main()
