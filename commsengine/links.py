"""Signed links: they carry a touch key and an expiry, and never a name or an address."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer

from commsengine.errors import InputError, LinkError
from commsengine.loopback import is_loopback
from commsengine.translation import _

PATHS = {"answer": "a", "calendar": "c", "heard": "h", "mine": "m", "unsubscribe": "u"}
"""Each purpose has its own path and its own salt, so that no token can be moved from one page to another."""

_SHORT = re.compile("[0-9a-z]{1,24}")
"""A key that needs no escape in JSON, and that itsdangerous would not compress."""

_BASE64URL = bytes.maketrans(b"+/", b"-_")

_BEHIND = re.compile(r"(?:\.ics)?[^A-Za-z0-9_-]*$")
"""What a sentence, a bracket or a mail program put behind a link: no token ends with any of it."""


class Signed(NamedTuple):
    """What a link says: the touch, and how often the person's links had been revoked when it was made."""

    key: str
    revoked: int


class Links:
    """Makes and reads links. Any of ``keys`` verifies, the first (newest) signs: links in inboxes survive a change."""

    def __init__(self, base_url: str, keys: Sequence[str]) -> None:
        """Raises ``InputError`` for a base URL that is not https (http only on loopback) or when there is no key."""
        self.base_url = _checked(base_url)
        if not any(keys) or not all(keys):
            raise InputError(_("There is no secret key to sign links with."), _("Set COMMSENGINE_SECRET_KEY."))
        self._signers = {purpose: [_Signer(key, purpose) for key in keys] for purpose in PATHS}
        self._paths = {purpose: f"{self.base_url}/{path}/" for purpose, path in PATHS.items()}

    def url(self, purpose: str, key: str, expires: dt.datetime, revoked: int = 0) -> str:
        """The page of one touch for one purpose, until ``expires`` (aware).

        ``revoked`` is how often the person's links were revoked before.
        """
        return self._paths[purpose] + self._signers[purpose][0].token(key, _seconds(expires), revoked)

    def read(self, purpose: str, token: str, now: dt.datetime) -> Signed:
        """What a token says; raises ``LinkError`` when it is forged, of another purpose or expired.

        What stands behind it in a text, such as ``).`` or ``>``, is left off.
        """
        key, expires, revoked = self._payload(purpose, _BEHIND.sub("", token, count=1))
        if now.timestamp() > expires:
            raise LinkError(_("This link has expired."), _("Ask the person who sent it for a new one."))
        return Signed(key, revoked)

    def _payload(self, purpose: str, token: str) -> tuple[str, int, int]:
        for signer in self._signers[purpose]:
            if found := signer.read(token):
                return found
        raise LinkError(_("This link is not valid."), _("Open the link again from your message."))


class _Signer:
    """The tokens of itsdangerous for one purpose; those of touches are made here, at a tenth of its time."""

    def __init__(self, key: str, purpose: str) -> None:
        salt = f"commsengine.{purpose}"
        how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._serializer = URLSafeSerializer(key, salt=salt, signer_kwargs=how)
        derived = hmac.digest(key.encode(), salt.encode(), "sha256").ljust(64, b"\0")
        # HMAC (RFC 2104) with the key already taken in
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in derived))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in derived))

    def token(self, key: str, expires: int, revoked: int) -> str:
        if not _SHORT.fullmatch(key):
            return str(self._serializer.dumps(_said(key, expires, revoked)))
        payload = _payload(key, expires, revoked)
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(payload)
        outer.update(inner.digest())
        return f"{payload.decode()}.{_base64(outer.digest()).decode()}"

    def read(self, token: str) -> tuple[str, int, int] | None:
        try:
            key, expires, *more = self._serializer.loads(token)
            found = str(key), int(expires), int(more[0]) if more else 0
        except (BadData, ValueError, TypeError):
            return None
        # Base64 has spare bits: only the exact token we make counts, so that no changed bit is accepted.
        return found if token in (self.token(*found), self._serializer.dumps(_said(*found))) else None


@lru_cache(maxsize=64)
def _seconds(expires: dt.datetime) -> int:
    return int(expires.timestamp())


@lru_cache(maxsize=64)
def _payload(key: str, expires: int, revoked: int) -> bytes:
    # a letter has several links, which differ in purpose alone
    return _base64(f'["{key}",{expires}{f",{revoked}" if revoked else ""}]'.encode())


def _said(key: str, expires: int, revoked: int) -> list[str | int]:
    return [key, expires, *([revoked] if revoked else [])]


def _base64(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_BASE64URL)


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url.strip())
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    if not (safe and parts.hostname) or parts.query or parts.fragment or parts.username:
        fix = _("Write it as https://host (http only on this machine), without user, query or fragment.")
        raise InputError(_("'{base_url}' cannot be the base of links.", base_url=base_url), fix)
    return base_url.strip().rstrip("/")
