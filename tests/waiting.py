"""How tests wait: for the event that must come, as long as a busy machine may need."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable

PATIENCE = 180.0
"""Seconds; at least six times what anything here takes on a quiet machine. Only a failure waits that long."""


def wait_until(condition: Callable[[], object], timeout: float = PATIENCE, step: float = 0.005) -> bool:
    """Whether the condition came true, looking every ``step`` seconds for at most ``timeout``."""
    until = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(step)
    return True


def expect(condition: Callable[[], object], step: float = 0.01) -> None:
    """The condition comes true; fails if it does not."""
    assert wait_until(condition, step=step), f"it did not come true within {PATIENCE:.0f} seconds"


def stopped_twice(process: subprocess.Popen[str]) -> int | None:
    """Its status. Two signals that come before the first is handled are one, so they are sent until it ends."""

    def ends() -> bool:
        process.send_signal(signal.SIGTERM)
        return process.poll() is not None

    expect(ends, step=0.3)
    return process.returncode
