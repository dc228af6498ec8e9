"""Who takes part in what: the roles of an audience, and the sequences of one person for the messages of all running
campaigns."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from commsengine.cadence.calendar import Hours
from commsengine.cadence.experiment import arm_of
from commsengine.cadence.history import (
    Answer,
    Briefing,
    Campaign,
    Campaigns,
    DirectReport,
    History,
    ManagerHold,
    OutreachOutcome,
    Question,
    Reason,
    Snooze,
)
from commsengine.cadence.kinds_and_states import WORD_GIVEN, ChannelName, ReasonCode
from commsengine.cadence.managers_first import opening
from commsengine.cadence.people import END_OF_DAYS, Person
from commsengine.cadence.phases import asked_about, shut_gate
from commsengine.cadence.plan import Message, Notice, Plan, Role
from commsengine.cadence.repeats import INTERVAL, WITHOUT_RECALL, ByRecall, FixedInterval, RepeatRule
from commsengine.cadence.sequence import NOT_HELPED, MessageSequence
from commsengine.cadence.told import told
from commsengine.recall.learning import ASSUMED
from commsengine.translation import N_

_NOT_IN_ROSTER: tuple[ReasonCode, str] = ("not_in_roster", N_("The person is not in the campaign's people file."))
_NO_ROLE: tuple[ReasonCode, str] = ("no_role", N_("The person is in none of the campaign's roles."))
_HAS_THE_ANSWER = N_("The person asked this and got the answer in a message of their own.")
_SPONSOR: tuple[ReasonCode, str] = ("no_role", N_("The person sponsors the campaign and gets none of its messages."))

Fact = TypeVar("Fact", Question, Snooze, OutreachOutcome)


def role_of(plan: Plan, person: Person) -> str | None:
    """The first role that matches, in the plan's order; ``None`` when the campaign is not for this person.

    It is not for its sponsor, unless the plan says that they are in the audience.
    """
    if is_kept_out(plan, person):
        return None
    return next((name for name, role in plan.audience.roles.items() if matches(role, person)), None)


def is_kept_out(plan: Plan, person: Person) -> bool:
    return person.email.lower() == plan.kept_out


def matches(role: Role, person: Person) -> bool:
    if role.rest:
        return True
    if role.is_manager is not None and role.is_manager != person.is_manager:
        return False
    return all(person.column(column) in values for column, values in role.columns.items())


def members(plan: Plan, people: Iterable[Person], day: dt.date) -> Iterator[tuple[Person, str]]:
    """Those of these people who are in the audience and have not left on that day, with their role."""
    for person in people:
        role = role_of(plan, person)
        if role is not None and not person.has_left(day):
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
        role = role_of(campaign.plan, person)
        outside = bool(campaign.plan.audience.people) and campaign.id not in history.rosters
        own = None if outside else role
        hours = Hours(campaign.plan, person, campaigns.workspace.black_out)
        for message in campaign.plan.messages:
            briefing = briefing_of(campaign, message, own, hours, history.reports)
            if _has_the_answer(message, history):
                reasons.append(Reason(campaign.id, message.id, "answered", _HAS_THE_ANSWER, waits_for="never"))
            elif briefing is not None or (own is not None and is_for(message, own)):
                order = len(sequences)
                one = _sequence(campaigns, campaign, message, own or "", hours, history, order, briefing)
                sequences += [one, *_commitment(one, history)]
            elif own is None:
                code, text = _why_outside(campaign.plan, person, in_roster=not outside)
                reasons.append(Reason(campaign.id, message.id, code, text, waits_for="never"))
    return sequences, reasons


def _has_the_answer(message: Message, history: History) -> bool:
    asked = message.answers if isinstance(message, Notice) else frozenset[str]()
    return bool(asked) and any(row.key in asked for row in history.rows)


def briefing_of(
    campaign: Campaign, message: Message, own: str | None, hours: Hours, reports: Sequence[DirectReport]
) -> Briefing | None:
    """The briefing of a manager of people who get this message; ``None`` for all others.

    ``own`` is the manager's own role in the campaign, if they have one.
    """
    if message.managers_first is None or not reports or is_kept_out(campaign.plan, hours.person):
        return None
    role = _role_of_their_people(campaign.plan, message, reports)
    if role is None:
        return None
    only = own is None or not is_for(message, own)
    return Briefing(role, opening(campaign, message, hours, leads=False), only)


def takes_part(campaign: Campaign, person: Person, history: History) -> bool:
    """Whether anything of the campaign is for the person: by a role of theirs, or as the manager of such people."""
    own = role_of(campaign.plan, person)
    if own is not None or not history.reports:
        return own is not None
    hours = Hours(campaign.plan, person)
    return any(briefing_of(campaign, each, own, hours, history.reports) for each in campaign.plan.messages)


def _role_of_their_people(plan: Plan, message: Message, reports: Sequence[DirectReport]) -> str | None:
    # that of most of them whom the message is for; of equals, the first of the plan
    rostered = (each.person for each in reports if not plan.audience.people or plan.campaign in each.rosters)
    counts = Counter(role for _person, role in members(plan, rostered, END_OF_DAYS) if is_for(message, role))
    return max(roles_of(plan, message), key=lambda role: counts[role]) if counts else None


def _why_outside(plan: Plan, person: Person, *, in_roster: bool) -> tuple[ReasonCode, str]:
    if is_kept_out(plan, person):
        return _SPONSOR
    return _NO_ROLE if in_roster else _NOT_IN_ROSTER


def carried_by(plan: Plan, carriers: Collection[str] | None) -> list[ChannelName]:
    """The channels of the plan that are set up here; ``None`` supposes all."""
    return [name for name in plan.send.channels if carriers is None or name in carriers]


def reaching(channels: Sequence[ChannelName], person: Person, unreachable: Collection[str]) -> tuple[ChannelName, ...]:
    """Those of these channels that reach the person, the preferred one first."""
    those = (name for name in channels if name not in unreachable)
    return tuple(sorted(those, key=lambda name: name != person.preferred_channel))


def _sequence(
    campaigns: Campaigns,
    campaign: Campaign,
    message: Message,
    own: str,
    hours: Hours,
    history: History,
    order: int,
    briefing: Briefing | None,
) -> MessageSequence:
    plan, person, hours = campaign.plan, hours.person, hours.of(message)
    only = briefing is not None and briefing.only
    message, role = (message.as_briefing, briefing.role) if briefing is not None and only else (message, own)
    known = (person.since, history.rosters.get(campaign.id))
    starts = [opening(campaign, message, hours, leads=briefing is not None), *(at for at in known if at is not None)]
    ends = hours.closing(plan, message)
    closes = ends if person.left is None else min(ends, hours.midnight(person.left))
    carried = carried_by(plan, campaigns.carriers)
    said = _answers(campaign, message, history)
    rows = [row for row in history.rows_of(campaign.id, message.id) if row.kind != "commitment"]
    outcomes = _about(campaign.id, message.id, history.outcomes)
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
        rows=rows,
        answers=_as_timed(campaigns, said),
        said=said,
        questions=_questions(campaign.id, message.id, history, outcomes),
        snoozes=_about(campaign.id, message.id, history.snoozes),
        outcomes=outcomes,
        done_at=history.done_at(campaign.id, plan.outcome_of(message)) if history.deeds else None,
        order=order,
        told=told(plan, message, history),
        repeat_rule=_repeat_rule(campaigns, campaign, message, role, hours, closes),
        manager_holds=_holds_of(campaign, message, person),
        briefing=briefing,
        shut=shut_gate(campaign, message, hours, rows),
    )


def _commitment(own: MessageSequence, history: History) -> Iterator[MessageSequence]:
    """The question whether it is done, for a person who said they will: one touch in a sequence of its own."""
    plan, message, hours = own.campaign.plan, own.message, own.hours
    if message.asks_on is None:
        return
    answers = tuple(one.as_others_know_it for one in history.answers_to(own.campaign.id, message.id))
    rows = [row for row in history.rows_of(own.campaign.id, message.id) if row.kind == "commitment"]
    span = asked_about(plan, message, hours, answers, rows)
    if span is None:
        return
    left = hours.person.left
    closes = span[1] if left is None else min(span[1], hours.midnight(left))
    yield replace(
        own,
        kind="commitment",
        clock=span[0],
        closes=closes,
        leaves=closes < span[1],
        rows=rows,
        answers=answers,
        repeat_rule=FixedInterval(hours, INTERVAL, 1),
        briefing=None,
        shut=None,
    )


def _answers(campaign: Campaign, message: Message, history: History) -> tuple[Answer, ...]:
    # what became of a commitment says nothing of what is remembered
    found = history.answers_to(campaign.id, message.id)
    if not any(answer.kind in WORD_GIVEN for answer in found):
        return found
    return tuple(answer for answer in found if answer.kind not in WORD_GIVEN)


def _questions(
    campaign: str, message: str, history: History, outcomes: Sequence[OutreachOutcome]
) -> tuple[Question, ...]:
    # an objection is about everything the talk was about
    if not history.questions:
        return ()
    objected = {outcome.at for outcome in outcomes if outcome.outcome in NOT_HELPED}
    return tuple(
        question
        for question in history.questions
        if question.campaign == campaign
        and (question.message == message or (question.objection and question.asked_at in objected))
    )


def _holds_of(campaign: Campaign, message: Message, person: Person) -> tuple[ManagerHold, ...]:
    if message.sender != "manager" or not campaign.manager_holds:
        return ()
    manager = person.manager.lower()
    return tuple(hold for hold in campaign.manager_holds if hold.message == message.id and manager in hold.managers)


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
