"""Small real servers for tests: an SMTP sink that fails when told to, an HTTP server that misbehaves, a certificate."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import parse_qs

from commsengine.content.message import RenderedMessage, WrittenBody
from tests.waiting import PATIENCE


def a_mail(key: str = "k1", **changes: Any) -> RenderedMessage:
    """A finished message to Ana, as a channel gets it."""
    body = WrittenBody(changes.pop("text", "Hello Ana"), changes.pop("html", "<p>Hello Ana</p>"))
    fields: dict[str, Any] = {
        "key": key, "campaign": "crm", "campaign_title": "One customer record", "channel": "email",
        "to_email": "ana@example.com", "to_name": "Ana Kim", "slack_id": "", "sender_name": "Mia Wolf",
        "reply_to": "mia@example.com", "subject": "One list for all of us", "body": body,
        "blocks": (), "date": dt.datetime(2027, 1, 11, 9, tzinfo=dt.UTC), **changes,
    }  # fmt: skip
    return RenderedMessage(**fields)


class Server(ABC):
    """Accepts on a free loopback port, one thread per connection, until it is closed."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.context, self.connections = context, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @abstractmethod
    def serve(self, connection: socket.socket) -> None: ...

    def close(self) -> None:
        with contextlib.suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(PATIENCE)

    def hang_up(self) -> None:
        """Close every open connection, as a relay does with idle ones."""
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # the client left, or was hung up on
            self.serve(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def reset(connection: socket.socket) -> None:
    """Close with a RST instead of a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


CUT = "cut"
WAIT = "wait"


class SmtpSink(Server):
    """An SMTP server that keeps everything, and fails at a phase when told to.

    Phases: ``connect``, ``ehlo``, ``auth``, ``mail``, ``rcpt``, ``data``, ``body`` (the first line of it), ``dot``.
    A fault is a reply ("450 4.2.0 later"), ``CUT`` (close the connection) or ``WAIT`` (say nothing). At ``dot`` a
    message is kept before a cut: the witness has it, the sender cannot know.

    ``refuse`` makes a reply stand, for everybody or one address, until ``accept``. With ``at_once`` it takes only so
    many connections at a time, and the next one is told so.

    It takes pipelines unless told otherwise, and no DATA without a recipient.

    With ``tokens`` it wants XOAUTH2 and one of these. When a session's token has been taken out of them, MAIL gets
    ``session_over``.
    """

    session_over = "421 4.7.0 Session token expired"

    TOO_MANY = "421 4.7.0 localhost Error: too many connections from 127.0.0.1"

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        tls_at_once: bool = False,
        password: str = "",
        starttls: bool = True,
        pipelining: bool = True,
        at_once: int = 0,
        tokens: Iterable[str] | None = None,
    ) -> None:
        self.tokens = None if tokens is None else set(tokens)
        self.logins: list[tuple[str, str]] = []
        self._pipelining = pipelining
        self.at_once, self.open_now, self.turned_away = at_once, 0, 0
        self._standing: list[tuple[str, str, str, int]] = []  # phase, reply, to whom, after how many messages
        self._door = threading.Lock()
        self.lines: list[bytes] = []
        self.messages: list[bytes] = []
        self.recipients: list[str] = []
        self._faults: dict[str, deque[str]] = defaultdict(deque)
        self._tls_at_once, self._password, self._starttls = tls_at_once, password, starttls
        self._leave = threading.Event()
        self._said = threading.local()  # one thread per connection
        self.on_message: Callable[[bytes], None] = lambda data: None
        super().__init__(context)

    def fail(self, phase: str, fault: str, times: int = 1) -> None:
        self._faults[phase].extend([fault] * times)

    def refuse(self, phase: str, reply: str, *, to: str = "", after: int = 0) -> None:
        self._standing.append((phase, reply, to, after))

    def accept(self) -> None:
        """Everything, from now on."""
        self._standing.clear()
        self._faults.clear()

    @property
    def auth_lines(self) -> list[bytes]:
        return [line for line in self.lines if line.upper().startswith(b"AUTH")]

    def close(self) -> None:
        self._leave.set()
        super().close()

    def serve(self, connection: socket.socket) -> None:
        with self._door:
            self.open_now += 1
            full = bool(self.at_once) and self.open_now > self.at_once
            self.turned_away += full
            self.open_now -= full
        if full:
            connection.sendall(f"{self.TOO_MANY}\r\n".encode())
            return
        try:
            self._welcome(connection)
        finally:
            with self._door:
                self.open_now -= 1

    def _welcome(self, connection: socket.socket) -> None:
        if self._tls_at_once and self.context:
            connection = self._secured(connection)
        with connection, connection.makefile("rb") as lines:
            if self._say(connection, "connect", "220 sink"):
                self._talk(connection, lines)

    def _talk(self, connection: socket.socket, lines: IO[bytes]) -> None:
        recipient, begun, named, token = "", False, False, ""
        while line := lines.readline():
            self.lines.append(line)
            verb = line.split()[0].upper() if line.strip() else b""
            going = True
            match verb:
                case b"EHLO" | b"HELO":
                    going = self._say(connection, "ehlo", self._features(connection))
                case b"STARTTLS" if self.context:
                    connection.sendall(b"220 go\r\n")
                    secured = self._secured(connection)
                    with secured, secured.makefile("rb") as inner:
                        self._talk(secured, inner)
                    return
                case b"AUTH" if self.tokens is not None:
                    token, going = self._by_token(connection, lines, line)
                case b"MAIL" if self.tokens is not None and token not in self.tokens:
                    going = self._say(
                        connection, "mail", self.session_over if token else "530 5.7.57 not authenticated"
                    )
                case b"AUTH":
                    going = self._say(connection, "auth", "235 2.7.0 welcome")
                case b"MAIL" if begun:
                    connection.sendall(b"503 5.5.1 nested MAIL: RSET was forgotten\r\n")
                case b"MAIL":
                    going = self._say(connection, "mail", "250 2.1.0 ok")
                    begun, named = self._said.reply.startswith("250"), False
                case b"RCPT" | b"DATA" if not (begun and (named or verb == b"RCPT")):
                    connection.sendall(b"503 5.5.1 bad sequence of commands\r\n")
                case b"RCPT":
                    recipient = self._said.to = line.decode().partition("<")[2].partition(">")[0]
                    going = self._say(connection, "rcpt", "250 2.1.5 ok")
                    named = self._said.reply.startswith("25")
                case b"DATA":
                    going = self._say(connection, "data", "354 go on")
                    if self._said.reply.startswith("354"):
                        going, begun = self._take(connection, lines, recipient), False
                case b"QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                case _:
                    begun = begun and verb != b"RSET"
                    connection.sendall(b"250 ok\r\n")
            if not going:
                return

    def _by_token(self, connection: socket.socket, lines: IO[bytes], line: bytes) -> tuple[str, bool]:
        said = base64.b64decode(line.split()[2]).decode()
        user, token = re.fullmatch("user=(.*)\x01auth=Bearer (.*)\x01\x01", said).groups()  # type: ignore[union-attr]
        self.logins.append((user, token))
        if token in (self.tokens or ()):
            return token, self._say(connection, "auth", "235 2.7.0 Authentication successful")
        connection.sendall(b"334 " + base64.b64encode(b'{"status":"401","schemes":"bearer"}') + b"\r\n")
        assert lines.readline() == b"\r\n"
        return "", self._say(connection, "auth", "535 5.7.3 Authentication unsuccessful [relay.example.com]")

    def _secured(self, connection: socket.socket) -> ssl.SSLSocket:
        assert self.context
        self._open.append(secured := self.context.wrap_socket(connection, server_side=True))
        return secured

    def _features(self, connection: socket.socket) -> str:
        features = ["sink", *(["PIPELINING"] if self._pipelining else [])]
        if self.context and self._starttls and not isinstance(connection, ssl.SSLSocket):
            features.append("STARTTLS")
        if self._password:
            features.append("AUTH PLAIN")
        if self.tokens is not None:
            features.append("AUTH LOGIN XOAUTH2")
        return "\r\n".join(f"250-{feature}" for feature in features) + "\r\n250 8BITMIME"

    def _take(self, connection: socket.socket, lines: IO[bytes], recipient: str) -> bool:
        data = b""
        while line := lines.readline():
            if line == b".\r\n":
                break
            data += line[1:] if line.startswith(b".") else line
            if self._faults["body"] and self._faults["body"].popleft() == CUT:
                return False
        else:
            return False
        fault = self._faults["dot"][0] if self._faults["dot"] else self._stands("dot")
        if fault in ("", CUT, WAIT):
            self.messages.append(data)
            self.recipients.append(recipient)
            self.on_message(data)
        said = fault if fault not in ("", CUT, WAIT) else f"250 2.0.0 Ok: queued as Q{len(self.messages)}"
        return self._say(connection, "dot", said)

    def _say(self, connection: socket.socket, phase: str, reply: str) -> bool:
        stands = "" if phase == "dot" else self._stands(phase)
        fault = self._faults[phase].popleft() if self._faults[phase] else stands or reply
        if fault == WAIT:
            self._leave.wait(PATIENCE)
        if fault in (CUT, WAIT):
            return False
        self._said.reply = fault
        connection.sendall(fault.encode() + b"\r\n")
        return not fault.startswith("421")

    def _stands(self, phase: str) -> str:
        to, so_far = getattr(self._said, "to", ""), len(self.messages)
        fits = (
            reply for at, reply, only, after in self._standing if at == phase and only in ("", to) and so_far >= after
        )
        return next(fits, "")


def a_certificate(
    folder: Path, name: str = "localhost", days: int = 2, *, rsa: bool = False
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a fresh self-signed certificate for ``name``, and a client's that trusts it."""
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    kind = ["-newkey", "rsa:2048"] if rsa else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, "-nodes",
         "-keyout", key, "-out", cert, "-days", str(days),
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=str(cert))


