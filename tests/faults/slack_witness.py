"""Slack's Web API as a process of its own, never killed: a post it accepts is logged before it says so.

It misbehaves on demand: ``witness.behave(Rule("chat.postMessage", "reset"))``. The rules lie in a small file that is
looked at before every call, so a change holds from the very next one. Beside ``arrivals.jsonl`` it keeps
``calls.jsonl``: every call, when it came, and what it was told.

The answers are those of the sandbox's Slack; the sockets are plain ones, for only those can be reset.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl

from commsengine.sandbox.slack_methods import RefusedError, answer
from commsengine.sandbox.slack_team import SlackTeam
from tests.faults.arrivals import Arrival, ArrivalLog, Arrivals
from tests.fork_server import python
from tests.waiting import PATIENCE, wait_until

HERE = Path(__file__).parents[2]
TOKEN = "xoxb-witness"
RESET, FORGET, SILENCE, LIMIT, PAGE = "reset", "forget", "silence", "limit", "page"
POST = "chat.postMessage"


@dataclass(frozen=True)
class Rule:
    """What happens to calls of a method instead of, or before, the usual answer.

    ``do`` is ``reset`` or ``silence`` (both after what was asked for was done), ``forget`` (a reset, and nothing was
    done), ``limit`` (``status``, else 429; ``seconds`` is the Retry-After, 0 for none), ``page`` (a proxy's HTML with
    ``status``, else 502; nothing was done), or the error of an ``ok: false``. ``wait`` seconds pass before the answer.
    It holds for everybody unless it names people (``only``, by address), and for the ``first`` so many calls if that
    is not 0.
    """

    at: str
    do: str = ""
    wait: float = 0.0
    seconds: int = 0
    status: int = 0
    only: Sequence[str] = ()
    first: int = 0


# -- the handle -------------------------------------------------------------------------------------------------------


class SlackWitness:
    """The witness as a test holds it; everything it knows it reads from files."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self._arrivals = Arrivals(folder / "arrivals.jsonl")

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def settings(self) -> Mapping[str, str]:
        return {"COMMSENGINE_SLACK_BOT_TOKEN": TOKEN, "COMMSENGINE_SLACK_API_URL": self.api_url}

    def arrivals(self) -> Sequence[Arrival]:
        return self._arrivals.all()

    @property
    def copies(self) -> Counter[str]:
        """How many posts each person has, by address."""
        return Counter(arrival.to for arrival in self.arrivals())

    def calls(self, method: str = "") -> list[dict[str, Any]]:
        """Every call (of a method): ``at``, ``method``, the ``person`` it was about, and what it was ``told``."""
        lines = (self.folder / "calls.jsonl").read_text(encoding="utf-8").split("\n")[:-1]  # what is half written waits
        return [call for line in lines if (call := json.loads(line))["method"] == (method or call["method"])]

    def wait_for(self, count: int, timeout: float = PATIENCE) -> bool:
        return wait_until(lambda: len(self.arrivals()) >= count, timeout, 0.002)

    def behave(self, *rules: Rule) -> None:
        """From the next call on; without rules it is an honest Slack. Counts of ``first`` begin anew."""
        _put(self.folder / "behaviour.json", json.dumps([asdict(rule) for rule in rules]))


@contextmanager
def slack_witness(folder: Path, people: Iterable[str], *rules: Rule) -> Iterator[SlackWitness]:
    """Started and listening; these addresses, and no others, are on Slack."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "people").write_text("\n".join(people), encoding="utf-8")
    witness = SlackWitness(folder, 0)
    witness.behave(*rules)
    process = python(
        ["-m", "tests.faults.slack_witness", str(folder)], cwd=HERE,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout
            witness.port = int(process.stdout.readline())
            yield witness
        finally:
            process.kill()


def _put(file: Path, text: str) -> None:
    """Whole or not at all: whoever reads it meanwhile sees the old one."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


# -- the process ------------------------------------------------------------------------------------------------------


