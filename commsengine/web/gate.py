"""The gate before every signed page: whose link it is, whether it still holds, and how often it was used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request

from commsengine.errors import LinkError
from commsengine.links import Links
from commsengine.web.evidence import Notes
from commsengine.web.limits import RateLimit


class Gate:
    """Reads the token in the address. Looking and answering are counted apart: a scanner shuts nobody out."""

    def __init__(self, links: Links, notes: Notes, limit: RateLimit, clock: Callable[[], dt.datetime]) -> None:
        self.notes = notes
        self._links, self._limit, self._clock = links, limit, clock

    def enter(self, request: Request, purpose: str) -> tuple[str, dt.datetime]:
        """The touch key of the link, and the instant. Raises ``HTTPException`` 404 (a bad link) or 429."""
        now = self._clock()
        try:
            key = self._links.read(purpose, request.path_params["token"], now)
        except LinkError:
            raise HTTPException(404) from None
        if not self._limit.allows(f"{purpose} {request.method == 'POST'} {key}"):
            raise HTTPException(429, headers={"Retry-After": "60"})
        return key, now

    def mine(self, key: str, now: dt.datetime) -> str:
        """Where "my messages" of this touch's person is, for today: the link in a message lives longer."""
        return self._links.url("mine", key, now + dt.timedelta(days=1))