class HttpOddity(Server):
    """An HTTP server that notes the path of a request, then answers as told: bytes, or ``None`` for a reset.

    No bytes are no answer: the connection stays open until the client or ``close`` ends it.
    """

    def __init__(self, answer: Callable[[str], bytes | None], context: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self._answer = answer
        super().__init__(context)

    def serve(self, connection: socket.socket) -> None:
        with self.context.wrap_socket(connection, server_side=True) if self.context else connection as connection:
            self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            path = lines.readline().split()[1].decode()
            length = 0
            while (line := lines.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            self.bodies.append(lines.read(length))
        self.requests.append(path)
        answer = self._answer(path)
        if answer is None:
            reset(connection)
        elif answer:
            connection.sendall(answer)
        else:
            connection.recv(1)


def http_json(body: str, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


class SlackApp(Server):
    """An app that takes Slack's interactions: keeps headers and bodies, acts if told to, then answers as told."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], str]] = []
        self.answer = b""
        self.status = "200 OK"
        self.act: Callable[[dict[str, Any]], None] = lambda payload: None
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/slack/events"

    @property
    def payloads(self) -> list[dict[str, Any]]:
        # an event is JSON, an interaction a form
        given = (body if body.startswith("{") else parse_qs(body)["payload"][0] for _, body in self.taken)
        return [json.loads(each) for each in given]

    def serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            lines.readline()
            headers: dict[str, str] = {}
            while (line := lines.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode().partition(":")
                headers[name] = value.strip()
            self.taken.append((headers, lines.read(int(headers["Content-Length"])).decode()))
        self.act(self.payloads[-1])
        connection.sendall(http_json(self.answer.decode(), self.status))
