"""A web application served on a free loopback port, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp


class Serving:
    """Listens from the moment it is made (so the port is known), answers between ``start`` and ``stop``."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = socket.create_server((host, port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", interface="asgi3")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="sandbox-web", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self  # the socket listens already: whoever connects now waits until the server answers

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True  # kept connections need not be waited for
        if self._thread.is_alive():
            self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
