"""An SMTP server as a process of its own, never killed: what it accepts is logged before it says so.

It misbehaves on demand: ``witness.behave(Rule("rcpt", "450 4.2.0 later", first=1))``. The rules lie in a small file
that is looked at before every step, so a change holds from the very next one.

Beside ``arrivals.jsonl`` it keeps ``mail.log`` as Postfix would: which conversations it had, which message it took.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tests.faults.arrivals import Arrival, ArrivalLog, Arrivals
from tests.fork_server import python
from tests.waiting import PATIENCE, wait_until

CUT, RESET, SILENCE, FORGET = "cut", "reset", "silence", "forget"
HERE = Path(__file__).parents[2]
HOST = "127.0.0.1"
CLIENT = "localhost[127.0.0.1]"


@dataclass(frozen=True)
class Rule:
    """What happens at a phase instead of, or before, the usual reply.

    ``at`` is connect, ehlo, auth, mail, rcpt, data, body or dot. ``do`` is a reply ("450 4.2.0 later"), ``cut``
    (close), ``reset`` (close with a RST) or ``silence``; at the dot those three come after the message was taken over,
    and ``forget`` closes without having taken it. ``wait`` seconds pass before the reply. It holds for everybody,
    unless it names recipients (``only``), a ``share`` of them, the ``first`` so many times for each, or only what
    comes ``after`` so many messages on one connection.
    """

    at: str
    do: str = ""
    wait: float = 0.0
    only: Sequence[str] = ()
    share: float = 1.0
    first: int = 0
    after: int = 0


@dataclass(frozen=True)
class Behaviour:
    """All that can be changed while it runs. ``bytes_per_second`` is what all connections together may read."""

    rules: Sequence[Rule] = ()
    bytes_per_second: int = 0
    starttls: bool = True

    def written(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        given = json.loads(text)
        return cls(**{**given, "rules": [Rule(**rule) for rule in given["rules"]]})


# -- the handle -------------------------------------------------------------------------------------------------------


class SmtpWitness:
    """The witness as a test holds it; everything it knows it reads from files."""

    def __init__(self, folder: Path, port: int, address: str) -> None:
        self.folder, self.port, self._address = folder, port, address
        self.mail_log = folder / "mail.log"
        self._arrivals = Arrivals(folder / "arrivals.jsonl")

    @property
    def settings(self) -> Mapping[str, str]:
        plain = "" if self._address == HOST else "?tls=off"
        return {"COMMSENGINE_SMTP_URL": f"smtp://{self._address}:{self.port}{plain}"}

    def arrivals(self) -> Sequence[Arrival]:
        return self._arrivals.all()

    @property
    def copies(self) -> Counter[str]:
        """How many messages each address has."""
        return Counter(arrival.to for arrival in self.arrivals())

    @property
    def connections(self) -> int:
        """How many connections were opened so far."""
        return (self.folder / "connections").stat().st_size

    def wait_for(self, count: int, timeout: float = PATIENCE) -> bool:
        return wait_until(lambda: len(self.arrivals()) >= count, timeout, 0.002)

    def behave(self, *rules: Rule, bytes_per_second: int = 0, starttls: bool = True) -> None:
        """From the next step on; without rules it is an honest mail server."""
        _put(self.folder / "behaviour.json", Behaviour(rules, bytes_per_second, starttls).written())


@contextmanager
def smtp_witness(
    folder: Path,
    *rules: Rule,
    certificate: tuple[Path, Path] | None = None,
    password: bool = False,
    address: str = HOST,
) -> Iterator[SmtpWitness]:
    """Started and listening. ``certificate`` is its PEM file and key; with ``password`` it wants one and takes any."""
    folder.mkdir(parents=True, exist_ok=True)
    _put(folder / "behaviour.json", Behaviour(rules).written())
    options = ["--certificate", *map(str, certificate)] if certificate else []
    options += ["--password"] if password else []
    options += ["--address", address]
    process = python(
        ["-m", "tests.faults.witness", str(folder), *options], cwd=HERE,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout
            yield SmtpWitness(folder, int(process.stdout.readline()), address)
        finally:
            process.kill()


def _put(file: Path, text: str) -> None:
    """Whole or not at all: whoever reads it meanwhile sees the old one."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


# -- the process ------------------------------------------------------------------------------------------------------


class GoneError(Exception):
    """This conversation is over."""


