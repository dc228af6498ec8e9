"""Slack direct messages: find the person, mark, post once.

One attempt
1. The user id: the person's own ``slack_id``, else the cache, else ``users.lookupByEmail``, fifty times a minute.
   ``slack_users`` reads the list of users into the cache; who is deactivated there, or a bot, is not on Slack.
2. The conversation: the cache, else the user id itself. Slack takes it as a channel, and answers with the
   conversation's own id.
3. ``mark``, then one ``chat.postMessage``. Slack knows no idempotency key, and the SDK's own retry posts twice, so it
   is switched off; a break after the mark is ``uncertain`` and can be looked up by the key in the metadata.
4. What the cache says and Slack refuses is asked again: ids change when a person is invited again or the bot moves to
   another workspace. Nothing has been posted then.

When Slack does not work as it should, the message that met it is tried later; after a few of these in a row on one
method the whole channel is down, so that an outage of an hour does not leave a thousand touches uncertain.
"""

from __future__ import annotations

import datetime as dt
import logging
import socket
import ssl
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from commsengine.cadence.kinds_and_states import ChannelName, Fault, SlackStatus
from commsengine.channels import refusals
from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, UNCERTAIN, DeliveryError, Mark, Outcome
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.content.message import RenderedMessage
from commsengine.translation import N_

NAME: ChannelName = "slack"
API_URL = "https://slack.com/api/"
EVENT_TYPE = "commsengine_touch"
TROUBLES_IN_A_ROW = 3
"""So often may one method fail by Slack's fault until the channel is down; each sender thread counts for itself."""

AFTER_TROUBLE = 1.0  # seconds, until what failed before the post is tried again

_NO_SUCH_USER = ("user_disabled", "user_deactivated", "user_is_bot", "cannot_dm_bot", "cannot_dm_user")
"""After these it is no use to open the conversation."""

_NAMED = {"users.lookupByEmail": "user", "conversations.open": "channel"}

_quiet = logging.getLogger("commsengine.slack_sdk")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # the SDK logs whole requests: texts, addresses and tokens
_quiet.setLevel(logging.CRITICAL)

_NOT_ON_SLACK = N_("not on Slack")

_NO_THREAD = {
    "message_not_found", "thread_not_found", "invalid_thread_ts", "cannot_reply_to_message", "channel_not_found",
    "is_archived", "restricted_action_thread_locked",
}  # fmt: skip
"""Nothing was posted, and without the thread it may well be."""

_PERHAPS_POSTED = {"fatal_error", "internal_error"}  # "some aspect of the operation may have succeeded"

_NO_CONNECTION: tuple[tuple[type[Exception], str], ...] = (
    (ConnectionRefusedError, N_("Slack refuses the connection")),
    (socket.gaierror, N_("Slack's name cannot be found")),
    (ssl.SSLCertVerificationError, N_("Slack's certificate cannot be trusted")),
    (ssl.SSLError, N_("no secure connection to Slack can be made")),
    (TimeoutError, N_("Slack does not answer")),
)
_WAIT_OTHERWISE = 30.0  # seconds, when a 429 does not say how long
_SHORTEST_WAIT, _LONGEST_WAIT = 1.0, 3600.0  # seconds: a header that says more than an hour is asked again after one


class IdCache(Protocol):
    """Remembers Slack's ids by e-mail address (lower case), so that each is asked for once in a lifetime."""

    def get(self, email: str) -> tuple[str, str] | None:
        """The user id and the id of the conversation with them; either may be empty."""

    def put(self, email: str, user_id: str, dm_id: str, grid_id: str = "") -> None:
        """Remember them; an empty id forgets it, but for the ``grid_id`` of a user who stays the same."""

    def grid_id(self, email: str, user_id: str) -> str:
        """The same user's id in a whole Enterprise Grid, by which presses come there; empty if it is not known."""

    def status(self, email: str, user_id: str) -> SlackStatus:
        """What this user is in Slack; empty if that is not known."""


