"""What will be sent, by asking ``decide`` from wake to wake with supposed answers: nothing here decides anything."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

from commsengine.cadence.calendar import DAY
from commsengine.cadence.check_questions import check_of
from commsengine.cadence.daily_learning import TAKES_EFFECT, LearnedRoles, count_at, has_checks, learn_day
from commsengine.cadence.decide import decide
from commsengine.cadence.experiment import drawn
from commsengine.cadence.history import (
    Answer,
    Campaigns,
    Decision,
    Deed,
    History,
    OutreachOutcome,
    Question,
    Standstill,
    Touch,
)
from commsengine.cadence.kinds_and_states import CHANNELS, HUMAN, AnswerKind, OutcomeName
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Message
from commsengine.cadence.shape import Shape, Shapes, named
from commsengine.cadence.standing import open_outreach

Fact = Answer | OutreachOutcome | Deed
Supposition = Callable[[Touch], Sequence[Fact]]
"""The facts a touch is supposed to bring about, each with the instant (after ``due_at``) at which it happens."""

ANSWER_KINDS: Mapping[str, AnswerKind] = {"acknowledge": "acknowledged", "input": "input", "commit": "commit"}
"""What answers a message that asks for this; a check is answered with the touch that carries it."""

Pauses = Mapping[str, Sequence[Standstill]]
NO_PAUSES: Pauses = {}
NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Forecast:
    """One person's touches in order, the last decision (its reasons say what stays undone), and the history so far.

    People of one ``walk`` differ in nothing but whom their touches name; ``last`` and the keys in ``history`` name one
    of them.
    """

    touches: Sequence[Touch]
    last: Decision
    history: History
    walk: Walk


class Walk:
    """People of one shape on the way through the time to come; each touch is taken to arrive when it is due.

    ``first`` is decided for all of them. ``pauses`` are supposed pauses to come, by campaign: nothing of it is sent
    within; their backlog rule holds after.
    """

    def __init__(
        self, first: Person, history: History, start: dt.datetime, suppose: Supposition, pauses: Pauses = NO_PAUSES
    ) -> None:
        self.first, self.history = first, history
        self.people, self.touches = [first], {first.id: list[Touch]()}
        self._reached, self._next = start, start
        self._known: Campaigns | None = None
        self._suppose, self._pauses = suppose, pauses
        self._facts: list[tuple[dt.datetime, str, int, Fact]] = []
        self._order = 0  # facts of the same instant and touch come as supposed
        self._ends = sorted(pause.until for those in pauses.values() for pause in those)
        self._last = Decision(first.id)

    def join(self, person: Person) -> None:
        """Before it begins: one more who is alike in all that ``decide`` reads."""
        self.people.append(person)
        self.touches[person.id] = []

    def go(self, campaigns: Campaigns, until: dt.datetime) -> list[Walk]:
        """On to ``until``, without that instant: this walk and those that part from it, for other facts, on the way.

        Other ``campaigns`` than before take effect for all people at once.
        """
        if campaigns is not self._known:
            self._next, self._known = self._reached, campaigns
        parted: list[Walk] = []
        while self._next < until:
            self._reached = self._next
            parted += self._decide(campaigns, self._next)
            self._next = self._look_again()
        self._reached = max(self._reached, until)
        return [self, *(each for walk in parted for each in walk.go(campaigns, until))]

    def of(self, person: str) -> Forecast:
        return Forecast(self.touches[person], self._last, self.history, self)

    def _decide(self, campaigns: Campaigns, now: dt.datetime) -> list[Walk]:
        while self._facts and self._facts[0][0] <= now:
            self.history = with_fact(campaigns, self.first, self.history, heapq.heappop(self._facts)[3])
        self._last = decide(_as_of(campaigns, self._pauses, now), self.first, self.history, now)
        touches = self._last.touches
        for touch in touches:
            self.history = self.history.with_touch(touch, now)
        return self._part(touches) if touches else []

    def _part(self, touches: Sequence[Touch]) -> list[Walk]:
        """Gives all people their touches; those of whom other facts are supposed than of the others go on apart."""
        parts: dict[tuple[Sequence[Fact], ...], list[Person]] = {}
        for person in self.people:
            own = touches if person is self.first else named(person.id, touches)
            self.touches[person.id] += own
            facts = [() if touch.skip else self._suppose(touch) for touch in own]
            parts.setdefault(_as_facts_of(touches, facts), []).append(person)
        walks = [self, *(self._with_fewer(people) for people in [*parts.values()][1:])]
        self.people = next(iter(parts.values()))
        for walk, heard in zip(walks, parts, strict=True):
            walk._hear(touches, heard)
        for walk in walks[1:]:
            walk._next = walk._look_again()
        return walks[1:]

    def _with_fewer(self, people: list[Person]) -> Walk:
        other = copy(self)
        other.people, other._facts = people, [*self._facts]
        return other

    def _hear(self, touches: Sequence[Touch], heard: Sequence[Sequence[Fact]]) -> None:
        for touch, facts in zip(touches, heard, strict=True):
            for fact in facts:
                self._order += 1
                heapq.heappush(self._facts, (fact.at, turn_of(touch), self._order, fact))

    def _look_again(self) -> dt.datetime:
        nexts = [at for at in (self._last.wake_at, self._facts[0][0] if self._facts else None) if at is not None]
        nexts += [end for end in self._ends if end > self._reached][:1]
        return max(self._reached, min(nexts, default=NEVER))


def turn_of(touch: Touch) -> str:
    """In this order come a person's facts of one instant, here as in a rehearsal: the same for all people."""
    return f"{touch.campaign}/{touch.message}/{touch.local_date}/{touch.rung:03}"


