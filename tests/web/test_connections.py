"""How many connections the pages keep open, and which of them makes room."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from commsengine.web.connections import listening_at
from tests.browsing import WEB
from tests.waiting import PATIENCE
from tests.web.conftest import served

HALF = b"GET /here HTTP/1.1\r\nHost: x\r\n"
REST = b"Connection: close\r\n\r\n"


async def here(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


async def never(request: Request) -> PlainTextResponse:
    """Answers when nobody waits any more."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return PlainTextResponse("")


@pytest.fixture
def port() -> Iterator[int]:
    """Pages with room for eight; half a request may take a minute, an answer half a second."""
    pages = Starlette(routes=[Route("/here", here), Route("/never", never)])
    with served(pages, most=8, patience=60, answered_within=0.5) as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def half(opened: ExitStack, port: int, host: str = "127.0.0.1") -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=(host, 0))
    opened.enter_context(one)
    one.sendall(HALF)
    return one


def answer(one: socket.socket) -> bytes:
    """What comes until the other side closes."""
    said = b""
    with suppress(ConnectionError):
        while some := one.recv(4096):
            said += some
    return said


def test_of_one_client_the_oldest_half_request_makes_room(opened: ExitStack, port: int) -> None:
    waiting = [half(opened, port) for _ in range(8)]
    newest = half(opened, port)
    assert answer(waiting[0]) == b""
    for one in (waiting[1], newest):
        one.sendall(REST)
        assert answer(one).endswith(b"here")


def test_who_holds_the_most_makes_room_for_the_others(opened: ExitStack, port: int) -> None:
    slow = half(opened, port)
    try:
        for _ in range(8):
            half(opened, port, "127.0.0.2")
    except OSError:
        pytest.skip("this machine has one loopback address")
    assert WEB.get(f"http://127.0.0.1:{port}/here").text == "here"
    slow.sendall(REST)
    assert answer(slow).endswith(b"here")


def test_an_answer_that_does_not_come_frees_its_place(port: int) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        WEB.get(f"http://127.0.0.1:{port}/never")


def test_requests_sent_at_once_are_answered_in_turn(opened: ExitStack, port: int) -> None:
    one = half(opened, port)
    one.sendall(b"\r\n" + HALF + REST)
    assert answer(one).count(b"\r\n\r\nhere") == 2


def test_what_is_no_request_is_refused_and_not_logged(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as one:
        one.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        assert answer(one).startswith(b"HTTP/1.1 400 ")
    assert caplog.records == []


def test_the_body_of_an_answer_does_not_wait_for_an_echo_of_its_head() -> None:
    with (
        listening_at("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
