"""Logging in to a mail server (SASL), without a socket: what to say, and what the replies to it mean.

A dialogue yields the lines to send, without their line ends, and is sent each reply. It ends when we are in.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Generator

SmtpReply = tuple[int, bytes]
"""The code, and the text without the codes of its lines."""

Dialogue = Generator[bytes, SmtpReply, None]
_Exchange = Generator[bytes, SmtpReply, SmtpReply]

XOAUTH2 = "XOAUTH2"
_LET_IN = (235, 503)  # 503: somebody is logged in on this connection already
_MOST_CHALLENGES = 5
_OFFERED = re.compile(rb"^AUTH[ =](.*)$", re.IGNORECASE | re.MULTILINE)


class LoginRefusedError(Exception):
    """The server's last reply to a log-in: ``code`` and ``reply``."""

    def __init__(self, code: int, reply: bytes) -> None:
        super().__init__(code)
        self.code, self.reply = code, reply


class NoWayInError(Exception):
    """The server offers no way to log in that we have: says which it offers."""


def offered(features: bytes) -> tuple[str, ...]:
    """The ways to log in that a reply to EHLO names (without its codes), in capitals."""
    named = b" ".join(_OFFERED.findall(features.replace(b"\r", b""))).decode("ascii", "replace")
    return tuple(dict.fromkeys(named.upper().split()))


def by_password(features: bytes, user: str, password: str) -> Dialogue:
    """Each way that the server offers, the safest first, until one is let in.

    Raises ``NoWayInError`` before the first line, and ``LoginRefusedError`` with the last refusal.
    """
    ways = [way for name, way in _WAYS.items() if name in offered(features)]
    if not ways:
        raise _no_way_in(features, "a password")
    code, reply = 0, b""
    for way in ways:
        code, reply = yield from way(user, password)
        if code in _LET_IN:
            return
        if code < 500:
            break
    raise LoginRefusedError(code, reply)


def by_token(features: bytes, user: str, token: str) -> Dialogue:
    """XOAUTH2. Raises as ``by_password`` does."""
    if XOAUTH2 not in offered(features):
        raise _no_way_in(features, "an access token (XOAUTH2)")
    response = base64.b64encode(xoauth2(user, token))
    code, reply = yield b"AUTH XOAUTH2 " + response
    if code == 334 and not reply.strip():  # it wants the response on a line of its own
        code, reply = yield response
    if code == 334:  # the reason, in base64; the refusal itself follows an empty line
        code, reply = yield b""
    if code not in _LET_IN:
        raise LoginRefusedError(code, reply)


def xoauth2(user: str, token: str) -> bytes:
    """The SASL response, before base64."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


def _no_way_in(features: bytes, wanted: str) -> NoWayInError:
    ways = ", ".join(offered(features))
    return NoWayInError(f"no log-in by {wanted}, only by {ways}" if ways else f"no log-in by {wanted}")


def _cram_md5(user: str, password: str) -> _Exchange:
    code, reply = yield b"AUTH CRAM-MD5"
    if code != 334:
        return code, reply
    proof = hmac.new(password.encode(), _decoded(reply), "md5").hexdigest()
    return (yield base64.b64encode(f"{user} {proof}".encode()))


def _plain(user: str, password: str) -> _Exchange:
    return (yield b"AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()))


def _login(user: str, password: str) -> _Exchange:
    code, reply = yield b"AUTH LOGIN " + base64.b64encode(user.encode())
    for _ in range(_MOST_CHALLENGES):
        if code != 334:
            break
        asked = user if _decoded(reply).lower().startswith(b"user") else password
        code, reply = yield base64.b64encode(asked.encode())
    return code, reply


def _decoded(challenge: bytes) -> bytes:
    try:
        return base64.b64decode(challenge)
    except binascii.Error:
        return b""


def _has_md5() -> bool:
    # A machine that is held to FIPS 140 has none.
    try:
        hmac.new(b"", b"", "md5")
    except ValueError:
        return False
    return True


_WAYS: dict[str, Callable[[str, str], _Exchange]] = {
    **({"CRAM-MD5": _cram_md5} if _has_md5() else {}),
    "PLAIN": _plain,
    "LOGIN": _login,
}
