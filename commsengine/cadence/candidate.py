"""What falls due when: each step of each course at the first instant at which everything allows it.

The gates, in this order: snooze and question, send window, attention budget, the key's local date. Where one of them
moves the instant on, all are asked again. What fell due in a standstill comes after it, by its backlog rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from commsengine.cadence.budget import BY_HAND, Ledger
from commsengine.cadence.course import Course, Step
from commsengine.cadence.history import Campaigns, Reason, Standstill, TouchRow

PRIORITY = {"high": 0, "normal": 1, "low": 2}


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

    @property
    def by_hand(self) -> bool:
        return self.step.kind in BY_HAND


def candidates(
    courses: Iterable[Course], campaigns: Campaigns, ledger: Ledger, now: dt.datetime
) -> tuple[list[Candidate], list[Reason]]:
    """The next steps of all courses, and for each course that has none the fact it waits for."""
    found: list[Candidate] = []
    reasons: list[Reason] = []
    for course in courses:
        for_good = course.over(now) or course.asked()
        if for_good is not None:
            reasons.append(for_good)
            continue
        if course.carried:
            found += [_retry(course, row, campaigns) for row in course.rows if row.state == "retry"]
        steps, waiting = course.steps()
        reasons += waiting
        for step in steps:
            candidate = when_due(course, step, campaigns, ledger)
            if candidate is None:
                reasons.append(course.closed())
            else:
                found.append(candidate)
    return _backlog(found), reasons


def open_from(course: Course, at: dt.datetime) -> dt.datetime | None:
    """The first instant from ``at`` in a send window, in no snooze and under no open question; ``None`` if the
    message closes before."""
    while True:
        opened = course.hours.next_open(_after_interruptions(course, at), course.closes)
        if opened is None or opened >= course.closes:
            return None
        if opened == at or not (course.questions or course.snoozes):
            return opened
        at = opened


def _after_interruptions(course: Course, at: dt.datetime) -> dt.datetime:
    for question in course.questions:
        if question.answered_at is not None and question.asked_at <= at < question.answered_at:
            at = question.answered_at
    for snooze in course.snoozes:
        at = max(at, course.hours.midnight(snooze.until)) if snooze.at <= at else at
    return at


def _retry(course: Course, row: TouchRow, campaigns: Campaigns) -> Candidate:
    """Another attempt at a row: same key, same ``due_at``, the same channel as long as it reaches the person."""
    stood = _barrier(course, row.due_at, campaigns)
    ready = max(row.retry_at or row.due_at, stood.until) if stood else row.retry_at or row.due_at
    channel = row.channel if row.channel in course.channels or not course.channels else course.channels[0]
    step = Step(row.rung, row.kind, ready, channel, again=row)
    return Candidate(course, step, ready, "retry", row.due_at, stood)


def when_due(course: Course, step: Step, campaigns: Campaigns, ledger: Ledger) -> Candidate | None:
    """When the step is first allowed by everything; ``None`` when that is not before the message closes."""
    first_due, code = _allowed(course, step, step.ready, campaigns, ledger)
    if first_due is None:
        return None
    stood = _barrier(course, first_due, campaigns)
    if stood is None:
        return Candidate(course, step, first_due, code, first_due)
    due, _ = _allowed(course, step, stood.until, campaigns, ledger)
    return None if due is None else Candidate(course, step, due, "standstill", first_due, stood)


def _barrier(course: Course, due: dt.datetime, campaigns: Campaigns) -> Standstill | None:
    """The last pause or hold, if this fell due before its end."""
    last = max((*course.campaign.pauses, *campaigns.holds), key=lambda stop: stop.until, default=None)
    return last if last is not None and due < last.until else None


def _allowed(
    course: Course, step: Step, start: dt.datetime, campaigns: Campaigns, ledger: Ledger
) -> tuple[dt.datetime | None, str]:
    """The first instant from ``start`` at which every gate is open, and the gate that held it last."""
    hours, code, at = course.hours, "due", start
    taken = {row.local_date for row in course.rows if row.rung == step.rung}
    while True:
        opened = open_from(course, at)
        if opened is None:
            return None, "closed"
        if opened != at and code == "due":
            code = "snoozed" if _after_interruptions(course, at) != at else "window"
        free = opened
        if step.kind not in BY_HAND:
            free = ledger.next_free(opened, hours, course.campaign.plan.send.at_most, campaigns.workspace, step.keep)
        if hours.local_date(free) in taken:
            free = hours.next_day(free)
        if free == opened:
            return opened, code
        code, at = "budget", free


# -- after a standstill ---------------------------------------------------------------------------


def _backlog(found: list[Candidate]) -> list[Candidate]:
    """What a standstill's backlog rule lets pass: all, none, or (``latest``) the newest touch of the person."""
    newest: dict[tuple[dt.datetime, str], Candidate] = {}
    for candidate in found:
        key = _standstill_key(candidate)
        if key and (key not in newest or _newness(candidate) > _newness(newest[key])):
            newest[key] = candidate
    return [_ruled(candidate, newest) for candidate in found] if newest else found


def _standstill_key(candidate: Candidate) -> tuple[dt.datetime, str] | None:
    stood = candidate.stood
    if stood is None or candidate.by_hand or stood.backlog == "all":
        return None
    own = candidate.course.campaign.id if stood in candidate.course.campaign.pauses else ""
    return stood.until, own


def _newness(candidate: Candidate) -> tuple[dt.datetime, int, int]:
    return candidate.first_due, -PRIORITY[candidate.course.message.priority], -candidate.course.order


def _ruled(candidate: Candidate, newest: dict[tuple[dt.datetime, str], Candidate]) -> Candidate:
    key, stood = _standstill_key(candidate), candidate.stood
    if key is None or stood is None or (stood.backlog == "latest" and newest[key] is candidate):
        return candidate
    return replace(candidate, due=stood.until, skip="backlog" if stood.backlog == "none" else "merged")
