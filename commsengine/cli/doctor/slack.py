"""Whether Slack takes messages from us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from commsengine.cli.doctor.finding import TIMEOUT, Finding, note, ok, problem
from commsengine.translation import _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring

HISTORY = "im:history"


def slack(wiring: Wiring) -> Iterator[Finding]:
    settings = wiring.settings
    if not settings.slack_token:
        yield note(_("Not set up: nothing is sent to Slack."))
        return
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

    client = WebClient(settings.slack_token, base_url=settings.slack_api_url, timeout=int(TIMEOUT), retry_handlers=[])
    try:
        answer = client.auth_test()
    except (SlackApiError, OSError) as error:
        why = error.response.get("error") if isinstance(error, SlackApiError) else error
        yield problem(_("Slack does not accept us: {why}.", why=why), _("Copy the bot token again (xoxb-…)."))
        return
    team, user = answer.get("team", _("the workspace")), answer.get("user", _("the app"))
    look = _("Whether its Messages Tab is on shows with: commsengine send-test PLAN --to EMAIL --channel slack")
    yield ok(_("Connected to {team} as {user}.", team=team, user=user), look)
    yield from _scopes(str(answer.headers.get("x-oauth-scopes", "")))
    if not (settings.slack_app_token or settings.slack_signing_secret):
        fix = _("Set COMMSENGINE_SLACK_APP_TOKEN (Socket Mode) or COMMSENGINE_SLACK_SIGNING_SECRET (HTTP).")
        yield note(_("Buttons do not work yet; the links in the messages do."), fix)


def _scopes(granted: str) -> Iterator[Finding]:
    if not granted:
        return
    from commsengine.channels.slack_manifest import MANIFEST, scopes_of

    scopes = {scope.strip() for scope in granted.split(",")}
    if missing := sorted({*scopes_of(MANIFEST)} - scopes - {HISTORY}):
        text = _("Scopes are missing: {scopes}.", scopes=", ".join(missing))
        yield problem(text, _("Use slack-manifest.json of init."))
    if HISTORY not in scopes:
        text = _("Without the scope {scope} nobody can say whether an uncertain message arrived.", scope=HISTORY)
        yield note(text, _("Add it to the app and install it again."))
