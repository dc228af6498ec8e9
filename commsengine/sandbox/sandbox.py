"""The sandbox as a whole: a mailbox, a Slack stand-in and a page, on free loopback ports, for as long as it is open."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from commsengine.cadence.people import Person
from commsengine.sandbox.mailbox import Mailbox
from commsengine.sandbox.sandbox_page import Page
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.sandbox.slack_tiers import Tiers
from commsengine.web.connections import listening_at


class Sandbox:
    """``on_slack`` says who is on Slack (default: everybody); ``clock`` gives the time that Slack's stamps are made of.

    ``request_url`` is where Slack's clicks go (``slack.request_url`` may be set later). ``port`` is the page's; 0 takes
    a free one. ``mailbox`` is one that takes any mail, unless another is given. ``slack_tiers`` limits Slack's methods,
    by that clock.
    """

    def __init__(
        self,
        people: Sequence[Person],
        *,
        on_slack: Callable[[Person], bool] | None = None,
        clock: Callable[[], dt.datetime] | None = None,
        request_url: str = "",
        port: int = 0,
        mailbox: Mailbox | None = None,
        slack_tiers: Tiers | None = None,
    ) -> None:
        self.people = tuple(people)
        self.mailbox = mailbox or Mailbox()
        members = [person for person in people if on_slack is None or on_slack(person)]
        self.slack = SlackStandIn(
            [(person.email, person.name or person.email, person.slack_id) for person in members],
            request_url=request_url,
            clock=time.time if clock is None else lambda: clock().timestamp(),
            tiers=slack_tiers,
        )
        page = Page(self.people, self.mailbox, self.slack)
        self._web = Serving(Starlette(routes=[*page.routes, *self.slack.routes]), port=port)
        self.slack.url = self._web.url
        self._stack = ExitStack()

    @property
    def page_url(self) -> str:
        return f"{self._web.url}/"

    def __enter__(self) -> Self:
        self._stack.enter_context(self.mailbox)
        self._stack.enter_context(self._web)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class Serving:
    """Listens from the moment it is made (so the port is known). Use it as a context: it answers while that is open."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = listening_at(host, port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", interface="asgi3")
        self._server = uvicorn.Server(config)
        serve = partial(self._server.run, sockets=[self._socket])
        self._thread = threading.Thread(target=serve, name="sandbox-web", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self  # the socket listens already: a client that connects now waits until the server answers

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True  # kept connections need not be waited for
        if self._thread.is_alive():
            self._thread.join(10)
        self._socket.close()