def _as_facts_of(touches: Sequence[Touch], facts: Sequence[Sequence[Fact]]) -> tuple[Sequence[Fact], ...]:
    # an answer names the touch that it answers
    if not any(facts):
        return tuple([()] * len(touches))
    return tuple(
        [
            tuple([replace(fact, key=touch.key) if isinstance(fact, Answer) else fact for fact in theirs])
            for touch, theirs in zip(touches, facts, strict=True)
        ]
    )


def forecast(
    campaigns: Campaigns,
    person: Person,
    history: History,
    start: dt.datetime,
    until: dt.datetime,
    suppose: Supposition,
    pauses: Pauses = NO_PAUSES,
) -> Forecast:
    """Every touch of ``person`` from ``start`` up to, without, ``until``, with the role estimates as they are."""
    walk = Walk(person, history, start, suppose, pauses)
    walk.go(campaigns, until)
    return walk.of(person.id)


def forecast_each(
    campaigns: Campaigns,
    people: Iterable[tuple[Person, History]],
    start: dt.datetime,
    until: dt.datetime,
    suppose: Supposition,
    pauses: Pauses = NO_PAUSES,
) -> list[Forecast]:
    """Equal to ``forecast`` of each, in their order; people of one shape share the work."""
    everyone = [*people]
    walks = _walks(campaigns, everyone, start, suppose, pauses)
    return _in_order(everyone, [each for walk in walks for each in walk.go(campaigns, until)])


