"""The one decision: what to send to one person now, when to look again, and why not more.

Order of the rules: campaign running → person in the audience and not left → message open → standing → cadence or rung
due → not too late → the person's send window now → attention budget, by priority → channel.

``decide`` replays the person's next touches in the order in which they fall due, each against a ledger of those before
it, up to ``now``. So it says the same whether it is asked at the very instant or hours later: ``due_at`` is the first
instant at which everything allowed the touch, never the time of asking.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from commsengine.cadence.budget import BY_HAND, Ledger
from commsengine.cadence.calendar import DAY, MINUTE, Hours
from commsengine.cadence.course import Course, Step
from commsengine.cadence.history import (
    Campaign,
    Campaigns,
    Decision,
    History,
    Reason,
    Standstill,
    Touch,
    TouchRow,
)
from commsengine.cadence.people import Person, role_of
from commsengine.cadence.plan import Message, Plan

PRIORITY = {"high": 0, "normal": 1, "low": 2}
TEXTS = {
    "due": "The next touch.",
    "window": "The next touch waits for the person's send window.",
    "budget": "The next touch waits for the attention budget.",
    "standstill": "The next touch fell due while nothing was sent.",
    "retry": "The last attempt failed; it is tried again.",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A step with its due instant; ``stood`` is the standstill it fell due before, ``first_due`` its due without it."""

    course: Course
    step: Step
    due: dt.datetime
    code: str
    first_due: dt.datetime
    stood: Standstill | None = None
    skip: str = ""

    @property
    def rank(self) -> tuple[dt.datetime, bool, int, int, int]:
        order = self.course.order
        return self.due, not self.skip, PRIORITY[self.course.message.priority], order, self.step.rung


def decide(campaigns: Campaigns, person: Person, history: History, now: dt.datetime) -> Decision:
    """What to do for ``person`` at ``now`` (aware, UTC). Pure: the same arguments give the same decision.

    Touches with ``skip`` are to be recorded, not sent. ``wake_at`` is the next instant at which the answer can change
    without a new fact; ``None`` when only a fact can change it.
    """
    courses, reasons = _courses(campaigns, person, history)
    ledger = Ledger(history.rows)
    touches = _dropped_retries(courses, campaigns, history, person, now)
    pending: list[tuple[Candidate, dt.datetime]] = []
    while True:
        candidates, waiting = _candidates(courses, campaigns, ledger)
        ahead = min(candidates, key=lambda candidate: candidate.rank, default=None)
        if ahead is None or ahead.due > now:
            break
        touch, row, waits_until = _settle(ahead, campaigns, person, now)
        if touch is not None:
            touches.append(touch)
        elif waits_until is not None:
            pending.append((ahead, waits_until))
        _record(ahead, row, ledger)
    reasons += waiting + [_not_yet(candidate, candidate.due) for candidate in candidates]
    reasons += [_not_yet(candidate, until) for candidate, until in pending]
    wakes = [candidate.due for candidate in candidates] + [until for _, until in pending]
    return Decision(
        person.id,
        tuple(touches),
        min(wakes, default=None),
        tuple(reasons),
        {(course.campaign.id, course.message.id): course.standing for course in courses},
    )


# -- who takes part in what -----------------------------------------------------------------------


def _courses(campaigns: Campaigns, person: Person, history: History) -> tuple[list[Course], list[Reason]]:
    courses: list[Course] = []
    reasons: list[Reason] = []
    for campaign in campaigns.running:
        role = role_of(campaign.plan.audience, person)
        absent = _absent(campaign, history, role)
        if absent is not None or role is None:
            code, text = absent or ("", "")
            reasons += [Reason(campaign.id, m.id, code, text, waits_for="never") for m in campaign.plan.messages]
            continue
        hours = Hours(campaign.plan, person, campaigns.workspace.black_out)
        for message in campaign.plan.messages:
            if message.to and role not in message.to:
                continue
            courses.append(_course(campaigns, campaign, message, role, hours, person, history, len(courses)))
    return courses, reasons


