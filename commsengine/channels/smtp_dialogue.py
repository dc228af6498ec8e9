"""The transactions of one SMTP connection, without a socket and without a clock: replies in, commands and events out.

1. MAIL, RCPT and DATA leave in one write where the server takes pipelines (RFC 2920), else one after the other.
2. After 354 the letter stands before its body. That goes with ``begin_body``, or with the final dot in one write.
3. In a pipeline the commands of the next letter follow the dot at once; their replies come after the one to the dot.
4. A refused letter is reported when all its replies are in, and RSET makes a clean start. A server that says 354 to a
   letter it has refused waits for a body: the connection is over, without a dot.
5. The connection is also over after 421, after a reply that nothing asked for, and after one that SMTP does not know.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from commsengine.channels.channel import Letter
from commsengine.channels.refusals import DATA, DOT, MAIL, RCPT

RSET = "rset"
WANTED = {MAIL: (250,), RCPT: (250, 251), DATA: (354,)}
GOES_ON = re.compile(rb"250 .*\n250 .*\n354 .*\n")
"""What nearly every pipeline is answered with; it is taken at once, for speed."""

LONGEST_LINE, MOST_LINES = 8192, 500
"""Bytes of a reply's line, and lines of a reply; a server that says more is not one of mail."""


class Standing(NamedTuple):
    """The server waits for the body of this letter; without its dot it may not act on it."""

    key: str


class Refused(NamedTuple):
    """Before its dot. ``code`` is -1 where the reply has none; ``behind``: in a pipeline, behind a refused dot."""

    letter: Letter
    phase: str
    code: int
    reply: bytes
    behind: bool


class Answered(NamedTuple):
    """The reply to the final dot."""

    key: str
    code: int
    reply: bytes


Event = Standing | Refused | Answered


class Unfinished(NamedTuple):
    """The messages open when a connection ends, by key: its dot has no reply, or the connection was ``cut`` before it.

    ``letter`` is the one that was offered behind, ``phase`` the first of it that has no reply, ``data`` after the last.
    """

    ended: str
    cut: str
    letter: Letter | None
    phase: str


