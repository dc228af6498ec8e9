"""Presses on a review copy: an app of its own answers them, over a database in memory, and nothing is recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient

from commsengine.answers.review_copies import InMemory, ReviewCopies
from commsengine.slack_app.accounts import quietly


class CopyPresses:
    """``make`` puts a Slack app over the parts of a copy."""

    def __init__(self, copies: ReviewCopies, make: Callable[[InMemory], App]) -> None:
        self._copies, self._make = copies, make
        self._made: WeakKeyDictionary[InMemory, App] = WeakKeyDictionary()

    def take(self, body: dict[str, Any], next: Callable[[], BoltResponse]) -> BoltResponse:
        key = _key_of(body)
        parts = self._copies.open(key) if key else None
        if parts is None:
            return next()
        if parts not in self._made:
            self._made[parts] = self._make(parts)
        return self._made[parts].dispatch(BoltRequest(body=body, mode="socket_mode"))

    def below(self, event: Mapping[str, Any]) -> bool:
        """Whether somebody typed this below a copy."""
        thread, typed = event.get("thread_ts"), not event.get("bot_id") and not event.get("subtype")
        return bool(thread and typed) and self._copies.is_copy(f"{event.get('channel')}:{thread}")


def say_below(client: WebClient, event: Mapping[str, Any], text: str) -> None:
    quietly(client, "chat_postMessage", channel=event["channel"], thread_ts=event["thread_ts"], text=text)


def _key_of(body: Mapping[str, Any]) -> str:
    """Of the message with the button, or of the form that it opened; empty for everything else."""
    if actions := body.get("actions"):
        return str(actions[0].get("value", ""))
    try:
        given = json.loads((body.get("view") or {}).get("private_metadata") or "{}")
    except ValueError:
        return ""
    return str(given.get("key", "")) if isinstance(given, dict) else ""