def _absent(campaign: Campaign, history: History, role: str | None) -> tuple[str, str] | None:
    """Why the person takes no part in this campaign, as code and text; ``None`` if they do."""
    if campaign.plan.audience.people and campaign.id not in history.rosters:
        return "not_in_roster", "The person is not in the campaign's roster."
    if role is None:
        return "no_role", "The person is in none of the campaign's roles."
    return None


def _course(
    campaigns: Campaigns,
    campaign: Campaign,
    message: Message,
    role: str,
    hours: Hours,
    person: Person,
    history: History,
    order: int,
) -> Course:
    plan = campaign.plan
    starts = [
        hours.instant_of(plan, message.opens),
        campaign.started_at,
        campaign.introduced.get(message.id),
        person.since,
        history.rosters.get(campaign.id),
    ]
    closes = hours.instant_of(plan, message.closes)
    leaves = person.left is not None and hours.midnight(person.left) < closes
    if person.left is not None and leaves:
        closes = hours.midnight(person.left)

    def here(fact: object) -> bool:
        return getattr(fact, "campaign", "") == campaign.id and (
            getattr(fact, "message", "") == message.id or getattr(fact, "whole_campaign", False)
        )

    return Course(
        campaign=campaign,
        message=message,
        role=role,
        hours=hours,
        clock=max(start for start in starts if start is not None),
        closes=closes,
        leaves=leaves,
        channels=_channels(plan, person, history, campaigns.carriers),
        rows=[row for row in history.rows if here(row)],
        answers=tuple(answer for answer in history.answers if here(answer)),
        questions=tuple(question for question in history.questions if here(question)),
        snoozes=tuple(snooze for snooze in history.snoozes if here(snooze)),
        outcomes=tuple(outcome for outcome in history.outcomes if here(outcome)),
        order=order,
    )


def _channels(plan: Plan, person: Person, history: History, carriers: frozenset[str] | None) -> tuple[str, ...]:
    """The channels that reach the person: their own preference first, then the plan's order."""
    usable = [
        channel
        for channel in plan.send.channels
        if channel not in history.unreachable and (carriers is None or channel in carriers)
    ]
    return tuple(sorted(usable, key=lambda channel: channel != person.channel))


# -- what falls due when --------------------------------------------------------------------------


def _candidates(
    courses: Iterable[Course], campaigns: Campaigns, ledger: Ledger
) -> tuple[list[Candidate], list[Reason]]:
    candidates: list[Candidate] = []
    reasons: list[Reason] = []
    for course in courses:
        for_good = course.over() or course.asked()
        if for_good is not None:
            reasons.append(for_good)
            continue
        retries = [_retry(course, row) for row in course.rows if row.state == "retry"]
        candidates += retries
        steps, waiting = course.steps()
        reasons += waiting
        for step in steps:
            candidate = _due(course, step, campaigns, ledger)
            if candidate is None:
                reasons.append(_closed(course))
            else:
                candidates.append(candidate)
    return _backlog(candidates), reasons


def _closed(course: Course) -> Reason:
    if course.leaves:
        return course.reason("left", "The person has left.", waits_for="never")
    return course.reason("closed", "The message closes before its next touch.", waits_for="never")


def _retry(course: Course, row: TouchRow) -> Candidate:
    ready = row.retry_at or row.due_at
    step = Step(row.rung, row.kind, ready, _still_reaching(course, row.channel), again=row)
    return Candidate(course, step, ready, "retry", row.due_at)


def _still_reaching(course: Course, channel: str) -> str:
    return channel if channel in course.channels or not course.channels else course.channels[0]


