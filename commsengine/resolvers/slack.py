"""Asks Slack whether an uncertain card is in the person's conversation with the bot, by the key in its metadata.

The span that is read begins with the send and has no end: a post that Slack was slow about is found too. An absence is
believed only if the whole span was shown, and every card of the bot in it with its metadata.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from commsengine.channels import slack
from commsengine.channels.channel import DeliveryError
from commsengine.channels.slack import API_URL, EVENT_TYPE, IdCache
from commsengine.resolvers.resolver import Sending, Sighting

LOOK_BACK = dt.timedelta(days=1)
"""Slack stamps a post by its own clock, and ours may have been ahead: the few cards of a day cost nothing."""

_PAGE, _MOST_PAGES = 200, 50

log = structlog.get_logger(__name__)


class SlackHistory:
    """Needs the scope ``im:history``. ``timeout`` and ``settle`` are in seconds."""

    name = "slack-history"

    def __init__(
        self, token: str, ids: IdCache, *, api_url: str = API_URL, timeout: float = 30.0, settle: float = 5.0
    ) -> None:
        self._ids, self.settle = ids, settle
        self._client = slack.web_client(token, api_url, timeout)

    def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
        known: dict[str, Sighting] = {}
        for theirs in _by_person(sendings):
            try:
                known |= self._looked(theirs)
            except DeliveryError as error:
                if error.unreachable:  # of this person only
                    continue
                log.warning("slack history unreadable", error=error.reply)
                break
        return known

    def close(self) -> None:
        """Nothing stays open between two requests."""

    def _looked(self, theirs: Sequence[Sending]) -> dict[str, Sighting]:
        oldest = min(sending.since for sending in theirs) - LOOK_BACK
        conversation, cards, sure = self._cards(theirs[0], f"{oldest.timestamp():.6f}")
        if not conversation:
            return {}
        shown = "Slack shows it in the conversation"
        absent = f"Slack shows nothing with its key in the conversation since {oldest:%Y-%m-%d %H:%M:%S} UTC"
        known = {}
        for key in (sending.key for sending in theirs):
            if key in cards:
                known[key] = Sighting(True, shown, f"{conversation}:{cards[key]}")
            elif sure:
                known[key] = Sighting(False, absent)
        return known

    def _cards(self, person: Sending, oldest: str) -> tuple[str, dict[str, str], bool]:
        """The conversation, the ts of each card in it by key, and whether these are all."""
        user, remembered = self._remembered(person)
        if remembered:
            try:
                return remembered, *self._history(remembered, oldest)
            except DeliveryError as error:
                if not error.unreachable:
                    raise
        if not user:  # without a known id nothing can have been posted
            return "", {}, False
        opened = self._call("conversations.open", users=user).get("channel")
        conversation = str(opened.get("id", "")) if isinstance(opened, dict) else ""
        return (conversation, *self._history(conversation, oldest)) if conversation else ("", {}, False)

    def _remembered(self, person: Sending) -> tuple[str, str]:
        # As the channel chose them when it posted.
        cached_user, cached_dm = self._ids.get(person.to_email.lower()) or ("", "")
        user = person.slack_id or cached_user
        return user, cached_dm if user == cached_user else ""

    def _history(self, conversation: str, oldest: str) -> tuple[dict[str, str], bool]:
        cards: dict[str, str] = {}
        sure, cursor = True, ""
        for _ in range(_MOST_PAGES):
            where = {"channel": conversation, "oldest": oldest, **({"cursor": cursor} if cursor else {})}
            page = self._call("conversations.history", **where, inclusive=True, include_all_metadata=True, limit=_PAGE)
            messages = page.get("messages")
            sure = sure and isinstance(messages, list) and not page.get("is_limited")
            for message in messages if isinstance(messages, list) else ():
                key = _key(message)
                sure = sure and (key is not None or _is_a_persons(message))
                if key:
                    cards[key] = str(message.get("ts", ""))
            cursor = _next(page)
            if not cursor:
                return cards, sure and not page.get("has_more")
        return cards, False

    def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        try:
            answer = getattr(self._client, method.replace(".", "_"))(**arguments).data
        except SlackApiError as refused:
            raise slack.refused(refused, marked=False) from None
        except Exception as broken:  # the SDK has no closed list of what it raises on answers that are not Slack's
            raise slack.broken(broken, marked=False) from None
        return answer if isinstance(answer, dict) else {}


def _by_person(sendings: Sequence[Sending]) -> Iterator[list[Sending]]:
    people: dict[tuple[str, str], list[Sending]] = defaultdict(list)
    for sending in sendings:
        people[sending.to_email.lower(), sending.slack_id].append(sending)
    yield from people.values()


def _key(message: Any) -> str | None:
    """The key a card bears; empty if its metadata are another app's; ``None`` if it shows none."""
    metadata = message.get("metadata") if isinstance(message, dict) else None
    if not isinstance(metadata, dict):
        return None
    payload = metadata.get("event_payload")
    ours = metadata.get("event_type") == EVENT_TYPE and isinstance(payload, dict)
    return str(payload.get("key", "")) if ours and isinstance(payload, dict) else ""


def _is_a_persons(message: Any) -> bool:
    return isinstance(message, dict) and not message.get("bot_id")


def _next(page: Mapping[str, Any]) -> str:
    metadata = page.get("response_metadata")
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) and page.get("has_more") else ""
