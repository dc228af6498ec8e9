"""How many connections the pages keep open, and how long each may take: half a request must not hold up anybody.

A connection that has not sent a whole request in time is closed. When all places are taken, the one that has waited
longest for its client makes room, of the client who holds the most: a client that sends whole requests is let in.
The places are few enough that the engine keeps descriptors for its database, mail and Slack.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections import Counter
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST = 200
"""Connections at one time."""

SHARE = 4
"""Places are at most this part of the descriptors that the process may have, and this part of them fills at once."""

PATIENCE = 15.0
"""Seconds from the opening of a connection, or from the last answer on it, to the end of a request."""

ANSWERED_WITHIN = 60.0
"""Seconds from the end of a request to the end of its answer; a client may stop reading it."""


def listening_at(host: str, port: int) -> socket.socket:
    """A socket for ``server_of``. Raises ``OSError`` where the address is taken.

    An answer is two writes, head and body. With Nagle's algorithm the second waits 40 ms for an echo, and asyncio
    switches that off only for sockets that it has made.
    """
    listener = socket.create_server((host, port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # those that are accepted have it from here
    return listener


class LimitedConnection(HttpToolsProtocol):
    """One connection. It waits for its client, or its client waits for an answer."""

    most: int = MOST
    patience: float = PATIENCE
    answered_within: float = ANSWERED_WITHIN

    waiting = True
    since = 0.0
    _alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(waiting=True)
        if len(self.connections) > self.most:
            self._longest_waiting().end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._quiet()
        super().connection_lost(exc)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if not self.cycle.response_complete:  # one that was refused before its end has been answered
            self._wait(waiting=False)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait(waiting=self.cycle.response_complete or self.cycle.more_body)  # else the next one is whole already

    def shutdown(self) -> None:
        if self.waiting:
            self.end()
        else:
            super().shutdown()

    def end(self) -> None:
        # Without an answer; its place is free from now on.
        self._quiet()
        self.connections.discard(self)
        self.transport.abort()

    def _wait(self, *, waiting: bool) -> None:
        self._quiet()
        self.waiting, self.since = waiting, self.loop.time()
        self._alarm = self.loop.call_later(self.patience if waiting else self.answered_within, self.end)

    def _quiet(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def _longest_waiting(self) -> LimitedConnection:
        # Of the client that holds the most; this connection, which has just come, waits too.
        waiting = [each for each in self.connections if isinstance(each, LimitedConnection) and each.waiting]
        held = Counter(each.host for each in waiting)
        return min(waiting, key=lambda each: (-held[each.host], each.since))

    @property
    def host(self) -> str:
        return self.client[0] if self.client else ""


def server_of(
    app: Any, *, most: int = MOST, patience: float = PATIENCE, answered_within: float = ANSWERED_WITHIN
) -> uvicorn.Server:
    # Only errors are logged: anybody may send what is no request.
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    places = min(most, allowed // SHARE) if allowed != resource.RLIM_INFINITY else most
    limits = {"most": places, "patience": patience, "answered_within": answered_within}
    visit = type("Visit", (LimitedConnection,), limits)
    config = uvicorn.Config(
        app,
        http=visit,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="error",
        backlog=max(1, places // SHARE),
    )
    return uvicorn.Server(config)
