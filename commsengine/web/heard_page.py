"""The page "What we heard, what we did" of a campaign, for everybody it is for. There is nothing to send on it."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from commsengine.answers.touch_view import Card
from commsengine.web.link_page import Form, LinkPage
from commsengine.web.rendering import page


class HeardPage(LinkPage):
    path, purpose = "/h/{token}", "heard"

    def route(self) -> Route:
        return Route(self.path, self._answer, methods=["GET"], name=self.purpose)

    def _show(self, request: Request, card: Card) -> Response:  # noqa: ARG002
        back = self._guard.link("answer", card.key, card.person, card.now)
        return page("heard.html", title=self._inbox.text(card).title, heard=self._inbox.heard(card), back=back)

    def _take(self, request: Request, card: Card, form: Form) -> Response:  # noqa: ARG002
        raise HTTPException(405)
