"""What a bad input is: the files and settings somebody has, the commands they give, and what they must be told."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tests.cli.conftest import PEOPLE, plan
from tests.cli.terminal import Said, Terminal
from tests.stories.program import HERE, Program
from tests.waiting import PATIENCE

Content = str | bytes | Callable[[], bytes]

SETTINGS = {"COMMSENGINE_SECRET_KEY": "a-key-of-enough-letters"}
_CAPABILITIES_OF_ROOT = (1, 2)  # to write and to read whatever the rights of a file say
_DROP_FROM_BOUNDS = 24  # prctl


@dataclass(frozen=True)
class Error:
    """One error: where (``file:line:column``, or ``environment``), why, and what to do."""

    place: str
    cause: str
    fix: str


@dataclass(frozen=True)
class Attempt:
    """Commands, one after the other; the last one is judged.

    ``says`` is what it must print besides the errors, ``never`` what it must not. ``arrange`` prepares the folder.
    ``alone`` makes it a process without root's right to write what is read-only. ``done`` is true where the input is
    taken as it was meant; otherwise nothing may have changed.
    """

    commands: tuple[tuple[str, ...], ...]
    errors: tuple[Error, ...] = ()
    files: Mapping[str, Content] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    status: int = 2
    arrange: Callable[[Path], None] | None = None
    alone: bool = False
    done: bool = False

    def prepare(self, folder: Path) -> None:
        for name, content in self.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            data = content() if callable(content) else content
            file.write_bytes(data.encode() if isinstance(data, str) else data)
            if name == ".env":
                file.chmod(0o600)
        if self.arrange:
            self.arrange(folder)

    def here(self, folder: Path, commands: tuple[tuple[str, ...], ...]) -> list[Said]:
        """Give commands in this process, as far as that is faithful."""
        program = self.program(folder)
        if self.alone:
            return [self.as_process(folder, command) for command in commands]
        with program.environment(), contextlib.chdir(folder):
            return [Terminal(folder).run(*command) for command in commands]

    def as_process(self, folder: Path, command: tuple[str, ...]) -> Said:
        settings = {name: value for name, value in os.environ.items() if not name.startswith("COMMSENGINE_")}
        done = subprocess.run(
            [sys.executable, "-m", "commsengine", *command], cwd=folder, capture_output=True, text=True, check=False,
            env={**settings, "PYTHONPATH": HERE, **self.program(folder).settings}, stdin=subprocess.DEVNULL,
            preexec_fn=as_anybody if self.alone else None, timeout=PATIENCE,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    def program(self, folder: Path) -> Program:
        state = {"COMMSENGINE_STATE_DIR": str(folder.parent / "state")}
        return Program(folder, {**SETTINGS, **state, **self.settings})


@dataclass(frozen=True)
class BadInput:
    """One of the 44, with every form of it that is tried."""

    number: int
    name: str
    attempts: tuple[Attempt, ...]

    def __str__(self) -> str:
        return f"{self.number:02d} {self.name}"


@dataclass(frozen=True)
class Workspace:
    """A workspace as it stood before: four people imported, one campaign applied and not started."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Workspace:
        (folder / "schedules").mkdir(parents=True)
        (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
        (folder / "schedules" / "crm.yaml").write_text(plan(), encoding="utf-8")
        program = Attempt(()).program(folder)
        program.here("people", "import", "people.csv")
        program.here("apply", "schedules/crm.yaml", "--yes")
        return cls(folder)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Every file by its name, the database as the statements that would make it anew."""
        found = {path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink()}
        plain = {path for path in found if not path.name.startswith("commsengine.db")}
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in plain} | self._database

    @property
    def _database(self) -> dict[str, bytes]:
        file = self.folder / "commsengine.db"
        if not file.is_file():
            return {}
        with contextlib.closing(sqlite3.connect(file)) as connection:
            try:
                return {"commsengine.db": "\n".join(connection.iterdump()).encode()}
            except sqlite3.DatabaseError:
                return {"commsengine.db": file.read_bytes()}


def as_anybody() -> None:
    """Before a program starts: root's right to pass over the rights of files is given up. Others never had it."""
    for capability in _CAPABILITIES_OF_ROOT:
        ctypes.CDLL(None).prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0)
