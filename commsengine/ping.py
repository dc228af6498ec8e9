"""Tells an outside watch that the engine beats: one GET of ``COMMSENGINE_HEARTBEAT_URL``, at most once a minute."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.request
from urllib.parse import urlsplit

import structlog

from commsengine.loopback import is_loopback

EVERY = 60.0  # seconds
TIMEOUT = 10.0  # seconds

log = structlog.get_logger(__name__)


class Ping:
    """Call it after each good beat. It never waits and never raises: a watch that is away must not stop the engine."""

    def __init__(self, url: str) -> None:
        self._url = url
        local = is_loopback(urlsplit(url).hostname or "")
        self._opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))
        self._next = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if self._url and now >= self._next:
            self._next = now + EVERY
            threading.Thread(target=self._get, name="ping", daemon=True).start()

    def _get(self) -> None:
        try:
            self._opener.open(self._url, timeout=TIMEOUT).close()
        except (OSError, http.client.HTTPException, ValueError) as failure:
            log.warning("ping_failed", error=type(failure).__name__)
