"""Where one person stands on one message, and which of their calls are open: facts from the record, no estimates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from commsengine.cadence.calendar import Hours
from commsengine.cadence.history import Answer, History, OutreachOutcome, Question, TouchRow
from commsengine.cadence.kinds_and_states import BY_HAND, ENOUGH, Standing
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan

AWAY = "away"
CALL_AGAIN_AFTER = 5
"""Working days, the person's own, after which an outreach that found them away is open again."""

REACHED = frozenset({"sent", "uncertain"})


def standing(
    rows: Iterable[TouchRow],
    answers: Sequence[Answer],
    questions: Iterable[Question],
    outcomes: Iterable[OutreachOutcome] = (),
    *,
    corrected: bool = False,
) -> Standing:
    if corrected:
        return "corrected"
    if any(answer.kind in ENOUGH for answer in answers):
        return "heard enough"
    if any(question.answered_at is None for question in questions):
        return "asked"
    checks = [answer for answer in answers if answer.tells]
    if checks:
        return "recalled" if max(checks, key=lambda check: check.at).right else "not recalled"
    if answers:
        return "acknowledged"
    carried = any(row.state in REACHED and row.kind not in BY_HAND for row in rows)
    talked = any(outcome.outcome != AWAY for outcome in outcomes)  # an open call has reached no one yet
    return "reached" if carried or talked else "not reached"


def call_again(plan: Plan, person: Person, away: dt.datetime) -> dt.datetime:
    """The start of the person's day on which the outreach is open again; ``away`` is when that was recorded."""
    hours = Hours(plan, person)
    return hours.midnight(hours.after_working_days(hours.local_date(away), CALL_AGAIN_AFTER))


def open_outreach(plan: Plan, person: Person, history: History, now: dt.datetime) -> list[str]:
    """The messages of this plan with an open ``personal`` rung: with neither answer nor outcome since.

    A corrected message is no subject for a talk. "Away" closes it only until the person is to be called again. That of
    a message that repeats until it is done is closed by the deed or a talk, and by no answer but "heard enough".
    """
    calls = [row for row in history.rows if row.campaign == plan.campaign and row.kind == "personal"]
    calls = [row for row in calls if row.message not in plan.corrected]
    return sorted({row.message for row in calls if _open(row, plan, person, history, now)})


def _open(row: TouchRow, plan: Plan, person: Person, history: History, now: dt.datetime) -> bool:
    answers = history.answers
    if row.message in plan.until_done:
        if history.done_at(plan.campaign, plan.until_done[row.message]) is not None:
            return False
        answers = tuple(answer for answer in answers if answer.kind in ENOUGH)
    facts: tuple[Answer | OutreachOutcome, ...] = (*history.outcomes, *answers)
    since = [fact for fact in facts if _about(fact, row)]
    if any(not _away(fact) for fact in since):
        return False
    return not since or now >= call_again(plan, person, max(fact.at for fact in since))


def _about(fact: Answer | OutreachOutcome, row: TouchRow) -> bool:
    whole = isinstance(fact, Answer) and fact.whole_campaign
    return fact.campaign == row.campaign and (whole or fact.message == row.message) and fact.at >= row.due_at


def _away(fact: Answer | OutreachOutcome) -> bool:
    return isinstance(fact, OutreachOutcome) and fact.outcome == AWAY
