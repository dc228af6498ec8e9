"""Phases with a gate, and commitments: what of a plan waits for a word of the lead's, and what is asked on its day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from commsengine.cadence.calendar import ASKED_WITHIN, DAY, Hours
from commsengine.cadence.history import Answer, Campaign, TouchRow
from commsengine.cadence.kinds_and_states import WORD_GIVEN
from commsengine.cadence.people import ANYBODY
from commsengine.cadence.plan import Message, Notice, Plan

BEFORE_ANY_ZONE = DAY
"""A word given so long before the end of a phase keeps no zone waiting."""


# -- gates ----------------------------------------------------------------------------------------


def gates_before(plan: Plan, message: Message, hours: Hours) -> list[str]:
    """The gated phases that are over, by the plan, when the message begins, in the plan's order.

    A correction begins with what it corrects: it does not wait where the wrong one did not. What is sent now is in no
    phase.
    """
    gated = [(name, phase) for name, phase in plan.phases.items() if phase.gate]
    if not gated or isinstance(message, Notice):
        return []
    opens = hours.instant_of(plan, _first(plan, message).opens)
    return [name for name, phase in gated if opens >= hours.instant_of(plan, phase.until)]


def _first(plan: Plan, message: Message) -> Message:
    by_id, seen = {each.id: each for each in plan.messages}, {message.id}
    while message.corrects in by_id and message.corrects not in seen:
        message = by_id[message.corrects]
        seen.add(message.id)
    return message


def shut_gate(campaign: Campaign, message: Message, hours: Hours, rows: Sequence[TouchRow]) -> str | None:
    """The phase whose gate is shut before this message. What has begun for the person waits for none."""
    if any(row.state != "skipped" for row in rows):
        return None
    gates = gates_before(campaign.plan, message, hours)
    return next((name for name in gates if name not in campaign.opened), None)


def words_for(campaign: Campaign, message: Message, hours: Hours) -> list[dt.datetime]:
    """When the gates before this message were opened."""
    gates = gates_before(campaign.plan, message, hours)
    return [campaign.opened[name] for name in gates if name in campaign.opened]


def waiting_for(plan: Plan, phase: str) -> list[str]:
    """The messages that do not begin before the gate of this phase is open."""
    hours = Hours(plan, ANYBODY)
    return [message.id for message in plan.messages if phase in gates_before(plan, message, hours)]


def ends_of(plan: Plan) -> dict[str, dt.datetime]:
    """The end of each phase, in the plan's own zone."""
    hours = Hours(plan, ANYBODY)
    return {name: hours.instant_of(plan, phase.until) for name, phase in plan.phases.items()}


def opened_in_time(plan: Plan, opened: Mapping[str, dt.datetime], since: dt.datetime) -> dict[str, dt.datetime]:
    """The words so far, and for each shut gate one that is given before its day comes anywhere, from ``since`` on."""
    ends = ends_of(plan)
    supposed = {name: max(since, ends[name] - BEFORE_ANY_ZONE) for name, phase in plan.phases.items() if phase.gate}
    return {**supposed, **opened}


# -- commitments ----------------------------------------------------------------------------------


def committed_at(answers: Sequence[Answer]) -> dt.datetime | None:
    """When the person said that they will; ``None`` if they did not, or have said since what became of it."""
    if any(answer.kind in WORD_GIVEN for answer in answers):
        return None
    return min((answer.at for answer in answers if answer.kind == "commit"), default=None)


def asked_about(
    plan: Plan, message: Message, hours: Hours, answers: Sequence[Answer], rows: Sequence[TouchRow]
) -> tuple[dt.datetime, dt.datetime] | None:
    """From when to when the person may be asked whether it is done; ``None`` if they are not.

    Once, on its day; a person who said it later is asked on the day after. ``rows`` are of that question alone.
    """
    if message.asks_on is None:
        return None
    said = committed_at(answers)
    if said is None or any(row.state not in ("skipped", "retry") for row in rows):
        return None
    day, closes = hours.instant_of(plan, message.asks_on), hours.instant_of(plan, message.closes)
    return max(day, hours.next_day(said)), max(day + ASKED_WITHIN, closes)
