"""The web application: the pages behind signed links, Slack's door, and the lead's desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from commsengine.answers.fresh_links import FreshLinks
from commsengine.answers.inbox import AnswerInbox, UnknownTouchError
from commsengine.answers.review_copies import InMemory, ReviewCopies
from commsengine.links import Links
from commsengine.reports.manager_desk import ManagerDesk
from commsengine.store.store import Store
from commsengine.translation import ENGLISH, in_language
from commsengine.web.answer_page import AnswerPage
from commsengine.web.calendar_page import CalendarFeed
from commsengine.web.calls_page import CallsPage
from commsengine.web.copy_pages import ReviewPages
from commsengine.web.heard_page import HeardPage
from commsengine.web.my_messages_page import AskForMine, MyMessages
from commsengine.web.protection import SECURITY, LinkGuard, RateLimit, SecurityHeaders
from commsengine.web.rendering import FOLDER, notice
from commsengine.web.requests import Notes, liked, read_body
from commsengine.web.review_page import ReviewPage
from commsengine.web.unsubscribe_page import UnsubscribePage
from commsengine.web.visits import Visits

if TYPE_CHECKING:
    from commsengine.slack_app import SlackApp

SLACK_LIMIT = 512 * 1024
"""Bytes of one request of Slack's: a press carries the whole card."""

log = structlog.get_logger(__name__)


def create_app(
    inbox: AnswerInbox,
    links: Links,
    fresh_links: FreshLinks,
    desk: ManagerDesk,
    *,
    store: Store,
    keys: Sequence[str],
    clock: Callable[[], dt.datetime],
    slack: SlackApp | None = None,
    copies: ReviewCopies | None = None,
    more: Sequence[BaseRoute] = (),
    per_minute: int = 30,
    language: str = ENGLISH,
) -> Starlette:
    """``keys`` sign the notes in forms, newest first; ``per_minute`` limits each link; ``more`` are others' routes.
    ``copies`` are messages for review, each with pages of its own.

    ``language`` is that of pages for visitors whom no link names, where their browser asks for none that is known.
    """
    notes, limit = Notes(keys), RateLimit(per_minute)
    guard, visits = (
        LinkGuard(links, notes, limit, clock),
        Visits(fresh_links, keys, links.base_url, notes, limit, clock, inbox),
    )
    behind_fresh_links = (CallsPage(visits, desk), ReviewPage(visits, store), MyMessages(visits, inbox))
    others = [each(inbox, guard, fresh_links) for each in (AskForMine, HeardPage, UnsubscribePage)]
    pages = [AnswerPage(inbox, guard, fresh_links, desk), *others]
    routes: list[BaseRoute] = [
        visits.route(),
        *(page.route() for page in (*pages, *behind_fresh_links, CalendarFeed(inbox, guard))),
    ]
    routes += [Route("/style.css", _style), *more]
    if slack is not None:
        routes.append(Route("/slack/events", _slack(slack), methods=["POST"]))
    if copies is not None:
        routes.append(ReviewPages(copies, lambda parts: _of_copy(parts, keys, clock, per_minute)).route())
    https = Middleware(SecurityHeaders, https=links.base_url.startswith("https:"))
    app = Starlette(routes=routes, middleware=[https], exception_handlers=_TROUBLE)
    app.state.language = language
    return app


def _of_copy(parts: InMemory, keys: Sequence[str], clock: Callable[[], dt.datetime], per_minute: int) -> Starlette:
    desk, store = ManagerDesk(parts.store, parts.renderer), parts.store
    return create_app(
        parts.inbox, parts.links, parts.fresh_links, desk, store=store, keys=keys, clock=clock, per_minute=per_minute
    )


def _style(_request: Request) -> Response:
    return FileResponse(FOLDER / "style.css", media_type="text/css")


def _slack(slack: SlackApp) -> Callable[[Request], object]:
    async def events(request: Request) -> Response:
        body = await read_body(request, SLACK_LIMIT)
        answer = await run_in_threadpool(slack.http, body, dict(request.headers))
        return Response(answer.body, answer.status, answer.first_headers_without_set_cookie())

    return events


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls this for nothing else
    response = _notice(request, error.status_code)
    response.headers.update(error.headers or {})
    return response


def _unknown(request: Request, _error: Exception) -> Response:
    return _notice(request, 404)


def _broken(request: Request, error: Exception) -> Response:
    # The last resort: outside the middleware, so it brings the headers itself. The address is not logged.
    log.error("page_failed", kind=type(error).__name__)
    response = _notice(request, 500)
    response.headers.update(SECURITY)
    return response


def _notice(request: Request, status: int) -> Response:
    with in_language(liked(request)):
        return notice(status, root=_root(request))


def _root(request: Request) -> str:
    return "../" * max(0, request.url.path.count("/") - 1) or "./"


_TROUBLE = {HTTPException: _told, UnknownTouchError: _unknown, Exception: _broken}
