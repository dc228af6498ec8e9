"""The senders that are compared, each as a process of its own: how it is got ready, and how it sends."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from benchmarks.processes import Used, program, run
from benchmarks.sending import database
from tests.stories.campaign import IN_FORCE, write_for
from tests.stories.program import Program

STEADY = 100_000
"""Messages of a sender that is over within a second with fewer."""

PEERS = Path(__file__).with_name("peers")


class Contender(ABC):
    """``idle`` is the same command with nothing to do: what starting costs, which is taken off."""

    name: str

    def __init__(self, folder: Path, messages: int) -> None:
        self.folder, self.messages = folder, messages

    def prepare(self, port: int) -> None:  # noqa: B027 - most need nothing
        """Before the time counts."""

    def close(self) -> None:  # noqa: B027 - most have nothing open
        """After the last command."""

    @abstractmethod
    def send(self, port: int) -> Used: ...

    def idle(self, port: int) -> Used:
        return self.send(port)


class Engine(Contender):
    """The whole program: one tick that decides, claims, writes, sends and keeps what became of each message."""

    name = "engine"
    database = "sqlite"
    settings: ClassVar[dict[str, str]] = {}

    def __init__(self, folder: Path, messages: int) -> None:
        super().__init__(folder, messages)
        self._open = ExitStack()
        self._named = self._open.enter_context(database(self.database))

    def close(self) -> None:
        self._open.close()

    def prepare(self, port: int) -> None:
        write_for(Program(self.folder), self.messages)
        for command in IN_FORCE:
            self._run(port, *command)

    def send(self, port: int) -> Used:
        return self._run(port, "tick", "--json")

    def _run(self, port: int, *arguments: str) -> Used:
        own = {"COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{port}", **self.settings, **self._named}
        return program(self.folder, *arguments, settings=own)


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
        return Used(0.0, 0.0, 0.0, False, "")


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
