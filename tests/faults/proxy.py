"""A proxy between the program and a mail server that breaks the conversation where it is told to.

It follows the conversation step by step: connect, mail, rcpt, data, body, dot, reply (to the dot). At each step it asks
``choose`` what is to happen; ``None`` is nothing.
"""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.servers import Server, reset

STEPS = ("connect", "mail", "rcpt", "data", "body", "dot", "reply")


@dataclass(frozen=True)
class Step:
    """Where a conversation stands. ``connection`` and ``message`` count from 1, ``sent`` is bytes to the server."""

    phase: str
    connection: int
    message: int
    sent: int
    size: int


@dataclass(frozen=True)
class Fault:
    """``delay`` waits ``seconds``; ``cut``, ``reset`` (RST) and ``half-open`` (no more words, open sockets) end it.

    ``after`` is how many bytes of this step still pass before that.
    """

    do: str
    seconds: float = 0.0
    after: int = 0


Choice = Callable[[Step], Fault | None]


def at(phase: str, fault: Fault, *messages: int) -> Choice:
    """At this phase, of these messages of each connection; of every one if none is named."""
    return lambda step: fault if step.phase == phase and (not messages or step.message in messages) else None


def after_bytes(count: int, fault: Fault) -> Choice:
    """Once so many bytes have gone to the server on one connection, to the byte."""

    def choose(step: Step) -> Fault | None:
        left = count - step.sent
        return Fault(fault.do, fault.seconds, left) if step.phase != "reply" and 0 <= left < step.size else None

    return choose


def bad_line(seed: int, *, stalls: float, seconds: float, resets: float) -> Choice:
    """A line that loses packets: at any step it may stall for up to ``seconds``, or break. The shares are 0 to 1."""
    dice, lock = random.Random(seed), threading.Lock()  # noqa: S311 - which step it meets

    def choose(step: Step) -> Fault | None:
        with lock:
            fate, length = dice.random(), dice.uniform(0, seconds)
        if fate < resets:
            return Fault("reset")
        return Fault("delay", length) if fate < resets + stalls else None

    return choose


class Proxy(Server):
    """Listens on ``port`` and speaks to the server behind it; ``choose`` may be changed at any time."""

    def __init__(self, behind: int, choose: Choice = lambda step: None) -> None:
        self._behind, self.choose, self.faults = behind, choose, 0
        self._over = threading.Event()
        super().__init__()

    @property
    def settings(self) -> dict[str, str]:
        return {"COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{self.port}"}

    def close(self) -> None:
        self._over.set()
        super().close()

    def serve(self, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._behind)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(server)
            line = _Line(self, self.connections, connection, server)
            if not line.met("connect", b""):
                return
            back = threading.Thread(target=line.carry_back, daemon=True)
            back.start()
            line.carry()
            back.join()

    def obey(self, fault: Fault, *sockets: socket.socket) -> bool:
        """Do it; whether the conversation goes on."""
        self.faults += 1
        match fault.do:
            case "delay":
                return not self._over.wait(fault.seconds)
            case "half-open":
                self._over.wait()
            case "reset":
                for each in sockets:
                    with suppress(OSError):
                        each.shutdown(socket.SHUT_RD)  # wakes the other direction
                    reset(each)
            case _:
                for each in sockets:
                    with suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)
        return False


class _Line:
    """One conversation, there and back."""

    def __init__(self, proxy: Proxy, number: int, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._number, self._client, self._server = proxy, number, client, server
        self._message = self._sent = 0
        self._tail, self._in_body, self._at_dot = b"", False, False

    def met(self, phase: str, data: bytes) -> bool:
        """Whether the conversation goes on after this step."""
        step = Step(phase, self._number, self._message, self._sent, len(data))
        fault = self._proxy.choose(step)
        if fault is None:
            return True
        with suppress(OSError):
            self._server.sendall(data[: fault.after])
        return self._proxy.obey(fault, self._client, self._server)

    def carry(self) -> None:
        """From the program to the server."""
        while data := _received(self._client):
            for phase in self._phases(data):
                if not self.met(phase, data):
                    return
            try:
                self._server.sendall(data)
            except OSError:
                break
            self._sent += len(data)
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)

    def carry_back(self) -> None:
        while data := _received(self._server):
            if self._at_dot:
                self._at_dot = False
                if not self.met("reply", b""):
                    return
            try:
                self._client.sendall(data)
            except OSError:
                break
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def _phases(self, data: bytes) -> list[str]:
        """Which steps this piece belongs to: the program waits for each reply, so a piece begins with a command."""
        if self._in_body:
            return self._of_body(data)
        word = data[:4].upper().decode("ascii", "replace").lower()
        if word == "mail":
            self._message += 1
        if word == "data":
            self._in_body, self._tail = True, b"\r\n"
        return [word] if word in STEPS else []

    def _of_body(self, data: bytes) -> list[str]:
        steps = ["body"] if self._tail == b"\r\n" and data != b".\r\n" else []
        self._tail = (self._tail + data)[-5:]
        if self._tail == b"\r\n.\r\n":
            self._in_body, self._at_dot = False, True
            steps.append("dot")
        return steps


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""
