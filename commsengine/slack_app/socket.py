"""Slack's socket: presses come down a connection of our own making, and it is made again whatever becomes of it.

1. ``connect`` returns at once. While Slack cannot be reached, or refuses the token, mail goes out and pages answer all
   the same; it is tried again until it comes about.
2. Once it stood, the SDK keeps it: a ping every few seconds finds out what is dead, and a new one is made. That the
   other side has hung up the SDK overlooks: it reads nothing, over and over, until five pings have failed. So we look.
3. A press made while there was none reached no one: Slack shows so, the card keeps its buttons, and its link works.
"""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError

PING = 5.0  # seconds
WAIT = 10.0  # seconds, between two tries of the first connection
LOOK = 1.0  # seconds, between two looks at the connection
CLOSING = 3.0  # seconds; what hangs longer ends with the process

log = structlog.get_logger(__name__)


class Socket:
    """One connection of one app. ``ping`` and ``wait`` are in seconds."""

    def __init__(self, bolt: App, app_token: str, *, ping: float = PING, wait: float = WAIT) -> None:
        self._handler = SocketModeHandler(bolt, app_token, ping_interval=ping)
        self._wait, self._closing = wait, threading.Event()
        self._session: str | None = None
        self._thread = threading.Thread(target=self._run, name="slack-socket", daemon=True)

    def connect(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        session = self._handler.client.current_session
        if sock := session and session.sock:
            with suppress(OSError):  # it may be gone already
                sock.shutdown(socket.SHUT_RDWR)  # else its reader is waited for, up to three seconds
        ending = threading.Thread(target=self._end, name="slack-socket-end", daemon=True)
        ending.start()
        ending.join(CLOSING)

    def _end(self) -> None:
        # Closing waits for calls to Slack that are under way, and those may hang.
        if self._thread.is_alive():
            self._thread.join()
        self._handler.close()  # type: ignore[no-untyped-call]
        self._handler.disconnect()  # type: ignore[no-untyped-call] # what had just come about

    def _run(self) -> None:
        wait = 0.0
        while not self._closing.wait(wait):
            wait = LOOK if self._stands() else self._wait
            self._tell()

    def _stands(self) -> bool:
        """``False`` if there never was a connection."""
        client = self._handler.client
        try:
            if client.current_session is None:
                self._handler.connect()  # type: ignore[no-untyped-call]
            elif _hung_up(client.current_session.sock):
                client.current_session.disconnect()
                client.connect_to_new_endpoint()
        except Exception as failure:  # whatever is wrong with Slack or the way there: the engine goes on without
            cause = failure.response.get("error") if isinstance(failure, SlackApiError) else type(failure).__name__
            log.warning("slack_socket_failed", cause=cause)
        return client.current_session is not None

    def _tell(self) -> None:
        client = self._handler.client
        session = client.session_id() if client.is_connected() else None
        if session and session != self._session:
            log.info("slack_socket_open")
        elif self._session and not session:
            log.warning("slack_socket_lost")
        self._session = session


def _hung_up(sock: socket.socket | None) -> bool:
    # The other side will say nothing more.
    if sock is None:
        return False
    try:
        look = select.poll()
        look.register(sock, getattr(select, "POLLRDHUP", 0))
        return bool(look.poll(0))
    except (OSError, ValueError):  # closed in between
        return False
