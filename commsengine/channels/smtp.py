"""SMTP: the server that a URL names, one kept connection to it, and what its replies and failures mean."""

from __future__ import annotations

import re
import select
import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict
from urllib.parse import SplitResult, parse_qs

from commsengine.cadence.kinds_and_states import Fault, RefusalKind
from commsengine.channels import refusals
from commsengine.channels.channel import PERMANENT, RETRY, DeliveryError
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.channels.refusals import Judgement
from commsengine.channels.server_url import ServerUrl
from commsengine.loopback import is_loopback
from commsengine.translation import N_, _

STARTTLS, TLS, OFF = "starttls", "tls", "off"
_PORTS = {STARTTLS: 587, TLS: 465, OFF: 25}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")

_QUEUED = re.compile(r"queued as ([\w.-]+)|\bid=([\w.-]+)", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
AUTH, HELLO = refusals.AUTH, "hello"
"""Phases of a connection that the server answered and refused: at the log-in, or before it."""
_WAIT = {421: 60.0, 452: 900.0}  # seconds, by code
_WAIT_OTHERWISE = 300.0  # seconds; what grey-listing relays ask for
_PATIENCE = 60.0  # seconds; the unit in which relays count messages
_EVERYBODY: Mapping[tuple[Fault, RefusalKind], str] = {
    ("us", ""): "the relay refuses us: {text}",
    ("quota", ""): "our quota at the relay is used up: {text}",
    ("later", "connections"): "the relay takes no more connections: {text}",
    ("later", "down"): "the relay takes nothing at present: {text}",
}
"""Refusals that concern all messages, in words."""

_NO_CONNECTION: tuple[tuple[type[Exception], str], ...] = (  # the first that fits
    (smtplib.SMTPNotSupportedError, "{place} does not offer what we need: {detail}"),
    (ssl.SSLCertVerificationError, "the certificate of {place} cannot be trusted: {detail}"),
    (ssl.SSLError, "no encrypted connection to {place}: {detail}"),
    (socket.gaierror, "the name {host} cannot be found"),
    (TimeoutError, "{place} does not answer in time"),
    (ConnectionRefusedError, "{place} refuses the connection"),
    (Exception, "no connection to {place}: {detail}"),
)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A relay: ``tls`` is ``starttls``, ``tls`` (from the first byte) or ``off``; no user means no AUTH."""

    host: str
    port: int
    tls: str = STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)


def parse_smtp_url(url: str) -> SmtpServer:
    """The server an SMTP URL names. Raises ``InputError`` with the remedy."""
    given = ServerUrl("SMTP", url, _("Write it as smtp://user:password@host:587?tls=starttls."))
    parts, port = given.split()
    if parts.scheme not in ("smtp", "smtps"):
        raise given.wrong(_("does not start with smtp:// or smtps://"))
    if parts.fragment or parts.path not in ("", "/"):
        fix = _("Write # as %23 and / as %2F in a user name or password.")
        raise given.wrong(_("holds '#' or '/' where it must not"), fix)
    host = parts.hostname or ""
    if not host:
        raise given.wrong(_("names no host"))
    if ":" not in host and not _HOST.fullmatch(host):
        fix = _("Write a host name or an address, for example smtp.example.com.")
        raise given.wrong(_("names a host that cannot be"), fix)
    tls = _tls(given, parts, host)
    user, password = given.log_in(parts)
    if bool(user) != bool(password):
        cause = _("has a user without a password, or a password without a user")
        raise given.wrong(cause, _("Write both, or neither."))
    if port == 0:
        raise given.wrong(_("names port 0"), _("Write the port of your relay, for example {port}.", port=_PORTS[tls]))
    return SmtpServer(host, port or _PORTS[tls], tls, user, password)


def _tls(given: ServerUrl, parts: SplitResult, host: str) -> str:
    options = parse_qs(parts.query, keep_blank_values=True)
    if options.keys() - {"tls"}:
        fix = _("The only option is tls=starttls, tls=tls or tls=off.")
        raise given.wrong(_("has an option that is not known"), fix)
    wanted = options["tls"][-1] if "tls" in options else None
    if wanted is not None and wanted not in _PORTS:
        raise given.wrong(_("asks for a kind of TLS that is not known"), _("Write tls=starttls, tls=tls or tls=off."))
    if parts.scheme == "smtps":
        if wanted not in (None, TLS):
            fix = _("Write smtps:// without tls, or smtp:// with it.")
            raise given.wrong(_("starts with smtps:// and says tls={kind}", kind=wanted), fix)
        return TLS
    return wanted or (OFF if is_loopback(host) else STARTTLS)


class SmtpConnection:
    """Opened and secured when first needed, kept, and dropped after anything odd. Times are in seconds.

    ``own`` rows come before the table of refusals.
    """

    def __init__(
        self,
        server: SmtpServer,
        local_name: str,
        context: ssl.SSLContext | None,
        *,
        connect: float,
        reply: float,
        own: Sequence[RefusalRule] = (),
    ) -> None:
        self._own = own
        self._server, self._local_name, self._context = server, local_name, context
        self._connect_timeout, self._reply_timeout = connect, reply
        self._smtp: smtplib.SMTP | None = None

    @property
    def open(self) -> bool:
        return self._smtp is not None

    def still_open(self) -> bool:
        # Between two messages a server has nothing to say: a socket with something to read is being closed.
        if self._smtp is not None and (self._smtp.sock is None or select.select([self._smtp.sock], [], [], 0)[0]):
            self.drop()
        return self.open

    def connect(self) -> None:
        """Open, verify, log in. Raises ``DeliveryError`` with the channel down."""
        try:
            self._smtp = smtp = self._opened()
            self._secure(smtp)
            self.wait_at_most(self._reply_timeout)
            # The body and the final dot are two writes; with Nagle's algorithm the second waits 40 ms for an echo.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            self.drop()
            raise _no_connection(error, self._server.host, self._server.port, self._own) from None

    def command(self, phase: str, command: str, *wanted: int) -> None:
        """Raises ``DeliveryError`` for any other reply than the wanted, or when the connection breaks."""
        try:
            code, reply = self._live.docmd(command)
        except OSError as error:
            raise self._broken(phase, error) from None
        if code not in wanted:
            self.reset(code)
            raise self.refusal(phase, code, reply)

    def refusal(self, phase: str, code: int, reply: bytes) -> DeliveryError:
        return refusal(phase, code, reply, self._own)

    def body(self, data: bytes) -> None:
        # Without the final dot the server may not act on it yet.
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
        # A clean start for the next message: RSET, or a new connection where that does not help.
        try:
            if code == 421 or code < 400 or self._live.docmd("RSET")[0] != 250:
                self.drop()
        except OSError:
            self.drop()

    def wait_at_most(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def quit(self) -> None:
        """Never raises."""
        try:
            if self.still_open():
                self.wait_at_most(self._connect_timeout)
                self._live.quit()
        except OSError:
            pass
        finally:
            self.drop()

    def drop(self) -> None:
        # Closed without a word, the server forgets a message without its final dot.
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
        why = f"the connection broke before the message was handed over: {_in_words(error)}"
        return DeliveryError(RETRY, phase, why)


def refusal(phase: str, code: int, reply: bytes, own: Sequence[RefusalRule] = ()) -> DeliveryError:
    text, judged = shown(code, reply), refusals.judge("email", phase, code, reply, own=own)
    if judged.fault == "us" and phase == refusals.MAIL:
        return _for_everybody(judged, phase, text, f"the relay refuses our sender: {text}")
    if cause := _EVERYBODY.get(judged[:2]):
        return _for_everybody(judged, phase, text, cause.format(text=text))
    about: _About = {"fault": judged.fault, "alike": judged.alike}
    if judged.kind == "busy":
        return DeliveryError(RETRY, phase, text, begun=False, retry_after=_PATIENCE, **about)
    if judged.fault == "later":
        wait = _WAIT.get(code, _WAIT_OTHERWISE)
        return DeliveryError(RETRY, phase, text, retry_after=wait, own=judged.kind == "full", **about)
    gone = N_("no such mailbox") if judged.kind == "gone" else ""
    return DeliveryError(PERMANENT, phase, text, unreachable=gone, **about)


class _About(TypedDict):
    fault: Fault
    alike: str


def _no_connection(error: Exception, host: str, port: int, own: Sequence[RefusalRule]) -> DeliveryError:
    """Why the relay takes nothing from us at present: one sentence, without credentials."""
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError):
        error = error.__context__  # smtplib calls a silence a closed connection
    place = f"{host}:{port}"
    if isinstance(error, smtplib.SMTPResponseException):
        return _turned_away(error, place, own)
    reason = next(text for kind, text in _NO_CONNECTION if isinstance(error, kind))
    cause = reason.format(place=place, host=host, detail=_in_words(error))
    no_way_in = type(error) is smtplib.SMTPException  # it offers none of the ways to log in that we know
    ours = no_way_in or isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLError)
    fault: Fault = "us" if ours else "later"
    return DeliveryError(RETRY, refusals.CONNECT, cause, begun=False, channel_down=cause, fault=fault)


def queue_id(reply: bytes) -> str:
    found = _QUEUED.search(reply.decode("ascii", "replace"))
    return (found[1] or found[2]) if found else ""


def shown(code: int, reply: bytes) -> str:
    """One line of at most 300 characters, without addresses."""
    line = refusals.in_one_line(reply)
    return _ADDRESS.sub("(address)", f"{code} {line}" if code else line)[:300]


def _for_everybody(judged: Judgement, phase: str, reply: str, cause: str) -> DeliveryError:
    narrow = judged.kind == "connections"
    return DeliveryError(
        RETRY, phase, reply, begun=False, channel_down=cause, fault=judged.fault, narrow=narrow, alike=judged.alike
    )


def _turned_away(error: smtplib.SMTPResponseException, place: str, own: Sequence[RefusalRule]) -> DeliveryError:
    # The server answered and lets us no further; from 500 on until a person sees to it.
    code, reply = error.smtp_code, _bytes(error.smtp_error)
    logging_in = isinstance(error, smtplib.SMTPAuthenticationError)
    phase, text = AUTH if logging_in else HELLO, shown(code, reply)
    judged = refusals.judge("email", AUTH if logging_in else refusals.CONNECT, code, reply, own=own)
    if judged.fault == "quota" or judged.kind == "connections":
        return _for_everybody(judged, refusals.CONNECT, text, _EVERYBODY[judged[:2]].format(text=text))
    refused = "refuses our log-in" if judged.fault == "us" else "does not let us log in at present"
    cause = f"{place} {refused if logging_in else 'turns us away'}: {text}"
    return _for_everybody(judged, phase, cause, cause)


def _in_words(error: Exception) -> str:
    """In words: no number, no tuple."""
    if isinstance(error, smtplib.SMTPResponseException):
        return shown(error.smtp_code, _bytes(error.smtp_error))
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return shown(0, said.encode()).rstrip(".") or type(error).__name__


def _bytes(said: bytes | str) -> bytes:
    return said.encode() if isinstance(said, str) else said
