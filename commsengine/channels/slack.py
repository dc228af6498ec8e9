"""Slack direct messages: find the person, open the conversation, mark, post once.

One attempt
1. The user id: the person's own ``slack_id``, else the cache, else ``users.lookupByEmail``.
2. The conversation: the cache, else ``conversations.open``. What the cache says and Slack refuses is asked anew: ids
   change when a person is invited again or the bot moves to another workspace.
3. ``mark``, then one ``chat.postMessage``. Slack knows no idempotency key, and the SDK's own retry posts twice, so it
   is switched off; a break after the mark is ``uncertain`` and can be looked up by the key in the metadata.

When Slack does not work as it should, the message that met it is tried later; after a few of these in a row on one
method the whole channel is down, so that an outage of an hour does not leave a thousand touches uncertain.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from commsengine.channels import slack_errors
from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, DeliveryError, Mark, Outcome
from commsengine.content.message import Message

EVENT_TYPE = "commsengine_touch"
TROUBLES_IN_A_ROW = 3
"""So often may one method fail by Slack's fault until nobody is served; each sender thread counts for itself."""

AFTER_TROUBLE = 1.0  # seconds, until what failed before the post is tried again

_NAMED = {"users.lookupByEmail": "user", "conversations.open": "channel"}

_quiet = logging.getLogger("commsengine.slack_sdk")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # the SDK logs whole requests: texts, addresses and tokens
_quiet.setLevel(logging.CRITICAL)


class IdCache(Protocol):
    """Remembers Slack's ids by e-mail address (lower case), so that each is asked for once in a lifetime."""

    def get(self, email: str) -> tuple[str, str] | None:
        """The user id and the id of the conversation with them; either may be empty."""

    def put(self, email: str, user_id: str, dm_id: str, grid_id: str = "") -> None:
        """Remember them; an empty id forgets it, but for the ``grid_id`` of a user who stays the same."""

    def grid_id(self, email: str, user_id: str) -> str:
        """The same user's id in a whole Enterprise Grid, by which presses come there; empty if it is not known."""


