"""A finished message: what a person will see, ready for any channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from commsengine.cadence.kinds_and_states import ChannelName


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
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
    to_name: str = ""
    slack_id: str = ""
    sender_name: str = ""
    reply_to: str = ""
    subject: str
    text: str
    html: str = ""
    blocks: Sequence[Mapping[str, Any]] = ()
    date: dt.datetime
    unsubscribe_url: str = ""
    thread: str = ""
    named: str = ""


def payload_of(message: RenderedMessage) -> dict[str, Any]:
    fields = asdict(message)
    return {**fields, "blocks": [dict(block) for block in message.blocks], "date": message.date.isoformat()}


def message_of(payload: Mapping[str, Any]) -> RenderedMessage:
    return RenderedMessage(**{**payload, "date": dt.datetime.fromisoformat(payload["date"])})
