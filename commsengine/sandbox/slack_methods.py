"""The methods of Slack's Web API that commsengine uses, answered from a team in memory as Slack would answer."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from commsengine.sandbox.slack_team import BOT_ID, BOT_USER, ENTERPRISE_ID, TEAM_ID, Post, SlackTeam, SlackUser

Arguments = Mapping[str, Any]
_LARGE_TEAM = 1000
_MOST_BLOCKS, _MOST_IN_VIEWS, _MOST_ELEMENTS = 50, 100, 25
_LONGEST_TEXT = {"section": 3000, "header": 150, "context": 3000}


class RefusedError(Exception):
    """The answer is ``ok: false`` with this error, and what Slack adds to it."""

    def __init__(self, error: str, **more: str) -> None:
        super().__init__(error)
        self.more = more


def answer(team: SlackTeam, method: str, arguments: Arguments) -> dict[str, Any]:
    """Raises ``RefusedError``."""
    if method not in _METHODS:
        raise RefusedError("unknown_method")
    needed = _SCOPES.get(method, "")
    if needed and needed not in team.scopes:
        raise RefusedError("missing_scope", needed=needed, provided=",".join(sorted(team.scopes)))
    return _METHODS[method](team, arguments)


def _auth_test(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:  # noqa: ARG001 - all methods look alike
    body = {"url": "https://sandbox.slack.com/", "user": "commsengine", "user_id": BOT_USER, "bot_id": BOT_ID}
    if team.org:
        whole = {"team": "Sandbox", "team_id": ENTERPRISE_ID, "enterprise_id": ENTERPRISE_ID}
        return {**body, **whole, "is_enterprise_install": True}
    return {**body, "team": "Sandbox", "team_id": TEAM_ID, "is_enterprise_install": False}


def _teams_list(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    page, after = _page([(name, key) for key, name in team.teams.items()], arguments, "team")
    return {"teams": [{"id": key, "name": name} for name, key in page], "response_metadata": {"next_cursor": after}}


def _users_list(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    # Everybody who ever was there, deactivated people and bots too.
    asked = str(arguments.get("team_id") or "")
    if team.org and not asked:
        raise RefusedError("missing_argument")
    if team.org and asked not in team.teams:
        raise RefusedError("team_access_not_granted")
    users = [user for user in team.users if not team.org or user.team == asked]
    ours = [{"id": BOT_USER, "is_bot": True, "deleted": False, "profile": {"real_name": "commsengine"}}]
    members = [*ours, *(_told(user, with_email="users:read.email" in team.scopes) for user in users)]
    if not arguments.get("limit") and len(members) > _LARGE_TEAM:
        raise RefusedError("limit_required")
    page, after = _page([(str(member["id"]), member) for member in members], arguments, "user")
    return {"members": [member for _, member in page], "response_metadata": {"next_cursor": after}}


def _page(entries: list[tuple[str, Any]], arguments: Arguments, of: str) -> tuple[list[tuple[str, Any]], str]:
    """Of named entries those that a cursor and a limit ask for, and the cursor that leads on."""
    given, cursor, start = str(arguments.get("limit") or ""), str(arguments.get("cursor") or ""), 0
    if given and not (given.isdecimal() and 0 < int(given) <= 1000):
        raise RefusedError("invalid_limit")
    if cursor:
        named = {_cursor(of, name): place for place, (name, _) in enumerate(entries)}
        if cursor not in named:
            raise RefusedError("invalid_cursor")
        start = named[cursor]
    end = start + int(given or len(entries))
    return entries[start:end], _cursor(of, entries[end][0]) if end < len(entries) else ""


def _cursor(of: str, name: str) -> str:
    return base64.b64encode(f"{of}:{name}".encode()).decode()


def _lookup_by_email(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    user = _user(team, arguments, "email", "users_not_found")
    if user.deleted:
        raise RefusedError("users_not_found")
    return {"user": _told(user)}


def _users_info(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    return {"user": _told(_user(team, arguments, "user"), with_email="users:read.email" in team.scopes)}


def _conversations_open(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    user = _user(team, arguments, "users")
    if user.bot or user.deleted:
        raise RefusedError("cannot_dm_bot" if user.bot else "user_disabled")
    team.opened.add(user.dm)
    return {"channel": {"id": user.dm}}


def _post_message(team: SlackTeam, arguments: Arguments) -> dict[str, Any]:
    # To a user id it opens the conversation. What Slack says of deactivated users is not documented: this is a guess.
    user = _user_of_channel(team, arguments)
    if user.bot or user.deleted:
        raise RefusedError("cannot_dm_bot" if user.bot else "channel_not_found")
    if not team.messages_tab:
        raise RefusedError("messages_tab_disabled")
    team.opened.add(user.dm)
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
    "auth.teams.list": _teams_list,
    "users.list": _users_list,
    "users.lookupByEmail": _lookup_by_email,
    "users.info": _users_info,
    "conversations.open": _conversations_open,
    "conversations.history": _history,
    "chat.postMessage": _post_message,
    "chat.update": _update,
    "views.open": _views_open,
    "views.publish": _views_publish,
}


_SCOPES = {
    "users.list": "users:read",
    "users.info": "users:read",
    "users.lookupByEmail": "users:read.email",
    "conversations.open": "im:write",
    "conversations.history": "im:history",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
}
"""What each method needs of the app's scopes."""


def _told(user: SlackUser, *, with_email: bool = True) -> dict[str, Any]:
    profile = {"real_name": user.name, "display_name": user.name, **({"email": user.email} if with_email else {})}
    body = {
        "id": user.id,
        "team_id": user.team,
        "name": user.email.partition("@")[0],
        "real_name": user.name,
        "deleted": user.deleted,
        "is_bot": user.bot,
        "is_restricted": bool(user.guest),
        "is_ultra_restricted": user.guest == "single",
        "profile": profile,
    }
    whole = {"id": user.grid, "enterprise_id": ENTERPRISE_ID, "enterprise_name": "Sandbox", "teams": [user.team]}
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
