from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from commsengine.engine.owner_lock import EngineLock
from commsengine.errors import HeldError
from tests import fresh
from tests.browsing import TRUST, WEB
from tests.builders import a_plan, someone, utc
from tests.engine.conftest import run as put_on_record
from tests.fork_server import python
from tests.stories.conftest import free_port
from tests.waiting import PATIENCE, expect, stopped_twice, wait_until

ROOT = Path(__file__).parent.parent
PROGRAM = """
    import datetime as dt, gc, resource, sys, threading, time
    from pathlib import Path
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from commsengine.cadence.plan import Workspace
    from commsengine.engine.owner_lock import EngineLock
    from commsengine.engine.engine import Engine
    from commsengine.runner import Web, run
    from commsengine.store.store import Store
    from commsengine.web.requests import read_body
    from tests import fresh
    from tests.fakes import Mailbag, Scribe, a_channel

    file, port, pace = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    files, patience = int(sys.argv[4]), float(sys.argv[5])
    if files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    began = time.monotonic()
    def clock():
        return dt.datetime(2027, 1, 11, 9, tzinfo=dt.UTC) + dt.timedelta(seconds=time.monotonic() - began)
    def slowly(message):
        time.sleep(pace)
    store = fresh.opened(file)
    channels = {"email": a_channel(Mailbag(), slowly, threads=2)}
    engine = Engine(store, channels, Scribe, workspace=Workspace(), clock=clock)
    async def form(request: Request):
        return PlainTextResponse(await read_body(request))
    pages = Starlette(routes=[Route("/", lambda request: PlainTextResponse("here")),
                              Route("/form", form, methods=["POST"])])
    def ping():
        with open(file.with_suffix(".beats"), "a") as beats:
            beats.write(".")
    web = Web(pages, port=port, patience=patience)
    done = run(engine, clock=clock, every=0.2, lock=EngineLock(file), web=web,
               ready=lambda: print(f"frozen {gc.get_freeze_count()}\\nready", flush=True), ping=ping)
    sys.exit(0 if done else 3)
"""


