"""Where mail is handed in: one SMTP URL, read strictly, told plainly when it is wrong.

    smtp://user:password@host:587?tls=starttls|tls|off        smtps://user:password@host

Without ``tls`` a connection is encrypted by STARTTLS, except on loopback, where it is plain.
No message ever shows the URL itself: it holds a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from commsengine.channels.loopback import is_loopback
from commsengine.errors import InputError

STARTTLS, TLS, OFF = "starttls", "tls", "off"
_PORTS = {STARTTLS: 587, TLS: 465, OFF: 25}
_FORM = "Write it as smtp://user:password@host:587?tls=starttls."
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


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
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _wrong(
            "has no usable port",
            "A port is a number from 1 to 65535; write /, ?, # and @ in a password as %2F, %3F, %23, %40.",
        ) from None
    if parts.scheme not in ("smtp", "smtps"):
        raise _wrong("does not start with smtp:// or smtps://")
    if parts.fragment or parts.path not in ("", "/"):
        raise _wrong("holds '#' or '/' where it must not", "Write # as %23 and / as %2F in a user name or password.")
    host = _host(parts)
    tls = _tls(parts, host)
    user, password = _credentials(parts)
    if port == 0:
        raise _wrong("names port 0", f"Write the port of your relay, for example {_PORTS[tls]}.")
    return SmtpServer(host, port or _PORTS[tls], tls, user, password)


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if not host:
        raise _wrong("names no host")
    if ":" not in host and not _HOST.fullmatch(host):
        raise _wrong("names a host that cannot be", "Write a host name or an address, for example smtp.example.com.")
    return host


def _tls(parts: SplitResult, host: str) -> str:
    options = parse_qs(parts.query, keep_blank_values=True)
    unknown = sorted(options.keys() - {"tls"})
    if unknown:
        raise _wrong("has an option that is not known", "The only option is tls=starttls, tls=tls or tls=off.")
    wanted = options.get("tls", [""])[-1] if "tls" in options else None
    if wanted is not None and wanted not in _PORTS:
        raise _wrong("asks for a kind of TLS that is not known", "Write tls=starttls, tls=tls or tls=off.")
    if parts.scheme == "smtps":
        if wanted not in (None, TLS):
            raise _wrong(
                f"starts with smtps:// and says tls={wanted}", "Write smtps:// without tls, or smtp:// with it."
            )
        return TLS
    return wanted or (OFF if is_loopback(host) else STARTTLS)


def _credentials(parts: SplitResult) -> tuple[str, str]:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise _wrong("has a user without a password, or a password without a user", "Write both, or neither.")
    if not (user + password).isascii() or not (user + password).isprintable():
        raise _wrong(
            "holds a letter that SMTP log-in cannot send in its user name or password",
            "Use letters, digits and signs of plain ASCII only.",
        )
    return user, password


def _wrong(what: str, fix: str = _FORM) -> InputError:
    return InputError(f"The SMTP URL {what}.", fix)
