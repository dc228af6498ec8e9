"""One SMTP connection: opened and secured when first needed, kept, and dropped after anything odd."""

from __future__ import annotations

import select
import smtplib
import socket
import ssl

from commsengine.channels import replies
from commsengine.channels.channel import RETRY, DeliveryError
from commsengine.channels.loopback import is_loopback
from commsengine.channels.smtp_server import OFF, TLS, SmtpServer


class SmtpConnection:
    """Commands and their replies, each told apart. Times are in seconds."""

    def __init__(
        self, server: SmtpServer, local_name: str, context: ssl.SSLContext | None, *, connect: float, reply: float
    ) -> None:
        self._server, self._local_name, self._context = server, local_name, context
        self._connect_timeout, self._reply_timeout = connect, reply
        self._smtp: smtplib.SMTP | None = None

    @property
    def open(self) -> bool:
        return self._smtp is not None

    def still_open(self) -> bool:
        """Between two messages a server has nothing to say: a socket with something to read is being closed."""
        if self._smtp is not None and (self._smtp.sock is None or select.select([self._smtp.sock], [], [], 0)[0]):
            self.drop()
        return self.open

    def connect(self) -> None:
        """Open, verify, log in. Raises ``DeliveryError`` that tells why nobody can be reached at present."""
        try:
            self._smtp = smtp = self._opened()
            self._secure(smtp)
            self.wait_at_most(self._reply_timeout)
            # The body and the final dot are two writes; with Nagle's algorithm the second waits 40 ms for an echo.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            self.drop()
            raise replies.no_connection(error, self._server.host, self._server.port) from None

    def command(self, phase: str, command: str, *wanted: int) -> None:
        """One command and its reply. Raises ``DeliveryError`` for any other reply, or when the connection breaks."""
        try:
            code, reply = self._live.docmd(command)
        except OSError as error:
            raise self._broken(phase, error) from None
        if code not in wanted:
            self.reset(code)
            raise replies.refusal(phase, code, reply)

    def body(self, data: bytes) -> None:
        """The dot-stuffed message without its final dot: the server may not act on it yet."""
        try:
            self._live.send(data)
        except OSError as error:
            raise self._broken("data", error) from None

    def final_dot(self, timeout: float) -> tuple[int, bytes]:
        """The point of no return, and the reply to it. Raises ``OSError`` when there is none."""
        self.wait_at_most(timeout)
        self._live.send(b".\r\n")
        reply = self._live.getreply()
        self.wait_at_most(self._reply_timeout)
        return reply

    def reset(self, code: int) -> None:
        """A clean start for the next message: RSET, or a new connection where that does not help."""
        try:
            if code == 421 or code < 400 or self._live.docmd("RSET")[0] != 250:
                self.drop()
        except OSError:
            self.drop()

    def wait_at_most(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def quit(self) -> None:
        """Say goodbye; never raises."""
        try:
            if self.still_open():
                self.wait_at_most(self._connect_timeout)
                self._live.quit()
        except OSError:
            pass
        finally:
            self.drop()

    def drop(self) -> None:
        """Close without a word: the server forgets a message whose final dot it has not seen."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    @property
    def _live(self) -> smtplib.SMTP:
        if self._smtp is None:
            raise smtplib.SMTPServerDisconnected("no connection is open")
        return self._smtp

    @property
    def _socket(self) -> socket.socket:
        if self._live.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return self._live.sock

    def _opened(self) -> smtplib.SMTP:
        server, name, timeout = self._server, self._local_name, self._connect_timeout
        if server.tls == TLS:
            return smtplib.SMTP_SSL(server.host, server.port, name, timeout=timeout, context=self._verifying())
        return smtplib.SMTP(server.host, server.port, name, timeout=timeout)

    def _secure(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self._server.tls not in (TLS, OFF):
            smtp.starttls(context=self._verifying())
            smtp.ehlo_or_helo_if_needed()
        encrypted = isinstance(smtp.sock, ssl.SSLSocket)
        if not (encrypted or self._server.tls == OFF or is_loopback(self._server.host)):
            raise smtplib.SMTPNotSupportedError("the connection is not encrypted")
        if self._server.user:
            smtp.login(self._server.user, self._server.password)

    def _verifying(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context

    def _broken(self, phase: str, error: OSError) -> DeliveryError:
        self.drop()
        return DeliveryError(
            RETRY, phase, f"the connection broke before the message was handed over: {replies.broken(error)}"
        )
