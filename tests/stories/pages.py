"""The engine in the background with its pages up, and a browser without a past."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.browsing import WEB
from tests.stories.program import Program
from tests.waiting import expect


@contextmanager
def pages(program: Program) -> Iterator[None]:
    """``run`` until the context is left; its settings name where it listens."""
    with program.running("run") as process:
        address = f"http://{program.settings['COMMSENGINE_HTTP_BIND']}/healthz"
        expect(lambda: _answers(address) or process.poll() is not None, step=0.1)
        assert process.poll() is None, process.communicate()[1]
        yield


def _answers(url: str) -> bool:
    try:
        return WEB.get(url).status_code == 200
    except httpx.TransportError:
        return False
