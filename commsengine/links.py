"""Signed links: they carry a touch key and an expiry, and never a name or an address."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer

from commsengine.errors import InputError, LinkError
from commsengine.loopback import is_loopback
from commsengine.translation import _

PATHS = {"answer": "a", "calendar": "c", "heard": "h", "mine": "m", "unsubscribe": "u"}
"""Each purpose has its own path and its own salt, so that no token can be moved from one page to another."""

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
        self._serializers = {purpose: [_serializer(key, purpose) for key in keys] for purpose in PATHS}

    def url(self, purpose: str, key: str, expires: dt.datetime, revoked: int = 0) -> str:
        """The page of one touch for one purpose, until ``expires`` (aware).

        ``revoked`` is how often the person's links were revoked before.
        """
        payload = [key, int(expires.timestamp()), *([revoked] if revoked else [])]
        return f"{self.base_url}/{PATHS[purpose]}/{self._serializers[purpose][0].dumps(payload)}"

    def read(self, purpose: str, token: str, now: dt.datetime) -> Signed:
        """What a token says; raises ``LinkError`` when it is forged, of another purpose or expired.

        What stands behind it in a text, such as ``).`` or ``>``, is left off.
        """
        key, expires, revoked = self._payload(purpose, _BEHIND.sub("", token, count=1))
        if now.timestamp() > expires:
            raise LinkError(_("This link has expired."), _("Ask the person who sent it for a new one."))
        return Signed(key, revoked)

    def _payload(self, purpose: str, token: str) -> tuple[str, int, int]:
        for serializer in self._serializers[purpose]:
            try:
                payload = serializer.loads(token)
                key, expires, *revoked = payload
            except (BadData, ValueError, TypeError):
                continue
            # Base64 has spare bits: only the exact token we made counts, so that no changed bit is accepted.
            if serializer.dumps(payload) == token:
                return str(key), int(expires), int(revoked[0]) if revoked else 0
        raise LinkError(_("This link is not valid."), _("Open the link again from your message."))


def _serializer(key: str, purpose: str) -> URLSafeSerializer:
    how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeSerializer(key, salt=f"commsengine.{purpose}", signer_kwargs=how)


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url.strip())
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    if not (safe and parts.hostname) or parts.query or parts.fragment or parts.username:
        fix = _("Write it as https://host (http only on this machine), without user, query or fragment.")
        raise InputError(_("'{base_url}' cannot be the base of links.", base_url=base_url), fix)
    return base_url.strip().rstrip("/")
