"""What people type to the app (``message.im``): recorded, then acknowledged to Slack, then answered in the thread.

Slack sends an event again, up to three times, where it hears no 200 within three seconds; where the commit fails it
does. What was typed is known by its own time stamp, so that one delivered twice is recorded and answered once.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from commsengine.answers.inbox import AnswerInbox
from commsengine.answers.touch_view import Card
from commsengine.answers.typed_words import ONLY_A_FILE, Typed, TypedWords
from commsengine.cadence.people import ANYBODY
from commsengine.channels.slack import broken, refused
from commsengine.content.slots import slack_text
from commsengine.errors import InputError
from commsengine.slack_app.accounts import Accounts
from commsengine.slack_app.redrawing import CardPlace, Redrawing
from commsengine.store.records import TouchRecord
from commsengine.translation import N_, _, in_language

Event = Mapping[str, Any]
Later = Callable[[], None]

STRANGER = N_(
    "We do not know this Slack account, so nothing was recorded. Please ask your manager, or the person who wrote to "
    "you about this."
)

BY_A_PERSON = {"", "file_share", "thread_broadcast", "me_message"}
"""Subtypes of what a person types. All others are edits, deletions, and what apps and Slack itself say."""

REMEMBERED = 1000
"""Events whose delivery is remembered: Slack's repetitions come within the hour."""

TRIES, LONGEST_WAIT = 3, 10.0
"""Of an answer that Slack asks us to send later, and the seconds between two of them."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is to be done when Slack has its 200: something said, a card drawn again."""

    said: str = ""
    place: CardPlace | None = None


class Conversation:
    """Takes events; what ``take`` returns is to be called once Slack is answered."""

    def __init__(
        self,
        words: TypedWords,
        inbox: AnswerInbox,
        accounts: Accounts,
        cards: Redrawing,
        client: WebClient,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._words, self._inbox, self._accounts = words, inbox, accounts
        self._cards, self._client, self._clock = cards, client, clock
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, event: Event, event_id: str) -> Later | None:
        """Raises ``CommsError`` where it is not recorded, and Slack is to send it again."""
        if not _typed_by_a_person(event) or not self._first(event_id):
            return None
        try:
            typed = _typed(event)
            heard = self._heard(typed, str(event["user"]), files=bool(event.get("files")))
        except BaseException:
            self._forget(event_id)
            raise
        return lambda: self._after(typed, heard)

    def _first(self, event_id: str) -> bool:
        with self._lock:
            if event_id in self._seen:
                return False
            self._seen[event_id] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            return True

    def _forget(self, event_id: str) -> None:
        with self._lock:
            self._seen.pop(event_id, None)

    def _heard(self, typed: Typed, user: str, *, files: bool) -> _Heard:
        person = self._accounts.person(user)
        if person is None:
            log.warning("slack_words_of_a_stranger")
            with in_language(self._inbox.language_of_pages(ANYBODY)):
                return _Heard(_(STRANGER))
        touch = self._words.touch(person, typed)
        if touch is None:
            return _Heard(self._words.whom_to_ask(person))
        card = self._inbox.card(touch.key, self._clock())
        with in_language(self._inbox.spoken(card)):
            if files and not typed.text.strip():
                return _Heard(_(ONLY_A_FILE))
            return self._about(card, touch, typed)

    def _about(self, card: Card, touch: TouchRecord, typed: Typed) -> _Heard:
        place = _place_of(touch, typed) if self._words.records(card, typed) else None
        if place is not None:
            self._cards.expect(place)
        try:
            said = self._words.take(card, typed)
        except InputError as error:
            return _Heard(error.message, place)
        return _Heard(said, place)

    def _after(self, typed: Typed, heard: _Heard) -> None:
        if heard.said:
            self._say(typed, slack_text(heard.said))
        if heard.place is not None:
            self._cards.draw(heard.place)

    def _say(self, typed: Typed, text: str) -> None:
        # Slack takes one message a second in a conversation, and somebody who types quickly is answered as quickly.
        conversation, _colon, thread = typed.root.partition(":")
        for _try in range(TRIES):
            try:
                self._client.chat_postMessage(channel=conversation, thread_ts=thread, text=text)
            except SlackApiError as failure:
                error = refused(failure, marked=False)
            except Exception as failure:  # the SDK has no closed list of what it raises
                error = broken(failure, marked=False)
            else:
                return
            log.warning("slack_reply_failed", cause=error.reply)
            if error.retry_after is None:
                return
            time.sleep(min(error.retry_after, LONGEST_WAIT))


def _typed_by_a_person(event: Event) -> bool:
    ours = event.get("type") == "message" and event.get("channel_type") == "im"
    human = event.get("subtype") or ""
    return (
        ours and human in BY_A_PERSON and bool(event.get("user")) and not (event.get("bot_id") or event.get("hidden"))
    )


def _typed(event: Event) -> Typed:
    by = {"user": str(event["user"]), "team": str(event.get("team") or "")}
    thread = str(event.get("thread_ts") or "")
    where = (str(event["channel"]), str(event["ts"]), thread)
    return Typed(plain(str(event.get("text") or "")), *where, evidence="slack", by=by)


def plain(text: str) -> str:
    """What Slack writes with signs of its own (``<https://…|a link>``, ``<@U1>``, ``&amp;``), as a person reads it."""
    return html.unescape(re.sub(r"<([^<>|]*)(?:\|([^<>]*))?>", _sign, text))


def _sign(found: re.Match[str]) -> str:
    target, label = found[1], found[2] or ""
    if target.startswith("!"):
        return f"@{(label or target[1:]).lstrip('@')}"
    if target[:1] in ("@", "#"):
        return f"{target[0]}{label}" if label else target
    address = target.removeprefix("mailto:")
    return address if label in ("", address, target) else f"{label} ({address})"


def _place_of(touch: TouchRecord, typed: Typed) -> CardPlace | None:
    """The card, where it stands in the conversation that they typed in."""
    channel, _colon, ts = touch.remote_id.partition(":")
    return CardPlace(touch.key, channel, ts) if channel == typed.conversation and ts else None
