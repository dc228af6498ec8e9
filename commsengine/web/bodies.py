"""The body of a request: read up to a limit, then as the fields of a plain form."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

LIMIT = 64 * 1024
"""Bytes. The longest question is far below it."""

MAX_FIELDS = 40


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
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:  # not UTF-8, or too many fields
        raise HTTPException(400) from None
    return {name: value.replace("\x00", "").replace("\r\n", "\n").strip() for name, value in reversed(pairs)}
