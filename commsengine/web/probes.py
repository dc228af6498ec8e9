"""What machines ask: whether the process lives, whether it can do its work, and its figures."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from commsengine.errors import CommsError, InputError
from commsengine.store import schema
from commsengine.store.store import Store
from commsengine.store.workers.gauges import Gauge
from commsengine.web.protection import SecurityHeaders

STALE = dt.timedelta(minutes=5)
"""A process is not ready when its last beat is older."""

KEPT = 5.0
"""Seconds for which figures are given again: asking costs the database something."""

Beat = Callable[[], dt.timedelta | None]
"""How long ago this process, or another that does the same, beat last; ``None`` if none ever did."""


class Probes:
    """``/healthz``, ``/readyz`` and ``/metrics``. Nothing here needs a link, so nothing here names anybody."""

    def __init__(self, store: Store, clock: Callable[[], dt.datetime], beat: Beat) -> None:
        self._store, self._clock, self._beat = store, clock, beat
        self._figures, self._until, self._reading = b"", 0.0, threading.Lock()

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/healthz", self._lives),
            Route("/readyz", self._is_ready),
            Route("/metrics", self._metrics),
        ]

    def app(self) -> Starlette:
        """These pages alone, for a process that has no others."""
        return Starlette(routes=self.routes(), middleware=[Middleware(SecurityHeaders, https=False)])

    def _lives(self, _request: Request) -> Response:
        return JSONResponse({"ok": True})

    def _is_ready(self, _request: Request) -> Response:
        try:
            seconds, because = self._looked()
        except CommsError:
            seconds, because = None, "the database does not answer"
        found = {"ok": not because, "because": because, "heartbeat_age_seconds": seconds}
        return JSONResponse(found, 503 if because else 200)

    def _looked(self) -> tuple[float | None, str]:
        """How old the last beat is in seconds, and why this process cannot do its work; empty if it can."""
        found = schema.revision(self._store.database)
        if found != schema.HEAD:
            return None, f"the schema is {found}, this program needs {schema.HEAD}"
        since = self._beat()
        seconds = None if since is None else round(since.total_seconds(), 1)
        if since is None or since > STALE:
            return seconds, "nothing beats"
        return seconds, "on hold: commsengine today" if self._store.engine.open_hold() else ""

    def _metrics(self, _request: Request) -> Response:
        try:
            return Response(self._exposed(), media_type="text/plain; version=0.0.4")
        except InputError as missing:
            return PlainTextResponse(f"{missing.message} {missing.fix}\n", 404)
        except CommsError:
            return PlainTextResponse("The database does not answer.\n", 503)

    def _exposed(self) -> bytes:
        with self._reading:
            if time.monotonic() >= self._until:
                self._figures = exposed(self._store.gauges.read(self._clock()))
                self._until = time.monotonic() + KEPT
            return self._figures


def exposed(gauges: list[Gauge]) -> bytes:
    """In the text format of Prometheus. Raises ``InputError`` where its client is not installed."""
    try:
        import prometheus_client  # noqa: PLC0415 - an extra
    except ImportError:
        fix = "Install it with: pip install 'commsengine[metrics]'"
        raise InputError("Metrics need prometheus-client, which is not installed here.", fix) from None
    registry = prometheus_client.CollectorRegistry()
    families: dict[str, prometheus_client.Gauge] = {}
    for each in gauges:
        labels = sorted(each.labels)
        if each.name not in families:
            families[each.name] = prometheus_client.Gauge(
                f"commsengine_{each.name}", each.says, labels, registry=registry
            )
        family = families[each.name]
        (family.labels(**each.labels) if labels else family).set(each.value)
    return prometheus_client.generate_latest(registry)
