"""E-mail over SMTP: one recipient per transaction, the connection kept, every phase kept apart.

One attempt
1. Lay the message out; a value that must not travel fails this message only, before anything is offered.
2. Connect (TLS verified, then AUTH) unless a connection is open; MAIL, RCPT, DATA, then the body without its final dot.
3. ``mark``: refused, the connection is dropped and the server forgets the message. Up to here all is safe to repeat.
4. The final dot, and up to ten minutes for its reply (RFC 5321, 4.5.3.2.6). Silence from here on is ``uncertain``.

``deliver`` makes attempts one by one and waits. A loop over many connections uses the parts: ``ready`` waits, on a
thread of its own; the others never do, and what happens comes back as events. There a message that is marked in time
sends body and dot in one write. Where the server takes pipelines, the next message is offered right behind the dot.
"""

from __future__ import annotations

import datetime as dt
import select
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence

from commsengine.channels import smtp
from commsengine.channels.access_tokens import AccessTokens
from commsengine.channels.channel import (
    RELEASED,
    RETRY,
    SENT,
    UNCERTAIN,
    Again,
    BeforeTheEnd,
    DeliveryError,
    Letter,
    Mark,
    Outcome,
    SendingEvent,
)
from commsengine.channels.mime import HeaderError, laid_out, sender_address
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.channels.refusals import DATA, DOT, MAIL
from commsengine.channels.smtp import SmtpConnection, SmtpServer
from commsengine.channels.smtp_dialogue import Answered, Event, Refused, SmtpDialogue, Standing
from commsengine.content.message import RenderedMessage
from commsengine.errors import InputError
from commsengine.translation import N_, _

AT_ONCE = 65_536  # bytes read at once


