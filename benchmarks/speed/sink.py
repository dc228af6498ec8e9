"""The mail server of the benchmarks: ``sink.c``, compiled when first needed and started as a process of its own."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

SOURCE = Path(__file__).with_name("sink.c")


@dataclass(frozen=True)
class Received:
    """What the sink has counted; ``seconds`` are those from the first message to the last."""

    messages: int
    bytes: int
    connections: int
    recipients: int
    different: int
    seconds: float


@cache
def compiled() -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("The mail server of the benchmarks is compiled when it starts: install a C compiler (gcc).")
    program = Path(tempfile.mkdtemp(prefix="sink-")) / "sink"
    subprocess.run([compiler, "-O2", "-o", program, SOURCE], check=True)
    return program


class Sink:
    """``delay_ms`` is the latency of a relay: so late it answers the end of a message."""

    def __init__(self, *, delay_ms: int = 0, pipelining: bool = True) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sink-")
        figures = Path(self._folder.name) / "figures"
        words = [str(compiled()), str(figures), str(delay_ms), "" if pipelining else "plain"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        with figures.open("rb") as file:
            self._figures = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def received(self) -> Received:
        *counts, first, last = struct.unpack_from("<7Q", self._figures)
        return Received(*counts, (last - first) / 1e6)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate()
        self._folder.cleanup()
