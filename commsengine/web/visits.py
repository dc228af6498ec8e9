"""Pages that open by a link which works once: the link's own page with its one button, and the cookie it sets.

GET and HEAD of the link change nothing, so a scanner burns none. POST uses it up, sets a signed cookie for that page
alone and for an hour, and leads there. Nothing shows whether a link that does not work was ever one of ours.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from commsengine.answers.fresh_links import FreshLinks, Visitor
from commsengine.answers.inbox import AnswerInbox, Evidence
from commsengine.cadence.kinds_and_states import PURPOSES, Purpose
from commsengine.cadence.people import ANYBODY
from commsengine.translation import _, in_language
from commsengine.web.link_page import Form
from commsengine.web.protection import RateLimit
from commsengine.web.rendering import page
from commsengine.web.requests import FIELD, Notes, evidence_of, liked, read_form

VISIT = dt.timedelta(hours=1)
"""So long a page stays open after its link was used."""

_BEHIND = re.compile(r"[^A-Za-z0-9_-]+$")
"""What a mail program may put behind a link."""


class Visits:
    """Who may see which page. ``keys`` sign the cookies, the newest first; ``base_url`` is that of all links."""

    def __init__(
        self,
        links: FreshLinks,
        keys: Sequence[str],
        base_url: str,
        notes: Notes,
        limit: RateLimit,
        clock: Callable[[], dt.datetime],
        inbox: AnswerInbox,
    ) -> None:
        self._links, self.notes, self.clock, self._limit, self._inbox = links, notes, clock, limit, inbox
        self._https, self._prefix = base_url.startswith("https:"), urlsplit(base_url).path.rstrip("/")
        self.mail = links.mail
        self._signers = {purpose: _signer(keys, purpose) for purpose in PURPOSES}

    def visitor(self, request: Request, purpose: Purpose) -> Visitor | None:
        """Who opened this page with their link within the last hour and is still here; else answer ``ask_again()``.

        Raises ``HTTPException`` 429 for who comes very often.
        """
        signed, now = request.cookies.get(_name(purpose), ""), self.clock()
        try:
            until, *said = self._signers[purpose].loads(signed)
            visitor = Visitor(*said)
        except (BadData, ValueError, TypeError):
            return None
        if now.timestamp() > until or not self._links.still_open(visitor, now):
            return None
        self.slow_down(f"{purpose} {request.method == 'POST'} {visitor.person}")
        return visitor

    def ask_again(self) -> Response:
        return page("fresh_link.html", status=403, root="./", opens="", sent=False, again=False)

    def slow_down(self, key: str) -> None:
        if not self._limit.allows(key):
            raise HTTPException(429, headers={"Retry-After": "60"})

    # -- the link's own page ----------------------------------------------------------------------

    def route(self) -> Route:
        return Route("/p/{token}", self._answer, methods=["GET", "POST"], name="fresh_link")

    async def _answer(self, request: Request) -> Response:
        form = await read_form(request) if request.method == "POST" else None
        return await run_in_threadpool(self._enter, request, form)

    def _enter(self, request: Request, form: Form | None) -> Response:
        token, now = _BEHIND.sub("", request.path_params["token"]), self.clock()
        self.slow_down(f"p {form is not None} {hashlib.sha256(token.encode()).hexdigest()}")
        with in_language(self._language_at(token, request, now)):
            if form is None:
                return self._show(token, now)
            if form.get("do") == "renew":
                self._links.renew(token, now)
                return page("fresh_link.html", opens="", sent=True, again=False)
            opened = self._links.use(token, now)
            return self._open(*opened, now) if opened else self._show(token, now)

    def _language_at(self, token: str, request: Request, now: dt.datetime) -> str:
        # that of a link which does not work would tell whose it was
        found = self._links.whose(token, now)
        return self.language(found, now) if found else liked(request)

    def language(self, visitor: Visitor, now: dt.datetime, *, of_all: bool = False) -> str:
        """That of their pages; ``of_all``: of one that tells about all of the campaign."""
        person = self.mail.to(visitor.person, now) or ANYBODY
        if of_all:
            return self._inbox.language_of_all(person, visitor.campaign)
        return self._inbox.language_of_pages(person, visitor.campaign)

    def _show(self, token: str, now: dt.datetime) -> Response:
        purpose = self._links.works(token, now)
        opens = _(PURPOSES[purpose].opens) if purpose else ""
        return page("fresh_link.html", status=200 if purpose else 410, opens=opens, sent=False, again=True)

    def _open(self, purpose: Purpose, visitor: Visitor, now: dt.datetime) -> Response:
        until = now + VISIT
        signed = self._signers[purpose].dumps([int(until.timestamp()), *astuple(visitor)])
        response = RedirectResponse(f"../{purpose}", 303)
        response.set_cookie(
            _name(purpose),
            str(signed),
            max_age=int(VISIT.total_seconds()),
            path=f"{self._prefix}/{purpose}",
            secure=self._https,
            httponly=True,
            samesite="lax",
        )
        return response


class VisitPage(ABC):
    """A page behind such a link, at ``/<purpose>``. GET shows it; POST takes a form that was on it.

    Each form bears the note of its page (``note(visitor)``): without one it comes from another page, and is refused.
    """

    purpose: Purpose

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    def route(self) -> Route:
        return Route(f"/{self.purpose}", self._answer, methods=["GET", "POST"], name=self.purpose)

    async def _answer(self, request: Request) -> Response:
        form = await read_form(request) if request.method == "POST" else None
        return await run_in_threadpool(self._enter, request, form)

    def _enter(self, request: Request, form: Form | None) -> Response:
        visitor, now = self._visits.visitor(request, self.purpose), self._visits.clock()
        with in_language(self._language(visitor, now) if visitor else liked(request)):
            return self._entered(request, visitor, form, now) if visitor else self._visits.ask_again()

    def _language(self, visitor: Visitor, now: dt.datetime) -> str:
        return self._visits.language(visitor, now)

    def _entered(self, request: Request, visitor: Visitor, form: Form | None, now: dt.datetime) -> Response:
        if form is None:
            return self._show(request, visitor, now)
        since = self._visits.notes.since(form.get(FIELD, ""), self._key(visitor), now)
        if since is None:
            raise HTTPException(400)
        return self._take(request, visitor, form, evidence_of(request, since), now)

    def note(self, visitor: Visitor, now: dt.datetime) -> str:
        return self._visits.notes.write(self._key(visitor), now)

    def _key(self, visitor: Visitor) -> str:
        return f"{self.purpose} {visitor.about} {visitor.person}"

    @abstractmethod
    def _show(self, request: Request, visitor: Visitor, now: dt.datetime) -> Response: ...

    @abstractmethod
    def _take(
        self, request: Request, visitor: Visitor, form: Form, evidence: Evidence, now: dt.datetime
    ) -> Response: ...


def _signer(keys: Sequence[str], purpose: str) -> URLSafeSerializer:
    # The newest key signs, which the library takes last.
    how: Mapping[str, object] = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeSerializer(list(reversed(keys)), salt=f"visit.{purpose}", signer_kwargs=dict(how))


def _name(purpose: str) -> str:
    return f"commsengine_{purpose}"
