"""The answer page: whom a message concerns, what it says, and one plain form per thing that can be said back.

GET and HEAD change nothing. POST records, then sends the browser back to the page (303), so that reloading sends
nothing again. The page needs neither cookie nor script.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from commsengine.answers.inbox import AnswerInbox, Evidence
from commsengine.answers.touch_view import Card
from commsengine.errors import InputError
from commsengine.web.protection import LinkGuard
from commsengine.web.rendering import page
from commsengine.web.requests import FIELD, evidence_of, read_form

NOTICES = {
    "again": "This was already recorded; nothing has changed.",
    "undone": "Undone. Nothing is recorded now.",
    "late": "That cannot be taken back any more. Ask a question if it should be changed.",
    "asked": "Thank you. Your question is on its way.",
    "snoozed": "All right: nothing more of this today.",
}
"""What the page says after a form; the address names only the word on the left."""

ASKS = {
    "acknowledge": "Have you read it?",
    "check": "One quick question",
    "input": "What do you say?",
    "commit": "Will you?",
    "nothing": "Have you read it?",
}

Form = Mapping[str, str]
Act = Callable[[AnswerInbox, Card, Form, Evidence], str]


def _got_it(inbox: AnswerInbox, card: Card, _form: Form, evidence: Evidence) -> str:
    return _again(inbox.got_it(card, evidence).first)


def _input(inbox: AnswerInbox, card: Card, form: Form, evidence: Evidence) -> str:
    return _again(inbox.give_input(card, form.get("value", ""), evidence).first)


def _check(inbox: AnswerInbox, card: Card, form: Form, evidence: Evidence) -> str:
    return _again(inbox.answer_check(card, form.get("choice", ""), evidence).first)


def _commit(inbox: AnswerInbox, card: Card, form: Form, evidence: Evidence) -> str:
    return _again(inbox.commit(card, form.get("value", ""), evidence).first)


def _question(inbox: AnswerInbox, card: Card, form: Form, evidence: Evidence) -> str:
    inbox.ask(card, form.get("text", ""), evidence)
    return "asked"


def _explain(inbox: AnswerInbox, card: Card, _form: Form, evidence: Evidence) -> str:
    inbox.explain(card, evidence)
    return "asked"


def _snooze(inbox: AnswerInbox, card: Card, _form: Form, _evidence: Evidence) -> str:
    inbox.snooze(card)
    return "snoozed"


def _enough(inbox: AnswerInbox, card: Card, form: Form, evidence: Evidence) -> str:
    return _again(inbox.heard_enough(card, evidence, whole_campaign=form.get("scope") == "campaign").first)


def _undo(inbox: AnswerInbox, card: Card, _form: Form, _evidence: Evidence) -> str:
    return "undone" if inbox.undo(card) else "late"


def _again(first: bool) -> str:
    return "" if first else "again"


ACTS: Mapping[str, Act] = {
    "got_it": _got_it,
    "input": _input,
    "check": _check,
    "commit": _commit,
    "question": _question,
    "explain": _explain,
    "snooze": _snooze,
    "heard_enough": _enough,
    "undo": _undo,
}
"""What the hidden field ``do`` may say. A bare POST without it is the plain "Got it"."""


class AnswerPage:
    """``/a/<token>``."""

    def __init__(self, inbox: AnswerInbox, guard: LinkGuard) -> None:
        self._inbox, self._guard = inbox, guard

    def route(self) -> Route:
        return Route("/a/{token}", self.answer, methods=["GET", "POST"], name="answer")

    async def answer(self, request: Request) -> Response:
        if request.method != "POST":
            return await run_in_threadpool(self._show, request)
        return await run_in_threadpool(self._take, request, await read_form(request))

    def _show(self, request: Request) -> Response:
        key, now = self._guard.enter(request, "answer")
        return self._page(key, now, notice=NOTICES.get(request.query_params.get("note", ""), ""))

    def _take(self, request: Request, form: Form) -> Response:
        key, now = self._guard.enter(request, "answer")
        do = form.get("do", "got_it")
        if do not in ACTS:
            raise HTTPException(400)
        evidence = evidence_of(request, self._guard.notes.since(form.get(FIELD, ""), key, now))
        try:
            word = ACTS[do](self._inbox, self._inbox.card(key, now), form, evidence)
        except InputError as error:
            return self._page(key, now, error=error.message, opened=do)
        return RedirectResponse(f"?note={word}{'#verdict' if do == 'check' else ''}", 303)

    def _page(self, key: str, now: dt.datetime, *, notice: str = "", error: str = "", opened: str = "") -> Response:
        card = self._inbox.card(key, now)
        return page(
            "answer.html",
            status=422 if error else 200,
            card=card,
            text=self._inbox.text(card),
            mine=self._guard.mine(key, now),
            note=self._guard.notes.write(key, now),
            ask=ASKS[card.ask],
            notice=notice,
            error=error,
            opened=opened,
        )
