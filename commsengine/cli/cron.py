"""What is said where cron calls ``tick`` too rarely, and what to write into the crontab instead."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from commsengine.wiring import Wiring

HOUR = 3600.0


def too_rarely(wiring: Wiring) -> str:
    """That the last tick came long after the beat before it; empty if it did not."""
    from commsengine.engine.silence import rarely

    apart = rarely(wiring.store)
    return f"tick is called too rarely: before the last call nothing was sent for {_spoken(apart)}." if apart else ""


def remedy(wiring: Wiring) -> str:
    """The line for the crontab of this workspace."""
    program = Path(sys.argv[0]).absolute() if Path(sys.argv[0]).name == "commsengine" else Path("commsengine")
    command = shlex.join([str(program), "--workspace", str(wiring.folder), "tick"])
    return f"Call it every few minutes. In the crontab: */5 * * * * {command}"


def _spoken(apart: dt.timedelta) -> str:
    hours = round(apart.total_seconds() / HOUR)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"
