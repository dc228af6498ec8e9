"""Review copies: the same pages over a database in memory, below an address of their own for each copy."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from commsengine.answers.review_copies import InMemory, ReviewCopies
from commsengine.translation import _
from commsengine.web.rendering import page, reviewing

AGAIN = "/again"
"""The form that forgets what was pressed."""


class ReviewPages:
    """``make`` puts the pages over the parts of a copy."""

    def __init__(self, copies: ReviewCopies, make: Callable[[InMemory], Starlette]) -> None:
        self._copies, self._make = copies, make
        self._made: WeakKeyDictionary[InMemory, Starlette] = WeakKeyDictionary()

    def route(self) -> Mount:
        return Mount("/r/{copy}", app=self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await run_in_threadpool(self._answer, scope)
        mark = reviewing.set(True)
        try:
            await answer(scope, receive, send)
        finally:
            reviewing.reset(mark)

    def _answer(self, scope: Scope) -> ASGIApp:
        key = scope["path_params"]["copy"]
        if scope.get("method") == "POST" and scope["path"].endswith(f"/{key}{AGAIN}"):
            url = self._copies.again(key)
            return RedirectResponse(url, 303) if url else _gone()
        parts = self._copies.open(key)
        return _gone() if parts is None else self._pages(parts)

    def _pages(self, parts: InMemory) -> Starlette:
        if parts not in self._made:
            self._made[parts] = self._make(parts)
        return self._made[parts]


def _gone() -> Response:
    lines = [_("It could be opened for 30 days."), _("Ask who sent it for a new one.")]
    return page("notice.html", status=410, root="../../../", heading=_("This review copy is closed"), lines=lines)
