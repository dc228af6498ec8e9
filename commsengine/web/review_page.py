"""The review of a phase, for the leads of its campaign: what was not reached, what is open, and the gate. No script."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commsengine.answers.fresh_links import Visitor
from commsengine.answers.inbox import Evidence
from commsengine.campaigns.control import open_gate
from commsengine.errors import CommsError
from commsengine.reports.phases.measures import PHASE_STATES, phases
from commsengine.reports.phases.phase_review import review, to_review
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from commsengine.translation import N_, _, language_in_use
from commsengine.web.link_page import Form
from commsengine.web.rendering import page
from commsengine.web.visits import VisitPage, Visits

NOTICES = {
    "open": N_("The gate is open. What follows starts on its dates, or now if these are past."),
    "again": N_("The gate was open already; nothing has changed."),
}


class ReviewPage(VisitPage):
    purpose = "review"

    def __init__(self, visits: Visits, store: Store) -> None:
        super().__init__(visits)
        self._store = store

    def _language(self, visitor: Visitor, now: dt.datetime) -> str:
        return self._visits.language(visitor, now, of_all=True)

    def _show(self, request: Request, visitor: Visitor, now: dt.datetime) -> Response:
        notice = _(NOTICES.get(request.query_params.get("note", ""), ""))
        return self._page(visitor, now, request.query_params.get("phase", ""), notice=notice)

    def _take(self, request: Request, visitor: Visitor, form: Form, evidence: Evidence, now: dt.datetime) -> Response:
        del request, evidence
        record, by = self._led(visitor), self._address(visitor)
        if record is None:
            return self._visits.ask_again()
        if form.get("do") != "open":
            raise HTTPException(400)
        phase = form.get("phase", "")
        try:
            fresh = open_gate(self._store, record, phase, because=form.get("because", "").strip(), by=by, now=now)
        except CommsError as error:
            return self._page(visitor, now, phase, error=error.message)
        return RedirectResponse(f"?phase={phase}&note={'open' if fresh else 'again'}", 303)

    def _address(self, visitor: Visitor) -> str:
        known = self._store.people.by_id(visitor.person)
        return known.email if known else visitor.person

    def _led(self, visitor: Visitor) -> CampaignRecord | None:
        """The campaign, in the language of the page, as long as the visitor is one of its owners."""
        found = self._store.campaigns.get(visitor.about)
        record = found and replace(found, plan=found.plan.in_language(language_in_use()))
        owners = {owner.lower() for owner in record.plan.owner} if record else set()
        return record if self._address(visitor).lower() in owners else None

    def _page(self, visitor: Visitor, now: dt.datetime, phase: str, *, notice: str = "", error: str = "") -> Response:
        record = self._led(visitor)
        if record is None:
            return self._visits.ask_again()
        views = phases(self._store, record, now)
        chosen = phase if phase in record.plan.phases else to_review(views)
        return page(
            "review.html",
            status=422 if error else 200,
            root="./",
            record=record,
            views=views,
            phase_states=PHASE_STATES,
            review=review(self._store, record, chosen, now) if chosen else None,
            note=self.note(visitor, now),
            notice=notice,
            error=error,
        )
