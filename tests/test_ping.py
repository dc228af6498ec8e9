from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from commsengine.ping import Ping
from tests.servers import HttpOddity
from tests.waiting import expect


@pytest.fixture
def watch() -> Iterator[HttpOddity]:
    with HttpOddity(lambda path: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as watch:
        yield watch


def test_the_watch_is_asked_at_most_once_a_minute(watch: HttpOddity) -> None:
    ping = Ping(f"http://127.0.0.1:{watch.port}/beat?id=7")
    for _ in range(3):
        ping()
    expect(lambda: watch.requests == ["/beat?id=7"])
    time.sleep(0.1)
    assert watch.requests == ["/beat?id=7"]


def test_a_watch_on_this_machine_needs_no_proxy(watch: HttpOddity, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    Ping(f"http://127.0.0.1:{watch.port}/beat")()
    expect(lambda: watch.requests == ["/beat"])


def test_a_watch_that_refuses_or_breaks_off_stops_nothing() -> None:
    with HttpOddity(lambda path: None) as broken:
        for url in (f"http://127.0.0.1:{broken.port}/", "http://127.0.0.1:9/"):
            Ping(url)()
        expect(lambda: broken.requests == ["/"])
    expect(lambda: not any(thread.name == "ping" for thread in threading.enumerate()))


def test_without_a_url_nothing_is_asked() -> None:
    Ping("")()
    assert not any(thread.name == "ping" for thread in threading.enumerate())
