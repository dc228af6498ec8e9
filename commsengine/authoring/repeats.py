"""How often a message is planned to come, before windows, leave and the attention budget have their say."""

from __future__ import annotations

from commsengine.authoring.draft import Draft
from commsengine.cadence.plan import Message


def fitting(draft: Draft, message: Message) -> int | None:
    """How many repeats fit between ``from`` and ``until``; ``None`` where dates are not known, or recall decides."""
    opens, closes = draft.instant(message.opens), draft.instant(message.closes)
    if opens is None or closes is None or message.cadence.every is None:
        return None
    minutes = int((closes - opens).total_seconds() // 60)
    return max(0, -(-minutes // message.cadence.every))


def planned(draft: Draft, message: Message) -> int | None:
    """The repeats that are both asked for and fit; ``None`` where recall decides how many there are."""
    known = [count for count in (message.cadence.times, fitting(draft, message)) if count is not None]
    return min(known) if known else None
