"""The one decision: what to send to one person now, when to look again, and why not more.

Order of the rules: campaign running → person in the audience and not left → message open → standing → cadence or rung
due → not too late → the person's send window now → attention budget, by priority → channel.

``decide`` replays the person's next touches in the order in which they fall due, each against a ledger of those before
it, up to ``now``. So it says the same whether it is asked at the very instant or hours later: ``due_at`` is the first
instant at which everything allowed the touch, never the time of asking.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import cast

from commsengine.cadence.audience import sequences_of
from commsengine.cadence.budget import Ledger
from commsengine.cadence.calendar import DAY, MINUTE
from commsengine.cadence.check_questions import asks_of, unclear_turn
from commsengine.cadence.due import DueStep, due_steps, interruption, open_from, when_due
from commsengine.cadence.history import SILENCE, Campaigns, Decision, History, Reason, Touch, TouchRow
from commsengine.cadence.kinds_and_states import (
    REPEATED,
    WAITING,
    Asked,
    Carrier,
    ReasonCode,
    SkipCode,
    TouchKind,
    TouchState,
)
from commsengine.cadence.people import Person
from commsengine.cadence.sequence import MessageSequence, Step

HAD: frozenset[TouchState] = frozenset({"claimed", "sending", "sent", "uncertain"})
MISSED_WINDOW: ReasonCode = "missed_window"
COMMITTED: TouchKind = "commitment"


def decide(campaigns: Campaigns, person: Person, history: History, now: dt.datetime) -> Decision:
    """What to do for ``person`` at ``now`` (aware, UTC). Pure: the same arguments give the same decision.

    Touches with ``skip`` are to be recorded, not sent. ``wake_at`` is the next instant at which the answer can change
    without a new fact; ``None`` when only a fact can change it.
    """
    sequences, reasons = sequences_of(campaigns, person, history)
    ledger = Ledger(history.rows)
    touches = _dropped_retries(sequences, campaigns, history, person, now)
    pending: list[Reason] = []
    mailed = {row.campaign for row in history.rows if row.state in HAD and row.channel == "email"}
    while True:
        ahead, waiting = due_steps(sequences, campaigns, ledger, now)
        first = min(ahead, key=lambda due_step: due_step.rank, default=None)
        if first is None or first.due > now:
            break
        opens = now if first.by_hand else open_from(first.sequence, now)
        skip = first.skip or _unwanted(first, campaigns, opens, now)
        row = _row(first, "skipped" if skip else "claimed")
        _record(first, row, ledger)
        if skip or opens is None or opens == now:
            again_at = _again_at(first, row, campaigns, ledger)
            touch = _touch(first, person, row, skip, again_at, now)
            touches.append(replace(touch, first=not skip and touch.channel == "email" and touch.campaign not in mailed))
            mailed |= {touch.campaign} if touches[-1].first else set()
        else:
            window = first.sequence.hours.open_window(now)
            code: ReasonCode = interruption(first.sequence, now) if window else MISSED_WINDOW
            pending.append(replace(_reason(first, code, opens), values=(("channel", first.step.channel),)))
    not_yet = [*pending, *(_reason(due_step, due_step.code, due_step.due) for due_step in ahead)]
    nexts = (*(reason.next_at for reason in not_yet), *_news(sequences, now))
    wake_at = min((at for at in nexts if at is not None), default=None)
    own = (each for each in sequences if each.kind == "message")
    standings = {(sequence.campaign.id, sequence.message.id): sequence.standing for sequence in own}
    return Decision(person.id, tuple(touches), wake_at, (*reasons, *waiting, *not_yet), standings)


def missed_window(decision: Decision) -> bool:
    return any(reason.code == MISSED_WINDOW for reason in decision.reasons)


def missed_channels(decision: Decision) -> list[Carrier]:
    """The channel of each touch that is due and found its send window closed."""
    missed = (dict(reason.values) for reason in decision.reasons if reason.code == MISSED_WINDOW)
    return [cast(Carrier, values["channel"]) for values in missed]


def _news(sequences: list[MessageSequence], now: dt.datetime) -> list[dt.datetime]:
    """When other role estimates may make a message by recall due earlier, or make it unnecessary."""
    by_recall = (each.campaign for each in sequences if each.message.cadence.recall_floor is not None)
    return [campaign.news_at for campaign in by_recall if campaign.news_at is not None and campaign.news_at > now]


def _reason(due_step: DueStep, code: ReasonCode, at: dt.datetime) -> Reason:
    return due_step.sequence.reason(code, WAITING[code], next_at=at)


# -- what is due, and no longer wanted ------------------------------------------------------------


def _unwanted(due_step: DueStep, campaigns: Campaigns, opens: dt.datetime | None, now: dt.datetime) -> SkipCode:
    """Why this is recorded as skipped instead of sent; ``opens`` is when it could leave, ``None`` for never."""
    if due_step.by_hand:
        return ""
    if given_up := _given_up(due_step):
        return given_up
    if _too_late(due_step, campaigns, now):
        return "late"
    if opens is None:
        return "closed"
    return "superseded" if _overtaken(due_step, now) else ""


def _given_up(due_step: DueStep) -> SkipCode:
    sequence, again = due_step.sequence, due_step.step.again
    if again is None:
        return ""
    if again.due_at < sequence.clock:  # the plan has moved on: the message opens later now
        return "superseded"
    if again.kind == "remind" and not sequence.chasing:
        return "answered"
    return "" if sequence.channels else "unreachable"


def _too_late(due_step: DueStep, campaigns: Campaigns, now: dt.datetime) -> bool:
    # Late is more than ``max_late`` of open window time, counted from the end of the last thing in between.
    sequence, again = due_step.sequence, due_step.step.again
    if again is not None and again.refusal_id is not None:  # it was refused for no fault of theirs
        return False
    ends = [stop.until for stop in (*sequence.campaign.pauses, *campaigns.holds)]
    ends += [at for message, at in sequence.campaign.let_go.items() if message == sequence.message.id]
    ends += [question.answered_at for question in sequence.questions if question.answered_at is not None]
    ends += [sequence.hours.midnight(snooze.until) for snooze in sequence.snoozes]
    ends += [min(sequence.hold_ends(hold), now) for hold in sequence.manager_holds]
    carrying = (SILENCE, due_step.step.channel, *sequence.campaign.plan.send.channels)
    ends += [min(until, now) for channel, until in campaigns.rests.items() if channel in carrying]
    since = max([again.due_at if again else due_step.due, *ends])
    allowed = sequence.campaign.plan.send.max_late * MINUTE
    return now - since > allowed and sequence.hours.open_time(since, now, allowed) > allowed


def _overtaken(due_step: DueStep, now: dt.datetime) -> bool:
    # a newer touch of the same message was made or is due by now: two at once would be one too many
    sequence, again = due_step.sequence, due_step.step.again
    due = again.due_at if again else due_step.due
    made = sequence.made()
    if any(row.due_at > due for row in made):
        return True
    last = sequence.repeat_rule.times is not None and len(made) + (again is None) >= sequence.repeat_rule.times
    if last and not sequence.reminds_next():
        return False
    following = sequence.after(due, supposed=True)
    opens = open_from(sequence, following.at) if following is not None and following.at <= now else None
    return opens is not None and opens <= now


# -- what becomes of it ---------------------------------------------------------------------------


def _row(due_step: DueStep, state: TouchState) -> TouchRow:
    again, step, sequence = due_step.step.again, due_step.step, due_step.sequence
    due = again.due_at if again else due_step.due
    return TouchRow(
        key="",
        campaign=sequence.campaign.id,
        message=sequence.message.id,
        rung=step.rung,
        kind=step.kind,
        local_date=again.local_date if again else sequence.hours.local_date(due),
        due_at=due,
        channel=step.channel,
        state=state,
    )


def _touch(
    due_step: DueStep, person: Person, row: TouchRow, skip: SkipCode, again_at: dt.datetime | None, now: dt.datetime
) -> Touch:
    sequence = due_step.sequence
    window, number = sequence.hours.open_window(now), _number(sequence, row)
    return Touch(
        campaign=row.campaign,
        message=row.message,
        person=person.id,
        role=sequence.role,
        rung=row.rung,
        kind=row.kind,
        channel=row.channel,
        local_date=row.local_date,
        due_at=row.due_at,
        not_after=min(window[1], sequence.closes) if window and not due_step.by_hand else now + DAY,
        number=number,
        again_at=again_at,
        skip=skip,
        unclear=_unclear(sequence, row),
        asks=_asks(sequence, row, number, last=again_at is None),
        corrects=str(sequence.told),
        briefing=sequence.briefing if row.kind == "briefing" else None,
    )


def _asks(sequence: MessageSequence, row: TouchRow, number: int, *, last: bool) -> Asked:
    if row.kind not in REPEATED:
        return ""
    transferred = any(other.asks == "transfer" and other.due_at < row.due_at for other in sequence.made())
    return asks_of(sequence.message, number, last=last, transferred=transferred)


def _unclear(sequence: MessageSequence, row: TouchRow) -> int | None:
    if sequence.kind == COMMITTED:
        return None
    return unclear_turn(sequence.message, row.due_at, sequence.said, sequence.rows)


def _number(sequence: MessageSequence, row: TouchRow) -> int:
    return 1 + sum(other.due_at < row.due_at for other in sequence.made())


def _again_at(due_step: DueStep, row: TouchRow, campaigns: Campaigns, ledger: Ledger) -> dt.datetime | None:
    """When the message would come again, for the card; ``None`` when this is the last time."""
    sequence, times = due_step.sequence, due_step.sequence.repeat_rule.times
    if times is not None and _number(sequence, row) >= times and not sequence.reminds_next():
        return None
    slot = sequence.after(row.due_at, supposed=True)
    if slot is None or not sequence.channels:
        return None
    again = when_due(sequence, Step(0, "message", slot.at, sequence.channels[0], keep=slot.keep), campaigns, ledger)
    return again.due if isinstance(again, DueStep) else None


def _record(due_step: DueStep, row: TouchRow, ledger: Ledger) -> None:
    # the row counts for everything that follows in this decision
    rows = due_step.sequence.rows
    if due_step.step.again is not None:
        rows[rows.index(due_step.step.again)] = row
        return
    rows.append(row)
    ledger.add(row)


def _dropped_retries(
    sequences: list[MessageSequence], campaigns: Campaigns, history: History, person: Person, now: dt.datetime
) -> list[Touch]:
    running = {campaign.id for campaign in campaigns.running}
    by_message = {(each.campaign.id, each.message.id, each.kind == COMMITTED): each for each in sequences}
    dropped = []
    for row in history.rows:
        if row.state != "retry" or row.campaign not in running:
            continue
        sequence = by_message.get((row.campaign, row.message, row.kind == COMMITTED))
        over = sequence.over(now) if sequence else None
        if sequence is None or over is not None:
            about = (row.campaign, row.message, person.id, "", row.rung, row.kind, row.channel, row.local_date)
            dropped.append(Touch(*about, row.due_at, not_after=now, skip=over.code if over else "superseded"))
    return dropped