def _due(course: Course, step: Step, campaigns: Campaigns, ledger: Ledger) -> Candidate | None:
    """When the step is first allowed by everything; ``None`` when that is not before the message closes."""
    due, code = _allowed(course, step, step.ready, campaigns, ledger)
    first_due, stood = due, None
    barrier = max((*course.campaign.pauses, *campaigns.holds), key=lambda stop: stop.until, default=None)
    if due is not None and barrier is not None and due < barrier.until:
        due, _ = _allowed(course, step, barrier.until, campaigns, ledger)
        code, stood = "standstill", barrier
    if due is None or first_due is None or due >= course.closes:
        return None
    return Candidate(course, step, due, code, first_due, stood)


def _allowed(
    course: Course, step: Step, start: dt.datetime, campaigns: Campaigns, ledger: Ledger
) -> tuple[dt.datetime | None, str]:
    """The first instant from ``start`` at which snooze, window, key and budget allow it, and what held it last."""
    hours, code, at = course.hours, "due", start
    taken = {row.local_date for row in course.rows if row.rung == step.rung}
    while at < course.closes:
        woken = _after_interruptions(course, at)
        opened = hours.next_open(woken)
        if opened is None:
            return None, "window"
        free = opened
        if step.kind not in BY_HAND:
            free = ledger.next_free(opened, hours, course.campaign.plan.send.at_most, campaigns.workspace)
        if hours.local_date(free) in taken:
            free = hours.midnight(hours.local_date(free) + DAY)
        elif free == opened:
            return opened, code if opened == start else ("window" if code == "due" else code)
        code = "budget"
        at = free
    return None, "closed"


def _after_interruptions(course: Course, at: dt.datetime) -> dt.datetime:
    """The first instant from ``at`` that lies in no snooze and in no time when a question was open."""
    for question in course.questions:
        if question.answered_at is not None and question.asked_at <= at < question.answered_at:
            at = question.answered_at
    for snooze in course.snoozes:
        until = course.hours.midnight(snooze.until)
        if snooze.at <= at < until:
            at = until
    return at


def _backlog(candidates: list[Candidate]) -> list[Candidate]:
    """What a standstill's backlog rule lets pass: all, none, or (``latest``) the newest touch of the person."""
    newest: dict[tuple[dt.datetime, str], Candidate] = {}
    for candidate in candidates:
        key = _standstill_key(candidate)
        if key and (key not in newest or _newness(candidate) > _newness(newest[key])):
            newest[key] = candidate
    return [_ruled(candidate, newest) for candidate in candidates]


def _standstill_key(candidate: Candidate) -> tuple[dt.datetime, str] | None:
    stood = candidate.stood
    if stood is None or candidate.step.kind in BY_HAND or stood.backlog == "all":
        return None
    own = candidate.course.campaign.id if stood in candidate.course.campaign.pauses else ""
    return stood.until, own


def _newness(candidate: Candidate) -> tuple[dt.datetime, int, int]:
    return candidate.first_due, -PRIORITY[candidate.course.message.priority], -candidate.course.order


def _ruled(candidate: Candidate, newest: dict[tuple[dt.datetime, str], Candidate]) -> Candidate:
    key, stood = _standstill_key(candidate), candidate.stood
    if key is None or stood is None or (stood.backlog == "latest" and newest[key] is candidate):
        return candidate
    reason = "backlog" if stood.backlog == "none" else "merged"
    return Candidate(
        candidate.course, candidate.step, stood.until, candidate.code, candidate.first_due, stood, skip=reason
    )


# -- what becomes of what is due ------------------------------------------------------------------


def _settle(
    candidate: Candidate, campaigns: Campaigns, person: Person, now: dt.datetime
) -> tuple[Touch | None, TouchRow, dt.datetime | None]:
    """The touch to make or to skip, the row it leaves for the rest of this decision, or until when it waits."""
    by_hand = candidate.step.kind in BY_HAND
    skip = candidate.skip or _unwanted(candidate) or ("" if by_hand else _too_late(candidate, campaigns, now))
    window = candidate.course.hours.open_window(now)
    row = _row(candidate, "skipped" if skip else "claimed")
    if not skip and not by_hand and window is None:
        return None, row, candidate.course.hours.next_open(now)
    not_after = window[1] if window else now + DAY
    return _touch(candidate, person, row, not_after, skip), row, None


