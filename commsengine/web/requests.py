"""What a request brings: its body, its form, and evidence of who pressed the button, a person or a machine.

Each page carries a signed note of when it was shown. An answer that comes without the note of its page is recorded all
the same, and called suspect: no one is shut out, and no one is fooled.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from urllib.parse import parse_qsl

from itsdangerous import BadData, URLSafeSerializer
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from commsengine.answers.inbox import Evidence
from commsengine.translation import ENGLISH, chosen

FIELD = "seen"
"""The hidden field of each form that carries the note."""

_FETCH = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user")

LIMIT = 64 * 1024
"""Bytes. The longest question is far below it."""

_MOST_FIELDS = 40


class Notes:
    """Signs and reads "this page was shown at that instant". ``keys``: the newest first, as in the settings."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._signer = URLSafeSerializer(list(reversed(keys)), salt="page-shown")

    def write(self, key: str, now: dt.datetime) -> str:
        return str(self._signer.dumps([key, int(now.timestamp() * 1000)]))

    def since(self, note: str, key: str, now: dt.datetime) -> int | None:
        """Milliseconds since the page of this touch was shown; ``None`` for any other note."""
        try:
            noted, shown = self._signer.loads(note)
        except (BadData, ValueError, TypeError):
            return None
        return int(now.timestamp() * 1000) - shown if noted == key else None


def liked(request: Request) -> str:
    """The language that the browser asks for, as far as we know it; else that of the company."""
    return chosen(request.headers.get("accept-language", ""), getattr(request.app.state, "language", ENGLISH))


def evidence_of(request: Request, since: int | None) -> Evidence:
    # No whole address, and nothing longer than a line.
    detail = {
        "method": request.method,
        "user_agent": request.headers.get("user-agent", "")[:200],
        "ip_prefix": ip_prefix(request.client.host if request.client else ""),
        **{name: request.headers[name][:40] for name in _FETCH if name in request.headers},
    }
    if since is None:
        return Evidence("link", detail | {"suspect": "the page was not opened first"})
    return Evidence("link", detail | {"ms_since_get": str(since)})


def ip_prefix(host: str) -> str:
    """The network of an address: /24, or /48 for IPv6. Empty for what is no address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


async def read_body(request: Request, limit: int = LIMIT) -> bytes:
    """The whole body. Raises ``HTTPException`` 413 as soon as it grows beyond ``limit`` bytes."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise HTTPException(413)
    except ClientDisconnect:  # the client is gone: no defect of ours, so none is logged
        raise HTTPException(400) from None
    return bytes(body)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a plain form, the first value of each name. Raises ``HTTPException`` 400 or 413."""
    body = await read_body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:  # not UTF-8, or too many fields
        raise HTTPException(400) from None
    return {name: value.replace("\x00", "").replace("\r\n", "\n").strip() for name, value in reversed(pairs)}
