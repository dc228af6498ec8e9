"""Answers on the pages: how many a second are kept for good, and how long a press waits while a campaign sends.

``run`` as a process, and so many connections that stay open, each pressing "Got it" for one person after another, by
the form of that person's page. Beside it, in the same minute, an empty endpoint on the same web server. Then more
people join, and the presses go on while their messages leave.

    .venv/bin/python -m benchmarks.answers --people 3000 --joining 6000
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import selectors
import socket
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.presses import running
from benchmarks.speed.sink import Sink
from commsengine.web.connections import listening_at, server_of
from commsengine.web.requests import FIELD, Notes
from commsengine.wiring import Wiring
from tests.stories.campaign import IN_FORCE, addresses, write_for
from tests.stories.conftest import free_port
from tests.stories.program import Program
from tests.waiting import wait_until

CONNECTIONS = 16
LAST = 600.0  # seconds
END = b"\r\n\r\n"


@dataclass
class Answered:
    """``waits`` are in seconds, of one press each."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    statuses: Counter[bytes] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return len(self.waits) / self.seconds

    @property
    def p99(self) -> float:
        return sorted(self.waits)[int(len(self.waits) * 0.99)]

    def __str__(self) -> str:
        return (
            f"{len(self.waits)} in {self.seconds:.1f} s, {self.rate:.0f} a second; p50 "
            f"{statistics.median(self.waits) * 1e3:.0f} ms, p99 {self.p99 * 1e3:.0f} ms, longest "
            f"{max(self.waits) * 1e3:.0f} ms"
        )


def press_all(port: int, requests: Iterator[bytes], more: Callable[[], bool] = lambda: True) -> Answered:
    """Each connection sends its next request when it has the whole answer; ends without requests, or ``more``."""
    answered, began = Answered(), time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _press(selector, connection, next(requests, b""))
        while selector.get_map():
            for found, _events in selector.select():
                _take(answered, found.data, bytes(found.fileobj.recv(65536)))  # type: ignore[union-attr]
                if found.data["whole"]:
                    selector.unregister(found.fileobj)
                    _press(selector, found.fileobj, next(requests, b"") if more() else b"")
    answered.seconds = time.perf_counter() - began
    return answered


def _press(selector: selectors.BaseSelector, connection: Any, request: bytes) -> None:
    if not request:
        connection.close()
        return
    connection.sendall(request)
    data = {"began": time.perf_counter(), "got": b"", "whole": False}
    selector.register(connection, selectors.EVENT_READ, data)


def _take(answered: Answered, data: dict[str, Any], got: bytes) -> None:
    if not got:
        raise SystemExit(f"The server hung up after {data['got']!r}.")
    data["got"] += got
    head, end, body = data["got"].partition(END)
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    data["whole"] = bool(end) and len(body) >= int(length or 0)
    if data["whole"]:
        answered.waits.append(time.perf_counter() - data["began"])
        answered.statuses[head.split(b" ", 2)[1]] += 1


def request_to(path: str, form: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(form)}\r\n\r\n{form}".encode()


def presses(program: Program) -> list[bytes]:
    """One for each touch that was sent: the form as it stands on its page."""
    touches = program.look("touches", "crm")["touches"]
    with program.environment(), Wiring(program.folder) as wiring:
        notes, now = Notes(wiring.settings.keys), wiring.clock()
        tomorrow = now + dt.timedelta(days=1)
        return [
            request_to(
                urlsplit(wiring.links.url("answer", touch["key"], tomorrow)).path,
                f"do=got_it&{FIELD}={notes.write(touch['key'], now)}",
            )
            for touch in touches
        ]


async def _nothing(request: Request) -> Response:
    await request.body()
    return Response(status_code=303)


def _serve_nothing(listener: socket.socket) -> None:
    server_of(Starlette(routes=[Route("/", _nothing, methods=["POST"])])).run([listener])


@contextmanager
def empty_endpoint() -> Iterator[int]:
    """Its port."""
    with listening_at("127.0.0.1", 0) as listener:
        process = multiprocessing.get_context("fork").Process(target=_serve_nothing, args=(listener,), daemon=True)
        process.start()
        try:
            yield listener.getsockname()[1]
        finally:
            process.kill()
            process.join()


def more_people(program: Program, people: int, joining: int) -> None:
    rows = [f"{address},Person {n},Sales" for n, address in enumerate(addresses(people + joining))]
    program.write("people.csv", "\n".join(["email,name,department", *rows, ""]))
    program.done("people", "import", "people.csv")


def measure(program: Program, sink: Sink, people: int, joining: int) -> None:
    port = int(program.settings["COMMSENGINE_HTTP_BIND"].rpartition(":")[2])
    received = lambda: sink.received().messages  # noqa: E731
    wait_until(lambda: received() >= people, LAST, 0.2)
    waiting = iter(presses(program))
    ratios = []
    with empty_endpoint() as other:
        for number in range(1, 4):
            few = [next(waiting) for _ in range(people // 6)]
            ours, empty = press_all(port, iter(few)), press_all(other, iter(few * 3))
            ratios.append(ours.rate / empty.rate)
            print(f"round {number}: {ours} {dict(ours.statuses)}\n  empty: {empty}; ratio {ratios[-1]:.2f}", flush=True)
        more_people(program, people, joining)
        before = received()
        wait_until(lambda: received() > before, LAST, 0.05)
        began = time.perf_counter()
        busy = press_all(port, waiting, lambda: received() < before + joining)
        sent = (received() - before) / (time.perf_counter() - began)
        print(f"while {sent:.0f} messages a second leave: {busy} {dict(busy.statuses)}")
        quiet = press_all(other, iter(few * 3))
        print(f"  empty, just after: {quiet}; p99 ÷ its p99: {busy.p99 / quiet.p99:.1f}")
    print(f"answers ÷ empty endpoint, median: {statistics.median(ratios):.2f} (goal .2, stretch .5)")
    print("p99 while a campaign sends: goal 60 ms, stretch 20 ms")


def main(words: Sequence[str] | None = None) -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--people", type=int, default=3000)
    wanted.add_argument("--joining", type=int, default=6000)
    given = wanted.parse_args(words)
    with tempfile.TemporaryDirectory() as folder, Sink() as sink:
        program = Program(
            Path(folder) / "house",
            {
                "COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
                "COMMSENGINE_HTTP_BIND": f"127.0.0.1:{free_port()}",
            },
        )
        write_for(program, given.people)
        for command in IN_FORCE:
            program.here(*command)
        with running(program):
            measure(program, sink, given.people, given.joining)


if __name__ == "__main__":
    main()
