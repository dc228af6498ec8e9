"""How long people wait: each command as a process of its own, beside ``people show`` of the same minute.

A workspace of so many people with a campaign in its first days: a message to each, a third has acknowledged, some have
answered, asked, or are to be called. Its rows are written in bulk, not by sending. CPU seconds, seconds and peak memory
stand beside the goal; the ratio is of CPU seconds, for others use the machine too. ``start`` and ``import`` are
measured while the workspace is made. With ``--keep`` it stays, and is used again by the next run.

    .venv/bin/python -m benchmarks.waits --people 10000 100000
    .venv/bin/python -m benchmarks.waits --people 100000 --only status touches --keep /tmp/waits
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import Used, program
from tests.stories.campaign import write_for
from tests.stories.program import Program

MEMORY = 250
"""MiB, the most of any command."""

MESSAGES = """\
messages:
  - id: one-record
    key_point: Every customer conversation is logged in one record.
    from: kickoff
    until: go_live
    cadence: {every: 48h, times: 5}
    checks:
      - question: Where do you log a call?
        answers: [My notebook, The customer record]
        right: The customer record
        because: Your colleague sees it there.
  - id: what-must-stay
    key_point: Tell us what must not get harder.
    from: kickoff
    until: go_live
    cadence: {every: 96h, times: 2}
    ask: input
    input: {question: What must not get harder?, kind: text}
"""

NO_SERVER = {"COMMSENGINE_SMTP_URL": "smtp://127.0.0.1:9"}
"""Mail is set up, but nothing is sent."""

PLAN, SOMEBODY = "schedules/crm.yaml", "p0007@example.com"
ANCHOR = ("people", "show", SOMEBODY)
MAKING = {
    "import": (("people", "import", "people.csv"), None),
    "apply": (("apply", PLAN, "--yes"), 6),
    "start": (("start", "crm", "--yes"), None),
}  # fmt: skip
"""What puts the campaign in force: the command, and its goal as a ratio to the anchor."""

WAITS = {
    "status": (("status",), 1.5),
    "today": (("today",), 1.5),
    "why": (("why", SOMEBODY), 1.5),
    "followups": (("followups",), 1.5),
    "pause": (("pause", "crm"), 1.5),
    "resume": (("resume", "crm", "--yes"), None),
    "check": (("check", PLAN), 1.5),
    "touches, first line": (("touches", "crm", "--json"), 1.5),
    "touches, shown": (("touches", "crm"), None),
    "touches": (("touches", "crm", "--json"), None),
    "report": (("report", "crm"), 6),
    "people list": (("people", "list"), None),
    "people list --json": (("people", "list", "--json"), None),
    "people export": (("people", "export"), None),
    "questions": (("questions",), None),
    "answers": (("answers", "crm"), None),
    "acks": (("acks", "crm"), None),
    "preview": (("preview", PLAN), None),
    "apply again": (("apply", PLAN, "--yes"), 6),
    "simulate": (("simulate", PLAN), 35),
}  # fmt: skip

# One sent message and its receipt for everybody; every third has acknowledged, every fifth has answered the check,
# every tenth the input, every thousandth has asked, and another is to be called.
ROWS = """
INSERT INTO touch (key, kind, campaign, message, person_id, local_date, rung, role, channel, number, version, epoch,
    facts_seq, due_at, not_after, again_at, state, reason, owner, fence, attempts, uncertainties, possible_duplicate,
    held, created_at, sending_at, sent_at, remote_id, payload, asks, named)
  SELECT lower(hex(randomblob(12))), 'message', 'crm', message, id, :day, 0, 'everybody', 'email', 1, 1, 1, facts_seq,
    :at, :later, :later, 'sent', '', '', 1, 1, 0, 0, 0, :at, :at, :at, 'Q', 'null', '', ''
  FROM person, (SELECT 'one-record' AS message UNION SELECT 'what-must-stay')
  WHERE message = 'one-record' OR person.rowid % 10 = 0;
INSERT INTO attempt (key, n, at, owner, fence, channel, verdict, phase, reply, remote_id)
  SELECT key, 1, :at, '', 1, 'email', 'sent', 'reply', '250 2.0.0 Ok: queued', 'Q' FROM touch;
