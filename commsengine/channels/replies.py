"""What an SMTP server's words mean for the touch: permanent, retry, nobody there, or the whole channel down."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl

from commsengine.channels.channel import PERMANENT, RETRY, DeliveryError

_ENHANCED = re.compile(rb"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_NOBODY = re.compile(
    rb"unknown|no such|not found|does(?: not|n't) exist|invalid (?:recipient|mailbox|user)|no mailbox"
    rb"|mailbox (?:is )?(?:unavailable|disabled)|(?:user|account|mailbox) (?:is )?(?:disabled|inactive)",
    re.IGNORECASE,
)
_QUEUED = re.compile(r"queued as ([\w.-]+)|\bid=([\w.-]+)", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_WAIT = {421: 60.0, 452: 900.0}
_WAIT_OTHERWISE = 300.0  # seconds; what grey-listing relays ask for
_NO_CONNECTION: tuple[tuple[type[Exception], str], ...] = (  # the first that fits
    (smtplib.SMTPAuthenticationError, "{place} refuses our user name and password"),
    (smtplib.SMTPNotSupportedError, "{place} does not offer what we need: {detail}"),
    (smtplib.SMTPResponseException, "{place} turns us away: {detail}"),
    (ssl.SSLCertVerificationError, "the certificate of {place} cannot be trusted: {detail}"),
    (ssl.SSLError, "no encrypted connection to {place}: {detail}"),
    (socket.gaierror, "the name {host} cannot be found"),
    (TimeoutError, "{place} does not answer in time"),
    (ConnectionRefusedError, "{place} refuses the connection"),
    (Exception, "no connection to {place}: {detail}"),
)


def refusal(phase: str, code: int, reply: bytes) -> DeliveryError:
    """The outcome that a reply stands for which was not the one we wanted."""
    text = shown(code, reply)
    if 500 <= code <= 599:
        if phase == "mail":  # the person has not been named yet: it is we who are refused, for everybody
            down = f"the relay refuses our sender: {text}"
            return DeliveryError(RETRY, phase, text, begun=False, channel_down=down, lasting=True)
        gone = "no such mailbox" if phase == "rcpt" and _nobody_there(code, reply) else ""
        return DeliveryError(PERMANENT, phase, text, unreachable=gone)
    return DeliveryError(
        RETRY, phase, text, begun=(phase, code) != ("mail", 421), retry_after=_WAIT.get(code, _WAIT_OTHERWISE)
    )


def no_connection(error: Exception, host: str, port: int) -> str:
    """Why nobody can be reached through this relay at present: one sentence, without credentials."""
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError):
        error = error.__context__  # smtplib calls a silence a closed connection
    reason = next(text for kind, text in _NO_CONNECTION if isinstance(error, kind))
    detail = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else shown(0, str(error).encode())
    return reason.format(place=f"{host}:{port}", host=host, detail=detail)


def is_lasting(error: Exception) -> bool:
    """Whether no connection comes about until a person sees to it: credentials, encryption, certificate."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return error.smtp_code >= 500  # 454: the server cannot look the password up just now (RFC 4954, 4.7.0)
    return isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPNotSupportedError | ssl.SSLError)


def queue_id(reply: bytes) -> str:
    """The relay's own name for the message, where it tells one."""
    found = _QUEUED.search(reply.decode("ascii", "replace"))
    return (found[1] or found[2]) if found else ""


def shown(code: int, reply: bytes) -> str:
    """A reply as it may be kept: one line, short, without anybody's address."""
    line = " ".join(reply.decode("utf-8", "replace").split())
    return _ADDRESS.sub("(address)", f"{code} {line}" if code else line)[:300]


def _nobody_there(code: int, reply: bytes) -> bool:
    enhanced = _ENHANCED.search(reply)
    if enhanced:
        return (enhanced[2], enhanced[3]) in (
            (b"1", b"1"),
            (b"1", b"2"),
            (b"1", b"3"),
            (b"1", b"6"),
            (b"1", b"10"),
            (b"2", b"1"),
        )
    return code in (550, 551, 553) and bool(_NOBODY.search(reply))