LookUps = Callable[[str, dt.datetime], float]
"""The seconds until an address may be looked up, at this time; 0 for now."""


def unlimited(email: str, now: dt.datetime) -> float:
    del email, now
    return 0.0


class SlackChannel:
    """Posts as one bot. ``timeout`` is in seconds, for each request; ``look_ups`` keeps the pace of looking up.

    ``refusals`` are a workspace's own rows of the table.
    """

    name: str = NAME

    def __init__(
        self,
        token: str,
        ids: IdCache,
        *,
        api_url: str = API_URL,
        timeout: float = 30.0,
        look_ups: LookUps = unlimited,
        refusals: Sequence[RefusalRule] = (),
    ) -> None:
        self._ids, self._look_ups, self._own = ids, look_ups, refusals
        self._troubles: Counter[str] = Counter()
        self._client = web_client(token, api_url, timeout)

    def deliver(self, messages: Sequence[RenderedMessage], mark: Mark) -> Iterator[Outcome]:
        stopped: dict[str, DeliveryError] = {}
        for message in messages:
            try:
                outcome = self._attempt(message, mark, stopped)
            except DeliveryError as error:
                outcome = error.outcome(message.key)
            yield outcome

    def close(self) -> None:
        """Nothing stays open between two requests."""

    def _attempt(self, message: RenderedMessage, mark: Mark, stopped: dict[str, DeliveryError]) -> Outcome:
        if error := stopped.get("chat.postMessage") or stopped.get("*"):
            raise error
        if message.thread:
            return self._answer(message, mark, stopped)
        return self._post(message, mark, stopped)

    def _answer(self, message: RenderedMessage, mark: Mark, stopped: dict[str, DeliveryError]) -> Outcome:
        # Also shown in the conversation itself, so that its history knows it and it is not overlooked. A thread that
        # is gone (the message was deleted, the database is of another workspace) leaves it a message by itself.
        if message.key not in set(mark([message.key])):
            return Outcome(message.key, RELEASED, "connect", begun=False)
        conversation, _, stamp = message.thread.partition(":")
        below = {"thread_ts": stamp, "reply_broadcast": True}
        try:
            posted = self._call("chat.postMessage", stopped, marked=True, **_card(message, conversation), **below)
        except DeliveryError as error:
            if error.reply not in _NO_THREAD:
                raise
            return self._post(message, lambda keys: keys, stopped)
        return _arrived(message, posted, conversation)

    def _post(self, message: RenderedMessage, mark: Mark, stopped: dict[str, DeliveryError]) -> Outcome:
        user, conversation = self._whereabouts(message, stopped)
        if message.key not in set(mark([message.key])):
            return Outcome(message.key, RELEASED, "connect", begun=False)
        try:
            return self._posted(message, user, conversation or user, stopped)
        except DeliveryError as error:
            if not error.unreachable:
                raise
            if conversation:  # what we remembered is no more: the next time by the user's id
                self._ids.put(message.to_email.lower(), user, "")
                return Outcome(message.key, RETRY, "reply", error.reply, begun=False)
            return self._posted(message, *self._asked_again(message, user, error, stopped), stopped)

    def _whereabouts(self, message: RenderedMessage, stopped: dict[str, DeliveryError]) -> tuple[str, str]:
        """User id, and the conversation if it is known."""
        email = message.to_email.lower()
        user, conversation = self._ids.get(email) or ("", "")
        if message.slack_id and message.slack_id != user:
            return message.slack_id, ""
        if not user:
            return self._looked_up(email, stopped, message.date), ""
        if self._ids.status(email, user) in ("deleted", "bot"):
            raise _not_here("deactivated")
        return user, conversation

    def _posted(self, message: RenderedMessage, user: str, place: str, stopped: dict[str, DeliveryError]) -> Outcome:
        posted = self._call("chat.postMessage", stopped, marked=True, **_card(message, place))
        conversation = str(posted.get("channel") or place)
        email = message.to_email.lower()
        if (user, conversation) != self._ids.get(email):
            self._ids.put(email, user, conversation)
        return _arrived(message, posted, conversation)

    def _asked_again(
        self, message: RenderedMessage, user: str, refused: DeliveryError, stopped: dict[str, DeliveryError]
    ) -> tuple[str, str]:
        """User id and place, after a refusal of this user's id."""
        if not message.slack_id:  # it may belong to no one now, and the address have another
            now = self._looked_up(message.to_email.lower(), stopped)
            if now != user:
                return now, now
        if refused.reply in _NO_SUCH_USER:
            raise refused
        return user, str(self._call("conversations.open", stopped, users=user)["channel"]["id"])

    def _looked_up(self, email: str, stopped: dict[str, DeliveryError], now: dt.datetime | None = None) -> str:
        if now and (wait := self._look_ups(email, now)):
            raise DeliveryError(RELEASED, "connect", N_("is not looked up yet"), begun=False, retry_after=wait)
        found: Mapping[str, Any] = self._call("users.lookupByEmail", stopped, email=email)["user"]
        if found.get("deleted") or found.get("is_bot"):
            raise _not_here("deactivated")
        user = str(found["id"])
        known = self._ids.get(email)
        if known is None or known[0] != user:
            self._ids.put(email, user, "", grid_id_of(found))
        return user

    def _call(
        self, method: str, stopped: dict[str, DeliveryError], *, marked: bool = False, **arguments: Any
    ) -> Mapping[str, Any]:
        # What concerns all messages (a rate limit of this method, a dead channel) stops the batch for that method.
        if error := stopped.get(method) or stopped.get("*"):
            raise error
        try:
            answer: Mapping[str, Any] = getattr(self._client, method.replace(".", "_"))(**arguments).data
            _look_at(answer, _NAMED.get(method, ""))
        except SlackApiError as failure:
            error = refused(failure, marked=marked, own=self._own)
        except Exception as failure:  # the SDK has no closed list of what it raises on answers that are not Slack's
            error = broken(failure, marked=marked)
        else:
            self._troubles.pop(method, None)
            return answer
        self._heed(error, method, stopped)
        raise error

    def _heed(self, error: DeliveryError, method: str, stopped: dict[str, DeliveryError]) -> None:
        # The messages that it stops have not begun, whatever became of the first.
        if isinstance(error, _TroubleError):
            self._troubles[method] += 1
            if self._troubles[method] >= TROUBLES_IN_A_ROW:
                error.channel_down = f"Slack is in trouble: {error.reply}"
            elif not error.begun:
                error.retry_after = AFTER_TROUBLE
        else:
            self._troubles.pop(method, None)
        if error.channel_down:
            stopped["*"] = DeliveryError(
                RETRY, "connect", error.reply, begun=False, channel_down=error.channel_down, fault=error.fault
            )
        elif error.retry_after is not None and not error.begun:
            stopped[method] = error


