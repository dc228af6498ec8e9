"""The answer page: whom a message concerns, what it says, and one plain form per thing that can be said back.

GET and HEAD change nothing. POST records, then sends the browser back to the page (303), so that reloading sends
nothing again. The page needs neither cookie nor script.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commsengine.answers.fresh_links import FreshLinks
from commsengine.answers.inbox import AnswerInbox, Evidence
from commsengine.answers.touch_view import Card
from commsengine.cadence.kinds_and_states import WORD_GIVEN
from commsengine.errors import InputError
from commsengine.reports.manager_desk import LONGEST_LINE, InTheirName, ManagerDesk
from commsengine.translation import N_, _
from commsengine.web.in_their_name import SAID, act_in_their_name
from commsengine.web.link_page import Form, LinkPage
from commsengine.web.protection import LinkGuard
from commsengine.web.rendering import page

NOTICES = {
    "unproved": N_("We could not see that this came from this page, so it does not count. Please press again."),
    "again": N_("This was recorded already; nothing has changed."),
    "undone": N_("Undone. Nothing is recorded now."),
    "late": N_("You cannot undo this any more. If something is wrong, ask a question."),
    "asked": N_("Thank you. Your question was sent."),
    "snoozed": N_("You do not get this message again today."),
    "sent": N_("Your link is on its way to you, by e-mail or in Slack."),
    "enough": N_("We sent you several links in the last hour. Please use the newest."),
    **SAID,
}
"""What the page says after a form; the address names only the word on the left."""

ASKS = {
    "acknowledge": N_("Have you read it?"),
    "check": N_("One quick question"),
    "input": N_("What do you say?"),
    "commit": N_("Will you?"),
    "kept": N_("Is it done?"),
    "nothing": N_("Have you read it?"),
}


NOTHING: Form = {}
OTHER = "other"
"""The appointment that is none of those offered."""


class AnswerPage(LinkPage):
    path, purpose = "/a/{token}", "answer"

    def __init__(self, inbox: AnswerInbox, guard: LinkGuard, fresh_links: FreshLinks, desk: ManagerDesk) -> None:
        super().__init__(inbox, guard, fresh_links)
        self._desk = desk

    def _show(self, request: Request, card: Card) -> Response:
        notice = _(NOTICES.get(request.query_params.get("note", ""), ""))
        return self.shown(_as_asked(request, card), notice=notice)

    def _take(self, request: Request, card: Card, form: Form) -> Response:
        do = form.get("do", "got_it")  # a bare POST is the plain "Got it"
        if do == "mine":
            return self._send_mine(card)
        try:
            word = self._record(do, _as_asked(request, card), form, self._evidence(request, card, form))
        except InputError as error:
            newest = _as_asked(request, self._inbox.card(card.key, card.now))
            return self.shown(newest, status=422, error=error.message, opened=do, given=form)
        reading = "&read=1" if "read" in request.query_params else ""
        return RedirectResponse(f"?note={word}{reading}{'#verdict' if do == 'check' else ''}", 303)

    def _record(self, do: str, card: Card, form: Form, evidence: Evidence) -> str:
        """Does what the hidden field ``do`` says; returns the word for what the page says next."""
        inbox = self._inbox
        match do:
            case "question":
                inbox.ask(card, form.get("text", ""), evidence)
                return "asked"
            case "explain":
                inbox.explain(card, evidence)
                return "asked"
            case "snooze":
                inbox.snooze(card)
                return "snoozed"
            case "undo":
                return "undone" if inbox.undo(card) else "late"
            case "got_it":
                recorded = inbox.got_it(card, evidence)
            case "input":
                recorded = inbox.give_input(card, _value(card, form), evidence)
            case "check":
                recorded = inbox.answer_check(card, form.get("choice", ""), evidence)
            case "commit":
                recorded = inbox.commit(card, form.get("value", ""), evidence)
            case "kept":
                recorded = inbox.keep(card, form.get("value", ""), evidence, kept=_state(form) == "kept")
            case "heard_enough":
                whole_campaign = form.get("scope") == "campaign"
                recorded = inbox.heard_enough(card, evidence, whole_campaign=whole_campaign)
            case "hold" | "let_go" | "line" if card.briefing is not None:
                return act_in_their_name(self._desk, card.person, form, card.now, only=card.touch.message)
            case _:
                raise HTTPException(400)
        return "unproved" if not recorded.counts else "" if recorded.first else "again"

    def _named(self, card: Card) -> InTheirName | None:
        if card.briefing is None:
            return None
        about = (card.plan.campaign, card.message.id)
        found = self._desk.in_their_name(card.person, card.now)
        return next((one for one in found if (one.campaign, one.message) == about), None)

    def shown(self, card: Card, *, status: int = 200, **said: Any) -> Response:
        """As it stands; ``said`` is what comes of a form: ``notice``, ``error``, and the one that is ``opened``."""
        return page(
            "answer.html",
            status=status,
            card=card,
            text=self._inbox.text(card),
            calendar=self._inbox.calendar(card),
            lead=self._inbox.lead(card),
            heard=self._guard.link("heard", card.key, card.person, card.now),
            note=self._guard.notes.write(card.key, card.now),
            named=self._named(card),
            longest_line=LONGEST_LINE,
            ask=_(ASKS[card.ask]),
            **{"notice": "", "error": "", "opened": "", "given": NOTHING, **said},
        )


def _as_asked(request: Request, card: Card) -> Card:
    return replace(card, reading="read" in request.query_params)


def _value(card: Card, form: Form) -> str:
    # An order comes as the place of each choice, an appointment perhaps in words.
    asked, value = card.message.input, form.get("value", "")
    if asked is not None and asked.kind == "rank":
        places = [form.get(f"place-{number}", "") for number in range(len(asked.choices))]
        ranked = sorted(zip(places, asked.choices, strict=True), key=lambda pair: pair[0].zfill(2))
        return "\n".join(choice for _place, choice in ranked) if len(set(places) - {""}) == len(places) else "-"
    return form.get(OTHER, "") if asked is not None and asked.kind == "meeting" and value == OTHER else value


def _state(form: Form) -> str:
    """Kept or not. Raises ``InputError`` for a form without either."""
    state = form.get("state", "")
    if state not in WORD_GIVEN:
        raise InputError(_("Please choose one of the answers."))
    return state
