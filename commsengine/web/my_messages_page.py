""" "My messages": everything sent to one person, answered by them and stored about them, with their wishes."""

from __future__ import annotations

import datetime as dt
from typing import cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from commsengine.answers.my_messages import PersonRecord
from commsengine.cadence.kinds_and_states import CHANNELS, Wish
from commsengine.cadence.time_notation import clock_text, parse_clock
from commsengine.errors import InputError
from commsengine.translation import N_, _
from commsengine.web.link_page import Form, LinkPage
from commsengine.web.rendering import page

NOTICES = {"saved": N_("Saved."), "not_for_me": N_("Noted. You hear nothing more of that campaign.")}


class MyMessages(LinkPage):
    """With ``?format=json`` everything as a file."""

    path, purpose = "/m/{token}", "mine"

    def _show(self, request: Request, key: str, now: dt.datetime) -> Response:
        if request.query_params.get("format") == "json":
            return self._file(key, now)
        return self._page(key, now, notice=_(NOTICES.get(request.query_params.get("note", ""), "")))

    def _file(self, key: str, now: dt.datetime) -> Response:
        everything = self._mine(key, now).export
        return JSONResponse(everything, headers={"Content-Disposition": 'attachment; filename="my-messages.json"'})

    def _take(self, request: Request, key: str, form: Form, now: dt.datetime) -> Response:
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
        person, hours = self._inbox.card(key, now).person.id, _hours(form.get("from", ""), form.get("to", ""))
        self._inbox.preferences(person, channel, hours, now)
        return "saved"

    def _not_for_me(self, request: Request, key: str, form: Form, now: dt.datetime) -> str:
        touched = next((c.key for c in self._mine(key, now).campaigns if c.id == form.get("campaign")), None)
        if touched is None:
            raise HTTPException(400)
        self._inbox.not_for_me(self._inbox.card(touched, now), self._evidence(request, key, form, now))
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
