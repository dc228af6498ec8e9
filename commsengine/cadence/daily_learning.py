"""What the answers of a campaign teach, day by day: from histories to what is known of each role.

A day's answers are counted at midnight UTC, once they are those of ten people of a role, and take effect at three:
until then the new estimates are only published.
A forecast learns the same at the same instants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from commsengine.cadence.audience import role_of
from commsengine.cadence.calendar import DAY
from commsengine.cadence.experiment import held_out
from commsengine.cadence.history import Campaign, History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Cadence, Message, Plan
from commsengine.cadence.repeats import HOUR, events_of, seen_at
from commsengine.recall.learning import ASSUMED, Checked, Learned, estimate, learn, nothing
from commsengine.recall.memory import ALWAYS, Estimate, Event
from commsengine.recall.small_groups import enough

TAKES_EFFECT = 3 * HOUR
"""How long after midnight UTC the estimates of the day before are used."""


@dataclass(frozen=True, slots=True)
class LearnedRoles:
    """What was known of a campaign's roles when its answers were last counted, and from when on it is used."""

    counted_at: dt.datetime = ALWAYS
    effective_at: dt.datetime = ALWAYS
    roles: Mapping[str, Learned] = field(default_factory=dict)

    @property
    def estimates(self) -> Mapping[str, Estimate]:
        return {role: self.estimate_of(role) for role in self.roles}

    def estimate_of(self, role: str) -> Estimate:
        learned = self.roles.get(role)
        return ASSUMED if learned is None else estimate(learned, self.others(role), self.effective_at)

    def others(self, role: str) -> list[Learned]:
        return [learned for name, learned in self.roles.items() if name != role]


@dataclass(frozen=True, slots=True)
class PersonEvents:
    """What one person had and answered of one message, as events; ``zero`` is the instant of hour 0."""

    person: str
    message: str
    zero: dt.datetime
    events: tuple[Event, ...]

    def checked(self, until: dt.datetime) -> list[tuple[int, Checked]]:
        """The checks answered up to and with ``until``, each with the number of its touch."""
        last = (until - self.zero) / HOUR
        return [
            (place + 1, Checked(self.events[:place], event))
            for place, event in enumerate(self.events)
            if event.signal in ("right", "wrong") and event.at <= last
        ]

    def day_of(self, check: Checked) -> dt.datetime:
        """The midnight at which this answer is counted; one of midnight itself belongs to the day before."""
        return count_at(self.zero + check.answer.at * HOUR - dt.timedelta.resolution) + DAY


def count_at(now: dt.datetime) -> dt.datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def has_checks(plan: Plan) -> bool:
    return any(message.checks for message in plan.messages)


def learn_day(
    plan: Plan,
    known: LearnedRoles,
    people: Iterable[tuple[Person, History]],
    until: dt.datetime,
    *,
    one_by_one: bool = False,
) -> LearnedRoles | None:
    """What is known at ``until``; ``None`` without answers since the last count.

    A role's answers wait until they are those of ten people, for else its next dates would tell what one of them
    answered. ``one_by_one``: each counts on its own day.
    """
    pasts: dict[str, list[PersonEvents]] = {}
    for person, history in people:
        role = role_of(plan, person)
        if role is not None:
            pasts.setdefault(role, []).extend(_answered(plan, person, history, until))
    for theirs in pasts.values():
        theirs.sort(key=lambda past: (past.person, past.message))  # nothing hangs on who was loaded first
    new = {
        role: _in_turn(plan, pasts.get(role, ()), known.counted_at, until, one_by_one) for role in plan.audience.roles
    }
    if not any(kept or out for kept, out in new.values()):
        return None
    learned = {}
    for role, (kept, out) in new.items():
        answered = (each.events for each in pasts.get(role, ()))
        learned[role] = learn(known.roles.get(role) or nothing(), kept, answered, known.others(role), out)
    return LearnedRoles(until, until + TAKES_EFFECT, learned)


def _answered(plan: Plan, person: Person, history: History, until: dt.datetime) -> Iterable[PersonEvents]:
    for message in plan.messages:
        answers = [answer for answer in history.answers_to(plan.campaign, message.id) if answer.at <= until]
        if not any(answer.tells for answer in answers):
            continue
        seen = [at for at in seen_at(history.rows_of(plan.campaign, message.id)) if at <= until]
        if seen:
            yield PersonEvents(person.id, message.id, seen[0], events_of(message, seen, answers))


def _in_turn(
    plan: Plan, pasts: Iterable[PersonEvents], since: dt.datetime, until: dt.datetime, one_by_one: bool
) -> tuple[list[Checked], list[Checked]]:
    given = [(past, number, check) for past in pasts for number, check in past.checked(until)]
    days = [(past.day_of(check), past.person) for past, _, check in given]
    counted = {day: day for day, _ in days} if one_by_one else _by_tens(days)
    kept: list[Checked] = []
    out: list[Checked] = []
    for (past, number, check), (day, _) in zip(given, days, strict=True):
        if since < counted.get(day, ALWAYS) <= until:
            (out if held_out(plan, past.person, past.message, number) else kept).append(check)
    return kept, out


def _by_tens(given: Iterable[tuple[dt.datetime, str]]) -> Mapping[dt.datetime, dt.datetime]:
    """By day, the day on which its answers are counted: with those of ten people, or of more."""
    people: dict[dt.datetime, set[str]] = {}
    for day, person in given:
        people.setdefault(day, set()).add(person)
    counted: dict[dt.datetime, dt.datetime] = {}
    waiting: list[dt.datetime] = []
    for day in sorted(people):
        waiting.append(day)
        if enough(len(set().union(*(people[each] for each in waiting)))):
            counted.update(dict.fromkeys(waiting, day))
            waiting = []
    return counted


def recall_of(campaign: Campaign, message: Message, person: Person, history: History, at: dt.datetime) -> float:
    """The recall of one message at an instant, by the estimate in use; 0 before the first touch."""
    seen = [due for due in seen_at(history.rows_of(campaign.id, message.id)) if due <= at]
    if not seen:
        return 0.0
    answers = [answer for answer in history.answers_to(campaign.id, message.id) if answer.at <= at]
    estimate = campaign.recall.get(role_of(campaign.plan, person) or "", ASSUMED)
    return estimate.memory(events_of(message, seen, answers)).recall((at - seen[0]) / HOUR)


def messages_by_recall(plan: Plan) -> Sequence[Message]:
    # those that repeat by recall; where there are none, all that ask for something
    by_recall = [message for message in plan.messages if message.cadence.recall_floor is not None]
    return by_recall or [message for message in plan.messages if message.ask != "nothing"] or plan.messages


def with_interval(campaign: Campaign, hours: int) -> Campaign:
    """The same campaign, had its messages by recall been sent every so many hours until they close."""
    plan, every = campaign.plan, Cadence(every=f"{hours}h")
    messages = tuple(
        message.model_copy(update={"cadence": every}) if message.cadence.recall_floor is not None else message
        for message in plan.messages
    )
    return replace(campaign, plan=plan.model_copy(update={"messages": messages}))
