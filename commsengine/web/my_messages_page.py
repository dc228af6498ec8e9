""" "My messages": everything sent to one person, answered by them and stored about them, with their wishes.

The link in a message opens only the way there: a button that sends the person a link of their own.
"""

from __future__ import annotations

import datetime as dt
from typing import cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from commsengine.answers.fresh_links import Visitor
from commsengine.answers.inbox import AnswerInbox, Evidence
from commsengine.answers.my_messages import PersonRecord
from commsengine.answers.touch_view import Card
from commsengine.cadence.kinds_and_states import CHANNELS, Wish
from commsengine.cadence.time_notation import clock_text, parse_clock
from commsengine.errors import InputError
from commsengine.translation import N_, _
from commsengine.web.answer_page import NOTICES as SENT
from commsengine.web.link_page import Form, LinkPage
from commsengine.web.rendering import page
from commsengine.web.visits import VisitPage, Visits

NOTICES = {
    "saved": N_("Saved. We are sending you a message about it."),
    "as_before": N_("Saved; nothing has changed."),
    "not_for_me": N_("You get no more messages of that campaign."),
}


class AskForMine(LinkPage):
    path, purpose = "/m/{token}", "mine"

    def _show(self, request: Request, card: Card) -> Response:
        note = request.query_params.get("note", "")
        notice = _(SENT[note]) if note in ("sent", "enough") else ""
        shown = self._guard.notes.write(card.key, card.now)
        return page("ask_for_mine.html", card=card, note=shown, notice=notice)

    def _take(self, request: Request, card: Card, form: Form) -> Response:  # noqa: ARG002
        if form.get("do") != "mine":
            raise HTTPException(400)
        return self._send_mine(card)


class MyMessages(VisitPage):
    """With ``?format=json`` everything as a file."""

    purpose = "mine"

    def __init__(self, visits: Visits, inbox: AnswerInbox) -> None:
        super().__init__(visits)
        self._inbox = inbox

    def _show(self, request: Request, visitor: Visitor, now: dt.datetime) -> Response:
        if request.query_params.get("format") == "json":
            return self._file(visitor, now)
        return self._page(visitor, now, notice=_(NOTICES.get(request.query_params.get("note", ""), "")))

    def _file(self, visitor: Visitor, now: dt.datetime) -> Response:
        everything = self._mine(visitor, now).export
        return JSONResponse(everything, headers={"Content-Disposition": 'attachment; filename="my-messages.json"'})

    def _take(self, request: Request, visitor: Visitor, form: Form, evidence: Evidence, now: dt.datetime) -> Response:  # noqa: ARG002
        try:
            if form.get("do") == "preferences":
                word = self._prefer(visitor, form, now)
            elif form.get("do") == "not_for_me":
                word = self._not_for_me(visitor, form, evidence, now)
            else:
                raise HTTPException(400)
        except InputError as error:
            return self._page(visitor, now, error=error.message)
        return RedirectResponse(f"?note={word}", 303)

    def _prefer(self, visitor: Visitor, form: Form, now: dt.datetime) -> str:
        channel = cast("Wish", form.get("channel", ""))
        before, hours = self._mine(visitor, now).person, _hours(form.get("from", ""), form.get("to", ""))
        self._inbox.preferences(visitor.about, channel, hours, now)
        return "saved" if self._visits.mail.settings_changed(before, visitor.campaign, now) else "as_before"

    def _not_for_me(self, visitor: Visitor, form: Form, evidence: Evidence, now: dt.datetime) -> str:
        touched = next((c.key for c in self._mine(visitor, now).campaigns if c.id == form.get("campaign")), None)
        if touched is None:
            raise HTTPException(400)
        self._inbox.not_for_me(self._inbox.card(touched, now), evidence)
        return "not_for_me"

    def _mine(self, visitor: Visitor, now: dt.datetime) -> PersonRecord:
        return self._inbox.record_of(visitor.about, now)

    def _page(self, visitor: Visitor, now: dt.datetime, *, notice: str = "", error: str = "") -> Response:
        mine = self._mine(visitor, now)
        start, end = mine.person.quiet or (None, None)
        cards = {campaign.id: self._inbox.card(campaign.key, now) for campaign in mine.campaigns if campaign.key}
        return page(
            "mine.html",
            status=422 if error else 200,
            root="./",
            mine=mine,
            why_me={name: self._inbox.text(card).why_me for name, card in cards.items()},
            heard={name: self._inbox.heard_page(card) for name, card in cards.items()},
            calendars={name: self._inbox.calendar(card) for name, card in cards.items()},
            note=self.note(visitor, now),
            channels=[(name, _(CHANNELS[name].label)) for name in sorted(mine.channels)],
            start="" if start is None else clock_text(start),
            end="" if end is None else clock_text(end),
            notice=notice,
            error=error,
        )


def _hours(start: str, end: str) -> tuple[int, int] | None:
    """Both times, or neither. Raises ``InputError`` with a sentence for the person."""
    if not start and not end:
        return None
    try:
        hours = parse_clock(start[:5]), parse_clock(end[:5])
    except ValueError:
        raise InputError(_("Please fill in both times, such as 09:30 and 15:00, or leave both empty.")) from None
    if hours[0] >= hours[1]:
        raise InputError(_("The first time must be earlier than the second."))
    return hours