INSERT INTO touch (key, kind, campaign, message, person_id, local_date, rung, role, channel, number, version, epoch,
    facts_seq, due_at, state, reason, owner, fence, attempts, uncertainties, possible_duplicate, held, created_at,
    sent_at, remote_id, payload, asks, named)
  SELECT lower(hex(randomblob(12))), 'personal', 'crm', 'one-record', id, :day, 2, 'everybody', 'human', 2, 1, 1,
    facts_seq, :at, 'sent', '', '', 1, 0, 0, 0, 0, :at, :at, '', 'null', '', ''
  FROM person WHERE rowid % 1000 = 2;
INSERT INTO answer (person_id, campaign, message, key, kind, value, right, evidence, detail, whole_campaign, at, by)
  SELECT person_id, campaign, message, key, said.kind, value, right, 'form', '{}', 0, :later, person_id
  FROM touch JOIN person ON person.id = person_id, (
    SELECT 3 AS every, 'acknowledged' AS kind, '' AS value, NULL AS right, 'one-record' AS of
    UNION SELECT 5, 'check', '2', 1, 'one-record'
    UNION SELECT 1, 'input', 'The list of spare parts, and its order', NULL, 'what-must-stay') AS said
  WHERE of = message AND touch.kind = 'message' AND person.rowid % every = 0;
INSERT INTO question (person_id, campaign, message, key, text, evidence, asked_at, answer, answered_by)
  SELECT person_id, campaign, message, key, 'Who reads entry ' || person_id || '?', 'form', :later, '', ''
  FROM touch JOIN person ON person.id = person_id WHERE message = 'one-record' AND person.rowid % 1000 = 1;
UPDATE person SET wake_at = :later;
"""


@contextmanager
def workspace(people: int, keep: Path | None) -> Iterator[Path]:
    folder = keep / str(people) if keep else Path(tempfile.mkdtemp(prefix="waits"))
    try:
        if not (folder / "commsengine.db").exists():
            make(folder, people)
        yield folder
    finally:
        if keep is None:
            shutil.rmtree(folder)


def make(folder: Path, people: int) -> None:
    write_for(Program(folder), people, messages=MESSAGES)
    with (folder / "people.csv").open("w") as file:
        file.write("email,name,department,job,manager,country\n")
        for n in range(people):
            manager = f"p{n // 10:04d}@example.com" if n else ""
            file.write(f"p{n:04d}@example.com,Person {n},Department {n % 20},Job {n % 7},{manager},DE\n")
    for name, (command, goal) in MAKING.items():
        show(name, program(folder, *command, settings=NO_SERVER), anchor(folder), goal)
    write_rows(folder / "commsengine.db")


def write_rows(database: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    at, later = (when.isoformat(" ", "microseconds") for when in (now, now + dt.timedelta(seconds=1)))
    connection = sqlite3.connect(database)
    with connection:
        for statement in ROWS.split(";\n"):
            if statement.strip():
                connection.execute(statement, {"at": at, "later": later, "day": now.date().isoformat()})
    connection.close()


def anchor(folder: Path) -> float:
    return program(folder, *ANCHOR, settings=NO_SERVER).cpu


def show(name: str, took: Used, anchored: float, goal: float | None) -> None:
    ratio = took.cpu / anchored
    wanted = f"≤ {goal:g}" if goal else ""
    missed = " !" if (goal and ratio > goal) or took.peak > MEMORY else ""
    print(f"  {name:<22}{took.cpu:9.2f}{took.wall:9.2f}{took.peak:8.0f}{ratio:9.2f}  {wanted:<8}{missed}", flush=True)


def measure(people: int, only: list[str], keep: Path | None) -> None:
    print(f"{people:,} people\n  {'':<22}{'CPU s':>9}{'s':>9}{'MiB':>8}{'÷ show':>9}  goal (and ≤ {MEMORY} MiB)")
    with workspace(people, keep) as folder:
        for name, (command, goal) in WAITS.items():
            if not only or any(name == each or name.startswith(f"{each},") for each in only):
                took = program(folder, *command, settings=NO_SERVER, first_line=name.endswith("first line"))
                show(name, took, anchor(folder), goal)


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--people", type=int, nargs="+", default=[10_000, 100_000])
    wanted.add_argument("--only", nargs="+", default=[], metavar="COMMAND", help=f"of: {', '.join(WAITS)}")
    wanted.add_argument("--keep", type=Path, help="a folder where the workspaces stay")
    given = wanted.parse_args()
    for people in given.people:
        measure(people, given.only, given.keep)


if __name__ == "__main__":
    main()
