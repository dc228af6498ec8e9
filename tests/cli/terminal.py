"""A terminal for tests: runs commands in this process and keeps what they print."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commsengine.cli import exit_status_of
from tests import fresh


class Screen(io.StringIO):
    """A stream that is a terminal; with a text, what somebody types."""

    def isatty(self) -> bool:
        return True


@contextlib.contextmanager
def typing(text: str) -> Iterator[None]:
    """Standard input is a terminal on which this is typed, as ``redirect_stdout`` does it for output."""
    before, sys.stdin = sys.stdin, Screen(text)
    try:
        yield
    finally:
        sys.stdin = before


@dataclass(frozen=True)
class Said:
    """What a command left behind: exit status, stdout, stderr."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """Commands in one workspace. Standard input is no terminal."""

    folder: Path

    def run(self, *arguments: str) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), fresh.in_environment(self.folder):
            status = exit_status_of(["--workspace", str(self.folder), *arguments])
        return Said(status, out.getvalue(), err.getvalue())

    def json(self, *arguments: str) -> Any:
        """The data of a reading command that must succeed."""
        said = self.run(*arguments, "--json")
        assert said.status == 0, said.err
        return said.data

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def write(self, name: str, text: str) -> str:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return str(file)