class SmtpDialogue:
    """After the log-in. ``out`` is for the server, ``sent`` hears how much has gone. ``over``: nothing more may go."""

    def __init__(self, sender: str, *, pipelining: bool) -> None:
        self._mail, self._pipelining = f"MAIL FROM:<{sender}>\r\n".encode(), pipelining
        self.out = bytearray()
        self.over = self._behind_refusal = False
        self._input = b""
        self._lines: list[bytes] = []
        self._expected: deque[str] = deque()
        self._letter: Letter | None = None
        self._ended = ""
        self._body_begun = False
        self._before_dot = 0  # bytes to be sent until the dot of the letter that has ended begins
        self._refusal: Refused | None = None

    @property
    def takes_next(self) -> bool:
        return self._letter is None and not self.over and (self._pipelining or not self._expected)

    @property
    def awaits(self) -> str:
        """The phase of the next reply; empty where the server waits for us."""
        return self._expected[0] if self._expected else ""

    def offer(self, letter: Letter) -> None:
        self._letter, self._body_begun = letter, False
        if self._pipelining:
            self._expected += WANTED
            self.out += b"%bRCPT TO:<%b>\r\nDATA\r\n" % (self._mail, letter.recipient.encode("ascii"))
        else:
            self._command(MAIL, letter)

    def begin_body(self) -> None:
        """The body without its dot."""
        assert self._letter is not None, "a letter stands before its body"  # noqa: S101 - a defect of ours
        self.out += self._letter.body
        self._body_begun = True

    def end(self) -> None:
        """The final dot, behind what has not gone of the body: the point of no return."""
        if not self._body_begun:
            self.begin_body()
        assert self._letter is not None, "a letter stands before its dot"  # noqa: S101 - a defect of ours
        self._ended, self._before_dot, self._letter = self._letter.key, len(self.out), None
        self._expected.append(DOT)
        self.out += b".\r\n"

    def sent(self, count: int) -> None:
        """So many bytes of ``out`` are on their way."""
        del self.out[:count]
        self._before_dot -= count

    def receive(self, data: bytes) -> list[Event]:
        """What the replies in ``data`` say; they may come in any pieces."""
        data, place, events = self._input + data, 0, []
        while not self.over and (end := data.find(b"\n", place)) >= 0:
            going = GOES_ON.match(data, place) if self._may_go_on else None
            event = self._line(data[place:end]) if going is None else self._goes_on()
            place = end + 1 if going is None else going.end()
            if event is not None:
                events.append(event)
        self._input = data[place:]
        self.over = self.over or len(self._input) > LONGEST_LINE or len(self._lines) > MOST_LINES
        return events

    @property
    def _may_go_on(self) -> bool:
        return self._pipelining and bool(self._expected) and self._expected[0] == MAIL and not self._lines

    def _goes_on(self) -> Standing:
        self._expected.popleft()
        self._expected.popleft()
        event = self._reply(354, b"")
        assert isinstance(event, Standing), "nothing was refused"  # noqa: S101 - a defect of ours
        return event

    def unfinished(self) -> Unfinished:
        phase = next((phase for phase in self._expected if phase in WANTED), DATA)
        ended, cut = ("", self._ended) if self._before_dot >= 0 else (self._ended, "")
        return Unfinished(ended, cut, self._letter, phase)

    def _command(self, phase: str, letter: Letter) -> None:
        self._expected.append(phase)
        if phase == MAIL:
            self.out += self._mail
        elif phase == RCPT:
            self.out += b"RCPT TO:<%s>\r\n" % letter.recipient.encode("ascii")
        else:
            self.out += b"DATA\r\n"

    def _line(self, line: bytes) -> Event | None:
        code, text = int(line[:3]) if line[:3].isdigit() else -1, line[4:].strip()
        if code >= 0 and line[3:4] == b"-":
            self._lines.append(text)
            return None
        if self._lines:
            text = b"\n".join([*self._lines, text])
            self._lines.clear()
        return self._reply(code, text)

    def _reply(self, code: int, reply: bytes) -> Event | None:
        if not self._expected:
            self.over = True
            return None
        phase = self._expected.popleft()
        if phase in WANTED:
            return self._enveloped(phase, code, reply)
        if phase == RSET:
            self.over = code != 250
            return None
        self.over = code == 421 or not (200 <= code <= 299 or 400 <= code <= 599)
        if not 200 <= code <= 299:
            self._start_clean()
        key, self._ended = self._ended, ""
        return Answered(key, code, reply)

    def _start_clean(self) -> None:
        # behind a refused dot the next letter may be under way: then its own replies show whether the server is ready
        self._behind_refusal = self._letter is not None
        if not self.over and self._letter is None:
            self._expected.append(RSET)
            self.out += b"RSET\r\n"

    def _enveloped(self, phase: str, code: int, reply: bytes) -> Event | None:
        letter = self._letter
        assert letter is not None, "its replies are expected"  # noqa: S101 - a defect of ours
        if self._refusal is None and code not in WANTED[phase]:
            self._refusal = Refused(letter, phase, code, reply, self._behind_refusal)
        if self._refusal is not None:
            odd = code not in range(400, 600) and phase in (self._refusal.phase, DATA)
            self.over = code == 421 or odd
            done = self.over or phase == DATA or not self._pipelining
            return self._refused(self._refusal) if done else None
        self._behind_refusal = False
        if phase != DATA:
            if not self._pipelining:
                self._command(RCPT if phase == MAIL else DATA, letter)
            return None
        return Standing(letter.key)

    def _refused(self, refusal: Refused) -> Refused:
        self._letter = self._refusal = None
        self._start_clean()
        return refusal
