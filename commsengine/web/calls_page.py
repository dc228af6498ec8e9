"""A manager's page: whom of their people to call, how it went, what goes out in their name. Forms without script."""

from __future__ import annotations

import datetime as dt

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commsengine.answers.fresh_links import Visitor
from commsengine.answers.inbox import Evidence
from commsengine.cadence.kinds_and_states import OUTCOME_WORDS, UNCLEAR_WORDS
from commsengine.cadence.people import Person
from commsengine.errors import InputError
from commsengine.reports.manager_desk import LONGEST_LINE, LONGEST_NOTE, ManagerDesk
from commsengine.translation import N_, _
from commsengine.web.in_their_name import SAID, act_in_their_name
from commsengine.web.link_page import Form
from commsengine.web.rendering import page
from commsengine.web.visits import VisitPage, Visits

NOTICES = {
    "recorded": N_("Recorded. Thank you for taking the time."),
    "again": N_("This was recorded already; nothing has changed."),
    **SAID,
}


class CallsPage(VisitPage):
    purpose = "calls"

    def __init__(self, visits: Visits, desk: ManagerDesk) -> None:
        super().__init__(visits)
        self._desk = desk

    def _show(self, request: Request, visitor: Visitor, now: dt.datetime) -> Response:
        return self._page(visitor, now, notice=_(NOTICES.get(request.query_params.get("note", ""), "")))

    def _take(self, request: Request, visitor: Visitor, form: Form, evidence: Evidence, now: dt.datetime) -> Response:
        del request, evidence
        manager = self._desk.manager(visitor.about, now)
        if manager is None:
            return self._visits.ask_again()
        try:
            return RedirectResponse(f"?note={self._act(manager, form, now)}", 303)
        except InputError as error:
            return self._page(visitor, now, error=error.message)

    def _act(self, manager: Person, form: Form, now: dt.datetime) -> str:
        if form.get("do") != "outcome":
            return act_in_their_name(self._desk, manager, form, now)
        said = {name: form.get(name, "") for name in ("unclear", "note")}
        came = self._desk.record(manager, form.get("id", ""), form.get("outcome", ""), **said, now=now)
        return "recorded" if came.first else "again"

    def _page(self, visitor: Visitor, now: dt.datetime, *, notice: str = "", error: str = "") -> Response:
        manager = self._desk.manager(visitor.about, now)
        if manager is None:
            return self._visits.ask_again()
        return page(
            "calls.html",
            status=422 if error else 200,
            root="./",
            manager=manager,
            leads=self._desk.leads(manager),
            calls=self._desk.calls(manager, now),
            recorded=self._desk.recorded(manager, now),
            named=self._desk.in_their_name(manager, now),
            outcomes=[(name, _(words)) for name, words in OUTCOME_WORDS.items()],
            unclear=[(name, _(words)) for name, words in UNCLEAR_WORDS.items()],
            note=self.note(visitor, now),
            longest_line=LONGEST_LINE,
            longest_note=LONGEST_NOTE,
            notice=notice,
            error=error,
        )
