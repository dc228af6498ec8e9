"""A Slack with Socket Mode on plain sockets: it answers the Web API, sends presses down its links, and can go away."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Mapping
from typing import IO, Any

from tests.faults.slack_witness import Call, House, answer_call, json_answer, read_call
from tests.servers import Server, reset

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
TEXT, PING, PONG = 1, 9, 10


class SocketSlack(Server):
    """``house`` answers the Web API. ``linked`` is set while an app is connected.

    While it is ``away``, nobody gets in; ``deaf``, it takes what is said and answers no ping.
    """

    def __init__(self, house: House | None = None) -> None:
        self.house = house
        self.away = self.deaf = False
        self.refusal = ""
        self.asked = self.links = self.pongs = 0
        self.linked, self.got_one = threading.Event(), threading.Event()
        self.acknowledged: list[str] = []
        self.whispers: list[str] = []
        self._link: socket.socket | None = None
        super().__init__()

    def press(self, payload: Mapping[str, Any], envelope: str = "e1", kind: str = "interactive") -> bool:
        """Sends it down the newest link; whether there was one. Slack keeps nothing for later."""
        link = self._link
        if link is None:
            return False
        told = {"envelope_id": envelope, "type": kind, "payload": payload}
        link.sendall(frame(json.dumps(told).encode()))
        return True

    def go(self) -> None:
        """Every link is cut, and nobody gets in."""
        self.away = True
        if link := self._link:
            self._unlinked()
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.shutdown(socket.SHUT_RDWR)  # wakes its own thread, whose closing then resets it

    def serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            call = read_call(lines)
            if self.away and call.method in ("apps.connections.open", "link"):
                self.asked += 1
                reset(connection)
            elif "sec-websocket-key" in call.head:
                self._hold(connection, lines, call)
            elif call.method == "apps.connections.open":
                self.asked += 1
                link = {"ok": True, "url": f"ws://127.0.0.1:{self.port}/link"}
                connection.sendall(json_answer({"ok": False, "error": self.refusal} if self.refusal else link))
            elif call.path.startswith("/response/"):
                self._respond(call)
                connection.sendall(json_answer({"ok": True}))
            elif self.house:
                answer_call(self.house, connection, call)

    def _respond(self, call: Call) -> None:
        """``/response/CHANNEL/TS``: the card drawn again, or a word to the person."""
        text = str(call.arguments["text"])
        if not call.arguments.get("replace_original"):
            self.whispers.append(text)
        elif self.house and (card := self.house.team.find(*call.path.split("/")[-2:])):
            self.house.team.update(card, text, call.arguments["blocks"])

    def _hold(self, connection: socket.socket, lines: IO[bytes], call: Call) -> None:
        digest = hashlib.sha1((call.head["sec-websocket-key"] + GUID).encode()).digest()  # noqa: S324 - as the RFC says
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        self._link, self.links = connection, self.links + 1
        self.linked.set()
        try:
            self._listen(connection, lines)
        finally:
            if self._link is connection:
                self._unlinked()

    def _unlinked(self) -> None:
        self._link = None
        self.linked.clear()

    def _listen(self, connection: socket.socket, lines: IO[bytes]) -> None:
        while first := lines.read(1):
            kind, data = first[0] & 0x0F, unmasked(lines)
            if kind == PING and not self.deaf:
                connection.sendall(frame(data, PONG))
                self.pongs += 1
            elif kind == TEXT and b"envelope_id" in data:
                self.acknowledged.append(json.loads(data)["envelope_id"])
                self.got_one.set()


def frame(data: bytes, kind: int = TEXT) -> bytes:
    """One whole frame, unmasked, as servers send it."""
    size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
    return bytes([0x80 | kind]) + size + data


def unmasked(lines: IO[bytes]) -> bytes:
    length = lines.read(1)[0] & 0x7F
    if length == 126:
        length = int.from_bytes(lines.read(2), "big")
    mask, data = lines.read(4), lines.read(length)
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