@contextmanager
def running(
    file: Path,
    *,
    port: int = 0,
    pace: float = 0.02,
    files: int = 0,
    patience: float = 15.0,
    said: list[str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """The program; ``files`` is how many descriptors it may have, ``patience`` that of its pages.

    ``said`` gets what it says before it is ready.
    """
    words = [str(file), str(port), str(pace), str(files), str(patience)]
    command = ["-c", textwrap.dedent(PROGRAM), *words]
    process = python(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [] if said is None else said
        while (line := process.stdout.readline()) and line != "ready\n":
            lines.append(line)
        assert line, process.communicate()[1]
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with fresh.a_store(tmp_path / "run.db") as store:
        put_on_record(store, [someone(n) for n in range(40)], a_plan())
    return tmp_path / "run.db"


@pytest.fixture
def port() -> int:
    return free_port()


def states(file: Path) -> dict[str, int]:
    with fresh.opened(file) as store:
        return {state: n for state, n in store.counts.status(utc("2027-01-11"))[0].touches.items() if n}


def until(file: Path, least: int) -> None:
    assert wait_until(lambda: states(file).get("sent", 0) >= least, step=0.05), f"not {least} sent: {states(file)}"


def test_it_sends_what_is_due_without_being_asked(file: Path) -> None:
    with running(file):
        until(file, 40)
    assert states(file) == {"sent": 40}


def test_what_start_up_made_is_taken_out_of_the_garbage_collection(file: Path) -> None:
    said: list[str] = []
    with running(file, said=said):
        frozen = next(int(line.split()[1]) for line in said if line.startswith("frozen "))
    assert frozen > 10_000


def test_nothing_is_taken_out_of_it_by_an_import() -> None:
    program = """
        import gc
        before = gc.get_freeze_count(), gc.get_threshold()
        import commsengine.cli.run, commsengine.interpreter, commsengine.runner, commsengine.wiring
        assert (gc.get_freeze_count(), gc.get_threshold()) == before
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, check=True)


def test_asked_to_stop_it_ends_orderly_with_nothing_uncertain(file: Path) -> None:
    with running(file, pace=0.5) as process:
        until(file, 4)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert set(states(file)) == {"sent"}
    assert states(file)["sent"] < 40


def test_a_second_signal_ends_it_at_once_and_the_next_start_knows(file: Path) -> None:
    with running(file, pace=PATIENCE) as process:
        expect(lambda: states(file).get("sending"), step=0.05)
        assert stopped_twice(process) == 128 + signal.SIGTERM
    left = states(file)["sending"]
    with running(file):
        until(file, 40)
    with fresh.opened(file) as store:
        assert sum(row.possible_duplicate for row in store.touches.list("crm")) == left


def test_a_second_engine_on_the_same_file_names_the_first(file: Path) -> None:
    with running(file) as process, pytest.raises(HeldError) as refused, EngineLock(file):
        pass
    assert f"pid {process.pid} on {platform.node()}" in str(refused.value)


def test_the_lock_dies_with_its_process(file: Path) -> None:
    with running(file) as process:
        process.kill()
        process.wait()
        with EngineLock(file) as lock:
            assert lock.path.read_text() == f"pid {os.getpid()} on {platform.node()}\n"


def test_the_pages_are_up_while_it_runs(file: Path, port: int) -> None:
    with running(file, port=port):
        assert WEB.get(f"http://127.0.0.1:{port}/").text == "here"


def test_the_database_is_quiet_after_the_end(file: Path) -> None:
    with running(file) as process:
        until(file, 40)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
    with fresh.opened(file) as store:
        beat = store.engine.heartbeat()
        assert beat
        assert beat.beat_at >= utc("2027-01-11 09:00")


# -- half requests --------------------------------------------------------------------------------

HALVES = (
    b"",
    b"GE",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: aaa",
    b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
    b"POST /form HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
)
FEW = 256
"""Descriptors, as a small machine gives them; more half requests come than that."""


@contextmanager
def half_requests(port: int, number: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as opened:
        waiting = []
        for n in range(number):
            one = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            with suppress(OSError):  # it was closed already, to make room
                one.sendall(HALVES[n % len(HALVES)])
            waiting.append(one)
        yield waiting


def ended(one: socket.socket) -> bool:
    """Waits for the other side to close."""
    try:
        while one.recv(4096):
            pass
    except ConnectionError:
        return True
    return True


def beats_on(file: Path, number: int) -> None:
    """The engine beats so many times more; each time it opens a file."""
    beats = file.with_suffix(".beats")
    before = beats.stat().st_size if beats.exists() else 0
    expect(lambda: beats.exists() and beats.stat().st_size >= before + number, step=0.05)


def test_f39_half_requests_stop_neither_the_engine_nor_the_pages(file: Path, port: int) -> None:
    with running(file, port=port, files=FEW, patience=60) as process, half_requests(port, FEW + 64):
        for _ in range(3):
            assert WEB.get(f"http://127.0.0.1:{port}/").text == "here"
        assert WEB.post(f"http://127.0.0.1:{port}/form", content=b"whole").text == "whole"
        beats_on(file, 3)
        until(file, 40)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, states(file)) == (0, {"sent": 40})
    assert "Too many open files" not in said
    assert said.count("Traceback") == 0


def test_half_requests_are_closed_when_their_time_is_over(file: Path, port: int) -> None:
    with running(file, port=port, patience=0.5), half_requests(port, len(HALVES)) as waiting:
        assert all(ended(one) for one in waiting)


def test_a_client_that_dribbles_gains_no_time(file: Path, port: int) -> None:
    with running(file, port=port, patience=0.5), half_requests(port, 1) as [one]:
        one.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):  # noqa: PT012 - which of the lines meets the end is a race
            for n in range(600):
                one.sendall(f"X-{n}: x\r\n".encode())
                time.sleep(0.05)


def test_one_connection_may_send_many_requests_one_after_another(file: Path, port: int) -> None:
    with (
        running(file, port=port, patience=2.0),
        httpx.Client(verify=TRUST, base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client,
    ):
        for _ in range(6):
            assert client.post("/form", content=b"again").text == "again"
            time.sleep(0.5)


def test_asked_to_stop_it_waits_for_no_half_request(file: Path, port: int) -> None:
    with running(file, port=port, patience=600) as process, half_requests(port, 24):
        assert WEB.get(f"http://127.0.0.1:{port}/").text == "here"
        until(file, 40)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0  # less than the patience of its pages