def _unwanted(candidate: Candidate) -> str:
    """Why a retry is no longer wanted: a reminder was answered, the message closed, or no channel is left."""
    course, again = candidate.course, candidate.step.again
    if again is None:
        return ""
    if again.kind == "remind" and not course.chasing:
        return "answered"
    if not course.channels:
        return "unreachable"
    return "closed" if candidate.due >= course.closes else ""


def _too_late(candidate: Candidate, campaigns: Campaigns, now: dt.datetime) -> str:
    course = candidate.course
    since = candidate.step.again.due_at if candidate.step.again else candidate.due
    for stop in (*course.campaign.pauses, *campaigns.holds):
        since = max(since, stop.until)
    allowed = course.campaign.plan.send.max_late * MINUTE
    if now - since <= allowed or course.hours.open_time(since, now, allowed) <= allowed:
        return ""
    return "late"


def _row(candidate: Candidate, state: str) -> TouchRow:
    again, step, course = candidate.step.again, candidate.step, candidate.course
    due = again.due_at if again else candidate.due
    return TouchRow(
        key="",
        campaign=course.campaign.id,
        message=course.message.id,
        rung=step.rung,
        kind=step.kind,
        local_date=again.local_date if again else course.hours.local_date(due),
        due_at=due,
        channel=step.channel,
        state=state,
    )


def _touch(candidate: Candidate, person: Person, row: TouchRow, not_after: dt.datetime, skip: str) -> Touch:
    course = candidate.course
    made = course.made()
    number = 1 + sum(other.due_at < row.due_at for other in made)
    return Touch(
        campaign=row.campaign,
        message=row.message,
        person=person.id,
        role=course.role,
        rung=row.rung,
        kind=row.kind,
        channel=row.channel,
        local_date=row.local_date,
        due_at=row.due_at,
        not_after=not_after,
        number=number,
        again_at=_again_at(course, row, number),
        skip=skip,
    )


def _again_at(course: Course, row: TouchRow, number: int) -> dt.datetime | None:
    """When the message would come again, said on the card; ``None`` when this is the last time."""
    if course.times is not None and number >= course.times:
        return None
    again = course.hours.next_open(course.hours.later(row.due_at, course.every))
    return again if again is not None and again < course.closes else None


def _record(candidate: Candidate, row: TouchRow, ledger: Ledger) -> None:
    """Counts the row for everything that follows in this decision."""
    rows = candidate.course.rows
    if candidate.step.again is not None:
        rows[rows.index(candidate.step.again)] = row
        return
    rows.append(row)
    ledger.add(row)


def _not_yet(candidate: Candidate, at: dt.datetime) -> Reason:
    return candidate.course.reason(candidate.code, TEXTS[candidate.code], next_at=at)


def _dropped_retries(
    courses: list[Course], campaigns: Campaigns, history: History, person: Person, now: dt.datetime
) -> list[Touch]:
    """Retries that nothing wants any more: the person left, heard enough, or the plan dropped the message."""
    running = {campaign.id for campaign in campaigns.running}
    by_message = {(course.campaign.id, course.message.id): course for course in courses}
    dropped = []
    for row in history.rows:
        if row.state != "retry" or row.campaign not in running:
            continue
        course = by_message.get((row.campaign, row.message))
        over = course.over() if course else None
        if course is not None and over is None:
            continue
        dropped.append(_dropped(row, person, over.code if over else "superseded", now))
        if course is not None:
            course.rows = [other for other in course.rows if other is not row]
    return dropped


def _dropped(row: TouchRow, person: Person, reason: str, now: dt.datetime) -> Touch:
    return Touch(
        campaign=row.campaign,
        message=row.message,
        person=person.id,
        role="",
        rung=row.rung,
        kind=row.kind,
        channel=row.channel,
        local_date=row.local_date,
        due_at=row.due_at,
        not_after=now,
        skip=reason,
    )
