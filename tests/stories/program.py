"""The program as people run it: ``python -m commsengine`` as a process of its own, with only the settings named."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import commsengine
from commsengine.settings import PREFIX
from tests import fresh
from tests.cli.terminal import Said, Terminal
from tests.fork_server import python
from tests.waiting import PATIENCE

HERE = str(Path(commsengine.__file__).parents[1])
"""The program that is run is the one that is imported here, wherever another may be installed."""


@dataclass(frozen=True)
class Books:
    """How a campaign stands: its touches by state, and every row."""

    state: str
    counts: Mapping[str, int]
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Program:
    """Commands in ``folder``. Standard input is no terminal; no setting of this machine gets in.

    ``fresh`` starts each in a new interpreter, also where the suite has a fork server.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False

    def run(self, *arguments: str) -> Said:
        with self.running(*arguments) as process:
            out, err = process.communicate(timeout=PATIENCE)
        return Said(process.returncode, out, err)

    def done(self, *arguments: str) -> str:
        """What a command that must succeed printed."""
        said = self.run(*arguments)
        assert said.status == 0, f"{arguments}: {said.status}\n{said.out}\n{said.err}"
        assert "Traceback" not in said.err
        return said.out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.done(*arguments, "--json"))

    def here(self, *arguments: str) -> str:
        """The same in this process: quicker, for what a story needs but is not about."""
        files = {name: str(self.folder / name) for name in arguments if (self.folder / name).is_file()}
        with self.environment():
            said = Terminal(self.folder).run(*(files.get(word, word) for word in arguments))
        assert said.status == 0, f"{arguments}: {said.status}\n{said.out}\n{said.err}"
        return said.out

    def look(self, *arguments: str) -> Any:
        """What a reading command says, in this process."""
        return json.loads(self.here(*arguments, "--json"))

    @contextmanager
    def environment(self) -> Iterator[None]:
        """The environment of the program, for what is done in this process."""
        before, ours = dict(os.environ), self.variables
        os.environ.clear()
        os.environ.update(ours)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    @property
    def variables(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return {**inherited, "PYTHONPATH": HERE, **fresh.settings(self.folder), **self.settings}

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command at work; it is killed, if it has to be, when the context is left."""
        process = python(
            ["-m", "commsengine", *arguments], fresh=self.fresh, cwd=self.folder, env=self.variables,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with process:
            try:
                yield process
            finally:
                process.kill()

    def books(self, campaign: str) -> Books:
        """The books of a campaign, after seeing that they balance: the counts are those of the rows."""
        found = next(each for each in self.look("status")["campaigns"] if each["campaign"] == campaign)
        rows = self.look("touches", campaign)["touches"]
        counts = {**found["touches"], "skipped": sum(found["touches"]["skipped"].values())}
        assert counts == {state: sum(row["state"] == state for row in rows) for state in counts}
        assert sum(counts.values()) == len(rows)
        return Books(found["state"], counts, rows)

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def change(self, name: str, *changes: tuple[str, str]) -> None:
        """Edit a file as a person would: each old text must be there."""
        text = (self.folder / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        self.write(name, text)
