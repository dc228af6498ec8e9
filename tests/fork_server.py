"""Python processes as children of a server that has loaded the program already: to load it takes a second of CPU.

They are processes like any other: an id, an environment, a folder and streams of their own, and a signal ends them.
``make faults`` and the first commands of the first day start theirs the long way, and off Linux all do.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import inspect
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import commsengine

BECOME_SUBREAPER = 36  # prctl(2)
LONGEST = 1 << 20
NOT_LOADED = ("commsengine.__main__", "commsengine.store.migrations.env")
"""What acts when it is loaded."""

STEP = [
    "self", "args", "executable", "preexec_fn", "close_fds", "pass_fds", "cwd", "env", "startupinfo", "creationflags",
    "shell", "p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite",
]  # fmt: skip
"""The arguments of the step of ``Popen`` that is taken over. A Python with others starts each process the long way."""

_open: list[ForkServer] = []


def open_fork_server() -> None:
    if sys.platform == "linux" and list(inspect.signature(subprocess.Popen._execute_child).parameters)[:17] == STEP:  # type: ignore[attr-defined]
        _open.append(ForkServer())


def close_fork_server() -> None:
    while _open:
        _open.pop().close()


def python(
    arguments: list[str], *, fresh: bool = False, within: Sequence[str] = (), **options: Any
) -> subprocess.Popen[Any]:
    """``Popen`` of Python with these arguments, ``-m MODULE …`` or ``-c PROGRAM …``.

    ``within`` is a command that starts it, such as ``ip netns exec NAME``.
    """
    if fresh or within or not _open:
        return subprocess.Popen([*within, sys.executable, *arguments], **options)
    return _open[-1].start(arguments, **options)


class ForkServer:
    """Starts when it is first asked."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, arguments: list[str], **options: Any) -> subprocess.Popen[Any]:
        with self._one_at_a_time:
            if self._process is None:
                self._open()
            return Forked(self._line, arguments, **options)

    def _open(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()

    def close(self) -> None:
        if self._process is not None:
            self._line.close()
            self._process.wait()


class Forked(subprocess.Popen[Any]):
    """A process that the server forks and that becomes our child."""

    def __init__(self, line: socket.socket, arguments: list[str], **options: Any) -> None:
        self._line = line
        super().__init__(arguments, **options)

    def _execute_child(self, *given: Any) -> None:
        # In the place of the step of ``Popen`` that forks; these are its own arguments.
        arguments, folder, environment, pipes = given[0], given[5], given[6], given[10:16]
        streams = [n if wanted == -1 else wanted for n, wanted in enumerate((pipes[0], pipes[3], pipes[5]))]
        environment = dict(os.environ if environment is None else environment)
        asked = {"arguments": arguments, "folder": str(folder or "."), "environment": environment}
        adopt_orphans(True)
        try:
            socket.send_fds(self._line, [json.dumps(asked).encode()], streams)
            self.pid = int(self._line.recv(64))
        finally:
            adopt_orphans(False)
        self._child_created = True
        self._close_pipe_fds(*pipes)


def adopt_orphans(wanted: bool) -> None:
    ctypes.CDLL(None).prctl(BECOME_SUBREAPER, int(wanted), 0, 0, 0)


# -- the server -------------------------------------------------------------------------------------------------------


def load() -> None:
    for module in pkgutil.walk_packages(commsengine.__path__, "commsengine."):
        if module.name not in NOT_LOADED and ".versions." not in module.name:
            importlib.import_module(module.name)
    gc.collect()


def serve(line: socket.socket) -> list[str]:
    """Forks for each that asks. Returns in the new process, which is set up as asked, with what it is to run."""
    while True:
        said, streams, *_ = socket.recv_fds(line, LONGEST, 3)
        if not said:
            os._exit(0)
        answer, told = os.pipe()
        if (between := os.fork()) == 0:
            parent = os.getpid()
            if (child := os.fork()) != 0:  # its parent ends at once, so that it goes to the one that asked
                os.write(told, str(child).encode())
                os._exit(0)
            while os.getppid() == parent:
                time.sleep(0.001)
            for descriptor in (line.fileno(), answer, told):
                os.close(descriptor)
            return set_up(json.loads(said), streams)
        os.waitpid(between, 0)
        line.send(os.read(answer, 64))
        for descriptor in (*streams, answer, told):
            os.close(descriptor)


def set_up(asked: dict[str, Any], streams: list[int]) -> list[str]:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    os.chdir(asked["folder"])
    at_once = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # noqa: SIM115
    for name, number, errors in (("stdout", 1, "strict"), ("stderr", 2, "backslashreplace")):
        whole_lines = number == 2 or os.isatty(number)
        stream = open(number, "w", buffering=1 if whole_lines else -1, errors=errors, closefd=False)  # noqa: SIM115
        stream.reconfigure(write_through=at_once)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    return list(asked["arguments"])


def become(kind: str, what: str, *arguments: str) -> None:
    sys.path[0] = os.getcwd() if kind == "-m" else ""
    sys.argv = ["-c" if kind == "-c" else what, *arguments]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102


if __name__ == "__main__":
    load()
    become(*serve(socket.socket(fileno=int(sys.argv[1]))))
