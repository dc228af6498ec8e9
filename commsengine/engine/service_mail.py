"""Mail that is not a touch (digest, answer, correction): a finished message, kept in its row until it leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from commsengine.content.message import Message
from commsengine.store.store import Store


def add_service_mail(
    store: Store, message: Message, *, category: str, person_id: str | None, due_at: dt.datetime, now: dt.datetime
) -> bool:
    """Keep a message for sending; ``False`` when one of its key is on record already: nobody gets it twice."""
    return store.touches.add_service(
        message.key, category=category, channel=message.channel, payload=payload_of(message), now=now,
        campaign=message.campaign, person_id=person_id, due_at=due_at,
    )  # fmt: skip


def payload_of(message: Message) -> dict[str, Any]:
    fields = asdict(message)
    return {**fields, "blocks": [dict(block) for block in message.blocks], "date": message.date.isoformat()}


def message_of(payload: Mapping[str, Any]) -> Message:
    return Message(**{**payload, "date": dt.datetime.fromisoformat(payload["date"])})
