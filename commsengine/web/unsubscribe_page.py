"""Leaving an optional campaign: the page behind the mail header, and its one click without a page (RFC 8058).

It never counts as having read anything, and for a campaign that is not optional it is a link that does not work.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from commsengine.answers.touch_view import Card
from commsengine.translation import _
from commsengine.web.link_page import Form, LinkPage
from commsengine.web.rendering import page

ONE_CLICK = ("List-Unsubscribe", "One-Click")


class UnsubscribePage(LinkPage):
    path, purpose = "/u/{token}", "unsubscribe"

    def _show(self, request: Request, card: Card) -> Response:  # noqa: ARG002
        _refuse_unless_optional(card)
        title = self._inbox.text(card).title
        return page("unsubscribe.html", card=card, title=title, note=self._guard.notes.write(card.key, card.now))

    def _take(self, request: Request, card: Card, form: Form) -> Response:
        _refuse_unless_optional(card)
        self._inbox.not_for_me(card, self._evidence(request, card, form))
        if form.get(ONE_CLICK[0]) == ONE_CLICK[1]:
            return PlainTextResponse(_("Done: you get no more messages of this campaign.\n"))
        return self._show(request, self._inbox.card(card.key, card.now))


def _refuse_unless_optional(card: Card) -> None:
    if not card.plan.optional:
        raise HTTPException(404)
