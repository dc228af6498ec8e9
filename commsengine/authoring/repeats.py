"""How often a message is planned to come, before windows, leave and the attention budget have their say."""

from __future__ import annotations

from commsengine.authoring.draft import Draft
from commsengine.cadence.plan import Message

RECALL_EVERY = 48 * 60
RECALL_TIMES = 6
"""What ``recall_floor`` is sent as until the recall model is in: every 48 hours, at most six times."""


def every(message: Message) -> int:
    """Minutes between two repeats."""
    return message.cadence.every or RECALL_EVERY


def wanted(message: Message) -> int | None:
    """The number of repeats asked for; ``None`` means as many as fit."""
    return RECALL_TIMES if message.cadence.every is None else message.cadence.times


def fitting(draft: Draft, message: Message) -> int | None:
    """How many repeats fit between ``from`` and ``until``; ``None`` where the dates are not known."""
    opens, closes = draft.instant(message.opens), draft.instant(message.closes)
    if opens is None or closes is None:
        return None
    minutes = int((closes - opens).total_seconds() // 60)
    return max(0, -(-minutes // every(message)))


def planned(draft: Draft, message: Message) -> int | None:
    """The repeats that are both asked for and fit."""
    known = [count for count in (wanted(message), fitting(draft, message)) if count is not None]
    return min(known) if known else None
