from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from commsengine.engine.lock import EngineLock
from commsengine.errors import HeldError
from commsengine.store.store import Store
from tests.builders import a_plan, someone, utc
from tests.engine.conftest import run as put_on_record

ROOT = Path(__file__).parent.parent
PROGRAM = """
    import datetime as dt, gc, sys, threading, time
    from pathlib import Path
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from commsengine.cadence.plan import Workspace
    from commsengine.engine.lock import EngineLock
    from commsengine.engine.tick import Engine
    from commsengine.runner import Web, run
    from commsengine.store.store import Store
    from tests.fakes import Mailbag, Scribe, a_channel

    file, port, pace = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    began = time.monotonic()
    def clock():
        return dt.datetime(2027, 1, 11, 9, tzinfo=dt.UTC) + dt.timedelta(seconds=time.monotonic() - began)
    def slowly(message):
        time.sleep(pace)
    store = Store.open(f"sqlite:///{file}")
    channels = {"email": a_channel(Mailbag(), slowly, threads=2)}
    engine = Engine(store, channels, Scribe, workspace=Workspace(), clock=clock)
    pages = Starlette(routes=[Route("/", lambda request: PlainTextResponse("here"))])
    done = run(store, engine, clock=clock, every=0.2, lock=EngineLock(file), web=Web(pages, port=port),
               ready=lambda: print(f"frozen {gc.get_freeze_count()}\\nready", flush=True))
    sys.exit(0 if done else 3)
"""


@contextmanager
def running(
    file: Path, *, port: int = 0, pace: float = 0.02, said: list[str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """``said`` gets what it says before it is ready."""
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(file), str(port), str(pace)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [] if said is None else said
        while (line := process.stdout.readline()) and line != "ready\n":
            lines.append(line)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with Store.create(f"sqlite:///{tmp_path}/run.db") as store:
        put_on_record(store, [someone(n) for n in range(40)], a_plan())
    return tmp_path / "run.db"


def states(file: Path) -> dict[str, int]:
    with Store.open(f"sqlite:///{file}") as store:
        return {state: n for state, n in store.books.status(utc("2027-01-11"))[0].touches.items() if n}


def until(file: Path, least: int) -> None:
    for _ in range(200):
        if states(file).get("sent", 0) >= least:
            return
        time.sleep(0.05)
    pytest.fail(f"not {least} sent: {states(file)}")


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
        import commsengine.cli.run, commsengine.engine.memory, commsengine.runner, commsengine.wiring
        assert (gc.get_freeze_count(), gc.get_threshold()) == before
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, check=True)


def test_asked_to_stop_it_ends_orderly_with_nothing_uncertain(file: Path) -> None:
    with running(file, pace=0.1) as process:
        until(file, 4)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert set(states(file)) == {"sent"}
    assert states(file)["sent"] < 40


def test_a_second_signal_ends_it_at_once_and_the_next_start_knows(file: Path) -> None:
    with running(file, pace=20) as process:
        while not states(file).get("sending"):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 128 + signal.SIGTERM
    left = states(file)["sending"]
    with running(file):
        until(file, 40)
    with Store.open(f"sqlite:///{file}") as store:
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


def test_the_pages_are_up_while_it_runs(file: Path) -> None:
    with running(file, port=18437):
        assert httpx.get("http://127.0.0.1:18437/").text == "here"


def test_the_database_is_quiet_after_the_end(file: Path) -> None:
    with running(file) as process:
        until(file, 40)
        process.send_signal(signal.SIGINT)
        process.wait(10)
    with Store.open(f"sqlite:///{file}") as store:
        beat = store.engine.heartbeat()
        assert beat
        assert beat.beat_at >= utc("2027-01-11 09:00")
