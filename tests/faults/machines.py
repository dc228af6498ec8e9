"""Several machines on one PostgreSQL: schedulers and workers as processes, each with a state folder of its own."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
from sqlalchemy import select

from commsengine.store.store import Store
from commsengine.store.tables import attempt, touch
from tests.browsing import WEB
from tests.deployment import command
from tests.faults.witness import SmtpWitness
from tests.fork_server import python
from tests.stories.campaign import addresses, start_for
from tests.stories.program import Program

SCHEDULER, WORKER = command("scheduler"), command("worker-1")
"""As the compose file starts them."""
OPEN = ("claimed", "sending", "retry")


class Cable:
    """Between a host and the database: ``url`` is the database at its other end, until it is ``cut``."""

    within: Sequence[str] = ()

    def __init__(self, folder: Path, url: str) -> None:
        self._there = f"{url.partition('host=')[2]}/.s.PGSQL.5432"
        self.url = f"{url.partition('host=')[0]}host={folder}"
        folder.mkdir()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen(64)
        self._open: set[socket.socket] = set()
        self._is_cut = False
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                threading.Thread(target=self._joined, args=(here,), daemon=True).start()

    def _joined(self, here: socket.socket) -> None:
        with here, socket.socket(socket.AF_UNIX) as there:
            if self._is_cut:
                return
            there.connect(self._there)
            self._open |= {here, there}
            back = threading.Thread(target=self._carry, args=(there, here), daemon=True)
            back.start()
            self._carry(here, there)
            back.join()
            self._open -= {here, there}

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@dataclass
class Machine:
    """A process and how it is started; ``program`` has the settings of its host.

    ``within`` is the command that starts it on a network of its own.
    """

    program: Program
    command: Sequence[str]
    log: Path
    within: Sequence[str] = ()
    process: subprocess.Popen[Any] | None = None

    @property
    def address(self) -> str:
        return f"http://{self.program.settings['COMMSENGINE_HTTP_BIND']}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        """Whether it is up, and nothing is wrong."""
        with suppress(httpx.TransportError):
            return WEB.get(f"{self.address}/readyz").status_code == httpx.codes.OK
        return False

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()


@dataclass
class Hosts:
    """Hosts of one campaign that is started."""

    folder: Path
    settings: Mapping[str, str]
    people: int
    stack: ExitStack
    numbers: Iterator[int] = field(default_factory=itertools.count, kw_only=True)

    def start(self, command: Sequence[str], within: Sequence[str] = (), **more: str) -> Machine:
        """Another host; ``more`` are variables of its own."""
        number = next(self.numbers)
        own = {"COMMSENGINE_STATE_DIR": str(self.folder / f"state-{number}"), **self.settings, **more}
        own["COMMSENGINE_HTTP_BIND"] = f"127.0.0.1:{free_port()}"
        machine = Machine(Program(self.folder / "office", own), command, self.folder / f"{number}.log", within)
        self.again(machine)
        return machine

    def again(self, machine: Machine) -> None:
        """Start the process of this host, after its end. What it says is added to ``machine.log``."""
        program = machine.program
        with machine.log.open("ab") as log:
            machine.process = python(
                ["-m", "commsengine", *machine.command],
                fresh="LD_PRELOAD" in program.settings,
                within=machine.within,
                cwd=program.folder,
                env=program.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.stack.callback(machine.kill)

    @contextmanager
    def store(self) -> Iterator[Store]:
        with Store.open(self.settings["COMMSENGINE_DATABASE_URL"]) as store:
            yield store

    def states(self) -> Counter[str]:
        with self.store() as store:
            rows = store.database.rows(select(touch.c.state).where(touch.c.kind != "service"))
        return Counter(row.state for row in rows)


@dataclass
class Machines(Hosts):
    """Hosts, and the books of all of them. The witness is what the outside has."""

    witness: SmtpWitness

    def unflagged(self) -> list[str]:
        """Touches that arrived more than once and do not say so."""
        copies = Counter(arrival.key for arrival in self.witness.arrivals())
        with self.store() as store:
            rows = store.database.rows(select(touch.c.key, touch.c.possible_duplicate))
        flagged = {row.key for row in rows if row.possible_duplicate}
        return [key for key, count in copies.items() if count > 1 and key not in flagged]

    def lost(self) -> set[str]:
        """People without their message of whom no row says that it is open, uncertain or failed."""
        with self.store() as store:
            rows = store.database.rows(select(touch.c.person_id, touch.c.state).where(touch.c.state != "sent"))
        return set(addresses(self.people)) - set(self.witness.copies) - {row.person_id for row in rows}

    def unbalanced(self) -> str:
        """How the books disagree with the witness; empty if they do not."""
        copies = Counter(arrival.key for arrival in self.witness.arrivals())
        with self.store() as store:
            rows = store.database.rows(select(touch.c.key, touch.c.state).where(touch.c.kind != "service"))
            tries = Counter(row.key for row in store.database.rows(select(attempt.c.key)))
        missing = [row.key for row in rows if row.state == "sent" and not copies[row.key]]
        unknown = sorted(set(copies) - {row.key for row in rows})
        unexplained = [key for key, count in copies.items() if count > max(1, tries[key])]
        found = {"sent, but never arrived": missing, "not on record": unknown, "without an attempt": unexplained}
        return "; ".join(f"{len(keys)} {what}: {keys[:3]}" for what, keys in found.items() if keys)


@contextmanager
def hosts(folder: Path, settings: Mapping[str, str], people: int) -> Iterator[Hosts]:
    """A workspace with these settings and a campaign that is started; nothing runs yet."""
    (folder / "office").mkdir(parents=True)
    start_for(Program(folder / "office", {"COMMSENGINE_STATE_DIR": str(folder / "state"), **settings}), people)
    with ExitStack() as stack:
        yield Hosts(folder, settings, people, stack)


@contextmanager
def machines(folder: Path, database: str, witness: SmtpWitness, people: int) -> Iterator[Machines]:
    """``hosts`` that share this database and send to the witness."""
    with hosts(folder, {"COMMSENGINE_DATABASE_URL": database, **witness.settings}, people) as found:
        yield Machines(found.folder, found.settings, found.people, found.stack, witness)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
