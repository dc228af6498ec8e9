"""What somebody may know of a campaign's messages at an instant, from what is on record or foreseen of them by then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from commsengine.cadence.history import Campaign, History
from commsengine.cadence.learning import ASSUMED
from commsengine.cadence.people import Person, role_of
from commsengine.cadence.plan import Cadence, Message, Plan
from commsengine.cadence.rhythm import HOUR, events_of, seen_at


def remembered(campaign: Campaign, message: Message, person: Person, history: History, at: dt.datetime) -> float:
    """The recall of one message at an instant, by the estimate in use; 0 before the first touch."""
    seen = [due for due in seen_at(history.rows_of(campaign.id, message.id)) if due <= at]
    if not seen:
        return 0.0
    said = [answer for answer in history.answers_to(campaign.id, message.id) if answer.at <= at]
    estimate = campaign.recall.get(role_of(campaign.plan.audience, person) or "", ASSUMED)
    return estimate.memory(events_of(message, seen, said)).recall((at - seen[0]) / HOUR)


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
