"""``run`` as a process of its own: it serves the pages, sends what is due, and leaves in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from commsengine.sandbox.mailbox import Mailbox
from tests.cli.terminal import Terminal


@contextmanager
def engine(terminal: Terminal, port: int) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "COMMSENGINE_HTTP_BIND": f"127.0.0.1:{port}"}
    command = [sys.executable, "-m", "commsengine", "--workspace", str(terminal.folder), "run"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
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
        assert mailbox.wait_for(4, timeout=20)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as health:
            assert health.status == 200
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0, said
    assert started.json("status")["campaigns"][0]["touches"]["sent"] == 4


def test_a_second_engine_says_who_holds_the_database(started: Terminal, mailbox: Mailbox, port: int) -> None:
    with engine(started, port) as process:
        assert mailbox.wait_for(4, timeout=20)
        said = started.run("tick")
        assert (said.status, f"pid {process.pid}" in said.err) == (1, True)
