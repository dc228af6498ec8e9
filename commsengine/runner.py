"""The long-running engine: APScheduler as its heartbeat, web pages and Slack beside it, and an orderly end.

The end, at SIGTERM or Ctrl-C
1. No further tick begins, nothing further is claimed or marked.
2. Messages that are just leaving finish (up to 25 seconds); every other claim is given back.
3. Web and Slack close. A second signal ends the process at once; what was leaving is then uncertain at the next start.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

import structlog
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from commsengine.engine.engine import BeatReport
from commsengine.engine.sending.recorder import loggable
from commsengine.errors import CommsError
from commsengine.interpreter import prepare_for_work
from commsengine.translation import _
from commsengine.web.connections import MOST, PATIENCE, listening_at, server_of

LAST_SENDS = 25.0  # seconds
SWEEP_AT = 2  # o'clock, UTC
BEAT = "beat"
A_MOMENT = dt.timedelta(seconds=5)

log = structlog.get_logger(__name__)


class Beside(Protocol):
    """What works in a thread of its own between these two calls."""

    def connect(self) -> None: ...

    def close(self) -> None: ...


class Beating(Protocol):
    """An engine, a worker or a scheduler: what beats. ``night`` is called once a night."""

    def start(self) -> object: ...

    def tick(self) -> BeatReport: ...

    def night(self) -> None: ...

    def stop(self, timeout: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class Web:
    """``app`` is ASGI; ``most`` connections are open at once, half ones for ``patience`` seconds."""

    app: Any
    host: str = "127.0.0.1"
    port: int = 8080
    most: int = MOST
    patience: float = PATIENCE


def run(
    engine: Beating,
    *,
    clock: Callable[[], dt.datetime],
    every: float = 10.0,
    lock: AbstractContextManager[object] | None = None,
    web: Web | None = None,
    slack: Beside | None = None,
    redraws: Beside | None = None,
    ready: Callable[[], None] = lambda: None,
    ping: Callable[[], None] = lambda: None,
    look: Callable[[], None] = lambda: None,
) -> bool:
    """Runs until a signal. ``clock`` is the host's, ``every`` is in seconds; ``ready`` is called when all is open,
    ``look`` before each beat and ``ping`` after it.

    ``slack`` is the connection by which presses come, ``redraws`` draws answered cards again.

    Returns whether everything that was leaving has arrived. Raises ``HeldError`` if another process holds the
    engine, ``CommsError`` if the web address is taken.
    """
    stop = threading.Event()
    with lock or nullcontext(), _signals(stop), _listening(web), _working(slack), _working(redraws):
        engine.start()
        prepare_for_work()
        scheduler = heartbeat(engine, every, ping, look)
        scheduler.start()
        ready()
        while not stop.wait(every):
            keep_time(scheduler, clock(), every)
        log.info("stopping")
        scheduler.shutdown(wait=False)
        return engine.stop(LAST_SENDS)


def heartbeat(
    engine: Beating,
    every: float,
    ping: Callable[[], None],
    look: Callable[[], None] = lambda: None,
) -> BackgroundScheduler:
    # The clock lives in memory: a beat that is missed or late is simply the next one.
    scheduler = BackgroundScheduler(
        timezone=dt.UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    )

    looked = _surviving(look)

    def beat() -> None:
        looked()
        if not engine.tick().hold:  # who watches is to hear of a hold, too
            ping()

    tick = _surviving(beat)
    scheduler.add_job(tick)  # once, at once
    scheduler.add_job(tick, "interval", seconds=every, id=BEAT)
    scheduler.add_job(_surviving(engine.night), "cron", hour=SWEEP_AT)
    return scheduler


def keep_time(scheduler: BackgroundScheduler, now: dt.datetime, every: float) -> None:
    # The clock was set back: APScheduler would wait until it is as late again.
    for job in scheduler.get_jobs():
        interval = dt.timedelta(seconds=every) if job.id == BEAT else dt.timedelta(days=1)
        if job.next_run_time is not None and job.next_run_time > now + interval + A_MOMENT:
            log.warning("clock_set_back", seconds=round((job.next_run_time - now - interval).total_seconds()))
            job.modify(next_run_time=now)


def _surviving(job: Callable[[], object]) -> Callable[[], None]:
    # A beat that fails (the database is away, the disk is full) must not end the engine; a disk may be full for hours,
    # so it is logged when it begins, changes and ends.
    told = ""

    def beat() -> None:
        nonlocal told
        try:
            job()
        except Exception as failure:
            if loggable(failure) != told:
                log.error("beat_failed", error=loggable(failure))
            told = loggable(failure)
        else:
            if told:
                log.warning("beats_again", after=told)
            told = ""

    return beat


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    # The first signal asks for the orderly end, the second ends the process at once.

    def asked(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _listening(web: Web | None) -> Iterator[None]:
    if web is None:
        yield
        return
    listener = _bound(web)
    server = server_of(web.app, most=web.most, patience=web.patience)
    thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(3.0)
        listener.close()


def _bound(web: Web) -> socket.socket:
    try:
        return listening_at(web.host, web.port)
    except OSError as problem:
        address, reason = f"{web.host}:{web.port}", problem.strerror
        fix = _("Set COMMSENGINE_HTTP_BIND to a free address, or stop the program that uses this one.")
        text = _("The pages cannot be shown at {address}: {reason}.", address=address, reason=reason)
        raise CommsError(text, fix) from None


def _working(one: Beside | None) -> AbstractContextManager[object]:
    if one is None:
        return nullcontext()
    one.connect()
    return closing(one)
