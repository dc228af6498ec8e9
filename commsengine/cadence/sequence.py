"""The sequence of one person and one message: its clock, its slots, and which rung of the ladder is next.

Read it from top to bottom as the rules of ``docs/how-it-decides.md``:
1. The clock starts at the latest of the message's ``from``, the campaign's start, its introduction and the joining.
2. The first slot is the clock; each further slot is the cadence's: an interval later, or just before it is forgotten.
3. A rung takes the next slot once its ``after`` is met; a reminder counts in ``times``, personal outreach does not.
4. When ``times`` run out first, the next rung takes the slot after the last touch.
5. An answer ends the ladder, not the repeats. The sponsor waits for a recorded outreach that did not help.
6. A message that repeats until it is done is ended by the deed alone, its ladder too.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from commsengine.cadence.budget import stricter
from commsengine.cadence.calendar import Hours
from commsengine.cadence.history import (
    Answer,
    Briefing,
    Campaign,
    ManagerHold,
    OutreachOutcome,
    Question,
    Reason,
    Snooze,
    TouchRow,
)
from commsengine.cadence.kinds_and_states import (
    BY_HAND,
    ENOUGH,
    HUMAN,
    Carrier,
    ChannelName,
    ReasonCode,
    Standing,
    TouchKind,
)
from commsengine.cadence.plan import Message, Notice, Rung, Workspace
from commsengine.cadence.repeats import NOT_SEEN, RepeatRule, RepeatSlot, seen_at
from commsengine.cadence.standing import REACHED, standing
from commsengine.cadence.time_notation import Wait
from commsengine.cadence.told import Told
from commsengine.translation import N_

REMEMBERED = N_("The person is likely to remember it until the message ends.")

NOT_HELPED = frozenset({"objects"})
LAST_WORDS = frozenset({"understood", "declines"})
"""Outcomes of an outreach after which no reminder of that message follows."""

COMMITMENT = -1
"""The rung of the question whether it is done: none of the ladder's, so that it may come on the day of any of them."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a sequence wants next: a rung from ``ready`` on. ``again`` is the row of a retry.

    ``keep`` is the local date of a later touch for which a place in the week's budget is kept.
    """

    rung: int
    kind: TouchKind
    ready: dt.datetime
    channel: Carrier
    again: TouchRow | None = None
    keep: dt.date | None = None


@dataclass(slots=True)
class MessageSequence:
    """One person and one message. ``rows`` grow while a decision is being made; everything else is fixed.

    ``answers`` are what decides: without right and wrong where only the person may know of it. ``said`` are the same as
    they were given, for what a touch says to the person alone.
    """

    campaign: Campaign
    message: Message
    role: str
    hours: Hours
    clock: dt.datetime
    closes: dt.datetime
    leaves: bool  # the person leaves before the message closes
    carried: bool  # at least one of the plan's channels can carry anything here
    channels: tuple[ChannelName, ...]  # those that reach the person, best first
    rows: list[TouchRow]
    answers: tuple[Answer, ...]
    said: tuple[Answer, ...]
    questions: tuple[Question, ...]
    snoozes: tuple[Snooze, ...]
    outcomes: tuple[OutreachOutcome, ...]
    done_at: dt.datetime | None  # what the message is to bring about
    order: int
    told: Told  # what it puts right for the person
    repeat_rule: RepeatRule
    manager_holds: tuple[ManagerHold, ...] = ()
    briefing: Briefing | None = None  # the person has people who get it later
    shut: str | None = None  # the phase whose gate it waits for
    kind: TouchKind = "message"  # of its rung 0; a commitment has a sequence of its own
    ladder: tuple[Rung, ...] = field(init=False)
    correction: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.ladder = () if self.kind == "commitment" else self.campaign.plan.ladder(self.message)
        self.correction = self.campaign.plan.corrected.get(self.message.id)

    # -- where the person stands ------------------------------------------------------------------

    @property
    def standing(self) -> Standing:
        wrong = self.correction is not None
        return standing(self.rows, self.answers, self.questions, self.outcomes, corrected=wrong)

    @property
    def reached(self) -> bool:
        return any(row.state in REACHED and row.kind not in BY_HAND for row in self.rows)

    @property
    def comes_first(self) -> bool:
        """It puts right what the person has read, and they do not know yet."""
        return bool(self.told) and not self.reached

    @property
    def urgent(self) -> bool:
        """It waits for no place in the attention budget, and takes one all the same."""
        return isinstance(self.message, Notice) and self.message.urgent

    @property
    def answered(self) -> bool:
        return bool(self.answers)

    @property
    def chasing(self) -> bool:
        if self.message.repeat_until == "done":  # words end nothing here, but for a last one
            return not any(outcome.outcome == "declines" for outcome in self.outcomes) and bool(self.ladder)
        settled = any(outcome.outcome in LAST_WORDS for outcome in self.outcomes)
        return not self.answered and not settled and bool(self.ladder)

    def over(self, now: dt.datetime) -> Reason | None:
        if self.leaves and now >= self.closes:
            return self.closed()
        if corrected := self._corrected():
            return corrected
        if any(answer.kind in ENOUGH for answer in self.answers):
            return self.reason("heard_enough", N_("The person has heard enough."), waits_for="never")
        if self.message.repeat_until == "done" and self.done_at is not None:
            return self.reason("done", N_("The person did what the message asks for, so it ends."), waits_for="never")
        if self._repeats_ended():
            text = N_("The person answered, so the message ends.")
            return self.reason("answered", text, waits_for="never")
        return None

    def _corrected(self) -> Reason | None:
        if self.correction is not None:
            text = N_("The message was wrong and is corrected by '{message}'; it is not sent any more.")
            return self.reason("corrected", text, waits_for="never", message=self.correction)
        if isinstance(self.message, Notice) and self.message.old_dates and not (self.told or self.reached):
            text = N_("The person never got the old date.")
            return self.reason("not_told", text, waits_for="never")
        return None

    def _repeats_ended(self) -> bool:
        if self.kind == "commitment":
            return False
        if self.message.repeat_until == "acknowledged":
            return self.answered
        return self.message.repeat_until == "recalled" and self.standing == "recalled"

    def gated(self) -> Reason | None:
        if self.shut is None:
            return None
        words = N_("It follows the phase '{phase}'; the lead has not opened the gate of that phase yet.")
        return self.reason("gate", words, waits_for="the lead's word", phase=self.shut)

    def closed(self) -> Reason:
        if self.leaves:
            return self.reason("left", N_("The person leaves before the next message."), waits_for="never")
        return self.reason("closed", N_("The message ends before it would be sent again."), waits_for="never")

    def no_room(self, common: Workspace) -> Reason:
        if self.leaves:
            return self.closed()
        words = N_("Other messages come first until it closes: nobody may get more than {day} a day and {week} a week.")
        day, week = stricter(self.campaign.plan.send.at_most, common)
        return self.reason("no_room", words, waits_for="never", day=day, week=week)

    def asked(self) -> Reason | None:
        questions = [question for question in self.questions if question.answered_at is None]
        if not questions:
            return None
        if all(question.objection for question in questions):
            return self.reason("asked", N_("Their objection is open."), waits_for="the answer to their objection")
        return self.reason("asked", N_("Their question is open."), waits_for="the answer to their question")

    def passing(self, kind: TouchKind) -> tuple[Question, ...]:
        """The questions that hold a touch of this kind: an objection does not hold the proposal to ask the sponsor."""
        return tuple(each for each in self.questions if not (each.objection and kind == "sponsor"))

    def interrupted_until(self, at: dt.datetime, kind: TouchKind = "message") -> dt.datetime:
        """The end of what a touch waits for at that instant: the answer to a question, a snooze, a manager's hold."""
        for question in self.passing(kind):
            if question.answered_at is not None and question.asked_at <= at < question.answered_at:
                at = question.answered_at
        for snooze in self.snoozes:
            at = max(at, self.hours.midnight(snooze.until)) if snooze.at <= at else at
        for hold in self.manager_holds:
            at = max(at, self.hold_ends(hold)) if hold.at <= at else at
        return at

    def hold_ends(self, hold: ManagerHold) -> dt.datetime:
        ends = self.hours.midnight(hold.until)
        return ends if hold.lifted_at is None else min(ends, hold.lifted_at)

    def held_by_manager(self, at: dt.datetime) -> bool:
        return any(hold.at <= at < self.hold_ends(hold) for hold in self.manager_holds)

    def held(self) -> Reason | None:
        if self.message.id in self.campaign.held_messages:
            words = N_("The mail server refuses the text of the message; it waits for the lead's decision.")
            return self.reason("held", words, waits_for="the lead's word, or another text")
        return None

    # -- what comes next --------------------------------------------------------------------------

    def steps(self) -> tuple[list[Step], list[Reason]]:
        """The repeat or rung that takes the next slot, and the sponsor's proposal, which takes none; or why not."""
        rung = self._next_rung()
        if rung is not None and self.ladder[rung - 1].do == "sponsor":
            wanted = [self._sponsor(rung), self._slot(None)]
        else:
            wanted = [self._slot(rung)]
        steps = [each for each in wanted if isinstance(each, Step) and not self._held_by_question(each)]
        return steps, [each for each in wanted if isinstance(each, Reason)]

    def _held_by_question(self, step: Step) -> bool:
        return any(question.answered_at is None for question in self.passing(step.kind))

    def made(self) -> list[TouchRow]:
        """The rows that count in ``times``: messages and reminders that were not skipped."""
        return [row for row in self.rows if row.state != "skipped" and row.kind not in BY_HAND]

    def reminds_next(self) -> bool:
        rung = self._next_rung()
        return rung is not None and self.ladder[rung - 1].do == "remind"

    def all_made(self, made: list[TouchRow]) -> bool:
        return self.repeat_rule.times is not None and len(made) >= self.repeat_rule.times

    def after(self, due: dt.datetime, *, supposed: bool = False) -> RepeatSlot | None:
        """The slot after the touch that was due then; ``None`` if nothing more is needed before the message closes.

        ``supposed``: that touch is not among the rows yet, and will be made.
        """
        seen = [at for at in seen_at(self.rows) if at <= due]
        return self.repeat_rule.after(due, [*seen, due] if supposed and due not in seen else seen, self.answers)

    def _next_slot(self) -> RepeatSlot | None:
        slots = [row.due_at for row in self.rows if row.kind != "sponsor"]
        if not slots:
            return RepeatSlot(self.clock)
        slot = self.after(max(slots))
        return slot if slot is None or slot.at >= self.clock else RepeatSlot(self.clock, slot.keep)

    def _rung_slot(self) -> dt.datetime:
        last = max(row.due_at for row in self.rows if row.kind != "sponsor")
        return self.hours.later(last, self.repeat_rule.interval)

    def _next_rung(self) -> int | None:
        if not self.chasing:
            return None
        climbed = max((row.rung for row in self.rows if row.state != "skipped"), default=0)
        if not self.channels and self.carried:  # no channel reaches them: a person does, at once
            personal = (n for n, rung in enumerate(self.ladder, 1) if n > climbed and rung.do != "remind")
            return next(personal, None)
        return climbed + 1 if climbed < len(self.ladder) else None

    def _slot(self, rung: int | None) -> Step | Reason:
        if not self.channels and self.carried:
            return self._by_hand_at_once(rung)
        made, slot = self.made(), self._next_slot()
        exhausted = slot is None or self.all_made(made)
        if rung is not None and made and (self.carried or self.ladder[rung - 1].do != "remind"):
            ready = self._rung_ready(rung, made, slot.at if slot else self._rung_slot(), exhausted)
            if ready is not None:
                return self._step(rung, ready)
        if slot is None:
            return self.reason("remembered", REMEMBERED, waits_for="an answer or a new estimate")
        if exhausted:
            text = N_("Sent {number} times; no more follow.") if len(made) != 1 else N_("Sent; no more follow.")
            return self.reason("times", text, waits_for="never", number=len(made))
        if not self.carried:
            return self.reason("no_channel", N_("None of the plan's channels is set up."), waits_for="a channel")
        kind: TouchKind = "briefing" if self.briefing and not made else self.kind
        rung = COMMITMENT if kind == "commitment" else 0
        return Step(rung, kind, slot.at, self.channels[0], keep=slot.keep)

    def _rung_ready(self, rung: int, made: list[TouchRow], slot: dt.datetime, exhausted: bool) -> dt.datetime | None:
        """When this rung may take the slot; ``None`` while a repeat should."""
        wait = self.ladder[rung - 1].after
        begun = [row for row in self.rows if row.rung == rung - 1 and row.state != "skipped"]
        since = min((row.due_at for row in begun or made), default=slot)
        if wait.unit == "touches":
            seen = [row for row in made if row.due_at >= since and row.state not in NOT_SEEN]
            return slot if len(seen) >= wait.count or exhausted else None
        waited = self._working_days_after(since, wait.count)
        if exhausted:
            return max(slot, waited)
        opens = self.hours.next_open(slot, self.closes)  # a Saturday's slot is Monday's: by then the wait may be over
        return slot if opens is not None and opens >= waited else None

    def _by_hand_at_once(self, rung: int | None) -> Step | Reason:
        if rung is None:
            return self.reason("unreachable", N_("No channel reaches the person."), waits_for="a new address")
        calls = [row.due_at for row in self.rows if row.kind == "personal"]
        wait = self.ladder[rung - 1].after
        if not calls:
            ready = max([self.clock, *(row.due_at for row in self.rows)])
        elif wait.unit == "touches":  # there are none to wait for
            ready = self.hours.later(max(calls), self.repeat_rule.interval)
        else:
            ready = self._working_days_after(max(calls), wait.count)
        return self._step(rung, ready)

    def _sponsor(self, rung: int) -> Step | Reason | None:
        # only after the last outreach is recorded, and did not help
        calls = [row.due_at for row in self.rows if row.kind == "personal"]
        recorded = [outcome for outcome in self.outcomes if calls and outcome.at >= max(calls)]
        objected = [outcome.at for outcome in recorded if outcome.outcome in NOT_HELPED]
        if not objected:
            unknown = N_("The result of the call is not recorded yet.")
            text = N_("The person was not reached by the call.") if recorded else unknown
            return self.reason("outreach", text, waits_for="the outcome of the outreach")
        ready = self._sponsor_ready(self.ladder[rung - 1].after, min(objected))
        return None if ready is None else self._step(rung, ready)

    def _sponsor_ready(self, wait: Wait, since: dt.datetime) -> dt.datetime | None:
        if wait.unit != "touches":
            return self._working_days_after(since, wait.count)
        made = self.made()
        seen = sorted(row.due_at for row in made if row.due_at >= since and row.state not in NOT_SEEN)
        if len(seen) >= wait.count:
            return seen[wait.count - 1]
        slot = self._next_slot()
        if slot is None or self.all_made(made):
            return max(since, slot.at if slot else self._rung_slot())
        return None

    def _working_days_after(self, since: dt.datetime, count: int) -> dt.datetime:
        return self.hours.midnight(self.hours.after_working_days(self.hours.local_date(since), count))

    def _step(self, rung: int, ready: dt.datetime) -> Step:
        wanted = self.ladder[rung - 1]
        if wanted.do != "remind":
            return Step(rung, wanted.do, ready, HUMAN)
        channel = wanted.channel if wanted.channel in self.channels else self.channels[0]
        return Step(rung, "remind", ready, channel)

    # -- words ------------------------------------------------------------------------------------

    def reason(
        self, code: ReasonCode, words: str, next_at: dt.datetime | None = None, waits_for: str = "", **values: object
    ) -> Reason:
        return Reason(self.campaign.id, self.message.id, code, words, next_at, waits_for, tuple(values.items()))