def forecast_together(
    campaigns: Campaigns,
    people: Iterable[tuple[Person, History]],
    start: dt.datetime,
    until: dt.datetime,
    suppose: Supposition,
    pauses: Pauses = NO_PAUSES,
    known: Mapping[str, LearnedRoles] | None = None,
    progress: Callable[[float], object] = bool,
) -> list[Forecast]:
    """The forecasts of all these people, in their order, who teach each other's roles day by day as they answer.

    ``known`` is what is known of each campaign's roles at ``start``; ``progress`` hears the share of days done.
    """
    if campaigns.workspace.recall == "off" or not any(has_checks(campaign.plan) for campaign in campaigns.running):
        return forecast_each(campaigns, people, start, until, suppose, pauses)
    everyone = [*people]
    walks = _walks(campaigns, everyone, start, suppose, pauses)
    learned, counted = dict(known or {}), count_at(start)
    while counted + TAKES_EFFECT < until:
        if counted + TAKES_EFFECT > start:
            walks = [each for walk in walks for each in walk.go(campaigns, counted + TAKES_EFFECT)]
            campaigns = _after_the_day(campaigns, walks, learned, counted)
            progress((counted - start) / (until - start))
        counted += DAY
    return _in_order(everyone, [each for walk in walks for each in walk.go(campaigns, until)])


def _walks(
    campaigns: Campaigns,
    people: Iterable[tuple[Person, History]],
    start: dt.datetime,
    suppose: Supposition,
    pauses: Pauses,
) -> list[Walk]:
    shapes, walks = Shapes(campaigns), dict[Shape, Walk]()
    for person, history in people:
        shape = shapes.of(person, history)
        if (walk := walks.get(shape)) is not None:
            walk.join(person)
        else:
            walks[shape] = Walk(person, history, start, suppose, pauses)
    return [*walks.values()]


def _in_order(people: Iterable[tuple[Person, History]], walks: Iterable[Walk]) -> list[Forecast]:
    found = {person.id: walk for walk in walks for person in walk.people}
    return [found[person.id].of(person.id) for person, _ in people]


def _after_the_day(
    campaigns: Campaigns, walks: Sequence[Walk], known: dict[str, LearnedRoles], counted: dt.datetime
) -> Campaigns:
    running = []
    for campaign in campaigns.running:
        before = known.get(campaign.id, LearnedRoles())
        theirs = ((person, walk.history) for walk in walks if walk.history.answers for person in walk.people)
        one_by_one = campaigns.workspace.recall == "person"
        learned = learn_day(campaign.plan, before, theirs, counted, one_by_one=one_by_one)
        if learned is not None:
            known[campaign.id] = learned
        published = campaign.news_at is not None and campaign.news_at <= counted + TAKES_EFFECT
        new = learned or (before if published else None)
        running.append(replace(campaign, recall=new.estimates, news_at=None) if new else campaign)
    changed = any(new is not old for new, old in zip(running, campaigns.running, strict=True))
    return replace(campaigns, running=tuple(running)) if changed else campaigns


def _as_of(campaigns: Campaigns, pauses: Pauses, now: dt.datetime) -> Campaigns:
    if not pauses:
        return campaigns
    running = []
    for campaign in campaigns.running:
        own = pauses.get(campaign.id, ())
        if not any(pause.since <= now < pause.until for pause in own):
            over = tuple(pause for pause in own if pause.until <= now)
            running.append(replace(campaign, pauses=(*campaign.pauses, *over)))
    return replace(campaigns, running=tuple(running))


def with_fact(campaigns: Campaigns, person: Person, history: History, fact: Fact) -> History:
    # the outcome of a talk is that of everything the talk was about, as in life
    if isinstance(fact, Answer):
        return replace(history, answers=(*history.answers, fact))
    if isinstance(fact, Deed):
        return replace(history, deeds=(*history.deeds, fact))
    plan = next(campaign.plan for campaign in campaigns.running if campaign.id == fact.campaign)
    about = open_outreach(plan, person, history, fact.at)
    if fact.message not in about:
        return history
    outcomes = [replace(fact, message=message) for message in about]
    words = [Answer(one.campaign, one.message, "acknowledged", one.at, "manager") for one in outcomes]
    understood = words if fact.outcome == "understood" else []
    # as in life it is one question; nothing is supposed of when the lead answers it
    objection = Question(fact.campaign, about[0], fact.at, objection=True)
    return replace(
        history,
        outcomes=(*history.outcomes, *outcomes),
        answers=(*history.answers, *understood),
        questions=(*history.questions, objection) if fact.outcome == "objects" else history.questions,
    )


