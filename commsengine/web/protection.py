"""What protects the pages: the check of a signed link, a limit on its uses, and the security headers."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commsengine.cadence.people import Person
from commsengine.errors import LinkError
from commsengine.links import Links, Signed
from commsengine.web.requests import Notes

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

WINDOW = 60.0  # seconds


class LinkGuard:
    """Reads the token in the address. Looking and answering are counted apart: a scanner shuts no one out."""

    def __init__(self, links: Links, notes: Notes, limit: RateLimit, clock: Callable[[], dt.datetime]) -> None:
        self.notes = notes
        self._links, self._limit, self._clock = links, limit, clock

    def enter(self, request: Request, purpose: str, *, limit: RateLimit | None = None) -> tuple[Signed, dt.datetime]:
        """What the link says, and the instant. Raises ``HTTPException`` 404 (a bad link) or 429.

        A link of many people has a ``limit`` of its own, for each address.
        """
        now = self._clock()
        try:
            signed = self._links.read(purpose, request.path_params["token"], now)
        except LinkError:
            raise HTTPException(404) from None
        use = f"{purpose} {request.method == 'POST'} {signed.key}"
        if limit is not None:
            use = f"{use} {request.client.host if request.client else ''}"
        if not (limit or self._limit).allows(use):
            raise HTTPException(429, headers={"Retry-After": "60"})
        return signed, now

    def link(self, purpose: str, key: str, person: Person, now: dt.datetime) -> str:
        # For today: the link in a message lives longer.
        return self._links.url(purpose, key, now + dt.timedelta(days=1), person.revoked)


class SecurityHeaders:
    """Adds ``SECURITY`` to every HTTP response of the application it wraps; over https, also HSTS.

    What a response says of itself, such as how long it may be kept, stands.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = SECURITY | ({"Strict-Transport-Security": "max-age=31536000"} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class RateLimit:
    """At most ``per_minute`` uses of a key in any minute. Forgets the keys not used for longest beyond ``keys``."""

    def __init__(self, per_minute: int, *, keys: int = 50_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._keys, self._clock = per_minute, keys, clock
        self._uses: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str) -> bool:
        """Counts one use of ``key``; false when the minute is full."""
        now = self._clock()
        with self._lock:
            uses = self._uses.setdefault(key, deque())
            self._uses.move_to_end(key)
            if len(self._uses) > self._keys:
                self._uses.popitem(last=False)
            while uses and uses[0] <= now - WINDOW:
                uses.popleft()
            if len(uses) >= self._per_minute:
                return False
            uses.append(now)
            return True