def web_client(token: str, api_url: str, timeout: float) -> WebClient:
    """Asks once, without a word in the log. ``timeout`` is in seconds."""
    wait: Any = timeout  # it takes parts of seconds too
    return WebClient(token, base_url=api_url, timeout=wait, retry_handlers=[], logger=_quiet)


def grid_id_of(user: Mapping[str, Any]) -> str:
    """A user's id in a whole Enterprise Grid; empty where there is none."""
    whole = user.get("enterprise_user")
    return str(whole.get("id") or "") if isinstance(whole, dict) else ""


def refused(error: SlackApiError, *, marked: bool, own: Sequence[RefusalRule] = ()) -> DeliveryError:
    """``marked``: the answer is to a post. ``own`` rows come before the table of refusals."""
    status = int(getattr(error.response, "status_code", 200) or 200)
    data = getattr(error.response, "data", None)
    name = str(data.get("error", "")) if isinstance(data, dict) else ""
    phase = "reply" if marked else "connect"
    about = refusals.judge("slack", phase, status, name, own=own)
    if status == 429 or about.kind == "busy":
        wait = _wait(error)
        return DeliveryError(RETRY, phase, "ratelimited", begun=False, retry_after=wait, fault="later", alike=name)
    if about.kind == "gone":
        return _not_here(name, phase)
    if about.fault in ("us", "quota") or about.kind == "down":
        down = f"Slack refuses us: {name}. {about.remedy}"
        return DeliveryError(RETRY, phase, name, begun=False, channel_down=down, fault=about.fault, alike=name)
    if about.fault in ("message", "person"):
        return DeliveryError(PERMANENT, phase, name, fault=about.fault, alike=name)
    if about.fault == "unknown" and name.replace("_", "").isalnum() and status < 500:
        return DeliveryError(RETRY, phase, name, fault="unknown", alike=name)
    return _trouble(name, status, marked)


