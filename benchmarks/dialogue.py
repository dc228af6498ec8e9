"""The SMTP dialogue alone: so many messages through the loop of the senders to a mail server on loopback.

Nothing is rendered and nothing is kept: every mark is granted at once. Beside it a bare loop over sockets makes the
same reads and writes in the same minute, the least that a program could do. With ``--delay`` the mail server answers
each message so late; the share of the ideal is that of one message a connection in each such time.

    .venv/bin/python -m benchmarks.dialogue
    .venv/bin/python -m benchmarks.dialogue --delay 20 --messages 6000
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from benchmarks.speed.sink import Sink
from commsengine.channels.channel import Letter
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.content.message import RenderedMessage
from commsengine.engine.sending.attempt import Claimed
from commsengine.engine.sending.senders import ChannelSetup, SenderPool
from commsengine.store.records import Lease
from tests.servers import a_mail

BODY = (b"x" * 76 + b"\r\n") * 100
ENVELOPE = b"MAIL FROM:<change@example.com>\r\nRCPT TO:<ana@example.com>\r\nDATA\r\n"


class Everything:
    """Stands for the recorder, the guard and the shared limits: all may leave, nothing is kept."""

    def request_mark(self, keys: Sequence[str], *about: Any) -> None:
        _lease, _named, answered = about
        answered(set(keys))

    def stops(self, *_: str) -> bool:
        return False

    def renews(self, _: dt.datetime) -> tuple[None, bool]:
        return None, False

    def note(self, *about: Any) -> None: ...

    begin = settle = reserve = note


class SameLetter(EmailChannel):
    """Lays nothing out."""

    def lay_out(self, message: RenderedMessage, date: dt.datetime) -> Letter:
        del date
        return Letter(message.key, "ana@example.com", BODY)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def by_the_loop(port: int, connections: int, messages: int) -> float:
    server, all_may, progress = SmtpServer("127.0.0.1", port, "off"), Everything(), threading.Event()
    setup = ChannelSetup(lambda: SameLetter(server, "change@example.com", hello="a.example"), connections)
    stands: Any = all_may
    pool = SenderPool(
        "email",
        setup,
        stands,
        clock=now,
        lease=dt.timedelta(minutes=10),
        progress=progress,
        guard=stands,
        shared=stands,
    )
    lease = Lease("benchmark", 1, now())
    claimed = [a_claim(f"k{number}", lease) for number in range(messages)]
    began = time.process_time()
    while claimed:
        progress.clear()
        if room := pool.free(now()):
            pool.put(claimed[-room:])
            del claimed[-room:]
        else:
            progress.wait(1)
    pool.wait(600)
    used = time.process_time() - began
    pool.stop()
    pool.join(10)
    return used


def a_claim(key: str, lease: Lease) -> Claimed:
    mail = a_mail(key)
    return Claimed(key, "crm", "hello", lease, lambda: mail)


def by_a_bare_loop(port: int, connections: int, messages: int) -> float:
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        line = socket.create_connection(("127.0.0.1", port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.recv(1000)
        line.sendall(b"EHLO a.example\r\n")
        line.recv(1000)
        line.setblocking(False)
        line.send(ENVELOPE)
        selector.register(line, selectors.EVENT_READ)
    began, sent = time.process_time(), 0
    while sent < messages:
        asked = [key.fileobj for key, _ in selector.select()]
        going = [line for line in asked if isinstance(line, socket.socket) and b"354" in line.recv(65_536)]
        for line in going:
            line.send(BODY)
        for line in going:
            line.send(b".\r\n" + ENVELOPE)
        sent += len(going)
    return time.process_time() - began


def measured(run: Callable[[int, int, int], float], connections: int, messages: int, delay: int) -> float:
    with Sink(delay_ms=delay) as sink:
        used = run(sink.port, connections, messages) / messages * 1e6
        seconds = sink.received().seconds
    share = f", {messages / seconds / (connections * 1000 / delay):.0%} of the ideal" if delay else ""
    print(f"{run.__name__}: {used:5.1f} µs of CPU and {messages / seconds:7,.0f} messages a second{share}", flush=True)
    return used


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--messages", type=int, default=20_000)
    wanted.add_argument("--connections", type=int, default=32)
    wanted.add_argument("--delay", type=int, default=0, help="milliseconds")
    wanted.add_argument("--rounds", type=int, default=3)
    given = wanted.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for _ in range(given.rounds):
        figures = [
            measured(run, given.connections, given.messages, given.delay) for run in (by_the_loop, by_a_bare_loop)
        ]
        print(f"ours ÷ bare: {figures[0] / figures[1]:.1f}", flush=True)


if __name__ == "__main__":
    main()
