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
        # Without its Messages tab an app can send no direct message. What people type there would reach no one, so it
        # is for reading; they answer by the buttons. There is no home page of the app.
        "app_home": {"home_tab_enabled": False, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True},
        "bot_user": {"display_name": "Change messages", "always_online": False},
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "im:write", "users:read", "users:read.email", "im:history"]}},
    "settings": {
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
    home = manifest.get("features", {}).get("app_home", {})
    return bool(home.get("messages_tab_enabled", False))
