"""What Slack sends to an app when somebody clicks or types: signed requests, over HTTP, to the app's request URL."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.signature import SignatureVerifier

from commsengine.sandbox.slack_team import APP_ID, BOT_ID, BOT_USER, ENTERPRISE_ID, TEAM_ID, Dialog, Post, SlackUser

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy


@dataclass(frozen=True, slots=True)
class Reply:
    """What the app answered. Status 0: it could not be reached."""

    status: int
    body: str

    @property
    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def signed_headers(secret: str, body: str, clock: Callable[[], float] = time.time) -> dict[str, str]:
    stamp = str(int(clock()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body) or ""
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}


RETRIES = 3
"""So often Slack sends an event again: at once, after a minute, after five."""


def send(url: str, secret: str, payload: Mapping[str, Any], *, timeout: float = 10.0) -> Reply:
    # Slack sends an interaction once and never repeats it.
    body = urllib.parse.urlencode({"payload": json.dumps(payload)})
    return _sent(url, secret, body, {"Content-Type": "application/x-www-form-urlencoded"}, timeout)


def send_event(url: str, secret: str, payload: Mapping[str, Any], *, timeout: float = 3.0) -> Reply:
    """Until it is answered with a 200, though never more than ``RETRIES`` times again; here all of them at once."""
    body, kind = json.dumps(payload), {"Content-Type": "application/json"}
    reply = _sent(url, secret, body, kind, timeout)
    for number in range(1, RETRIES + 1):
        if reply.status == 200:
            break
        why = "http_timeout" if reply.status == 0 else "http_error"
        reply = _sent(
            url, secret, body, {**kind, "X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": why}, timeout
        )
    return reply


def _sent(url: str, secret: str, body: str, headers: Mapping[str, str], timeout: float) -> Reply:
    headers = {**headers, **signed_headers(secret, body)}
    request = urllib.request.Request(url, body.encode(), headers, method="POST")  # noqa: S310 - the URL is the caller's own
    try:
        with _direct.open(request, timeout=timeout) as response:
            return Reply(response.status, response.read().decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read().decode("utf-8", "replace"))
    except OSError as error:
        return Reply(0, str(error))


def button_of(post: Post, action_id: str, value: str | None = None) -> dict[str, Any] | None:
    elements = [one for block in post.blocks for one in (*block.get("elements", ()), block.get("accessory") or {})]
    return next(
        (one for one in elements if one.get("action_id") == action_id and value in (None, one.get("value", ""))), None
    )


def block_actions(
    post: Post, button: Mapping[str, Any], *, trigger_id: str, response_url: str, at: str
) -> dict[str, Any]:
    block_id = next((b.get("block_id", "") for b in post.blocks if button in b.get("elements", ())), "")
    action = {key: button[key] for key in ("action_id", "text", "value", "style", "url") if key in button}
    return {
        "type": "block_actions",
        **_whose(post.user),
        "container": {"type": "message", "message_ts": post.ts, "channel_id": post.conversation, "is_ephemeral": False},
        "trigger_id": trigger_id,
        "channel": {"id": post.conversation, "name": "directmessage"},
        "message": post.as_slack_tells(),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [{"type": "button", "block_id": block_id or "b1", "action_ts": at, **action}],
    }


def view_submission(dialog: Dialog, values: Mapping[str, Any], *, trigger_id: str) -> dict[str, Any]:
    """``values`` are named by block id or by action id."""
    return {
        "type": "view_submission",
        **_whose(dialog.user),
        "trigger_id": trigger_id,
        "view": {
            **dialog.view,
            "id": dialog.id,
            "team_id": TEAM_ID,
            "app_id": APP_ID,
            "bot_id": BOT_ID,
            "hash": dialog.id,
            "private_metadata": dialog.view.get("private_metadata", ""),
            "callback_id": dialog.view.get("callback_id", ""),
            "state": {"values": _state(dialog.view, values)},
        },
        "response_urls": [],
    }


def event_callback(event: Mapping[str, Any], event_id: str, at: str) -> dict[str, Any]:
    return {
        "type": "event_callback",
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": {**event, "event_ts": at},
        "event_id": event_id,
        "event_time": int(float(at)),
        "token": "",
        "authorizations": [{"team_id": TEAM_ID, "user_id": BOT_USER, "is_bot": True, "is_enterprise_install": False}],
    }


def message_event(post: Post) -> dict[str, Any]:
    return {**post.as_slack_tells(), "channel": post.conversation, "channel_type": "im"}


def home_event(user: SlackUser) -> dict[str, Any]:
    return {"type": "app_home_opened", "user": user.grid or user.id, "channel": user.dm, "tab": "home"}


def _whose(user: SlackUser) -> dict[str, Any]:
    name = user.email.partition("@")[0]
    team = {"id": TEAM_ID, "domain": "sandbox"}
    whole = {"id": ENTERPRISE_ID, "name": "Sandbox"} if user.grid else None
    return {
        "user": {"id": user.grid or user.id, "username": name, "name": name, "team_id": TEAM_ID},
        "team": {**team, "enterprise_id": ENTERPRISE_ID, "enterprise_name": "Sandbox"} if whole else team,
        "api_app_id": APP_ID,
        "token": "",
        "enterprise": whole,
        "is_enterprise_install": False,
    }


def _state(view: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for block in view.get("blocks", ()):
        element = block.get("element") or {}
        if block.get("type") == "input" and element:
            given = values.get(block.get("block_id", ""), values.get(element.get("action_id", "")))
            state.setdefault(block.get("block_id", ""), {})[element.get("action_id", "")] = _filled(element, given)
    return state


def _filled(element: Mapping[str, Any], given: Any) -> dict[str, Any]:
    kind, wanted = str(element.get("type", "")), list(given) if isinstance(given, list | tuple) else [given]
    options = [one for one in element.get("options", ()) if given is not None and one.get("value") in wanted]
    if kind in ("checkboxes", "multi_static_select"):
        return {"type": kind, "selected_options": options}
    if kind in ("static_select", "radio_buttons"):
        return {"type": kind, "selected_option": options[0] if options else None}
    if kind == "datepicker":
        return {"type": kind, "selected_date": given or None}
    return {"type": kind, "value": given or None}
