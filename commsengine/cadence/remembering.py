"""What somebody may know of a campaign's messages at an instant, from what is on record or foreseen of them by then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from commsengine.cadence.history import Campaign, History
from commsengine.cadence.learning import ASSUMED
from commsengine.cadence.people import Person, role_of
from commsengine.cadence.plan import Cadence, Message, Plan
from commsengine.cadence.recall import Memory
from commsengine.cadence.rhythm import HOUR, events_of, seen_at


def remembered(campaign: Campaign, message: Message, person: Person, history: History, at: dt.datetime) -> float:
    """The recall of one message at an instant, by the estimate in use; 0 before the first touch."""
    found = memory_of(campaign, message, person, history, at)
    return found[1].recall((at - found[0]) / HOUR) if found else 0.0


def memory_of(
    campaign: Campaign, message: Message, person: Person, history: History, until: dt.datetime
) -> tuple[dt.datetime, Memory] | None:
    """The memory after everything up to ``until``, and the instant of its hour 0; ``None`` before the first touch."""
    rows = [row for row in history.rows if row.campaign == campaign.id and row.message == message.id]
    seen = [due for due in seen_at(rows) if due <= until]
    if not seen:
        return None
    said = [each for each in history.answers if each.campaign == campaign.id and each.at <= until]
    about = [each for each in said if each.message == message.id or each.whole_campaign]
    estimate = campaign.recall.get(role_of(campaign.plan.audience, person) or "", ASSUMED)
    return seen[0], estimate.memory(events_of(message, seen, about))


def to_remember(plan: Plan) -> Sequence[Message]:
    """The messages whose recall counts: those that repeat by it; where there are none, all that ask for something."""
    by_recall = [message for message in plan.messages if message.cadence.recall_floor is not None]
    return by_recall or [message for message in plan.messages if message.ask != "nothing"] or plan.messages


def with_interval(campaign: Campaign, hours: int) -> Campaign:
    """The same campaign, had its messages by recall been sent by the calendar: every so many hours until they close."""
    plan, every = campaign.plan, Cadence(every=f"{hours}h")
    messages = tuple(
        message.model_copy(update={"cadence": every}) if message.cadence.recall_floor is not None else message
        for message in plan.messages
    )
    return replace(campaign, plan=plan.model_copy(update={"messages": messages}))
