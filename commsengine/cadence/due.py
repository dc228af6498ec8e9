"""What falls due when: each step of each sequence at the first instant at which everything allows it.

The rules, in this order: snooze, question and manager's hold, send window, attention budget, the key's local date.
Where one of them moves the instant on, all are asked again. What fell due in a standstill comes after it, by its
backlog rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from commsengine.cadence.budget import Ledger
from commsengine.cadence.history import Campaigns, Reason, Standstill, TouchRow
from commsengine.cadence.kinds_and_states import BY_HAND, ReasonCode, SkipCode, TouchKind
from commsengine.cadence.sequence import MessageSequence, Step

PRIORITY = {"high": 0, "normal": 1, "low": 2}
FIRST = -1
"""The rank of a correction for people who got the wrong message: before all of these."""


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step with its due instant; ``standstill`` is the pause or hold it fell due before, ``first_due`` its due
    without it."""

    sequence: MessageSequence
    step: Step
    due: dt.datetime
    code: ReasonCode
    first_due: dt.datetime
    standstill: Standstill | None = None
    skip: SkipCode = ""

    @property
    def rank(self) -> tuple[dt.datetime, bool, int, int, int]:
        return self.due, not self.skip, _priority(self.sequence), self.sequence.order, self.step.rung

    @property
    def by_hand(self) -> bool:
        return self.step.kind in BY_HAND


def _priority(sequence: MessageSequence) -> int:
    return FIRST if sequence.comes_first else PRIORITY[sequence.message.priority]


def due_steps(
    sequences: Iterable[MessageSequence], campaigns: Campaigns, ledger: Ledger, now: dt.datetime
) -> tuple[list[DueStep], list[Reason]]:
    """The next steps of all sequences, and for each sequence without one the fact it waits for."""
    found: list[DueStep] = []
    reasons: list[Reason] = []
    for sequence in sequences:
        asked, for_good = sequence.asked(), sequence.over(now) or sequence.gated() or sequence.held()
        if for_good is not None:
            reasons.append(for_good)
            continue
        if sequence.carried and asked is None:
            found += [_retry(sequence, row, campaigns) for row in sequence.rows if row.state == "retry"]
        steps, waiting = sequence.steps()
        reasons += waiting if asked is None else [asked]
        for step in steps:
            due_step = when_due(sequence, step, campaigns, ledger)
            if isinstance(due_step, DueStep):
                found.append(due_step)
            else:
                reasons.append(sequence.no_room(campaigns.workspace) if due_step == "budget" else sequence.closed())
    return _backlog(found), reasons


def open_from(sequence: MessageSequence, at: dt.datetime, kind: TouchKind = "message") -> dt.datetime | None:
    """The first instant from ``at`` in a send window, in no snooze, under no open question and no manager's hold;
    ``None`` if the message closes before."""
    while True:
        opened = sequence.hours.next_open(sequence.interrupted_until(at, kind), sequence.closes)
        if opened is None or opened >= sequence.closes:
            return None
        if opened == at or not (sequence.questions or sequence.snoozes or sequence.manager_holds):
            return opened
        at = opened


def interruption(sequence: MessageSequence, at: dt.datetime) -> ReasonCode:
    """Why it waits at that instant although the window is open, or would be."""
    return "held_by_manager" if sequence.held_by_manager(at) else "snoozed"


def _retry(sequence: MessageSequence, row: TouchRow, campaigns: Campaigns) -> DueStep:
    # same key, same ``due_at``, and the same channel as long as it reaches the person
    standstill = _barrier(sequence, row.due_at, campaigns)
    ready = max(row.retry_at or row.due_at, standstill.until) if standstill else row.retry_at or row.due_at
    channel = row.channel if row.channel in sequence.channels or not sequence.channels else sequence.channels[0]
    step = Step(row.rung, row.kind, ready, channel, again=row)
    return DueStep(sequence, step, ready, "held" if row.held else "retry", row.due_at, standstill)


def when_due(sequence: MessageSequence, step: Step, campaigns: Campaigns, ledger: Ledger) -> DueStep | ReasonCode:
    """When everything first allows the step; what held it last when that is not before the message closes."""
    first_due, code = _allowed(sequence, step, step.ready, campaigns, ledger)
    if first_due is None:
        return code
    standstill = _barrier(sequence, first_due, campaigns)
    if standstill is None:
        return DueStep(sequence, step, first_due, code, first_due)
    due, code = _allowed(sequence, step, standstill.until, campaigns, ledger)
    return code if due is None else DueStep(sequence, step, due, "standstill", first_due, standstill)


def _barrier(sequence: MessageSequence, due: dt.datetime, campaigns: Campaigns) -> Standstill | None:
    last = max((*sequence.campaign.pauses, *campaigns.holds), key=lambda stop: stop.until, default=None)
    return last if last is not None and due < last.until else None


def _allowed(
    sequence: MessageSequence, step: Step, start: dt.datetime, campaigns: Campaigns, ledger: Ledger
) -> tuple[dt.datetime | None, ReasonCode]:
    """The first instant from ``start`` at which every rule allows it, and the rule that held it last."""
    code: ReasonCode = "due"
    hours, at = sequence.hours, start
    taken = {row.local_date for row in sequence.rows if row.rung == step.rung}
    while True:
        opened = open_from(sequence, at, step.kind)
        if opened is None:
            return None, code if code == "budget" else "closed"
        if opened != at and code == "due":
            code = interruption(sequence, at) if sequence.interrupted_until(at, step.kind) != at else "window"
        free = opened
        if step.kind not in BY_HAND and not sequence.urgent:
            free = ledger.next_free(opened, hours, sequence.campaign.plan.send.at_most, campaigns.workspace, step.keep)
        if hours.local_date(free) in taken:
            free = hours.next_day(free)
        if free == opened:
            return opened, code
        code, at = "budget", free


# -- after a standstill ---------------------------------------------------------------------------


def _backlog(found: list[DueStep]) -> list[DueStep]:
    """What a standstill's backlog rule lets pass: all, none, or (``latest``) the newest touch of the person."""
    newest: dict[tuple[dt.datetime, str], DueStep] = {}
    for due_step in found:
        key = _standstill_key(due_step)
        if key and (key not in newest or _newness(due_step) > _newness(newest[key])):
            newest[key] = due_step
    return [_ruled(due_step, newest) for due_step in found] if newest else found


def _standstill_key(due_step: DueStep) -> tuple[dt.datetime, str] | None:
    standstill = due_step.standstill
    if standstill is None or due_step.by_hand or standstill.backlog == "all":
        return None
    own = due_step.sequence.campaign.id if standstill in due_step.sequence.campaign.pauses else ""
    return standstill.until, own


def _newness(due_step: DueStep) -> tuple[dt.datetime, int, int]:
    return due_step.first_due, -_priority(due_step.sequence), -due_step.sequence.order


def _ruled(due_step: DueStep, newest: dict[tuple[dt.datetime, str], DueStep]) -> DueStep:
    key, standstill = _standstill_key(due_step), due_step.standstill
    if key is None or standstill is None or (standstill.backlog == "latest" and newest[key] is due_step):
        return due_step
    return replace(due_step, due=standstill.until, skip="backlog" if standstill.backlog == "none" else "merged")
