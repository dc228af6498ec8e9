"""Where logs go: to stderr, one line each, JSON where no terminal is.

Other libraries are heard only by their name and level: what they say may hold an address. A log that cannot be written
(the disk is full, nobody holds the other end) is lost, and nothing stops because of it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO, cast

from commsengine.cli.terminal_safety import bare, guarded, in_one_line, written_out

if TYPE_CHECKING:
    from commsengine.settings import Settings

INFO, WARNING = logging.INFO, logging.WARNING


class Unfailing:
    # A log that cannot be written must not stop what it tells of.
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def unfailing_stderr() -> None:
    # stderr that was closed before the process began goes nowhere.
    stream = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - to the end
    sys.stderr = guarded(cast("TextIO", Unfailing(stream)))


def level_of(settings: Settings, otherwise: int) -> int:
    return logging.getLevelNamesMapping()[settings.log_level.upper()] if settings.log_level else otherwise


def configure_logs(level: int) -> None:
    """``level`` as in the logging module."""
    import structlog

    watched = sys.stderr.isatty()
    shape: list[Any] = [structlog.processors.JSONRenderer()]
    if watched:
        from commsengine.environment import wants_colours

        shape = [_written_out, structlog.dev.ConsoleRenderer(colors=wants_colours())]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *shape,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(bare(sys.stderr)),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # what fails there is said by us, in words
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a beat that outlasts the next one is no news
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s")


def _written_out(_logger: object, _method: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    # Before the colours come: a value acts on no terminal, and only a traceback has lines.
    return {
        name: value if not isinstance(value, str) else written_out(value) if name == "exception" else in_one_line(value)
        for name, value in event.items()
    }
