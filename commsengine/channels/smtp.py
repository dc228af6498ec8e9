"""SMTP: the server that a URL names, one kept connection to it, and what its replies and failures mean."""

from __future__ import annotations

import re
import select
import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, TypedDict

from commsengine.cadence.kinds_and_states import Fault, RefusalKind
from commsengine.channels import refusals, smtp_login
from commsengine.channels.access_tokens import AccessToken, AccessTokens, TokenError
from commsengine.channels.channel import PERMANENT, RETRY, DeliveryError
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.channels.refusals import Judgement
from commsengine.channels.server_url import ServerUrl
from commsengine.channels.smtp_login import Dialogue, LoginRefusedError, NoWayInError
from commsengine.loopback import is_loopback
from commsengine.text import ANY_ADDRESS
from commsengine.translation import N_, _

STARTTLS, TLS, OFF = "starttls", "tls", "off"
_PORTS = {STARTTLS: 587, TLS: 465, OFF: 25}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")

_QUEUED = re.compile(rb"(?:queued as |\bid=)([\w.-]+)", re.IGNORECASE)
AUTH, HELLO, TOKEN = refusals.AUTH, "hello", "token"
"""Phases of a connection that was refused at the log-in, or before it, or for which no token was to be had."""
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
    """A relay: ``tls`` is ``starttls``, ``tls`` (from the first byte) or ``off``; no user means no AUTH.

    ``by_token``: the user has no password and logs in with an access token.
    """

    host: str
    port: int
    tls: str = STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    by_token: bool = False


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
    options = given.options(parts, {"tls": "tls=starttls, tls=tls, tls=off", "auth": "auth=xoauth2"})
    tls, by_token = _tls(given, parts.scheme, options.get("tls"), host), "auth" in options
    user, password = (given.user_of_token(parts), "") if by_token else given.log_in(parts)
    if not by_token and bool(user) != bool(password):
        cause = _("has a user without a password, or a password without a user")
        raise given.wrong(cause, _("Write both, or neither; a user who logs in by access token adds ?auth=xoauth2."))
    if port == 0:
        raise given.wrong(_("names port 0"), _("Write the port of your relay, for example {port}.", port=_PORTS[tls]))
    return SmtpServer(host, port or _PORTS[tls], tls, user, password, by_token)


def _tls(given: ServerUrl, scheme: str, wanted: str | None, host: str) -> str:
    if wanted is not None and wanted not in _PORTS:
        raise given.wrong(_("asks for a kind of TLS that is not known"), _("Write tls=starttls, tls=tls or tls=off."))
    if scheme == "smtps":
        if wanted not in (None, TLS):
            fix = _("Write smtps:// without tls, or smtp:// with it.")
            raise given.wrong(_("starts with smtps:// and says tls={kind}", kind=wanted), fix)
        return TLS
    return wanted or (OFF if is_loopback(host) else STARTTLS)


class _Smtp(smtplib.SMTP):
    """Keeps what the server greeted with."""

    banner = b""

    def connect(self, *place: Any, **more: Any) -> tuple[int, bytes]:
        code, self.banner = super().connect(*place, **more)
        return code, self.banner


class _TlsSmtp(_Smtp, smtplib.SMTP_SSL):
    """The same from the first byte."""


