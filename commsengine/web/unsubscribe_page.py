"""Leaving an optional campaign: the page behind the mail header, and its one click without a page (RFC 8058).

It never counts as having read anything, and for a campaign that is not optional it is a link that does not work.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from commsengine.answers.inbox import AnswerInbox
from commsengine.web.protection import LinkGuard
from commsengine.web.rendering import page
from commsengine.web.requests import FIELD, evidence_of, read_form

ONE_CLICK = ("List-Unsubscribe", "One-Click")


class UnsubscribePage:
    """``/u/<token>``."""

    def __init__(self, inbox: AnswerInbox, guard: LinkGuard) -> None:
        self._inbox, self._guard = inbox, guard

    def route(self) -> Route:
        return Route("/u/{token}", self.answer, methods=["GET", "POST"], name="unsubscribe")

    async def answer(self, request: Request) -> Response:
        form = await read_form(request) if request.method == "POST" else None
        return await run_in_threadpool(self._answer, request, form)

    def _answer(self, request: Request, form: dict[str, str] | None) -> Response:
        key, now = self._guard.enter(request, "unsubscribe")
        card = self._inbox.card(key, now)
        if not card.plan.optional:
            raise HTTPException(404)
        if form is not None:
            since = self._guard.notes.since(form.get(FIELD, ""), key, now)
            self._inbox.not_for_me(card, evidence_of(request, since))
            if form.get(ONE_CLICK[0]) == ONE_CLICK[1]:
                return PlainTextResponse("Done: you hear nothing more of this campaign.\n")
            card = self._inbox.card(key, now)
        return page("unsubscribe.html", card=card, note=self._guard.notes.write(key, now))