# -- supposed answers -----------------------------------------------------------------------------


def no_answers(touch: Touch) -> Sequence[Fact]:
    del touch
    return ()


DOING = dt.timedelta(days=5)
"""How long after a touch those who do something are supposed to have done it."""


def doing(campaigns: Campaigns, share: float, others: Supposition) -> Supposition:
    """``others``; and this share of the people does what is asked, five days after their first touch from here on."""
    plans = {campaign.id: campaign.plan for campaign in campaigns.running}

    def suppose(touch: Touch) -> Sequence[Fact]:
        plan = plans[touch.campaign]
        outcome = plan.outcome_of(plan.message(touch.message))
        if outcome is None or drawn("does", touch.person, touch.campaign, outcome) >= share:
            return others(touch)
        return (*others(touch), Deed(touch.campaign, outcome, touch.due_at + DOING))

    return suppose


Messages = Mapping[tuple[str, str], Message]
"""By campaign and id."""


def messages_of(campaigns: Campaigns) -> Messages:
    return {(each.id, message.id): message for each in campaigns.running for message in each.plan.messages}


def all_answer(messages: Messages) -> Supposition:
    """All people answer two hours after the first touch and after each check, and are right."""

    def suppose(touch: Touch) -> Sequence[Fact]:
        wanted = touch.number == 1 or check_of(messages[touch.campaign, touch.message], touch.number, touch.asks)
        return answered(touch, messages, SOON, right=True) if wanted else ()

    return suppose


TYPICAL = (0.45, 0.25, 0.15, 0.10)
"""Assumed share of those still silent who answer after their 1st, 2nd, 3rd and each later touch. An assumption."""

RIGHT = 0.70
"""Assumed share of right answers to a check. An assumption."""

SOON, LATER = dt.timedelta(hours=2), dt.timedelta(hours=5)

OUTREACH: tuple[tuple[OutcomeName, float], ...] = (("understood", 0.70), ("objects", 0.90), ("away", 1.0))
"""Assumed outcomes of personal outreach, as running totals. An assumption."""


def typical(messages: Messages) -> Supposition:
    """Assumed rates, spread over people by a fixed hash so that every run supposes the same.

    A person who answers a touch with a check answers the check.
    """

    def suppose(touch: Touch) -> Sequence[Fact]:
        draw = drawn(touch.person, touch.campaign, touch.message, str(touch.rung), str(touch.number))
        if touch.kind == "personal":
            return outreach_outcome(touch, draw)
        if touch.kind == "sponsor" or draw >= TYPICAL[min(touch.number, len(TYPICAL)) - 1]:
            return ()
        right = drawn("check", touch.person, touch.campaign, touch.message, str(touch.number)) < RIGHT
        return answered(touch, messages, SOON if int(draw * 1000) % 2 else LATER, right=right)

    return suppose


def answered(touch: Touch, messages: Messages, after: dt.timedelta, *, right: bool) -> Sequence[Fact]:
    message = messages[touch.campaign, touch.message]
    asks_back = touch.kind == "commitment"
    checked = not asks_back and check_of(message, touch.number, touch.asks) is not None
    kind: AnswerKind | None = "kept" if asks_back else "check" if checked else ANSWER_KINDS.get(message.ask)
    if kind is None or touch.channel == HUMAN:
        return ()
    at, told = touch.due_at + after, right if checked else None
    evidence, measures = CHANNELS[touch.channel].evidence, touch.asks or "recall"
    return (Answer(touch.campaign, touch.message, kind, at, evidence, told, key=touch.key, measures=measures),)


def outreach_outcome(touch: Touch, draw: float) -> Sequence[Fact]:
    at = touch.due_at + LATER
    outcome = next(name for name, up_to in OUTREACH if draw < up_to)
    return (OutreachOutcome(touch.campaign, touch.message, outcome, at),)