class House:
    """What all connections share: the team, the logs, the rules, the counts."""

    def __init__(self, folder: Path, addresses: Iterable[str]) -> None:
        self.team = SlackTeam([(address, address.partition("@")[0]) for address in addresses])
        self.arrivals = ArrivalLog(folder / "arrivals.jsonl")
        self._calls = os.open(folder / "calls.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file, self._stamp, self._rules = folder / "behaviour.json", (0, 0), list[Rule]()
        self._times: Counter[int] = Counter()
        self._lock = threading.Lock()

    def rule(self, method: str, person: str) -> Rule | None:
        """The first rule that holds for this call."""
        if not self._file.exists():
            return None
        found = self._file.stat()
        with self._lock:
            if (stamp := (found.st_ino, found.st_mtime_ns)) != self._stamp:
                given = json.loads(self._file.read_text(encoding="utf-8"))
                self._rules, self._stamp = [Rule(**rule) for rule in given], stamp
                self._times.clear()
            for number, rule in enumerate(self._rules):
                if rule.at == method and (not rule.only or person in rule.only):
                    self._times[number] += 1
                    if not rule.first or self._times[number] <= rule.first:
                        return rule
        return None

    def person(self, arguments: Mapping[str, Any]) -> str:
        """Whom a call is about: their address."""
        user = self.team.user_of(str(arguments.get("channel", ""))) or self.team.user(str(arguments.get("users", "")))
        return user.email if user else str(arguments.get("email", ""))

    def do(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What was asked for; a post is logged before anybody hears of it."""
        try:
            done = answer(self.team, method, arguments)
        except RefusedError as refused:
            return {"ok": False, "error": str(refused)}
        if method == POST:
            post = self.team.find(done["channel"], done["ts"])
            assert post
            more = {"channel": post.conversation, "user": post.user.id, "ts": post.ts}
            self.arrivals.add(Arrival(time.time(), post.key, post.user.email, more))
        return {"ok": True, **done}

    def note(self, method: str, arguments: Mapping[str, Any], told: str) -> None:
        said = {"at": time.time(), "method": method, "person": self.person(arguments), "told": told}
        os.write(self._calls, (json.dumps(said) + "\n").encode())


@dataclass(frozen=True)
class Call:
    """One request as the SDK makes it."""

    path: str
    head: Mapping[str, str]
    arguments: Mapping[str, Any]

    @property
    def method(self) -> str:
        return self.path.rpartition("/")[2]


def read_call(lines: IO[bytes]) -> Call:
    """Raises ``ValueError`` for what is no request. The arguments come as JSON or as a form."""
    path = lines.readline().decode().partition(" ")[2].partition(" ")[0]
    head: dict[str, str] = {}
    while (line := lines.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode().partition(":")
        head[name.lower()] = value.strip()
    body = lines.read(int(head.get("content-length", 0))).decode()
    given = json.loads(body or "{}") if "json" in head.get("content-type", "") else dict(parse_qsl(body))
    return Call(path, head, given)


def answer_call(house: House, connection: socket.socket, call: Call) -> None:
    """One connection serves one call."""
    rule = house.rule(call.method, house.person(call.arguments)) or Rule(call.method)
    if call.head.get("authorization") != f"Bearer {TOKEN}":
        rule = Rule(call.method, "invalid_auth")
    _OBEY.get(rule.do, _refuse)(house, connection, call.method, call.arguments, rule)


Obey = Callable[[House, socket.socket, str, Mapping[str, Any], Rule], None]


def _plainly(house: House, connection: socket.socket, method: str, arguments: Mapping[str, Any], rule: Rule) -> None:
    done = house.do(method, arguments)
    house.note(method, arguments, str(done.get("error", "ok")))
    time.sleep(rule.wait)
    connection.sendall(json_answer(done))


def _reset(house: House, connection: socket.socket, method: str, arguments: Mapping[str, Any], rule: Rule) -> None:
    if rule.do == RESET:
        house.do(method, arguments)
    house.note(method, arguments, rule.do)
    time.sleep(rule.wait)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _silence(house: House, connection: socket.socket, method: str, arguments: Mapping[str, Any], rule: Rule) -> None:
    house.do(method, arguments)
    house.note(method, arguments, SILENCE)
    connection.recv(1)


def _limit(house: House, connection: socket.socket, method: str, arguments: Mapping[str, Any], rule: Rule) -> None:
    house.note(method, arguments, LIMIT)
    wait = f"Retry-After: {rule.seconds}\r\n" if rule.seconds else ""
    connection.sendall(json_answer({"ok": False, "error": "ratelimited"}, f"{rule.status or 429} Slowly", wait))


def _page(house: House, connection: socket.socket, method: str, arguments: Mapping[str, Any], rule: Rule) -> None:
    house.note(method, arguments, PAGE)
    connection.sendall(
        _answer(b"<html><h1>Something went wrong</h1>", f"{rule.status or 502} Oops", "Content-Type: text/html\r\n")
    )


def _refuse(house: House, connection: socket.socket, method: str, arguments: Mapping[str, Any], rule: Rule) -> None:
    house.note(method, arguments, rule.do)
    connection.sendall(json_answer({"ok": False, "error": rule.do}))


_OBEY: Mapping[str, Obey] = {"": _plainly, RESET: _reset, FORGET: _reset, SILENCE: _silence, LIMIT: _limit, PAGE: _page}


def json_answer(body: Mapping[str, Any], status: str = "200 OK", headers: str = "") -> bytes:
    return _answer(json.dumps(body).encode(), status, f"Content-Type: application/json\r\n{headers}")


def _answer(body: bytes, status: str, headers: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def main() -> None:
    """Serve until standard input is closed: whoever started it is gone then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    house = House(folder, (folder / "people").read_text(encoding="utf-8").split())
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    threading.Thread(target=_accept, args=(house, listener), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


def _accept(house: House, listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(house, connection), daemon=True).start()


def _serve(house: House, connection: socket.socket) -> None:
    with suppress(OSError, ValueError), connection, connection.makefile("rb") as lines:
        answer_call(house, connection, read_call(lines))


if __name__ == "__main__":
    main()
