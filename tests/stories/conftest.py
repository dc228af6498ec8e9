"""A mail server, a free port, and the program in an empty workspace with these two as its only settings."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.program import Program
from tests.stories.relay import Relay


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as relay:
        yield relay


@pytest.fixture
def program(tmp_path: Path, relay: Relay) -> Program:
    return Program(tmp_path, {"COMMSENGINE_SMTP_URL": relay.url, "COMMSENGINE_HTTP_BIND": f"127.0.0.1:{free_port()}"})
