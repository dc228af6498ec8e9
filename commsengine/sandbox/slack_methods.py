"""The methods of Slack's Web API that commsengine uses, answered from a team in memory as Slack would answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from commsengine.sandbox.slack_team import BOT_ID, BOT_USER, ENTERPRISE_ID, TEAM_ID, Post, SlackTeam, SlackUser

Arguments = Mapping[str, Any]
_MOST_BLOCKS, _MOST_IN_VIEWS, _MOST_ELEMENTS, _LONGEST_TEXT = (
    50,
    100,
    25,
    {"section": 3000, "header": 150, "context": 3000},
)


class RefusedError(Exception):
    """The answer is ``ok: false`` with this error."""


def answer(team: SlackTeam, method: str, arguments: Arguments) -> dict[str, Any]:
    """Raises ``RefusedError``."""
    if method not in _METHODS:
        raise RefusedError("unknown_method")
    return _METHODS[method](team, arguments)


def _auth_test(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:  # noqa: ARG001 - all methods look alike
    return {
        "url": "https://sandbox.slack.com/",
        "team": "Sandbox",
        "team_id": TEAM_ID,
        "user": "commsengine",
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def _lookup_by_email(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    return {"user": _told(_user(team, arguments, "email", "users_not_found"))}


def _users_info(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    return {"user": _told(_user(team, arguments, "user"))}


def _conversations_open(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    user = _user(team, arguments, "users")
    team.opened.add(user.dm)
    return {"channel": {"id": user.dm}}


def _post_message(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    user = _user_of_channel(team, arguments)
    if not team.messages_tab:
        raise RefusedError("messages_tab_disabled")
    text, blocks = _content(arguments)
    thread, broadcast = str(arguments.get("thread_ts") or ""), _flag(arguments, "reply_broadcast")
    if thread and not re.fullmatch(r"\d{1,12}\.\d{6}", thread):
        raise RefusedError("invalid_thread_ts")
    post = team.post(user, text, blocks, _metadata(arguments), thread, broadcast=broadcast)
    return {"channel": post.conversation, "ts": post.ts, "message": post.as_slack_tells()}


def _update(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    post = team.find(str(arguments.get("channel", "")), str(arguments.get("ts", "")))
    if post is None:
        raise RefusedError("message_not_found")
    text, blocks = _content(arguments)
    team.update(post, text, blocks)
    if arguments.get("metadata") is not None:
        post.metadata = _metadata(arguments)
    return {"channel": post.conversation, "ts": post.ts, "text": post.text, "message": post.as_slack_tells()}


def _views_open(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    user = team.triggers.pop(str(arguments.get("trigger_id", "")), None)
    if user is None:
        raise RefusedError("expired_trigger_id")
    view = arguments.get("view")
    if not isinstance(view, dict) or view.get("type") != "modal" or "title" not in view:
        raise RefusedError("invalid_arguments")
    if not _sound(_list(view, "blocks")):
        raise RefusedError("invalid_arguments")
    dialog = team.open_dialog(user, view)
    return {"view": {**view, "id": dialog.id, "team_id": TEAM_ID}}


def _views_publish(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    user, view = _user(team, arguments, "user_id"), arguments.get("view")
    if not team.home_tab:
        raise RefusedError("not_enabled")
    if not isinstance(view, dict) or view.get("type") != "home" or not _sound(_list(view, "blocks"), _MOST_IN_VIEWS):
        raise RefusedError("invalid_arguments")
    team.homes[user.id] = view
    return {"view": {**view, "team_id": TEAM_ID}}


def _history(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    # The newest first; oldest and latest are outside unless inclusive; a cursor goes on after its page.
    user = _user_of_channel(team, arguments)
    limit = _limit(arguments.get("limit"))
    oldest, latest = _stamp(arguments, "oldest"), _stamp(arguments, "latest")
    inclusive, with_metadata = _flag(arguments, "inclusive"), _flag(arguments, "include_all_metadata")
    turned, cursor = False, str(arguments.get("cursor") or "")
    page: list[Post] = []
    for post in reversed(team.dm_of(user.id)):
        at = Decimal(post.ts)
        after = oldest is None or at > oldest or (inclusive and at == oldest)
        before = latest is None or at < latest or (inclusive and at == latest)
        seen = not post.only_visible_to and (not post.thread or post.broadcast)
        if after and before and seen and (turned or not cursor):
            page.append(post)
        turned = turned or post.ts == cursor
    if cursor and not turned:
        raise RefusedError("invalid_cursor")
    more = len(page) > limit
    return {
        "messages": [post.as_slack_tells(metadata=with_metadata) for post in page[:limit]],
        "has_more": more,
        "response_metadata": {"next_cursor": page[limit - 1].ts if more else ""},
    }


def _user(team: SlackTeam, arguments: Arguments, name: str, unknown: str = "user_not_found") -> SlackUser:
    user = team.user(str(arguments.get(name, "")))
    if user is None:
        raise RefusedError(unknown)
    return user


def _user_of_channel(team: SlackTeam, arguments: Arguments) -> SlackUser:
    user = team.user_of(str(arguments.get("channel", "")))
    if user is None:
        raise RefusedError("channel_not_found")
    return user


def _limit(given: Any) -> int:
    wanted = str(given or 100)
    if not wanted.isdecimal() or not 0 < int(wanted) < 1000:
        raise RefusedError("invalid_limit")
    return int(wanted)


def _stamp(arguments: Arguments, name: str) -> Decimal | None:
    given = str(arguments.get(name) or "")
    if given and not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", given):
        raise RefusedError(f"invalid_ts_{name}")
    return Decimal(given) if given else None


def _flag(arguments: Arguments, name: str) -> bool:
    return str(arguments.get(name, "")).lower() in ("1", "true")


_METHODS: dict[str, Callable[[SlackTeam, Arguments], dict[str, Any]]] = {
    "auth.test": _auth_test,
    "users.lookupByEmail": _lookup_by_email,
    "users.info": _users_info,
    "conversations.open": _conversations_open,
    "conversations.history": _history,
    "chat.postMessage": _post_message,
    "chat.update": _update,
    "views.open": _views_open,
    "views.publish": _views_publish,
}


def _told(user: SlackUser) -> dict[str, Any]:
    profile = {"email": user.email, "real_name": user.name, "display_name": user.name}
    body = {
        "id": user.id,
        "team_id": TEAM_ID,
        "name": user.email.partition("@")[0],
        "real_name": user.name,
        "deleted": False,
        "is_bot": False,
        "profile": profile,
    }
    whole = {"id": user.grid, "enterprise_id": ENTERPRISE_ID, "enterprise_name": "Sandbox", "teams": [TEAM_ID]}
    return {**body, "enterprise_user": whole} if user.grid else body


def _content(arguments: Arguments) -> tuple[str, list[dict[str, Any]]]:
    text, blocks = str(arguments.get("text") or ""), _list(arguments, "blocks")
    if not text and not blocks:
        raise RefusedError("no_text")
    if len(text) > 40_000:
        raise RefusedError("msg_too_long")
    if not _sound(blocks):
        raise RefusedError("invalid_blocks")
    return text, blocks


def _list(arguments: Arguments, name: str) -> list[dict[str, Any]]:
    value = arguments.get(name) or []
    if not isinstance(value, list) or not all(isinstance(block, dict) for block in value):
        raise RefusedError("invalid_blocks_format")
    return value


def _metadata(arguments: Arguments) -> dict[str, Any]:
    value = arguments.get("metadata") or {}
    if not isinstance(value, dict):
        raise RefusedError("invalid_metadata_format")
    if value and not (value.get("event_type") and isinstance(value.get("event_payload"), dict)):
        raise RefusedError("invalid_metadata_format")
    return value


def _sound(blocks: list[dict[str, Any]], most: int = _MOST_BLOCKS) -> bool:
    # Slack's own limits, the ones a campaign can run into.
    ids = [block["block_id"] for block in blocks if block.get("block_id")]
    return len(blocks) <= most and len(ids) == len(set(ids)) and all(_sound_block(block) for block in blocks)


def _sound_block(block: Mapping[str, Any]) -> bool:
    kind = str(block.get("type", ""))
    texts = [block.get("text"), *(block.get("fields") or [])] if kind != "context" else block.get("elements") or []
    lengths = [len(str(text.get("text", ""))) for text in texts if isinstance(text, dict) and "text" in text]
    elements = block.get("elements") or []
    longest = _LONGEST_TEXT.get(kind, 3000)
    if (kind in ("section", "header") and not any(lengths)) or not all(0 < n <= longest for n in lengths):
        return False
    if kind == "actions":
        return 0 < len(elements) <= _MOST_ELEMENTS and all(_sound_button(element) for element in elements)
    return bool(kind) and len(elements) <= 10


def _sound_button(element: Mapping[str, Any]) -> bool:
    text = element.get("text") or {}
    return element.get("type") != "button" or (
        0 < len(str(text.get("text", ""))) <= 75
        and text.get("type") == "plain_text"
        and len(str(element.get("value", ""))) <= 2000
        and len(str(element.get("url", ""))) <= 3000
        and len(str(element.get("action_id", ""))) <= 255
    )