class House:
    """What all conversations share: the logs, the rules, the counts."""

    def __init__(self, folder: Path, context: ssl.SSLContext | None, password: bool) -> None:
        self.context, self.password = context, password
        self.arrivals = ArrivalLog(folder / "arrivals.jsonl")
        self._mail_log = os.open(folder / "mail.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._doors = os.open(folder / "connections", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file, self._stamp, self._behaviour = folder / "behaviour.json", (0, 0), Behaviour()
        self._times: Counter[tuple[str, str]] = Counter()
        self._lock, self._line, self._taken = threading.Lock(), threading.Lock(), 0
        self._came = 0
        self.say("master", 1, "daemon started -- version 3.7.11, configuration /etc/postfix", ago=86_400)

    @property
    def behaviour(self) -> Behaviour:
        found = self._file.stat()
        with self._lock:
            if (stamp := (found.st_ino, found.st_mtime_ns)) != self._stamp:
                self._behaviour, self._stamp = Behaviour.read(self._file.read_text(encoding="utf-8")), stamp
            return self._behaviour

    def somebody_came(self) -> int:
        """The number of the connection."""
        os.write(self._doors, b".")
        self._came += 1
        return self._came

    def rule(self, at: str, recipient: str, messages: int) -> Rule | None:
        """The first rule for this step of this conversation."""
        for number, rule in enumerate(self.behaviour.rules):
            if rule.at != at or messages < rule.after or (rule.only and recipient not in rule.only):
                continue
            if zlib.crc32(recipient.encode()) / 0xFFFFFFFF > rule.share:
                continue
            with self._lock:
                self._times[f"{number} {at} {rule.do}", recipient] += 1
                if rule.first and self._times[f"{number} {at} {rule.do}", recipient] > rule.first:
                    continue
            return rule
        return None

    def say(self, program: str, pid: int, text: str, ago: float = 0.0) -> None:
        """One line in the mail log, as Postfix writes it."""
        stamp = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago)).isoformat(timespec="microseconds")
        os.write(self._mail_log, f"{stamp} mail postfix/{program}[{pid}]: {text}\n".encode())

    def queue_id(self) -> str:
        with self._lock:
            self._taken += 1
            return f"{self._taken:08X}"

    def take(self, sender: str, recipient: str, body: bytes, connection: int, queue_id: str) -> None:
        """Log it, so that it is ours from now on."""
        headers = _headers(body)
        first = dict(reversed(headers))
        message_id = first.get("message-id", "")
        self.say("cleanup", 12, f"{queue_id}: message-id={message_id}")
        self.say("qmgr", 13, f"{queue_id}: from=<{sender}>, size={len(body)}, nrcpt=1 (queue active)")
        more = {
            "message_id": message_id,
            "headers": [name for name, _ in headers],
            "size": len(body),
            "queue_id": queue_id,
            "connection": connection,
        }
        self.arrivals.add(Arrival(time.time(), first.get("x-commsengine-touch", ""), recipient, more))

    def read(self, connection: socket.socket) -> bytes:
        """What came in; on a slow line everybody waits for everybody."""
        slow = self.behaviour.bytes_per_second
        if not slow:
            return connection.recv(65536)
        data = connection.recv(max(1, slow // 20))
        with self._line:
            time.sleep(len(data) / slow)
        return data


class Conversation:
    """One connection, from its greeting to its end."""

    def __init__(self, house: House, connection: socket.socket, number: int) -> None:
        self._house, self._connection, self._number, self._buffer = house, connection, number, b""
        self._sender = self._recipient = self._queue_id = ""
        self._last, self._messages = "CONNECT", 0

    def hold(self) -> None:
        self._note(f"connect from {CLIENT}")
        with suppress(OSError, GoneError):
            self._say("connect", "220 witness ESMTP")
            while True:
                self._answer(self._until(b"\r\n").decode("utf-8", "replace"))
        if self._last == "DATA":
            self._lost_in_the_body()
        elif self._last != "QUIT":
            self._note(f"lost connection after {self._last} from {CLIENT}")
        self._note(f"disconnect from {CLIENT}")
        self._connection.close()

    def _lost_in_the_body(self) -> None:
        """Its name is known if that header has come; its end never came."""
        if message_id := dict(_headers(self._buffer)).get("message-id"):
            self._house.say("cleanup", 12, f"{self._queue_id}: message-id={message_id}")
        self._note(f"lost connection after DATA ({len(self._buffer)} bytes) from {CLIENT}")

    def _note(self, text: str) -> None:
        self._house.say("smtpd", self._number, text)

    def _answer(self, line: str) -> None:
        command = line.split(maxsplit=1)[0].upper() if line.strip() else ""
        self._last = command
        match command:
            case "EHLO" | "HELO":
                self._say("ehlo", self._features())
            case "STARTTLS" if self._may_encrypt():
                self._send("220 go on")
                assert self._house.context
                self._connection = self._house.context.wrap_socket(self._connection, server_side=True)
            case "AUTH":
                self._say("auth", "235 2.7.0 welcome")
            case "MAIL" if self._sender:
                self._send("503 5.5.1 nested MAIL")
            case "MAIL":
                sender = _between(line)
                self._sender = sender if self._say("mail", "250 2.1.0 ok") else ""
            case "RCPT":
                self._recipient = _between(line)
                if self._say("rcpt", "250 2.1.5 ok"):
                    self._queue_id = self._house.queue_id()
                    self._note(f"{self._queue_id}: client={CLIENT}")
            case "DATA":
                if self._say("data", "354 go on"):
                    self._take()
            case "RSET":
                self._sender = self._recipient = ""
                self._send("250 2.0.0 ok")
            case "QUIT":
                self._send("221 2.0.0 bye")
                raise GoneError
            case _:
                self._send("250 2.0.0 ok")

    def _take(self) -> None:
        if rule := self._house.rule("body", self._recipient, self._messages):
            self._read_more()  # some of it has come
            self._obey(rule)
        body = self._until(b"\r\n.\r\n")
        rule = self._house.rule("dot", self._recipient, self._messages)
        sender, self._sender = self._sender, ""
        if rule and (rule.do == FORGET or rule.do[:1] in ("4", "5")):
            if rule.do != FORGET:
                self._last = "END-OF-MESSAGE"
                self._note(f"{self._queue_id}: reject: END-OF-MESSAGE from {CLIENT}: {rule.do}")
            self._obey(rule)
            return
        self._messages += 1
        self._last = "END-OF-MESSAGE"
        self._house.take(sender, self._recipient, body, self._number, self._queue_id)
        if not (rule and self._obey(rule)):
            self._send(f"250 2.0.0 Ok: queued as {self._queue_id}")

    def _say(self, at: str, usual: str) -> bool:
        """The usual reply, or what a rule wants; whether it was the usual one."""
        rule = self._house.rule(at, self._recipient if at in ("rcpt", "data") else "", self._messages)
        if rule and self._obey(rule):
            return False
        self._send(usual)
        return True

    def _obey(self, rule: Rule) -> bool:
        """Do what the rule wants; whether that was a reply. After a cut or silence there is no more conversation."""
        time.sleep(rule.wait)
        match rule.do:
            case "":
                return False
            case "silence":
                while self._connection.recv(65536):
                    pass
            case "reset":
                self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "cut" | "forget":
                pass
            case reply:
                self._send(reply)
                if not reply.startswith("421"):
                    return True
        raise GoneError

    def _features(self) -> str:
        features = ["witness", *(["STARTTLS"] if self._may_encrypt() else [])]
        features += ["AUTH PLAIN"] if self._house.password else []
        return "\r\n".join(f"250-{feature}" for feature in features) + "\r\n250 8BITMIME"

    def _may_encrypt(self) -> bool:
        encrypted = isinstance(self._connection, ssl.SSLSocket)
        return bool(self._house.context) and self._house.behaviour.starttls and not encrypted

    def _send(self, line: str) -> None:
        self._connection.sendall(line.encode() + b"\r\n")

    def _until(self, end: bytes) -> bytes:
        while (found := self._buffer.find(end)) < 0:
            self._read_more()
        whole, self._buffer = self._buffer[:found], self._buffer[found + len(end) :]
        return whole

    def _read_more(self) -> None:
        data = self._house.read(self._connection)
        if not data:
            raise GoneError
        self._buffer += data


def _between(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


def _headers(body: bytes) -> list[tuple[str, str]]:
    """The header lines in their order, by lower-case names, unfolded."""
    head = re.sub(rb"\r\n[ \t]+", b" ", body.partition(b"\r\n\r\n")[0]).decode("utf-8", "replace")
    fields = (line.partition(":") for line in head.split("\r\n"))
    return [(name.strip().lower(), value.strip()) for name, _, value in fields]


def main() -> None:
    """Serve until standard input is closed: whoever started it is gone then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--certificate", nargs=2)
    parser.add_argument("--password", action="store_true")
    parser.add_argument("--address", default=HOST)
    asked = parser.parse_args()
    context = None
    if asked.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*asked.certificate)
    house = House(asked.folder, context, asked.password)
    listener = socket.create_server((asked.address, 0), backlog=100)
    threading.Thread(target=_serve, args=(house, listener), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


def _serve(house: House, listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conversation = Conversation(house, connection, house.somebody_came())
        threading.Thread(target=conversation.hold, daemon=True).start()


if __name__ == "__main__":
    main()
