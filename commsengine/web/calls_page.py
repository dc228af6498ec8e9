"""A manager's page: whom of their people to call, how it went, what goes out in their name. Forms without script."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commsengine.answers.fresh_links import Visitor
from commsengine.answers.inbox import Evidence
from commsengine.cadence.kinds_and_states import OUTCOME_WORDS, UNCLEAR_WORDS
from commsengine.cadence.people import Person
from commsengine.errors import InputError
from commsengine.reports.manager_desk import LONGEST_LINE, LONGEST_NOTE, ManagerDesk
from commsengine.translation import N_, _
from commsengine.web.link_page import Form
from commsengine.web.rendering import page
from commsengine.web.visits import VisitPage, Visits

NOTICES = {
    "recorded": N_("Recorded. Thank you for taking the time."),
    "again": N_("This was already recorded; nothing has changed."),
    "held": N_("Held. It goes out by itself on the day that you chose."),
    "let_go": N_("It goes out again from now on."),
    "line": N_("Your line stands in what leaves from now on."),
    "no_line": N_("Your line is taken out of what leaves from now on."),
}


class CallsPage(VisitPage):
    purpose = "calls"

    def __init__(self, visits: Visits, desk: ManagerDesk) -> None:
        super().__init__(visits)
        self._desk = desk
        self._acts: dict[str, Callable[[Person, Form, dt.datetime], str]] = {
            "outcome": self._outcome,
            "hold": self._hold,
            "let_go": self._let_go,
            "line": self._line,
        }

    def _show(self, request: Request, visitor: Visitor, now: dt.datetime) -> Response:
        return self._page(visitor, now, notice=_(NOTICES.get(request.query_params.get("note", ""), "")))

    def _take(self, request: Request, visitor: Visitor, form: Form, evidence: Evidence, now: dt.datetime) -> Response:
        del request, evidence
        act, manager = self._acts.get(form.get("do", "")), self._desk.manager(visitor.about)
        if act is None or manager is None:
            raise HTTPException(400)
        try:
            return RedirectResponse(f"?note={act(manager, form, now)}", 303)
        except InputError as error:
            return self._page(visitor, now, error=error.message)

    def _outcome(self, manager: Person, form: Form, now: dt.datetime) -> str:
        said = {name: form.get(name, "") for name in ("unclear", "note")}
        came = self._desk.record(manager, form.get("id", ""), form.get("outcome", ""), **said, now=now)
        return "recorded" if came.first else "again"

    def _hold(self, manager: Person, form: Form, now: dt.datetime) -> str:
        self._desk.hold(manager, *_about(form), form.get("until", ""), now)
        return "held"

    def _let_go(self, manager: Person, form: Form, now: dt.datetime) -> str:
        self._desk.let_go(manager, *_about(form), now)
        return "let_go"

    def _line(self, manager: Person, form: Form, now: dt.datetime) -> str:
        return "line" if self._desk.add_line(manager, *_about(form), form.get("text", ""), now).line else "no_line"

    def _page(self, visitor: Visitor, now: dt.datetime, *, notice: str = "", error: str = "") -> Response:
        manager = self._desk.manager(visitor.about)
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


def _about(form: Form) -> tuple[str, str]:
    return form.get("campaign", ""), form.get("message", "")
