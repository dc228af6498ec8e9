"""The calendar of a campaign's milestones, behind a link that is signed for the campaign and names no person.

Calendars ask again and again, many of them from one address: they get 304 when nothing has changed.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from commsengine.answers.inbox import AnswerInbox
from commsengine.content.calendar_feed import calendar_feed
from commsengine.translation import in_language
from commsengine.web.protection import LinkGuard, RateLimit

PER_MINUTE = 600
"""Of one network: a whole company may come from one address."""

FRESH = dt.timedelta(minutes=15)


class CalendarFeed:
    def __init__(self, inbox: AnswerInbox, guard: LinkGuard) -> None:
        self._inbox, self._guard, self._limit = inbox, guard, RateLimit(PER_MINUTE)

    def route(self) -> Route:
        return Route("/c/{token}", self._answer, methods=["GET"], name="calendar")

    async def _answer(self, request: Request) -> Response:
        return await run_in_threadpool(self._feed, request)

    def _feed(self, request: Request) -> Response:
        signed, _now = self._guard.enter(request, "calendar", limit=self._limit)
        found = self._inbox.dates(signed.key)
        if found is None:
            raise HTTPException(404)
        record, writer = found
        with in_language(writer.written_in):
            body = calendar_feed(
                writer.words,
                record.version,
                record.applied_at,
                cancelled=record.state == "cancelled",
                language=writer.written_in,
            )
        return _cached(request, body)


def _cached(request: Request, body: bytes) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={int(FRESH.total_seconds())}"}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="milestones.ics"'
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)
