"""A workspace under fault: where it lies, and an engine on it whose clock is ahead or whose patience is short."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Mapping
from pathlib import Path

from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import parse_smtp_url
from commsengine.engine.engine import BeatReport, Engine
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.wiring import Wiring, now
from tests.stories.program import Program

CONNECTIONS = 8
"""Of an impatient engine: more than the failures after which a channel rests."""

WARNINGS_ONLY = {"COMMSENGINE_LOG_LEVEL": "warning"}
"""Settings of a run that sends thousands while its output is not read: a full pipe would stop it."""


def office(folder: Path, settings: Mapping[str, str]) -> Program:
    """The program in ``folder/office``; what it keeps outside the workspace stays in ``folder`` too."""
    (folder / "office").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        pages = f"127.0.0.1:{free.getsockname()[1]}"
    own = {"COMMSENGINE_STATE_DIR": str(folder / "state"), "COMMSENGINE_HTTP_BIND": pages}
    return Program(folder / "office", {**own, **settings})


def later(program: Program, minutes: float) -> BeatReport:
    """A tick in this process, so many minutes from now."""
    ahead = dt.timedelta(minutes=minutes)
    wiring = Wiring(program.folder, clock=lambda: now() + ahead)
    with program.environment(), wiring, wiring.engine_lock(), wiring.engine() as engine:
        return engine.tick()


def impatient(wiring: Wiring, **timeouts: float) -> Engine:
    """The engine of this workspace with a mail channel that waits less than ours does."""
    server, sender = parse_smtp_url(wiring.settings.smtp), wiring.mail_from
    channel = ChannelSetup(lambda: EmailChannel(server, sender, **timeouts), CONNECTIONS)  # type: ignore[arg-type]
    return Engine(wiring.store, {"email": channel}, wiring.renderer, workspace=wiring.rules, clock=wiring.clock)
