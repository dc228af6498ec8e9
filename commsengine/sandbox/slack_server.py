"""A stand-in for Slack on real HTTP: answers the Web API and sends signed clicks back.

It looks at tokens and scopes, limits blocks and calls as Slack does, answers 429 also on request, and knows only the
people it was given. Who is deactivated, a bot or a guest is said by ``team.change``.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from commsengine.channels.slack_manifest import MANIFEST, has_home, hears_words, scopes_of, takes_messages
from commsengine.errors import CommsError
from commsengine.sandbox import slack_clicks
from commsengine.sandbox.slack_clicks import Reply
from commsengine.sandbox.slack_methods import RefusedError, answer
from commsengine.sandbox.slack_team import Dialog, Post, SlackTeam
from commsengine.sandbox.slack_tiers import PUBLISHED, CallLimits, Tiers
from commsengine.translation import _

USES, RESPONSE_SECONDS = 5, 30 * 60


@dataclass(slots=True)
class _ResponseUrl:
    card: Post
    until: float
    left: int = USES

    def use(self, now: float) -> str:
        """The error, if it cannot be used any more."""
        if now > self.until:
            return "expired_url"
        self.left -= 1
        return "used_url" if self.left < 0 else ""


class SlackStandIn:
    """``people`` are (e-mail, name), then where known user id and Enterprise Grid id; no one else is on Slack.

    ``request_url``, where clicks go, may be set later. ``manifest`` is what the app was made from: ours. ``tiers`` are
    the limits of its methods by ``clock``, ``None`` for none. With ``teams`` it is installed in a whole organisation.
    """

    def __init__(
        self,
        people: Iterable[tuple[str, ...]],
        *,
        bot_token: str = "xoxb-sandbox",  # noqa: S107 - a token of this sandbox only
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107 - as above
        request_url: str = "",
        clock: Callable[[], float] = time.time,
        manifest: Mapping[str, Any] = MANIFEST,
        tiers: Tiers | None = PUBLISHED,
        teams: Mapping[str, str] | None = None,
    ) -> None:
        self.team = SlackTeam(
            people,
            clock=clock,
            messages_tab=takes_messages(manifest),
            home_tab=has_home(manifest),
            typing=hears_words(manifest),
            scopes=scopes_of(manifest),
            teams=teams,
        )
        self._limits = CallLimits(tiers, clock)
        self._clock, self._events = clock, itertools.count(1)
        self.bot_token, self.signing_secret, self.request_url = bot_token, signing_secret, request_url
        self.url = ""  # set by what serves the routes
        self.calls: list[str] = []
        self.turned_away: list[str] = []
        self._faults: dict[str, deque[Response | None]] = defaultdict(deque)
        self._responses: dict[str, _ResponseUrl] = {}
        self._lock = threading.Lock()

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/api/{method}", self._api, methods=["GET", "POST"]),
            Route("/response/{name}", self._respond, methods=["POST"]),
        ]

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def posts(self) -> list[Post]:
        return self.team.posts

    def dm_of(self, user: str) -> list[Post]:
        """What one person (by e-mail or id) sees in the conversation with the bot, oldest first."""
        return self.team.dm_of(user)

    def limit(self, method: str, *, times: int = 1, retry_after: int = 1) -> None:
        """Answers the next calls of a method with 429. ``retry_after`` is in seconds."""
        for _time in range(times):
            self._faults[method].append(_ratelimited(retry_after))

    def fail(self, method: str, error: str, *, times: int = 1, status: int = 200) -> None:
        """An empty ``error`` lets as many calls pass, before what is to fail after them."""
        for _time in range(times):
            self._faults[method].append(JSONResponse({"ok": False, "error": error}, status) if error else None)

    def click(self, user: str, action_id: str, value: str | None = None, *, post: Post | None = None) -> Reply:
        """Presses on the newest card that has the button. Raises ``CommsError`` when none has."""
        candidates = [post] if post else reversed(self.dm_of(user))
        for card in candidates:
            button = slack_clicks.button_of(card, action_id, value)
            if button is not None:
                return self._pressed(card, button)
        text = _("{user} has no card with the button '{action_id}'.", user=user, action_id=action_id)
        raise CommsError(text, _("Look at the sandbox page."))

    def submit(self, dialog: Dialog, values: Mapping[str, Any]) -> Reply:
        """``values`` are by block id or action id; the dialog closes unless the app says otherwise."""
        payload = slack_clicks.view_submission(dialog, values, trigger_id=self.team.trigger(dialog.user))
        reply = slack_clicks.send(self.request_url, self.signing_secret, payload)
        action = reply.json.get("response_action", "clear")
        if action == "errors":
            dialog.errors = dict(reply.json.get("errors", {}))
        elif action == "update":
            dialog.view, dialog.errors = reply.json.get("view", {}), {}
        elif reply.status == 200:
            self.team.close_dialog(dialog)
        return reply

    def say(self, user: str, text: str, *, thread: str = "", event_id: str = "") -> Reply:
        """A person (by e-mail or id) types to the app; ``thread`` is the ``ts`` of the message above, if any."""
        writer = self.team.user(user)
        if writer is None or not self.team.typing:
            raise CommsError(_("{user} cannot write to the app.", user=user), _("Look at the app's manifest."))
        post = self.team.say(writer, text, thread)
        return self._tell(slack_clicks.message_event(post), event_id)

    def open_home(self, user: str) -> Reply:
        """A person opens the app's Home tab; what is published then is in ``team.homes``."""
        visitor = self.team.user(user)
        if visitor is None or not self.team.home_tab:
            raise CommsError(_("{user} sees no Home tab.", user=user), _("Look at the app's manifest."))
        return self._tell(slack_clicks.home_event(visitor), "")

    def wait_for(self, method: str, after: int, seconds: float = 2.0) -> bool:
        """Whether a method was called after the first so many calls, within so many seconds."""
        until = time.monotonic() + seconds
        while method not in self.calls[after:]:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def _tell(self, event: Mapping[str, Any], event_id: str) -> Reply:
        with self._lock:
            event_id = event_id or f"Ev{next(self._events):08d}"
        payload = slack_clicks.event_callback(event, event_id, self.team.stamp())
        return slack_clicks.send_event(self.request_url, self.signing_secret, payload)

    def response_url(self, card: Post) -> str:
        """As a press on this card carries one: five uses within thirty minutes."""
        with self._lock:
            name = f"R{len(self._responses) + 1:08d}"
            self._responses[name] = _ResponseUrl(card, self._clock() + RESPONSE_SECONDS)
        return f"{self.url}/response/{name}"

    def _pressed(self, card: Post, button: Mapping[str, Any]) -> Reply:
        payload = slack_clicks.block_actions(
            card,
            button,
            trigger_id=self.team.trigger(card.user),
            response_url=self.response_url(card),
            at=self.team.stamp(),
        )
        return slack_clicks.send(self.request_url, self.signing_secret, payload)

    async def _api(self, request: Request) -> Response:
        method = str(request.path_params["method"])
        arguments = await _arguments(request)
        with self._lock:
            self.calls.append(method)
            fault = self._faults[method].popleft() if self._faults[method] else None
        if fault is not None:
            return fault
        bearer = request.headers.get("authorization", "").removeprefix("Bearer").strip()
        token = bearer or str(arguments.get("token", ""))
        if token != self.bot_token:
            return self._told({"ok": False, "error": "invalid_auth" if token else "not_authed"})
        if wait := self._limits.wait(method, str(arguments.get("channel", ""))):
            self.turned_away.append(method)
            return _ratelimited(wait)
        try:
            return self._told({"ok": True, **answer(self.team, method, arguments)})
        except RefusedError as refused:
            return self._told({"ok": False, "error": str(refused), **refused.more})

    def _told(self, body: dict[str, Any]) -> Response:
        return JSONResponse(body, headers={"x-oauth-scopes": ",".join(sorted(self.team.scopes))})

    async def _respond(self, request: Request) -> Response:
        # It changes the card that was clicked, or adds a line that only this person sees.
        said = await _arguments(request)
        with self._lock:
            self.calls.append("response_url")
            fault = self._faults["response_url"].popleft() if self._faults["response_url"] else None
            found = self._responses.get(str(request.path_params["name"]))
            trouble = found.use(self._clock()) if found else "used_url"
        if fault is not None:
            return fault
        if found is None or trouble:
            return JSONResponse({"ok": False, "error": trouble}, 404)
        card, text, blocks = found.card, str(said.get("text") or ""), list(said.get("blocks") or [])
        if said.get("replace_original"):
            self.team.update(card, text, blocks)
            card.metadata = dict(said.get("metadata") or card.metadata)
        else:
            self.team.post(card.user, text, blocks, {}).only_visible_to = card.user.id
        return JSONResponse({"ok": True})


def _ratelimited(retry_after: int) -> Response:
    return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(retry_after)})


async def _arguments(request: Request) -> dict[str, Any]:
    # In a form, lists and objects are JSON in a field.
    arguments: dict[str, Any] = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        given = _decoded((await request.body()).decode("utf-8", "replace"))
        return {**arguments, **given} if isinstance(given, dict) else arguments
    form: FormData = await request.form()
    for name, value in form.items():
        coded = name in ("blocks", "metadata", "view") and isinstance(value, str)
        arguments[name] = _decoded(str(value)) if coded else value
    return arguments


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
