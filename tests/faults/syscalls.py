"""Kills the program at its n-th write to disk: strace delivers SIGKILL as the system call is entered.

``points`` runs once undisturbed and counts, per thread, the calls that make something durable; ``die_at`` runs again
and dies at one of them. Only calls on files of the workspace or the state folder count.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fork_server import python
from tests.stories.program import Program
from tests.waiting import PATIENCE, wait_until

CALLS = "fdatasync,fsync,pwrite64,write,ftruncate,unlink,unlinkat,rename"
MAIN = "MainThread"
STRACE = shutil.which("strace")


def why_not() -> str:
    """Why nothing can be traced on this machine; empty if it can."""
    if STRACE is None:
        return "no strace on this machine; install the package 'strace'"
    tried = subprocess.run([STRACE, "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return f"strace may not trace here: {tried.stderr.strip()}" if tried.returncode else ""


@dataclass(frozen=True)
class Points:
    """Where it can die: how many durable calls each thread makes, and on which paths."""

    threads: Mapping[str, int]
    paths: Sequence[str]

    def all(self) -> Iterator[tuple[str, int]]:
        for thread, count in sorted(self.threads.items()):
            yield from ((thread, number) for number in range(1, count + 1))


def points(program: Program, command: str, folders: Sequence[Path]) -> Points:
    trace = program.folder.parent / "trace"
    with _traced(program, MAIN, command) as (process, tids):
        strace = [str(STRACE), "-f", "-y", "-s", "0", "-o", str(trace), "-e", f"trace={CALLS}", "-p", str(process.pid)]
        with subprocess.Popen(strace, stderr=subprocess.DEVNULL):
            assert process.wait(PATIENCE) == 0
    return _counted(trace.read_text(encoding="utf-8"), tids.read_text(encoding="utf-8"), folders)


def die_at(program: Program, command: str, thread: str, number: int, paths: Sequence[Path | str]) -> bool:
    """Whether it died there; a thread may make a few calls more or less from one run to the next."""
    with _traced(program, thread, command) as (process, tids):
        assert wait_until(lambda: _tid(tids, thread) or process.poll() is not None)
        only = [word for path in paths for word in ("-P", str(path))]
        inject = ["-e", f"trace={CALLS}", "-e", f"inject={CALLS}:signal=KILL:when={number}", *only]
        strace = [str(STRACE), "-o", "/dev/null", *inject, "-p", str(_tid(tids, thread))]
        with subprocess.Popen(strace, stderr=subprocess.DEVNULL):
            status = process.wait(PATIENCE)
    return status == -9


@contextmanager
def _traced(program: Program, thread: str, command: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    tids = program.folder.parent / "tids"
    tids.write_text("", encoding="utf-8")
    process = python(
        ["-m", "tests.faults.traced", thread, command], cwd=program.folder,
        env={**program.variables, "TRACED_TIDS": str(tids)}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process:
        try:
            yield process, tids
        finally:
            process.kill()


def _tid(tids: Path, thread: str) -> str:
    return next((tid for tid, name in _names(tids.read_text(encoding="utf-8")).items() if name == thread), "")


def _names(tids: str) -> dict[str, str]:
    started = (line.partition(" ") for line in tids.splitlines())
    return {tid: name for tid, _, name in started}


def _counted(trace: str, tids: str, folders: Sequence[Path]) -> Points:
    names = _names(tids)
    threads: Counter[str] = Counter()
    paths: set[str] = set()
    for line in trace.splitlines():
        found = re.match(r"(\d+) +\w+\((?:\d+<|[A-Z_]+(?:<[^>]*>)?, )?\"?(/[^>\"]+)", line)
        if found and any(Path(found[2]).is_relative_to(folder) for folder in folders):
            threads[names[found[1]]] += 1
            paths.add(found[2].removesuffix(" (deleted)"))
    return Points(threads, sorted(paths))