class SmtpConnection:
    """Opened and secured when first needed, kept, and dropped after anything odd. Times are in seconds.

    ``sender`` is the address of MAIL FROM. ``hello`` is the name in EHLO; without one it is our address as the
    server sees it. ``tokens`` are for a server that wants one. After ``per_connection`` messages a new connection is
    opened. ``greeted`` hears what the server says first. ``own`` rows come before the table of refusals.
    """

    def __init__(
        self,
        server: SmtpServer,
        sender: str,
        *,
        hello: str = "",
        tokens: AccessTokens | None = None,
        context: ssl.SSLContext | None = None,
        per_connection: int | None = None,
        greeted: Callable[[str], object] = bool,
        own: Sequence[RefusalRule] = (),
        connect: float,
        reply: float,
    ) -> None:
        self._server, self._sender, self._hello, self._context = server, sender, hello, context
        self._tokens, self._own = tokens if server.by_token else None, own
        self._connect_timeout, self._reply_timeout = connect, reply
        self._smtp: smtplib.SMTP | None = None
        self._token: AccessToken | None = None  # what this session logged in with
        self._token_refused = False
        self._per_connection, self._greeted, self._carried = per_connection, greeted, 0
        self.banner = ""
        """What the server greeted with."""

    @property
    def open(self) -> bool:
        return self._smtp is not None

    def still_open(self) -> bool:
        # Between two messages a server has nothing to say: a socket with something to read is being closed.
        if self._smtp is not None and (self._smtp.sock is None or select.select([self._smtp.sock], [], [], 0)[0]):
            self.drop()
        return self.open

    def connect(self) -> None:
        """Open, verify, log in; a refused token is renewed once. Raises ``DeliveryError`` with the channel down."""
        try:
            try:
                self._connect()
            except LoginRefusedError as refused:
                if not (self._tokens and self._token and refused.code >= 500):
                    raise
                self.drop()
                self._tokens.another_than(self._token)
                self._connect()
        except LoginRefusedError as refused:
            self.drop()
            raise _turned_away(AUTH, refused.code, refused.reply, self._place, self._own) from None
        except TokenError as error:
            self.drop()
            raise _without_token(error) from None
        except OSError as error:
            self.drop()
            raise _no_connection(error, self._server.host, self._server.port, self._own) from None

    @property
    def at_hand(self) -> bool:
        """Open, and good for one message more."""
        fresh = not (self._tokens and self._token) or self._tokens.holds(self._token)
        return self._smtp is not None and fresh and not self._spent

    def ready(self) -> None:
        """The kept connection if it is good for one message more, else a new one. Raises ``DeliveryError``.

        It may wait for the network and for a token.
        """
        if self._spent or not self._kept():
            self.quit()
            self._renew_token()
            self.connect()
            self._greeted(self.banner)

    @property
    def fresh(self) -> bool:
        """Nothing has been offered on it."""
        return self._carried == 0

    def begin(self) -> bool:
        """One message more; whether it is the first on this connection."""
        self._carried += 1
        return self._carried == 1

    @property
    def pipelining(self) -> bool:
        """Whether the server takes commands before it has answered those before them (RFC 2920)."""
        return self._live.has_extn("pipelining")

    def command(self, phase: str, command: str, wanted: int) -> None:
        """Raises ``DeliveryError`` for any other reply than the wanted, or when the connection breaks."""
        try:
            code, reply = self._live.docmd(command)
        except OSError as error:
            raise self.broken(phase, error) from None
        if code != wanted:
            self.drop()
            raise self.refusal(phase, code, reply)

    def refusal(self, phase: str, code: int, reply: bytes) -> DeliveryError:
        return refusal(phase, code, reply, sender=self._sender, own=self._own)

    def broken(self, phase: str, error: OSError) -> DeliveryError:
        """Before the final dot. Drops the connection."""
        self.drop()
        why = f"the connection broke before the message was handed over: {_in_words(error)}"
        return DeliveryError(RETRY, phase, why)

    def token_refused(self, code: int) -> bool:
        """Whether this refusal of a kept connection is about the token it logged in with: it is renewed next time."""
        self._token_refused = bool(self._tokens and self._token) and code in (530, 535)
        return self._token_refused

    def wait_at_most(self, seconds: float) -> None:
        self.sock.settimeout(seconds)

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
    def _place(self) -> str:
        return f"{self._server.host}:{self._server.port}"

    def _kept(self) -> bool:
        # A session lasts no longer than the token that opened it.
        if self.still_open() and self._tokens and self._token and self._tokens.has_replaced(self._token):
            self.quit()
        return self.open

    @property
    def _spent(self) -> bool:
        return self._per_connection is not None and self._carried >= self._per_connection

    def _renew_token(self) -> None:
        if self._token_refused and self._tokens and self._token:
            with suppress(TokenError):  # the log-in says why
                self._tokens.another_than(self._token)
        self._token_refused = False

    @property
    def _live(self) -> smtplib.SMTP:
        if self._smtp is None:
            raise smtplib.SMTPServerDisconnected("no connection is open")
        return self._smtp

    @property
    def sock(self) -> socket.socket:
        if self._live.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return self._live.sock

    def _connect(self) -> None:
        self._smtp = smtp = self._opened()
        self.banner, self._carried = refusals.in_one_line(getattr(smtp, "banner", b"")), 0
        smtp.local_hostname = self._hello or address_literal(self.sock.getsockname()[0])
        self._secure(smtp)
        self.wait_at_most(self._reply_timeout)
        # With Nagle's algorithm the end of a long body waits 40 ms for an echo.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _opened(self) -> smtplib.SMTP:
        # smtplib would ask the name service for our name, which may take seconds
        server, name, timeout = self._server, self._hello or "localhost", self._connect_timeout
        if server.tls == TLS:
            return _TlsSmtp(server.host, server.port, name, timeout=timeout, context=self._verifying())
        return _Smtp(server.host, server.port, name, timeout=timeout)

    def _secure(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self._server.tls not in (TLS, OFF):
            smtp.starttls(context=self._verifying())
            smtp.ehlo_or_helo_if_needed()
        encrypted = isinstance(smtp.sock, ssl.SSLSocket)
        if not (encrypted or self._server.tls == OFF or is_loopback(self._server.host)):
            raise smtplib.SMTPNotSupportedError("the connection is not encrypted")
        if self._server.user:
            self._log_in(smtp)

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        features, user = smtp.ehlo_resp or b"", self._server.user
        if self._tokens:
            self._token = self._tokens.current()
            dialogue = smtp_login.by_token(features, user, self._token.text)
        else:
            dialogue = smtp_login.by_password(features, user, self._server.password)
        try:
            _carry(smtp, dialogue)
        except NoWayInError as error:
            raise smtplib.SMTPNotSupportedError(str(error)) from None

    def _verifying(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context


def _carry(smtp: smtplib.SMTP, dialogue: Dialogue) -> None:
    with suppress(StopIteration):
        line = next(dialogue)
        while True:
            smtp.putcmd(line.decode("ascii"))
            line = dialogue.send(smtp.getreply())


def address_literal(address: str) -> str:
    """How EHLO names a machine that has no name (RFC 5321, 4.1.3)."""
    found = ip_address(address.partition("%")[0])
    return f"[IPv6:{found}]" if found.version == 6 else f"[{found}]"


def refusal(phase: str, code: int, reply: bytes, *, sender: str = "", own: Sequence[RefusalRule] = ()) -> DeliveryError:
    """``sender`` is our own address, the only one that the reply may show; ``own`` rows come before the table."""
    text, judged = shown(code, reply, sender), refusals.judge("email", phase, code, reply, own=own)
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
        return _turned_away(HELLO, error.smtp_code, _bytes(error.smtp_error), place, own)
    reason = next(text for kind, text in _NO_CONNECTION if isinstance(error, kind))
    cause = reason.format(place=place, host=host, detail=_in_words(error))
    fault: Fault = "us" if isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLError) else "later"
    return DeliveryError(RETRY, refusals.CONNECT, cause, begun=False, channel_down=cause, fault=fault)


def queue_id(reply: bytes) -> str:
    found = _QUEUED.search(reply)
    return found[1].decode() if found else ""


def shown(code: int, reply: bytes, sender: str = "") -> str:
    """One line of at most 300 characters, without addresses but that of ``sender``."""
    line = refusals.in_one_line(reply)
    line = f"{code} {line}" if code else line
    if "@" not in line:
        return line[:300]
    return ANY_ADDRESS.sub(lambda found: _named(found[0], sender), line)[:300]


def _named(address: str, sender: str) -> str:
    ours = bool(sender) and address.strip("'\",.;:()[]").lower() == sender.lower()
    return address if ours else "(address)"


def _for_everybody(judged: Judgement, phase: str, reply: str, cause: str) -> DeliveryError:
    narrow = judged.kind == "connections"
    return DeliveryError(
        RETRY, phase, reply, begun=False, channel_down=cause, fault=judged.fault, narrow=narrow, alike=judged.alike
    )


def _without_token(error: TokenError) -> DeliveryError:
    because = error.because
    return DeliveryError(RETRY, TOKEN, because, begun=False, channel_down=because, fault=error.fault)


def _turned_away(phase: str, code: int, reply: bytes, place: str, own: Sequence[RefusalRule]) -> DeliveryError:
    # The server answered and lets us no further; from 500 on until a person sees to it.
    text, logging_in = shown(code, reply), phase == AUTH
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