def _not_here(reply: str, phase: str = "connect") -> DeliveryError:
    return DeliveryError(PERMANENT, phase, reply, begun=False, unreachable=_NOT_ON_SLACK, fault="person", alike=reply)


def _trouble(name: str, status: int, marked: bool) -> DeliveryError:
    from_slack = name.replace("_", "").isalnum()  # anything else is not Slack speaking, but something in between
    perhaps_posted = name in _PERHAPS_POSTED or not (from_slack or status == 503)
    shown = name if from_slack else f"HTTP {status}"
    phase = "reply" if marked else "connect"
    return _TroubleError(UNCERTAIN if marked and perhaps_posted else RETRY, phase, shown, begun=marked)


def broken(error: Exception, *, marked: bool) -> DeliveryError:
    """``marked``: the answer was to a post."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError):
        return _never_out(error.reason, marked=marked)
    text = f"the connection broke ({type(error).__name__})"
    if marked:
        return _TroubleError(UNCERTAIN, "reply", text)
    return _TroubleError(RETRY, "connect", text, begun=False)


class _TroubleError(DeliveryError):
    """Slack itself, or what lies between, does not work as it should; nothing is wrong with this one message."""


def harmless(text: str) -> str:
    # It can neither mention anybody nor hide a link; entities that are there already stay as they are.
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _look_at(answer: object, named: str) -> None:
    """Raises ``TypeError`` for what Slack would not say: an answer without the id of what is ``named``."""
    if not isinstance(answer, dict):
        raise TypeError("the answer is no object")
    found = answer.get(named)
    if named and not (isinstance(found, dict) and found.get("id")):
        raise TypeError(f"the answer names no {named}")


def _arrived(message: RenderedMessage, answer: Mapping[str, Any], conversation: str) -> Outcome:
    where = f"{answer.get('channel', conversation)}:{answer.get('ts', '')}"
    return Outcome(message.key, SENT, "reply", "ok", remote_id=where)


def _card(message: RenderedMessage, conversation: str) -> dict[str, Any]:
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


def _never_out(reason: OSError, *, marked: bool) -> DeliveryError:
    # The request did not get out whole, so Slack has nothing of it, and the next one would fare no better. Where the
    # connection was cut in mid-request, the request itself may be why: that counts as an attempt.
    why = next((text for kind, text in _NO_CONNECTION if isinstance(reason, kind)), N_("Slack cannot be reached"))
    cut = isinstance(reason, BrokenPipeError | ConnectionResetError)
    fault: Fault = "us" if isinstance(reason, ssl.SSLCertVerificationError) else "later"
    return DeliveryError(RETRY, "connect", why, begun=marked and cut, channel_down=why, fault=fault)


def _wait(error: SlackApiError) -> float:
    headers = {name.lower(): value for name, value in dict(getattr(error.response, "headers", None) or {}).items()}
    try:
        asked = float(headers.get("retry-after", _WAIT_OTHERWISE))
    except (TypeError, ValueError):  # a date, as HTTP allows
        asked = _WAIT_OTHERWISE
    return min(max(_SHORTEST_WAIT, asked), _LONGEST_WAIT)
