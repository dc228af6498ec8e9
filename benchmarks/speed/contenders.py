"""The senders that are compared, each as a process of its own: how it is got ready, and how it sends."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.stories.campaign import IN_FORCE, write_for
from tests.stories.program import HERE, Program

STEADY = 100_000
"""Messages of a sender that is over within a second with fewer."""

PEERS = Path(__file__).with_name("peers")


@dataclass(frozen=True)
class Used:
    """By one process and its children: seconds of wall time and of CPU; ``peak`` is in MiB, of all at once."""

    wall: float
    cpu: float
    peak: float


def run(command: Sequence[str], folder: Path, more: Mapping[str, str] | None = None) -> Used:
    """Raises ``SystemExit`` with what the command said when it failed."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("COMMSENGINE_")}
    with open(folder / "output", "w+b") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env={**given, **(more or {})}, stdout=output, stderr=output)
        memory = _Peak(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        wall, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
        memory.stop()
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} failed: {output.read().decode(errors='replace')[-2000:]}")
    return Used(wall, used.ru_utime + used.ru_stime, max(memory.most, used.ru_maxrss / 1024))


class _Peak:
    """Looks twenty times a second how much memory a process and its children hold, in MiB."""

    def __init__(self, pid: int) -> None:
        self.most, self._pid, self._over = 0.0, pid, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.most = max(self.most, sum(map(_resident, _family(self._pid))))


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [pid, *(each for child in children.read_text().split() for each in _family(int(child)))]
    except OSError:
        return []


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
    except (OSError, IndexError):
        return 0.0


class Contender(ABC):
    """``idle`` is the same command with nothing to do: what starting costs, which is taken off."""

    name: str

    def __init__(self, folder: Path, messages: int) -> None:
        self.folder, self.messages = folder, messages

    def prepare(self, port: int) -> None:  # noqa: B027 - most need nothing
        """Before the time counts."""

    @abstractmethod
    def send(self, port: int) -> Used: ...

    def idle(self, port: int) -> Used:
        return self.send(port)


class Engine(Contender):
    """The whole program: one tick that decides, claims, writes, sends and keeps what became of each message."""

    name = "engine"
    program = sys.executable
    tree = HERE
    database = ""
    settings: ClassVar[dict[str, str]] = {}

    def prepare(self, port: int) -> None:
        write_for(Program(self.folder), self.messages)
        for command in IN_FORCE:
            self._run(port, *command)

    def send(self, port: int) -> Used:
        return self._run(port, "tick", "--json")

    def _run(self, port: int, *arguments: str) -> Used:
        own = {"PYTHONPATH": self.tree, "COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{port}"}
        own |= self.settings
        own |= {"COMMSENGINE_DATABASE_URL": self.database} if self.database else {}
        return run([self.program, "-m", "commsengine", *arguments], self.folder, own)


class SmtpSource(Contender):
    """Postfix's generator: nothing is rendered, nothing is kept on record."""

    name = "smtp-source -d"
    program = shutil.which("smtp-source", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""
    size = 6700  # bytes of a message, headers not counted: as long as the engine's

    def __init__(self, folder: Path, messages: int) -> None:
        super().__init__(folder, max(messages, STEADY))

    def send(self, port: int) -> Used:
        words = ["-d", "-s", "32", "-m", str(self.messages), "-l", str(self.size), f"127.0.0.1:{port}"]
        return run([self.program, *words], self.folder)

    def idle(self, port: int) -> Used:
        del port
        return Used(0.0, 0.0, 0.0)


class PostOffice(Contender):
    """django-post_office: two processes of five threads, from its queue in SQLite."""

    name = "django-post_office"
    program = sys.executable

    def prepare(self, port: int) -> None:
        run([*self._site(port), "fill", str(self.messages)], self.folder)

    def send(self, port: int) -> Used:
        return run([*self._site(port), "send", "2"], self.folder)

    def _site(self, port: int) -> list[str]:
        return [self.program, str(PEERS / "django_site.py"), str(self.folder / "queue.db"), str(port)]


class SmtplibLoop(Contender):
    name = "smtplib loop"
    program = sys.executable

    def prepare(self, port: int) -> None:
        del port
        with sqlite3.connect(self.folder / "loop.db") as connection:
            connection.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, email TEXT, name TEXT, sent INTEGER)")
            rows = [(f"p{n:06d}@example.com", f"Person {n}") for n in range(self.messages)]
            connection.executemany("INSERT INTO message (email, name, sent) VALUES (?, ?, 0)", rows)

    def send(self, port: int) -> Used:
        return run([self.program, str(PEERS / "smtplib_loop.py"), "loop.db", str(port)], self.folder)
