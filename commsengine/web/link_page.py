"""A page behind a signed link: what the answer page, the way to "My messages" and the unsubscribe page share.

A link opens what its message is about, and nothing else. Those of who has left are closed, and revoked ones.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from commsengine.answers.fresh_links import FreshLinks
from commsengine.answers.inbox import AnswerInbox, Evidence
from commsengine.translation import in_language
from commsengine.web.protection import LinkGuard
from commsengine.web.rendering import notice
from commsengine.web.requests import FIELD, evidence_of, read_form

Form = Mapping[str, str]


class LinkPage(ABC):
    """``purpose`` is what its links are signed for. GET and HEAD show the page; POST takes a form that was on it."""

    path: str
    purpose: str

    def __init__(self, inbox: AnswerInbox, guard: LinkGuard, fresh_links: FreshLinks) -> None:
        self._inbox, self._guard, self._fresh_links = inbox, guard, fresh_links

    def route(self) -> Route:
        return Route(self.path, self._answer, methods=["GET", "POST"], name=self.purpose)

    async def _answer(self, request: Request) -> Response:
        form = await read_form(request) if request.method == "POST" else None
        return await run_in_threadpool(self._enter, request, form)

    def _enter(self, request: Request, form: Form | None) -> Response:
        (key, revoked), now = self._guard.enter(request, self.purpose)
        card = self._inbox.card(key, now)
        with in_language(self._inbox.spoken(card)):
            if card.closed or revoked != card.person.revoked:
                return notice(410)
            return self._show(request, key, now) if form is None else self._take(request, key, form, now)

    @abstractmethod
    def _show(self, request: Request, key: str, now: dt.datetime) -> Response: ...

    @abstractmethod
    def _take(self, request: Request, key: str, form: Form, now: dt.datetime) -> Response: ...

    def _send_mine(self, key: str, now: dt.datetime) -> Response:
        # to the person of this touch, who may not be the one that asks
        card = self._inbox.card(key, now)
        sent = self._fresh_links.send("mine", card.person.id, now, campaign=card.touch.campaign)
        return RedirectResponse(f"?note={'sent' if sent else 'enough'}", 303)

    def _evidence(self, request: Request, key: str, form: Form, now: dt.datetime) -> Evidence:
        return evidence_of(request, self._guard.notes.since(form.get(FIELD, ""), key, now))
