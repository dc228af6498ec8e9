"""The pages, served on a real socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from commsengine.cadence.people import Person
from commsengine.web.app import create_app
from commsengine.web.connections import listening_at, server_of
from commsengine.web.requests import FIELD, Notes
from tests.answering import KEYS, Answering, answering
from tests.browsing import TRUST
from tests.builders import ANA
from tests.waiting import PATIENCE


@dataclass
class Site:
    """A hall with its pages."""

    house: Answering
    client: httpx.Client

    def get(self, key: str, purpose: str = "answer") -> httpx.Response:
        return self.client.get(self.path(purpose, key))

    def post(self, key: str, purpose: str = "answer", **fields: str) -> httpx.Response:
        """Sends a form of the page as it is now, and follows to the page it leads back to."""
        fields = {FIELD: Notes(KEYS).write(key, self.house.clock()), **fields}
        return self.client.post(self.path(purpose, key), data=fields, follow_redirects=True)

    def mine(self, person: Person = ANA, **asked: str) -> httpx.Response:
        """My messages, by a link of their own."""
        url = self.house.fresh_links.make("mine", person.id, self.house.clock(), campaign="crm")
        self.client.post(urlsplit(url).path)
        return self.client.get("/mine", params=asked)

    def send_mine(self, **fields: str) -> httpx.Response:
        """Sends a form of that page, with its note, and follows to the page it leads back to."""
        note = self.mine().text.partition('name="seen" value="')[2].partition('"')[0]
        return self.client.post("/mine", data={"seen": note, **fields}, follow_redirects=True)

    def mails(self) -> list[dict[str, Any]]:
        """The mail about their own pages that waits."""
        due = self.house.store.service_mail.due(self.house.clock())
        return [dict(row.payload or {}) for row in due]

    def path(self, purpose: str, key: str) -> str:
        return urlsplit(self.house.url(purpose, key)).path


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    with ExitStack() as opened:

        def open_(*messages: Any, per_minute: int = 30, **changes: Any) -> Site:
            house = answering(tmp_path, *messages, **changes)
            opened.callback(house.store.close)
            address = opened.enter_context(served(app_of(house, per_minute=per_minute)))
            return Site(house, opened.enter_context(httpx.Client(base_url=address, verify=TRUST, timeout=PATIENCE)))

        yield open_


@pytest.fixture
def site(open_site: Callable[..., Site]) -> Site:
    return open_site()


def app_of(house: Answering, **options: Any) -> Starlette:
    return create_app(
        house.inbox,
        house.links,
        house.fresh_links,
        house.desk,
        store=house.store,
        keys=KEYS,
        clock=house.clock,
        **options,
    )


@contextmanager
def served(app: Starlette, **limits: Any) -> Iterator[str]:
    """The application on a real socket; gives its address."""
    listener = listening_at("127.0.0.1", 0)
    server = server_of(app, **limits)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
