"""What was said to people, and what was promised: by campaign, and what is overdue of all of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from commsengine.reports.why import iso
from commsengine.store.records import CampaignRecord, ReplyRecord
from commsengine.store.store import Store


def replies(store: Store, record: CampaignRecord) -> list[dict[str, Any]]:
    """Every reply of a campaign that stands, the newest first, as documented JSON. No one is named."""
    return [_reply(each) for each in reversed(store.replies.of_campaign(record.id)) if each.replaced_at is None]


def overdue_promises(store: Store, now: dt.datetime, campaign: str | None = None) -> list[dict[str, Any]]:
    """Promises whose day is past and that are neither kept nor refused, the longest overdue first.

    Of a campaign, else of all that are not cancelled.
    """
    records = [each for each in store.campaigns.all() if campaign in (None, each.id) and each.state != "cancelled"]
    return sorted(
        (
            {**_reply(each), "days": (now.date() - each.day).days}
            for record in records
            for each in store.replies.of_campaign(record.id)
            if each.replaced_at is None and each.ending == "later" and each.day is not None and each.day < now.date()
        ),
        key=lambda promise: (promise["by"], promise["campaign"], promise["ids"]),
    )


def _reply(reply: ReplyRecord) -> dict[str, Any]:
    return {
        "ids": [str(ask) for ask in reply.asks],
        "campaign": reply.campaign,
        "message": reply.message,
        "asked": reply.asked,
        "text": reply.said,
        "as": reply.ending,
        "by": reply.day.isoformat() if reply.day else None,
        "people": reply.people,
        "public": reply.public,
        "at": iso(reply.at),
    }
