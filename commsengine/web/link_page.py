"""A page behind a signed link: what the answer page, the way to "My messages" and the unsubscribe page share.

A link opens what its message is about, and nothing else. Those of who has left are closed, and revoked ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from commsengine.answers.fresh_links import FreshLinks
from commsengine.answers.inbox import AnswerInbox, Evidence
from commsengine.answers.touch_view import Card
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
            return self._show(request, card) if form is None else self._take(request, card, form)

    @abstractmethod
    def _show(self, request: Request, card: Card) -> Response: ...

    @abstractmethod
    def _take(self, request: Request, card: Card, form: Form) -> Response: ...

    def _send_mine(self, card: Card) -> Response:
        # to the person of this touch, who may not be the one that asks
        sent = self._fresh_links.send("mine", card.person.id, card.now, campaign=card.touch.campaign)
        return RedirectResponse(f"?note={'sent' if sent else 'enough'}", 303)

    def _evidence(self, request: Request, card: Card, form: Form) -> Evidence:
        return evidence_of(request, self._guard.notes.since(form.get(FIELD, ""), card.key, card.now))
