"""Answer pages as files: what a person sees before and after they answer. Nothing on them can be sent."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator

from commsengine.answers.inbox import Evidence
from commsengine.answers.review_copies import InMemory
from commsengine.answers.touch_view import Card
from commsengine.reports.manager_desk import ManagerDesk
from commsengine.translation import N_, _, in_language
from commsengine.web.answer_page import AnswerPage
from commsengine.web.protection import LinkGuard, RateLimit
from commsengine.web.rendering import FOLDER
from commsengine.web.requests import Notes

LATER = dt.timedelta(minutes=3)
"""So long after the message the pages are looked at."""

IN_WORDS = N_("What they write here.")

_LOCKED = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'\">"
)
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)  # no one comes by a link
_BY_PAGE = Evidence("link", {"method": "POST"})
_STYLE = '<link rel="stylesheet" href="../style.css">'


class StillPages:
    """Of the messages that ``parts`` have on record."""

    def __init__(self, parts: InMemory) -> None:
        self._parts = parts
        guard = LinkGuard(parts.links, Notes([secrets.token_hex(32)]), RateLimit(1), lambda: _NEVER)
        desk = ManagerDesk(parts.store, parts.renderer)
        self._page = AnswerPage(parts.inbox, guard, parts.fresh_links, desk)
        self._style = (FOLDER / "style.css").read_text("utf-8")

    def of(self, key: str, at: dt.datetime) -> Iterator[tuple[str, str]]:
        """Names and pages: ``page``, and after each kind of answer ``answered``, or ``right`` and ``wrong``."""
        at += LATER
        card = self._parts.inbox.card(key, at)
        yield "page", self._html(card)
        with in_language(self._parts.inbox.spoken(card)):
            presses = list(self._presses(card))
        for name, press in presses:
            press(self._parts.inbox.card(key, at))
            answered = self._parts.inbox.card(key, at)
            yield name, self._html(answered)
            if answered.latest is not None:
                self._parts.store.answers.withdraw(answered.latest.id, at)

    def _presses(self, card: Card) -> Iterator[tuple[str, Callable[[Card], object]]]:
        inbox, check = self._parts.inbox, card.check
        if card.asks_check and check is not None:
            wrong = next(answer for answer in check.answers if answer != check.right)
            yield "right", lambda now: inbox.answer_check(now, check.right, _BY_PAGE)
            yield "wrong", lambda now: inbox.answer_check(now, wrong, _BY_PAGE)
        elif card.ask == "input" and card.message.input is not None:
            asked = card.message.input
            given = "\n".join(asked.choices) if asked.kind == "rank" else next(iter(asked.choices), _(IN_WORDS))
            yield "answered", lambda now: inbox.give_input(now, given, _BY_PAGE)
        elif card.ask == "commit":
            yield "answered", lambda now: inbox.commit(now, "", _BY_PAGE)
        elif card.ask == "kept":
            yield "answered", lambda now: inbox.keep(now, "", _BY_PAGE, kept=True)
        elif card.ask != "nothing":
            yield "answered", lambda now: inbox.got_it(now, _BY_PAGE)

    def _html(self, card: Card) -> str:
        with in_language(self._parts.inbox.spoken(card)):
            html = bytes(self._page.shown(card).body).decode()
        return html.replace(_STYLE, f"{_LOCKED}\n<style>\n{self._style}</style>", 1)
