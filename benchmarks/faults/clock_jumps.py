"""The program as a process on a clock that jumps three days ahead and two hours back: who gets what, and how often.

Needs libfaketime (Debian: ``apt-get install faketime``). The time of day of the process comes from a file; what it
measures with its own stop watch stays true, as on a machine whose clock somebody sets.

1. Monday morning: everybody gets the first message.
2. Three days ahead: more is late than the brake lets pass, so the engine holds and sends nothing.
3. Back to Monday, released; Tuesday morning: everybody gets the second.
4. Two hours back on Tuesday: it beats on, nothing comes twice, and who joins now gets theirs at eight.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.store import Store

ROOT = Path(__file__).parents[2]
LIBRARIES = [
    Path(f"/usr/lib/{machine}/faketime/libfaketimeMT.so.1") for machine in ("x86_64-linux-gnu", "aarch64-linux-gnu", "")
]
PEOPLE = 110
PATIENCE = 120.0  # seconds
PLAN = """\
campaign: crm
title: One customer record
owner: [dana@example.com]
milestones: {kickoff: 2027-01-11, go_live: 2027-03-15}
audience: {roles: {everybody: {rest: true}}}
send:
  channels: [email]
  window: {days: [mon, tue, wed, thu, fri, sat, sun], from: "08:00", to: "20:00"}
  holidays: false
  at_most: {per_day: 1, per_week: 7}
wiifm:
  everybody: {why: One list., your_job: You log it., skills: An hour., measures: Calls., results: Orders.}
messages:
  - id: one-record
    key_point: Every conversation is logged.
    from: kickoff
    until: go_live
    cadence: {every: 24h}
    ask: nothing
"""


class Machine:
    """A workspace, its relay, and the clock of everything that is run in it."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.folder, self.relay = folder, Mailbox()
        self._file = folder / "clock"
        self._ahead = dt.timedelta()
        self._variables = {
            **os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(library), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "COMMSENGINE_SECRET_KEY": "a-key-of-enough-letters", "COMMSENGINE_HTTP_BIND": "127.0.0.1:18471",
            "COMMSENGINE_STATE_DIR": str(folder / "state"),
        }  # fmt: skip

    def set_clock(self, text: str) -> None:
        """From now on it is that instant (UTC), and time goes on from there."""
        self._ahead = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) - dt.datetime.now(dt.UTC)
        written = self._file.with_suffix(".new")
        written.write_text(f"{self._ahead.total_seconds():+.0f}\n")
        written.replace(self._file)

    @property
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self._ahead

    def process(self, *arguments: str) -> subprocess.Popen[str]:
        variables = {**self._variables, "COMMSENGINE_SMTP_URL": self.relay.url}
        return subprocess.Popen(
            [sys.executable, "-m", "commsengine", *arguments],
            cwd=self.folder, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def done(self, *arguments: str) -> str:
        process = self.process(*arguments)
        said, _ = process.communicate(timeout=PATIENCE)
        if process.returncode:
            raise SystemExit(f"{' '.join(arguments)} failed:\n{said}")
        return said

    def store(self) -> Store:
        return Store.open(f"sqlite:///{self.folder}/commsengine.db")

    def held(self) -> bool:
        with self.store() as store:
            return any(hold.until is None for hold in store.engine.holds())

    def beats(self) -> bool:
        """Whether the engine has beaten in the last half minute of the time that it is."""
        with self.store() as store:
            last = store.engine.heartbeat()
        return last is not None and abs(self.now - last.beat_at) < dt.timedelta(seconds=35)


def until(what: str, condition: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"MISSED: {what} did not come about in {PATIENCE:.0f} s")
        time.sleep(0.5)
    print(f"  {what}: after {time.monotonic() - began:.0f} s", flush=True)


def play(machine: Machine) -> None:
    relay = machine.relay
    print("Monday morning")
    until("everybody has the first", lambda: len(relay.arrived) == PEOPLE)
    print("three days ahead")
    machine.set_clock("2027-01-14 08:10:00")
    until("the engine holds", machine.held)
    time.sleep(15)
    print(f"  {len(relay.arrived) - PEOPLE} messages while it holds")
    print("back to Monday, released, then Tuesday morning")
    machine.set_clock("2027-01-11 08:05:00")
    until("the engine beats on", machine.beats)
    print("  " + machine.done("release", "--yes").strip().replace("\n", "\n  "))
    machine.set_clock("2027-01-12 07:59:50")
    until("everybody has the second", lambda: len(relay.arrived) == 2 * PEOPLE)
    print("two hours back")
    machine.set_clock("2027-01-12 06:00:00")
    until("the engine beats on", machine.beats)
    (machine.folder / "people.csv").write_text("email\nnew@example.com\n")
    machine.done("people", "import", "people.csv")
    machine.set_clock("2027-01-12 07:59:50")
    until("who joined has the first", lambda: len(relay.arrived) == 2 * PEOPLE + 1)
    time.sleep(15)


def main() -> int:
    library = next((path for path in LIBRARIES if path.exists()), None)
    if library is None:
        print("libfaketime is not here: apt-get install faketime", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), library)
        (machine.folder / "schedules").mkdir()
        (machine.folder / "schedules" / "crm.yaml").write_text(PLAN)
        (machine.folder / "people.csv").write_text("email\n" + "".join(f"p{n}@example.com\n" for n in range(PEOPLE)))
        machine.set_clock("2027-01-10 12:00:00")
        with machine.relay:
            for command in ("people import people.csv", "apply schedules/crm.yaml --yes", "start crm --yes"):
                machine.done(*command.split())
            machine.set_clock("2027-01-11 07:59:45")
            engine = machine.process("run")
            try:
                play(machine)
            finally:
                engine.send_signal(signal.SIGTERM)
                print(f"the engine left with status {engine.wait(60)}")
        return report(machine)


def report(machine: Machine) -> int:
    letters = Counter(mail.recipients[0] for mail in machine.relay.arrived)
    keys = Counter(mail.key for mail in machine.relay.arrived)
    with machine.store() as store:
        rows = list(store.touches.list("crm"))
    twice = sum(count > 1 for count in keys.values())
    wrong = [person for person, count in letters.items() if count != (1 if person == "new@example.com" else 2)]
    print(f"{len(letters)} people, {len(keys)} touches, {twice} twice, {len(wrong)} people with too many or too few")
    print(f"on record: {dict(Counter(row.state for row in rows))}")
    return 1 if twice or wrong or {row.state for row in rows} != {"sent"} else 0


if __name__ == "__main__":
    sys.exit(main())
