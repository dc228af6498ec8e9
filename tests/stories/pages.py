"""The engine in the background with its pages up, and a browser without a past."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.stories.program import Program

WEB = httpx.Client(trust_env=False, timeout=10, limits=httpx.Limits(max_keepalive_connections=0))


@contextmanager
def pages(program: Program) -> Iterator[None]:
    """``run`` until the context is left; its settings name where it listens."""
    with program.running("run") as process:
        until = time.monotonic() + 30
        while not _answers(f"http://{program.settings['COMMSENGINE_HTTP_BIND']}/healthz"):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until
            time.sleep(0.1)
        yield


def _answers(url: str) -> bool:
    try:
        return WEB.get(url).status_code == 200
    except httpx.TransportError:
        return False
