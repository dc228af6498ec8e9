"""What an SMTP server's words mean for the touch: permanent, retry, nobody there, or the whole channel down."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl

from commsengine.channels import refusals
from commsengine.channels.channel import PERMANENT, RETRY, DeliveryError

_QUEUED = re.compile(r"queued as ([\w.-]+)|\bid=([\w.-]+)", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_WAIT = {421: 60.0, 452: 900.0}
_WAIT_OTHERWISE = 300.0  # seconds; what grey-listing relays ask for
_PATIENCE = 60.0  # seconds; the unit in which relays count messages
_EVERYBODY = {
    refusals.US: "the relay refuses us: {text}",
    refusals.QUOTA: "our quota at the relay is used up: {text}",
    refusals.CONNECTIONS: "the relay takes no more connections: {text}",
    refusals.DOWN: "the relay takes nothing at present: {text}",
}
"""What concerns everybody, as it is told."""

_NO_CONNECTION: tuple[tuple[type[Exception], str], ...] = (  # the first that fits
    (smtplib.SMTPNotSupportedError, "{place} does not offer what we need: {detail}"),
    (ssl.SSLCertVerificationError, "the certificate of {place} cannot be trusted: {detail}"),
    (ssl.SSLError, "no encrypted connection to {place}: {detail}"),
    (socket.gaierror, "the name {host} cannot be found"),
    (TimeoutError, "{place} does not answer in time"),
    (ConnectionRefusedError, "{place} refuses the connection"),
    (Exception, "no connection to {place}: {detail}"),
)
AUTH, HELLO = "auth", "hello"
"""Phases of a connection that the server answered and refused: at the log-in, or before it."""


def refusal(phase: str, code: int, reply: bytes) -> DeliveryError:
    """The outcome that a reply stands for which was not the one we wanted."""
    text, what = shown(code, reply), refusals.about(phase, code, _words(reply))
    if what == refusals.US and phase == refusals.MAIL:
        return _for_everybody(what, phase, text, f"the relay refuses our sender: {text}")
    if what in _EVERYBODY:
        return _for_everybody(what, phase, text, _EVERYBODY[what].format(text=text))
    if what == refusals.BUSY:
        return DeliveryError(RETRY, phase, text, begun=False, retry_after=_PATIENCE)
    if what == refusals.LATER:
        return DeliveryError(RETRY, phase, text, retry_after=_WAIT.get(code, _WAIT_OTHERWISE))
    gone = "no such mailbox" if what == refusals.GONE else ""
    alike = f"{code} {refusals.enhanced_code(_words(reply))}".strip() if what == refusals.UNCLEAR else ""
    return DeliveryError(PERMANENT, phase, text, unreachable=gone, unclear=alike)


def no_connection(error: Exception, host: str, port: int) -> DeliveryError:
    """Why nobody can be reached through this relay at present: one sentence, without credentials."""
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError):
        error = error.__context__  # smtplib calls a silence a closed connection
    place = f"{host}:{port}"
    if isinstance(error, smtplib.SMTPResponseException):
        return _turned_away(error, place)
    reason = next(text for kind, text in _NO_CONNECTION if isinstance(error, kind))
    told = reason.format(place=place, host=host, detail=broken(error))
    no_way_in = type(error) is smtplib.SMTPException  # it offers none of the ways to log in that we know
    lasting = no_way_in or isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLError)
    return DeliveryError(RETRY, refusals.CONNECT, told, begun=False, channel_down=told, lasting=lasting)


def broken(error: Exception) -> str:
    """What went wrong with a connection, in words: no number, no tuple."""
    if isinstance(error, smtplib.SMTPResponseException):
        return shown(error.smtp_code, _bytes(error.smtp_error))
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return shown(0, said.encode()).rstrip(".") or type(error).__name__


def queue_id(reply: bytes) -> str:
    """The relay's own name for the message, where it tells one."""
    found = _QUEUED.search(reply.decode("ascii", "replace"))
    return (found[1] or found[2]) if found else ""


def shown(code: int, reply: bytes) -> str:
    """A reply as it may be kept: one line, short, without anybody's address."""
    line = _words(reply)
    return _ADDRESS.sub("(address)", f"{code} {line}" if code else line)[:300]


def _for_everybody(what: str, phase: str, reply: str, told: str) -> DeliveryError:
    return DeliveryError(
        RETRY, phase, reply, begun=False, channel_down=told, lasting=what == refusals.US,
        quota=what == refusals.QUOTA, narrow=what == refusals.CONNECTIONS,
    )  # fmt: skip


def _turned_away(error: smtplib.SMTPResponseException, place: str) -> DeliveryError:
    """The server answered, and lets us no further; from 500 on until a person sees to it."""
    code, reply = error.smtp_code, _bytes(error.smtp_error)
    what, text = refusals.about(refusals.CONNECT, code, _words(reply)), shown(code, reply)
    logging_in = isinstance(error, smtplib.SMTPAuthenticationError)
    if what in (refusals.QUOTA, refusals.CONNECTIONS):
        return _for_everybody(what, refusals.CONNECT, text, _EVERYBODY[what].format(text=text))
    refused = "refuses our log-in" if code >= 500 else "does not let us log in at present"
    told = f"{place} {refused if logging_in else 'turns us away'}: {text}"
    phase = AUTH if logging_in else HELLO
    return _for_everybody(refusals.US if code >= 500 else refusals.DOWN, phase, told, told)


def _bytes(said: bytes | str) -> bytes:
    return said.encode() if isinstance(said, str) else said


def _words(reply: bytes) -> str:
    return " ".join(reply.decode("utf-8", "replace").split())