class SlackChannel:
    """Posts as one bot. ``timeout`` is in seconds, for each request."""

    name = "slack"

    def __init__(
        self, token: str, ids: IdCache, *, api_url: str = "https://slack.com/api/", timeout: float = 30.0
    ) -> None:
        self._ids = ids
        self._troubles: Counter[str] = Counter()
        self._client = WebClient(
            token, base_url=api_url, timeout=timeout, retry_handlers=[], logger=_quiet  # type: ignore[arg-type]
        )  # fmt: skip

    def deliver(self, messages: Sequence[Message], mark: Mark) -> Iterator[Outcome]:
        stopped: dict[str, DeliveryError] = {}
        for message in messages:
            try:
                outcome = self._attempt(message, mark, stopped)
            except DeliveryError as error:
                outcome = error.outcome(message.key)
            yield outcome

    def update_card(self, channel: str, ts: str, text: str, blocks: Sequence[Mapping[str, Any]]) -> None:
        """Replace a card that was sent (``remote_id`` is ``channel:ts``). Raises ``DeliveryError``; safe to repeat."""
        self._call("chat.update", {}, channel=channel, ts=ts, text=harmless(text), blocks=list(blocks))

    def close(self) -> None:
        """Nothing stays open between two requests."""

    def _attempt(self, message: Message, mark: Mark, stopped: dict[str, DeliveryError]) -> Outcome:
        if error := stopped.get("chat.postMessage") or stopped.get("*"):
            raise error
        user, conversation, known = self._whereabouts(message, stopped)
        if message.key not in set(mark([message.key])):
            return Outcome(message.key, RELEASED, "connect", begun=False)
        try:
            posted = self._call("chat.postMessage", stopped, marked=True, **_card(message, conversation))
        except DeliveryError as error:
            if known and error.unreachable:  # what we remembered is no more: open it anew
                self._ids.put(message.to_email.lower(), user, "")
                return Outcome(message.key, RETRY, "reply", error.reply, begun=False)
            raise
        return Outcome(
            message.key, SENT, "reply", "ok", remote_id=f"{posted.get('channel', conversation)}:{posted.get('ts', '')}"
        )

    def _whereabouts(self, message: Message, stopped: dict[str, DeliveryError]) -> tuple[str, str, bool]:
        """User id, conversation id, and whether the latter comes from the cache."""
        email = message.to_email.lower()
        cached_user, cached_dm = self._ids.get(email) or ("", "")
        user = message.slack_id or cached_user
        if cached_dm and user == cached_user:
            return user, cached_dm, True
        if not user:
            return *self._met(email, stopped), False
        try:
            return user, self._opened(email, user, stopped), False
        except DeliveryError as error:
            if message.slack_id or not error.unreachable:
                raise
            return *self._met(
                email, stopped
            ), False  # the id we remembered is nobody's now; the address may have another

    def _met(self, email: str, stopped: dict[str, DeliveryError]) -> tuple[str, str]:
        """User and conversation of somebody of whom we know the address."""
        found = self._looked_up(email, stopped)
        user = str(found["id"])
        self._ids.put(email, user, "", grid_id_of(found))
        return user, self._opened(email, user, stopped)

    def _opened(self, email: str, user: str, stopped: dict[str, DeliveryError]) -> str:
        conversation = str(self._call("conversations.open", stopped, users=user)["channel"]["id"])
        self._ids.put(email, user, conversation)
        return conversation

    def _looked_up(self, email: str, stopped: dict[str, DeliveryError]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._call("users.lookupByEmail", stopped, email=email)["user"]
        if found.get("deleted") or found.get("is_bot"):
            raise DeliveryError(PERMANENT, "connect", "deactivated", begun=False, unreachable=slack_errors.NOT_ON_SLACK)
        return found

    def _call(
        self, method: str, stopped: dict[str, DeliveryError], *, marked: bool = False, **arguments: Any
    ) -> Mapping[str, Any]:
        """One request. What stops everybody (a rate limit of this method, a dead channel) stops the batch for it."""
        if error := stopped.get(method) or stopped.get("*"):
            raise error
        try:
            answer: Mapping[str, Any] = getattr(self._client, method.replace(".", "_"))(**arguments).data
            _look_at(answer, _NAMED.get(method, ""))
        except SlackApiError as refused:
            error = slack_errors.refused(refused, marked=marked)
        except Exception as broken:  # the SDK has no closed list of what it raises on answers that are not Slack's
            error = slack_errors.broken(broken, marked=marked)
        else:
            self._troubles.pop(method, None)
            return answer
        self._heed(error, method, stopped)
        raise error

    def _heed(self, error: DeliveryError, method: str, stopped: dict[str, DeliveryError]) -> None:
        """What this failure means for the next calls. Whom it stops has not begun, whatever became of the first."""
        if isinstance(error, slack_errors.SlackTroubleError):
            self._troubles[method] += 1
            if self._troubles[method] >= TROUBLES_IN_A_ROW:
                error.channel_down = f"Slack is in trouble: {error.reply}"
            elif not error.begun:
                error.retry_after = AFTER_TROUBLE
        else:
            self._troubles.pop(method, None)
        if error.channel_down:
            stopped["*"] = DeliveryError(
                RETRY, "connect", error.reply, begun=False, channel_down=error.channel_down, lasting=error.lasting
            )
        elif error.retry_after is not None and not error.begun:
            stopped[method] = error


def harmless(text: str) -> str:
    """Fallback text that can neither mention anybody nor hide a link; text that is escaped already stays as it is."""
    return text.replace("<", "&lt;").replace(">", "&gt;")


def grid_id_of(user: Mapping[str, Any]) -> str:
    """A user's id in a whole Enterprise Grid, as Slack tells it with them; empty where there is none."""
    whole = user.get("enterprise_user")
    return str(whole.get("id") or "") if isinstance(whole, dict) else ""


def _look_at(answer: object, named: str) -> None:
    """Raises ``TypeError`` if that is nothing Slack would say; what is ``named`` must have an id."""
    if not isinstance(answer, dict):
        raise TypeError("the answer is no object")
    found = answer.get(named)
    if named and not (isinstance(found, dict) and found.get("id")):
        raise TypeError(f"the answer names no {named}")


def _card(message: Message, conversation: str) -> dict[str, Any]:
    card: dict[str, Any] = {
        "channel": conversation,
        "text": harmless(message.text),
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": message.key}},
        "unfurl_links": False,
        "unfurl_media": False,
        "link_names": False,
        "parse": "none",
    }
    return {**card, "blocks": list(message.blocks)} if message.blocks else card