class EmailChannel:
    """One SMTP connection, opened when first needed and kept. ``mail_from`` may be ``Name <address>``.

    Times are in seconds. ``hello`` is the name in EHLO, ``tokens`` are for a server that wants one. ``context``
    verifies the server's certificate; the default trusts what the system trusts. After ``per_connection`` messages a
    new connection is opened. ``greeted`` hears what the server says first. ``refusals`` are a workspace's own rows of
    the table.
    Raises ``InputError`` when ``mail_from`` is no address.
    """

    name = "email"

    def __init__(
        self,
        server: SmtpServer,
        mail_from: str,
        *,
        hello: str = "",
        tokens: AccessTokens | None = None,
        context: ssl.SSLContext | None = None,
        connect_timeout: float = 30.0,
        reply_timeout: float = 300.0,
        dot_timeout: float = 600.0,
        per_connection: int | None = None,
        greeted: Callable[[str], object] = lambda _: None,
        refusals: Sequence[RefusalRule] = (),
    ) -> None:
        try:
            self._sender = sender_address(mail_from)
        except HeaderError as bad:
            cause = _("COMMSENGINE_MAIL_FROM {what}.", what=_(bad.what))
            raise InputError(cause, _("Write change@your-domain.")) from None
        times = {"connect": connect_timeout, "reply": reply_timeout}
        self._relay = SmtpConnection(
            server,
            self._sender,
            hello=hello,
            tokens=tokens,
            context=context,
            per_connection=per_connection,
            greeted=greeted,
            own=refusals,
            **times,
        )
        self._reply_timeout, self._dot_timeout = reply_timeout, dot_timeout
        self._dialogue: SmtpDialogue | None = None
        self.socket: socket.socket | None = None  # of the connection that is open
        self._first = False  # the letter that was offered last is the first on its connection
        self._standing = ""  # the key that stands before its body

    def deliver(self, messages: Sequence[RenderedMessage], mark: Mark) -> Iterator[Outcome]:
        down: Outcome | None = None
        for message in messages:
            if down is None:
                outcome = self._attempt(message, mark)
                down = outcome if outcome.channel_down else None
                yield outcome
            else:  # do not wait for a dead server once per person
                yield down._replace(key=message.key)

    def close(self) -> None:
        self._relay.quit()
        self._dialogue = self.socket = None

    # -- without waiting --------------------------------------------------------------------------

    def lay_out(self, message: RenderedMessage, date: dt.datetime) -> Letter:
        """What ``offer`` takes, with the time of the attempt. Raises ``DeliveryError``."""
        return Letter(message.key, *laid_out(message, self._sender, date))

    @property
    def at_hand(self) -> bool:
        """Whether a message may be offered now; else ``ready`` comes first, once nothing is under way."""
        return self._dialogue is not None and self._dialogue.takes_next and self._relay.at_hand

    def ready(self) -> None:
        """Waits for a connection that a message may be offered on. Raises ``DeliveryError`` where there is none."""
        self._relay.ready()
        if self._dialogue is None or self._relay.fresh:
            self._dialogue = SmtpDialogue(self._sender, pipelining=self._relay.pipelining)
        self.socket = self._relay.sock
        self.socket.setblocking(False)

    def offer(self, letter: Letter) -> None:
        self._first = self._relay.begin()
        self._live.offer(letter)

    def begin_body(self) -> None:
        """The body is to be sent, without its end."""
        self._live.begin_body()

    def end(self) -> list[SendingEvent]:
        """The final dot is to be sent: the point of no return. Without a connection nothing has been handed over."""
        standing, self._standing = self._standing, ""
        if self._dialogue is None:
            cut = N_("the mail server closed the connection before the end of the message")
            return [Outcome(standing, RETRY, DATA, cut)]
        self._live.end()
        return []

    def drop(self) -> None:
        """The server forgets a message without its final dot."""
        self._relay.drop()
        self._dialogue, self.socket, self._standing = None, None, ""

    @property
    def sends(self) -> bool:
        """Whether something is to be sent."""
        return self._dialogue is not None and bool(self._dialogue.out)

    @property
    def patience(self) -> float | None:
        """How long the server may take for its next step, in seconds; ``None`` where it is ours."""
        if self._dialogue is None:
            return None
        if awaits := self._dialogue.awaits:
            return self._dot_timeout if awaits == DOT else self._reply_timeout
        return self._reply_timeout if self._dialogue.out else None

    def send(self) -> list[SendingEvent]:
        """As much as the connection takes now."""
        if self._dialogue is None or self.socket is None:
            return []
        try:
            while self._dialogue.out:
                self._dialogue.sent(self.socket.send(self._dialogue.out))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            return self.lost(error)
        return []

    def receive(self) -> list[SendingEvent]:
        """What has come in."""
        if self._dialogue is None or self.socket is None:
            return []
        try:
            data = _read(self.socket)
        except OSError as error:
            return self.lost(error)
        events = [self._heard(found) for found in self._dialogue.receive(data)]
        if self._dialogue is not None and self._dialogue.over:
            events += self.lost(smtplib.SMTPServerDisconnected("Connection unexpectedly closed"))
        return events + self.send()

    def silent(self) -> list[SendingEvent]:
        """The server takes longer than it may."""
        return self.lost(smtplib.SMTPServerDisconnected("Connection unexpectedly closed: timed out"))

    def lost(self, error: OSError) -> list[SendingEvent]:
        """The connection is over: what that means for the messages on it. One before its end waits for ``end``."""
        left, standing = self._live.unfinished(), self._standing
        self.drop()
        self._standing = standing
        events: list[SendingEvent] = []
        if left.ended:
            why = f"no answer to the final dot ({type(error).__name__})"
            events.append(Outcome(left.ended, UNCERTAIN, DOT, why))
        if left.cut:
            events.append(self._relay.broken(DATA, error).outcome(left.cut))
        if left.letter is None or standing:
            return events
        if left.phase == MAIL and not self._first:  # nothing of it has been heard
            return [*events, Again(left.letter)]
        return [*events, self._relay.broken(left.phase, error).outcome(left.letter.key)]

    def _heard(self, found: Event) -> SendingEvent:
        if isinstance(found, Standing):
            self._standing = found.key
            return BeforeTheEnd(found.key)
        return self._refused(found) if isinstance(found, Refused) else self._answered(found)

    def _answered(self, found: Answered) -> Outcome:
        reply = smtp.shown(found.code, found.reply)
        if 200 <= found.code <= 299:
            return Outcome(found.key, SENT, DOT, reply, remote_id=smtp.queue_id(found.reply))
        if 400 <= found.code <= 599:
            return self._relay.refusal(DOT, found.code, found.reply).outcome(found.key)
        return Outcome(found.key, UNCERTAIN, DOT, reply)

    def _refused(self, found: Refused) -> SendingEvent:
        error = self._relay.refusal(found.phase, found.code, found.reply)
        if found.phase == MAIL and not self._first and self._done_with_us(found, error):
            self.drop()
            return Again(found.letter)
        return error.outcome(found.letter.key)

    def _done_with_us(self, found: Refused, error: DeliveryError) -> bool:
        # with the session (421), with its token (530, 535), or with what came before in the pipeline
        if self._relay.token_refused(found.code) or found.behind:
            return True
        return self._live.over and not error.channel_down

    @property
    def _live(self) -> SmtpDialogue:
        assert self._dialogue is not None, "a connection is open"  # noqa: S101 - a defect of ours
        return self._dialogue

    # -- one by one -------------------------------------------------------------------------------

    def _attempt(self, message: RenderedMessage, mark: Mark) -> Outcome:
        try:
            letter = self.lay_out(message, message.date)
            events = self._begin(letter)
            while True:
                for event in events:
                    if isinstance(event, Outcome):
                        return event
                events = self._next(letter, mark, events)
        except DeliveryError as error:
            return error.outcome(message.key)

    def _begin(self, letter: Letter) -> list[SendingEvent]:
        if self._wait(0):  # a kept connection with something to read is being closed
            self.receive()
        if not self.at_hand:
            self.ready()
        self.offer(letter)
        return self.send()

    def _next(self, letter: Letter, mark: Mark, events: list[SendingEvent]) -> list[SendingEvent]:
        if any(isinstance(event, Again) for event in events):
            return self._begin(letter)
        if any(isinstance(event, BeforeTheEnd) for event in events):
            self._send_body()
            if not self._may_leave(letter.key, mark):
                self.drop()
                return [Outcome(letter.key, RELEASED, DATA, begun=False)]
            if self._wait(0):  # it left while we marked
                self.receive()
            return self.end() + self.send()
        return self.receive() + self.send() if self._wait(self.patience) else self.silent()

    def _send_body(self) -> None:
        self.begin_body()
        self.send()
        while self.sends:
            if self._wait(self.patience):
                self.receive()
            else:
                self.silent()

    def _may_leave(self, key: str, mark: Mark) -> bool:
        try:
            return key in set(mark([key]))
        except BaseException:
            self.drop()  # whatever went wrong, the dot must not follow
            raise

    def _wait(self, seconds: float | None) -> bool:
        if (line := self.socket) is None:
            return False
        return any(map(bool, select.select([line], [line] if self.sends and seconds else [], [], seconds)))


def _read(line: socket.socket) -> bytes:
    pieces = []
    encrypted = isinstance(line, ssl.SSLSocket)  # what has been decrypted is not seen by a selector: all is read
    try:
        while piece := line.recv(AT_ONCE):
            pieces.append(piece)
            if not encrypted:
                break
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return b"".join(pieces)
    if not pieces:
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
    return b"".join(pieces)
