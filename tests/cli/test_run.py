"""``run`` as a process of its own: it serves the pages, sends what is due, and leaves in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from commsengine.engine.owner_lock import EngineLock
from commsengine.sandbox.mailbox import Mailbox
from commsengine.wiring import Wiring
from tests.cli.terminal import Terminal
from tests.fork_server import python
from tests.servers import HttpOddity
from tests.waiting import PATIENCE, expect


@contextmanager
def engine(terminal: Terminal, port: int) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "COMMSENGINE_HTTP_BIND": f"127.0.0.1:{port}"}
    command = ["-m", "commsengine", "--workspace", str(terminal.folder), "run"]
    process = python(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_it_sends_serves_and_leaves_in_order(started: Terminal, mailbox: Mailbox, port: int) -> None:
    with engine(started, port) as process:
        assert mailbox.wait_for(4, timeout=PATIENCE)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE) as health:
            assert health.status == 200
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
    assert said.count('"event": "sent"') == 4
    found = started.json("status")
    assert (found["engine"]["state"], found["campaigns"][0]["touches"]["sent"]) == ("stopped", 4)


@pytest.mark.sqlite("one engine holds a file")
def test_a_second_engine_says_who_holds_the_database(started: Terminal, mailbox: Mailbox, port: int) -> None:
    with engine(started, port) as process:
        assert mailbox.wait_for(4, timeout=PATIENCE)
        said = started.run("tick")
        assert (said.status, f"pid {process.pid}" in said.err) == (0, True)
        assert "It sends what is due." in said.err
        assert started.run("tick", "--json").data["sent"] == 0


@pytest.mark.sqlite("one engine holds a file")
def test_an_engine_that_holds_the_database_and_does_not_beat_is_a_fault(started: Terminal) -> None:
    with EngineLock(started.folder / "commsengine.db"):
        said = started.run("tick")
    assert (said.status, f"pid {os.getpid()}" in said.err) == (1, True)


def test_it_tells_the_outside_watch_that_it_beats_unless_it_holds(
    started: Terminal, mailbox: Mailbox, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HttpOddity(lambda path: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as watch:
        monkeypatch.setenv("COMMSENGINE_HEARTBEAT_URL", f"http://127.0.0.1:{watch.port}/beat")
        monkeypatch.setenv("COMMSENGINE_ADMIN_EMAIL", "Ada <admin@example.com>")
        with engine(started, port):
            assert mailbox.wait_for(4, timeout=PATIENCE)
            expect(lambda: watch.requests)
        assert watch.requests == ["/beat"]
        with Wiring(started.folder) as wiring:
            wiring.store.engine.hold("The database was restored.", now=wiring.clock())
        with engine(started, port):
            assert mailbox.wait_for(5, timeout=PATIENCE)
            time.sleep(0.3)
        assert watch.requests == ["/beat"]
    assert mailbox.arrived[-1].recipients == ("admin@example.com",)


@pytest.mark.parametrize(("level", "told"), [("", 0), ("info", 4), ("warning", 0), ("INFO", 4)])
def test_the_log_tells_from_its_level_on(
    started: Terminal, monkeypatch: pytest.MonkeyPatch, level: str, told: int
) -> None:
    monkeypatch.setenv("COMMSENGINE_LOG_LEVEL", level)
    said = started.run("tick")
    lines = [json.loads(line) for line in said.err.splitlines() if line.startswith("{")]
    sent = [line for line in lines if line["event"] == "sent"]
    assert (said.status, len(sent)) == (0, told), said.err
    assert all(line["message"] == "one-record" and line["channel"] == "email" for line in sent)
    assert "@example.com" not in said.err
