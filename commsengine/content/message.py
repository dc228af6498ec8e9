"""A finished message: what a person will see, ready for any channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.content.quoted_printable import Quoted, quoted


class Body(Protocol):
    """What a message says: a letter in plain text and HTML, a card's short text alone."""

    @property
    def text(self) -> str: ...

    @property
    def html(self) -> str: ...

    def parts(self) -> list[tuple[str, Quoted]]:
        """Each part of a letter with its subtype; it ends with a line end of the text."""
        ...


@dataclass(frozen=True, slots=True)
class WrittenBody:
    """A body that stands written out."""

    text: str
    html: str = ""

    def parts(self) -> list[tuple[str, Quoted]]:
        texts = {"plain": self.text, **({"html": self.html} if self.html else {})}
        return [(subtype, quoted(ended(text))) for subtype, text in texts.items()]


def ended(text: str) -> str:
    """The text with one line end behind it."""
    return text.rstrip("\r\n") + "\n"


class RenderedMessage(NamedTuple):
    """One touch rendered for one person. ``blocks`` serve a card; ``html`` and ``text`` a letter.

    ``date`` is the time of the attempt; before there is one, of what the message was written for. ``thread`` is the
    ``remote_id`` of the message that this one answers, where it is to stand below that. ``named`` are the dates of
    milestones in it, as a line of ``cadence/told.py``.
    """

    key: str
    campaign: str
    campaign_title: str
    channel: ChannelName
    to_email: str
    subject: str
    body: Body
    date: dt.datetime
    to_name: str = ""
    slack_id: str = ""
    sender_name: str = ""
    reply_to: str = ""
    blocks: Sequence[Mapping[str, Any]] = ()
    unsubscribe_url: str = ""
    thread: str = ""
    named: str = ""

    @property
    def text(self) -> str:
        return self.body.text

    @property
    def html(self) -> str:
        return self.body.html


_PLAIN = [name for name in RenderedMessage._fields if name not in ("body", "blocks", "date")]


def payload_of(message: RenderedMessage) -> dict[str, Any]:
    plain = {name: getattr(message, name) for name in _PLAIN}
    said = {"text": message.text, "html": message.html, "blocks": [dict(block) for block in message.blocks]}
    return {**plain, **said, "date": message.date.isoformat()}


def message_of(payload: Mapping[str, Any]) -> RenderedMessage:
    given = dict(payload)
    body = WrittenBody(given.pop("text"), given.pop("html", ""))
    return RenderedMessage(**{**given, "body": body, "date": dt.datetime.fromisoformat(payload["date"])})
