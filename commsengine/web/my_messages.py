""" "My messages": everything sent to one person, answered by them and stored about them, with their wishes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import cast

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from commsengine.answers.inbox import AnswerInbox
from commsengine.answers.my_record import PersonRecord
from commsengine.cadence.moments import clock_text, parse_clock
from commsengine.cadence.terms import CHANNELS, Wish
from commsengine.errors import InputError
from commsengine.web.protection import LinkGuard
from commsengine.web.rendering import page
from commsengine.web.requests import FIELD, evidence_of, read_form

NOTICES = {"saved": "Saved.", "not_for_me": "Noted. You hear nothing more of that campaign."}
CHOICES = tuple((name, CHANNELS[name].label) for name in sorted(CHANNELS))

Form = Mapping[str, str]


class MyMessages:
    """``/m/<token>``; with ``?format=json`` everything as a file."""

    def __init__(self, inbox: AnswerInbox, guard: LinkGuard) -> None:
        self._inbox, self._guard = inbox, guard

    def route(self) -> Route:
        return Route("/m/{token}", self.answer, methods=["GET", "POST"], name="mine")

    async def answer(self, request: Request) -> Response:
        if request.method != "POST":
            return await run_in_threadpool(self._show, request)
        return await run_in_threadpool(self._take, request, await read_form(request))

    def _show(self, request: Request) -> Response:
        key, now = self._guard.enter(request, "mine")
        if request.query_params.get("format") == "json":
            return self._file(key, now)
        return self._page(key, now, notice=NOTICES.get(request.query_params.get("note", ""), ""))

    def _file(self, key: str, now: dt.datetime) -> Response:
        everything = self._mine(key, now).export
        return JSONResponse(everything, headers={"Content-Disposition": 'attachment; filename="my-messages.json"'})

    def _take(self, request: Request, form: Form) -> Response:
        key, now = self._guard.enter(request, "mine")
        try:
            if form.get("do") == "preferences":
                word = self._prefer(key, form, now)
            elif form.get("do") == "not_for_me":
                word = self._not_for_me(request, key, form, now)
            else:
                raise HTTPException(400)
        except InputError as error:
            return self._page(key, now, error=error.message)
        return RedirectResponse(f"?note={word}", 303)

    def _prefer(self, key: str, form: Form, now: dt.datetime) -> str:
        channel = cast("Wish", form.get("channel", ""))
        if channel not in ("", *CHANNELS):
            raise InputError("Please choose one of the channels.")
        self._inbox.preferences(
            self._inbox.card(key, now).person.id, channel, _hours(form.get("from", ""), form.get("to", "")), now
        )
        return "saved"

    def _not_for_me(self, request: Request, key: str, form: Form, now: dt.datetime) -> str:
        evidence = evidence_of(request, self._guard.notes.since(form.get(FIELD, ""), key, now))
        touched = next((c.key for c in self._mine(key, now).campaigns if c.id == form.get("campaign")), None)
        if touched is None:
            raise HTTPException(400)
        self._inbox.not_for_me(self._inbox.card(touched, now), evidence)
        return "not_for_me"

    def _mine(self, key: str, now: dt.datetime) -> PersonRecord:
        return self._inbox.record_of(self._inbox.card(key, now).person.id, now)

    def _page(self, key: str, now: dt.datetime, *, notice: str = "", error: str = "") -> Response:
        mine = self._mine(key, now)
        start, end = mine.person.quiet or (None, None)
        return page(
            "mine.html",
            status=422 if error else 200,
            mine=mine,
            note=self._guard.notes.write(key, now),
            channels=CHOICES,
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
        raise InputError("Please fill in both times, such as 09:30 and 15:00, or leave both empty.") from None
    if hours[0] >= hours[1]:
        raise InputError("The first time must be earlier than the second.")
    return hours
