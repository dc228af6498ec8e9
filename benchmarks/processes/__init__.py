"""A command as a process of its own, and what it used."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.stories.program import HERE


@dataclass(frozen=True)
class Used:
    """By a process and its children: seconds of wall time and of CPU, and MiB at the peak, of all at once.

    ``ended``: it took longer than it may. ``out`` is what it printed, if it was left to its end.
    """

    wall: float
    cpu: float
    peak: float
    ended: bool
    out: str


def program(
    folder: Path,
    *arguments: str,
    settings: Mapping[str, str],
    tree: str = HERE,
    limit: float | None = None,
    first_line: bool = False,
) -> Used:
    """A command of commsengine, as it is in the checkout ``tree``. Otherwise as ``run``."""
    own = {"PYTHONPATH": tree, "PYTHONDONTWRITEBYTECODE": "", **settings}
    command = [sys.executable, "-m", "commsengine", *arguments]
    return run(command, folder, own, limit=limit, first_line=first_line)


def run(
    command: Sequence[str],
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    limit: float | None = None,
    first_line: bool = False,
) -> Used:
    """At most ``limit`` seconds; with ``first_line`` until there is something to read.

    Raises ``SystemExit`` with what the command said when it failed.
    """
    given = {name: value for name, value in os.environ.items() if not name.startswith("COMMSENGINE_")}
    with open(folder / "out", "w+b") as out, open(folder / "err", "w+b") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**given, **(settings or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if first_line else out,
            stderr=err,
        )
        memory, timer = _Peak(process.pid), threading.Timer(limit or threading.TIMEOUT_MAX, process.kill)
        timer.start()
        if process.stdout:
            process.stdout.readline()
            process.kill()
        _, status, used = os.wait4(process.pid, 0)
        wall, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
        timer.cancel()
        memory.stop()
        killed = process.returncode == -signal.SIGKILL
        if process.returncode and not killed:
            err.seek(0)
            raise SystemExit(f"{' '.join(command)} failed: {err.read().decode(errors='replace')[-2000:]}")
        out.seek(0)
        said = out.read().decode(errors="replace")
    peak = max(memory.most, used.ru_maxrss / 1024)
    return Used(wall, used.ru_utime + used.ru_stime, peak, killed and not first_line, said)


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
