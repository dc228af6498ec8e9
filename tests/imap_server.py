"""A small IMAP server on a real socket: log-in, EXAMINE, SEARCH by header and day, FETCH of headers and dates."""

from __future__ import annotations

import base64
import datetime as dt
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from tests.servers import Server


@dataclass(frozen=True)
class Archived:
    """One message in the folder; its headers as they stand in it."""

    uid: int
    came: dt.datetime
    head: bytes

    def header(self, name: str) -> str | None:
        found = re.search(rb"(?im)^" + name.encode() + rb":[ \t]*((?:.|\r\n[ \t])*)\r\n", self.head)
        return re.sub(r"\r\n", "", found[1].decode()) if found else None


class ImapServer(Server):
    """One account, one folder, which the server marks as that of sent mail. With ``tokens`` it wants one of these.

    ``instead`` may answer a command line in its own way: bytes, or ``None`` for a cut.

    ``deaf_to`` is a header that a search does not find, as with servers that do not index it.
    """

    user, password, folder = "copies", 'pass "word" \\', 'Sent "copies"'

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.messages: list[Archived] = []
        self.commands: list[str] = []
        self.deaf_to = ""
        self.instead: dict[str, bytes | None] = {}
        self.tokens: set[str] = set()
        self.logins: list[tuple[str, str]] = []
        super().__init__(context)

    def keep(self, key: str, came: dt.datetime, *, ours: bool = True) -> None:
        head = f"From: change@example.com\r\nMessage-ID:\r\n <{key}@example.com>\r\n"
        head += f"X-Commsengine-Touch: {key}\r\n" if ours else ""
        self.messages.append(Archived(100 + 3 * len(self.messages), came, (head + "\r\n").encode()))

    def serve(self, connection: socket.socket) -> None:
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as lines:
            connection.sendall(self.instead.get("GREETING", b"* OK ready\r\n") or b"")
            for line in lines:
                tag, _, command = line.decode().strip().partition(" ")
                self.commands.append(command)
                if command == "AUTHENTICATE XOAUTH2":
                    connection.sendall(tag.encode() + self._by_token(connection, lines))
                    continue
                answer = self._answer(command)
                if answer is None:
                    return
                connection.sendall(answer.replace(b"{tag}", tag.encode()))
                if command == "LOGOUT":
                    return

    def _answer(self, command: str) -> bytes | None:
        for start, answer in self.instead.items():
            if command.startswith(start):
                return answer
        verb = command.removeprefix("UID ").partition(" ")[0]
        answers: dict[str, Callable[[str], bytes]] = {
            "CAPABILITY": lambda _: b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n",
            "LOGIN": self._login,
            "LIST": self._list,
            "EXAMINE": self._examine,
            "SEARCH": self._search,
            "FETCH": self._fetch,
            "LOGOUT": lambda _: b"* BYE\r\n{tag} OK done\r\n",
        }
        return answers.get(verb, lambda _: b"{tag} BAD what?\r\n")(command)

    def _login(self, command: str) -> bytes:
        wanted = f"LOGIN {self.user} {quoted(self.password)}"
        return b"{tag} OK done\r\n" if command == wanted else b"{tag} NO wrong\r\n"

    def _by_token(self, connection: socket.socket, lines: IO[bytes]) -> bytes:
        connection.sendall(b"+ \r\n")
        said = base64.b64decode(lines.readline()).decode()
        user, token = re.fullmatch("user=(.*)\x01auth=Bearer (.*)\x01\x01", said).groups()  # type: ignore[union-attr]
        self.logins.append((user, token))
        if token in self.tokens:
            return b" OK AUTHENTICATE completed.\r\n"
        connection.sendall(b"+ " + base64.b64encode(b'{"status":"400"}') + b"\r\n")
        assert lines.readline() == b"\r\n"
        return b" NO AUTHENTICATE failed.\r\n"

    def _list(self, command: str) -> bytes:
        listed = f'* LIST (\\HasNoChildren) "/" "INBOX"\r\n* LIST (\\Marked \\Sent) "/" {quoted(self.folder)}\r\n'
        return listed.encode() + b"{tag} OK done\r\n"

    def _examine(self, command: str) -> bytes:
        if command != f"EXAMINE {quoted(self.folder)}":
            return b"{tag} NO no such folder\r\n"
        return f"* {len(self.messages)} EXISTS\r\n* OK [UIDVALIDITY 1]\r\n{{tag}} OK [READ-ONLY]\r\n".encode()

    def _search(self, command: str) -> bytes:
        found = re.fullmatch(
            r'UID SEARCH (?:SINCE (?P<day>\S+)|(?P<first>\d+):\*) HEADER (?P<name>\S+) "(?P<text>[^"]*)"', command
        )
        if not found:
            return b"{tag} BAD search\r\n"
        among = self.messages[int(found["first"] or 1) - 1 :]
        uids = " ".join(str(one.uid) for one in among if self._matches(one, found))
        return f"* SEARCH {uids}".rstrip().encode() + b"\r\n{tag} OK done\r\n"

    def _matches(self, one: Archived, wanted: re.Match[str]) -> bool:
        value = one.header(wanted["name"])
        if wanted["name"] == self.deaf_to or value is None or wanted["text"].lower() not in value.lower():
            return False
        return not wanted["day"] or one.came.date() >= dt.datetime.strptime(wanted["day"], "%d-%b-%Y").date()  # noqa: DTZ007 - a day

    def _fetch(self, command: str) -> bytes:
        answer = b"".join(self._fetched(command))
        return answer + b"{tag} OK done\r\n"

    def _fetched(self, command: str) -> Iterator[bytes]:
        for number, one in enumerate(self.messages, 1):
            if command == "FETCH * (INTERNALDATE)" and number == len(self.messages):
                yield f'* {number} FETCH (INTERNALDATE "{one.came:%d-%b-%Y %H:%M:%S %z}")\r\n'.encode()
            if command == f"UID FETCH {one.uid} (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])":
                head = f"Message-ID:\r\n {one.header('Message-ID')}\r\n\r\n".encode()
                start = f"* {number} FETCH (UID {one.uid} BODY[HEADER.FIELDS (MESSAGE-ID)] {{{len(head)}}}\r\n"
                yield start.encode() + head + b")\r\n"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
