"""What the Slack app is: its features and scopes, as Slack reads them from an app manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MANIFEST: Mapping[str, Any] = {
    "display_information": {
        "name": "Change messages",
        "description": "Short messages about what changes for you, and a way to answer them",
    },
    "features": {
        # Without its Messages tab an app can send no direct message; what people type there becomes a question.
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "bot_user": {"display_name": "Change messages", "always_online": False},
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "im:write", "users:read", "users:read.email", "im:history"]}},
    "settings": {
        # message.im needs im:history, and views.publish no scope. A request_url belongs here where Slack reaches the
        # app over HTTP; Socket Mode has none.
        "event_subscriptions": {"bot_events": ["message.im", "app_home_opened"]},
        "interactivity": {"is_enabled": True},
        "org_deploy_enabled": False,
        "socket_mode_enabled": True,
        "token_rotation_enabled": False,
    },
}


def scopes_of(manifest: Mapping[str, Any]) -> list[str]:
    return list(manifest["oauth_config"]["scopes"]["bot"])


def takes_messages(manifest: Mapping[str, Any]) -> bool:
    # Slack's default is no.
    return bool(_app_home(manifest).get("messages_tab_enabled", False))


def has_home(manifest: Mapping[str, Any]) -> bool:
    """Whether the Home tab is on, and the app hears that somebody opens it."""
    return bool(_app_home(manifest).get("home_tab_enabled", False)) and "app_home_opened" in _events(manifest)


def hears_words(manifest: Mapping[str, Any]) -> bool:
    """Whether people can type to the app, and it hears of it."""
    writable = takes_messages(manifest) and not _app_home(manifest).get("messages_tab_read_only_enabled", True)
    return writable and "message.im" in _events(manifest) and "im:history" in scopes_of(manifest)


def _app_home(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = manifest.get("features", {}).get("app_home", {})
    return found


def _events(manifest: Mapping[str, Any]) -> list[str]:
    return list(manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", ()))
