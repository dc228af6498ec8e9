"""Where logs go: to stderr, one line each, JSON where nobody watches.

Other libraries are heard only by their name and level: what they say may hold an address.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

INFO, WARNING = logging.INFO, logging.WARNING


def configure_logs(level: int) -> None:
    """From ``level`` up (as in the logging module)."""
    import structlog

    watched = sys.stderr.isatty()
    shape: Any = structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shape,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s")
