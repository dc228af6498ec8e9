"""Who takes part in what: the roles of an audience, and the sequences of one person for the messages of all running
campaigns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from commsengine.cadence.calendar import Hours
from commsengine.cadence.experiment import arm_of
from commsengine.cadence.history import Answer, Campaign, Campaigns, History, OutreachOutcome, Question, Reason, Snooze
from commsengine.cadence.kinds_and_states import ChannelName, ReasonCode
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Audience, Message, Plan, Role
from commsengine.cadence.repeats import INTERVAL, WITHOUT_RECALL, ByRecall, FixedInterval, RepeatRule
from commsengine.cadence.sequence import MessageSequence
from commsengine.recall.learning import ASSUMED
from commsengine.translation import N_

_NOT_IN_ROSTER: tuple[ReasonCode, str] = ("not_in_roster", N_("The person is not in the campaign's roster."))
_NO_ROLE: tuple[ReasonCode, str] = ("no_role", N_("The person is in none of the campaign's roles."))

Fact = TypeVar("Fact", Question, Snooze, OutreachOutcome)


def role_of(audience: Audience, person: Person) -> str | None:
    """The first role that matches, in the plan's order; ``None`` when the campaign is not for this person."""
    return next((name for name, role in audience.roles.items() if matches(role, person)), None)


def matches(role: Role, person: Person) -> bool:
    if role.rest:
        return True
    if role.is_manager is not None and role.is_manager != person.is_manager:
        return False
    return all(person.column(column) in values for column, values in role.columns.items())


def members(audience: Audience, people: Iterable[Person]) -> Iterator[tuple[Person, str]]:
    """Those of these people who are in the audience and have not left, with their role."""
    for person in people:
        role = role_of(audience, person)
        if role is not None and person.left is None:
            yield person, role


def is_for(message: Message, role: str) -> bool:
    return not message.to or role in message.to


def roles_of(plan: Plan, message: Message) -> tuple[str, ...]:
    return tuple(role for role in plan.audience.roles if is_for(message, role))


def sequences_of(campaigns: Campaigns, person: Person, history: History) -> tuple[list[MessageSequence], list[Reason]]:
    """A sequence for every message that is for this person, and why the person takes no part in other campaigns.

    Campaigns come in the order of their ids: it settles which of two equal touches goes first.
    """
    sequences: list[MessageSequence] = []
    reasons: list[Reason] = []
    for campaign in sorted(campaigns.running, key=lambda campaign: campaign.id):
        role = role_of(campaign.plan.audience, person)
        outside = campaign.plan.audience.people and campaign.id not in history.rosters
        if outside or role is None:
            code, text = _NOT_IN_ROSTER if outside else _NO_ROLE
            reasons += [Reason(campaign.id, m.id, code, text, waits_for="never") for m in campaign.plan.messages]
            continue
        hours = Hours(campaign.plan, person, campaigns.workspace.black_out)
        for message in campaign.plan.messages:
            if is_for(message, role):
                sequences.append(_sequence(campaigns, campaign, message, role, hours, history, len(sequences)))
    return sequences, reasons


def carried_by(plan: Plan, carriers: Collection[str] | None) -> list[ChannelName]:
    """The channels of the plan that are set up here; ``None`` supposes all."""
    return [name for name in plan.send.channels if carriers is None or name in carriers]


def reaching(channels: Sequence[ChannelName], person: Person, unreachable: Collection[str]) -> tuple[ChannelName, ...]:
    """Those of these channels that reach the person, the preferred one first."""
    those = (name for name in channels if name not in unreachable)
    return tuple(sorted(those, key=lambda name: name != person.preferred_channel))


def _sequence(
    campaigns: Campaigns, campaign: Campaign, message: Message, role: str, hours: Hours, history: History, order: int
) -> MessageSequence:
    plan, person = campaign.plan, hours.person
    known = (campaign.introduced.get(message.id), person.since, history.rosters.get(campaign.id))
    starts = [hours.instant_of(plan, message.opens), campaign.started_at, *(at for at in known if at is not None)]
    ends = hours.instant_of(plan, message.closes)
    closes = ends if person.left is None else min(ends, hours.midnight(person.left))
    carried = carried_by(plan, campaigns.carriers)
    said = history.answers_to(campaign.id, message.id)
    return MessageSequence(
        campaign=campaign,
        message=message,
        role=role,
        hours=hours,
        clock=max(starts),
        closes=closes,
        leaves=closes < ends,
        carried=bool(carried),
        channels=reaching(carried, person, history.unreachable),
        rows=history.rows_of(campaign.id, message.id),
        answers=_as_timed(campaigns, said),
        said=said,
        questions=_about(campaign.id, message.id, history.questions),
        snoozes=_about(campaign.id, message.id, history.snoozes),
        outcomes=_about(campaign.id, message.id, history.outcomes),
        order=order,
        repeat_rule=_repeat_rule(campaigns, campaign, message, role, hours, closes),
    )


def _as_timed(campaigns: Campaigns, said: tuple[Answer, ...]) -> tuple[Answer, ...]:
    if not said or campaigns.workspace.recall == "person":
        return said
    return tuple(answer.as_others_know_it for answer in said)


def _about(campaign: str, message: str, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if fact.message == message and fact.campaign == campaign) if facts else ()


def _repeat_rule(
    campaigns: Campaigns, campaign: Campaign, message: Message, role: str, hours: Hours, closes: dt.datetime
) -> RepeatRule:
    cadence = message.cadence
    if cadence.recall_floor is None:
        return FixedInterval(hours, cadence.every or INTERVAL, cadence.times)
    arm = arm_of(campaign.plan, hours.person.id) if campaign.plan.experiment else None
    if arm is not None and arm.every is not None:
        return FixedInterval(hours, arm.every, cadence.times)
    if campaigns.workspace.recall == "off":
        return FixedInterval(hours, WITHOUT_RECALL, cadence.times)
    by = hours.instant_of(campaign.plan, cadence.by) if cadence.by else None
    estimate = campaign.recall.get(role, ASSUMED)
    target = cadence.target or cadence.recall_floor
    return ByRecall(hours, message, estimate, closes, cadence.recall_floor, target, by, cadence.times)
