"""Socket Mode: the same presses over a connection of our own making, against a small real WebSocket server."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from pathlib import Path
from typing import IO, Any

from commsengine.slack_app import SlackApp
from tests.answering import Answering, answering
from tests.builders import ANA
from tests.servers import Server, http_json

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455


class SocketSlack(Server):
    """Tells where the socket is, sends one envelope down it, and keeps the envelope ids that come back."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload, self.acknowledged, self.got_one = payload, list[str](), threading.Event()
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            head: dict[str, str] = {}
            while (line := lines.readline().decode().strip()) or not head:
                name, _, value = line.partition(":")
                head[name.strip().lower()] = value.strip()
            if "sec-websocket-key" not in head:
                url = f"ws://127.0.0.1:{self.port}/link"
                connection.sendall(http_json(json.dumps({"ok": True, "url": url})))
                return
            digest = hashlib.sha1((head["sec-websocket-key"] + GUID).encode()).digest()  # noqa: S324 - as the RFC says
            connection.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
            )
            envelope = {"envelope_id": "e1", "type": "interactive", "payload": self.payload}
            connection.sendall(frame(json.dumps(envelope).encode()))
            self._listen(lines)

    def _listen(self, lines: IO[bytes]) -> None:
        while first := lines.read(1):
            text = unmasked(lines)
            if first[0] & 0x0F == 1 and "envelope_id" in text:
                self.acknowledged.append(json.loads(text)["envelope_id"])
                self.got_one.set()


def frame(data: bytes) -> bytes:
    """One whole text frame, unmasked, as servers send it."""
    return b"\x81\x7e" + len(data).to_bytes(2, "big") + data


def unmasked(lines: IO[bytes]) -> str:
    length = lines.read(1)[0] & 0x7F
    if length == 126:
        length = int.from_bytes(lines.read(2), "big")
    mask, data = lines.read(4), lines.read(length)
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(data)).decode("utf-8", "replace")


def a_press(house: Answering, user: str) -> dict[str, Any]:
    key = house.touch(channel="slack")
    return {
        "type": "block_actions", "user": {"id": user}, "team": {"id": "T1"}, "channel": {"id": "D1"},
        "message": {"ts": "1.1"}, "trigger_id": "t1", "response_url": "",
        "actions": [{"type": "button", "action_id": "got_it", "block_id": "b", "value": key, "action_ts": "1.2"}],
    }  # fmt: skip


def test_a_press_over_the_socket_is_recorded_and_acknowledged(tmp_path: Path) -> None:
    house = answering(tmp_path)
    house.store.slack_ids.put(ANA.email, "UANA", "D1")
    with SocketSlack(a_press(house, "UANA")) as slack:
        api = f"http://127.0.0.1:{slack.port}/api/"
        app = SlackApp(house.hall, house.store.slack_ids, token="xoxb-x", api_url=api, clock=house.clock)
        handler: Any = app.socket_mode("xapp-x")
        handler.connect()
        assert slack.got_one.wait(10)
        handler.close()
    assert (house.kinds(), slack.acknowledged) == (["acknowledged"], ["e1"])
    house.store.close()


def test_another_persons_press_over_the_socket_is_refused(tmp_path: Path) -> None:
    house = answering(tmp_path)
    house.store.slack_ids.put(ANA.email, "UANA", "D1")
    with SocketSlack(a_press(house, "UBEN")) as slack:
        api = f"http://127.0.0.1:{slack.port}/api/"
        app = SlackApp(house.hall, house.store.slack_ids, token="xoxb-x", api_url=api, clock=house.clock)
        handler: Any = app.socket_mode("xapp-x")
        handler.connect()
        assert slack.got_one.wait(10)
        handler.close()
    assert house.kinds() == []
    house.store.close()
