"""A tiny engine for tests: it asks ``decide`` at given instants, keeps the rows, and tells the story line by line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from commsengine.cadence.calendar import zone
from commsengine.cadence.decide import decide
from commsengine.cadence.forecast import Supposition, no_answers
from commsengine.cadence.history import (
    Answer,
    Campaigns,
    Decision,
    Deed,
    History,
    OutreachOutcome,
    Question,
    Reason,
    Snooze,
    Touch,
    TouchRow,
    touch_key,
)
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.cadence.people import Person
from tests.builders import BEN, utc

Fact = Answer | Deed | OutreachOutcome | Question | Snooze
Change = Callable[[History], History]

NOTHING_YET = History()
SOON = dt.timedelta(minutes=5)
ON_TIME = dt.timedelta()
BERLIN = replace(BEN, country="DE", time_zone="Europe/Berlin")


@dataclass(frozen=True)
class Told:
    """What came of it: all touches, the last decision, and the record."""

    touches: list[Touch]
    last: Decision
    history: History

    @property
    def reasons(self) -> dict[str, Reason]:
        return {reason.code: reason for reason in self.last.reasons}


def tell(
    campaigns: Campaigns,
    person: Person,
    *facts: Fact,
    start: str = "2027-01-04",
    until: str = "2027-06-01",
    history: History = NOTHING_YET,
    suppose: Supposition = no_answers,
    extra: Sequence[dt.datetime] = (),
    late: Callable[[dt.datetime], dt.timedelta] = lambda at: ON_TIME,
    fails: Callable[[Touch], bool] = lambda touch: False,
) -> Told:
    """Wakes at each ``wake_at`` (plus ``late``), at each fact and at each ``extra`` instant.

    A first attempt that ``fails`` is a row to be tried again five minutes later.
    """
    now, end = utc(start), utc(until)
    touches: list[Touch] = []
    changes = [change for fact in facts for change in changes_of(fact)]
    rest = sorted(extra)
    while True:
        while changes and min(changes, key=lambda change: change[0])[0] <= now:
            changes.remove(change := min(changes, key=lambda change: change[0]))
            history = change[1](history)
        decision = decide(campaigns, person, history, now)
        for touch in decision.touches:
            touches.append(touch)
            tried = any(row.key == touch.key for row in history.rows)
            history = history.with_touch(touch, now)
            if fails(touch) and not tried and touch.kind not in BY_HAND:
                history = to_be_retried(history, touch, now + SOON)
                changes.append((now + SOON, lambda history: history))  # the receipt makes the person due then
            elif not touch.skip:
                changes += [change for fact in suppose(touch) for change in changes_of(fact)]
        check_progress(campaigns, person, history, decision, now)
        nexts = [decision.wake_at + late(decision.wake_at)] if decision.wake_at else []
        rest = [at for at in rest if at > now]
        nexts += [at for at, _ in changes] + rest[:1]
        if not nexts or min(nexts) >= end:
            return Told(touches, decision, history)
        now = max(now, min(nexts))


def to_be_retried(history: History, touch: Touch, at: dt.datetime) -> History:
    rows = (replace(row, state="retry", retry_at=at) if row.key == touch.key else row for row in history.rows)
    return replace(history, rows=tuple(rows))


def check_progress(
    campaigns: Campaigns, person: Person, history: History, decision: Decision, now: dt.datetime
) -> None:
    """What holds of every decision: it leads on, and every "not now" has a next instant or a fact to wait for."""
    assert decision.wake_at is None or decision.wake_at > now
    assert all((reason.next_at is None) != (not reason.waits_for) for reason in decision.reasons)
    assert min((r.next_at for r in decision.reasons if r.next_at), default=None) == decision.wake_at
    if decision.touches:
        again = decide(campaigns, person, history, now)
        assert again.touches == ()
        assert again.wake_at == decision.wake_at or any(row.state == "retry" for row in history.rows)


def changes_of(fact: Fact) -> list[tuple[dt.datetime, Change]]:
    """When a fact becomes known, and what it changes. A question becomes known twice: asked, and answered."""
    if isinstance(fact, Answer):
        return [(fact.at, lambda history: replace(history, answers=(*history.answers, fact)))]
    if isinstance(fact, OutreachOutcome):
        return [(fact.at, lambda history: replace(history, outcomes=(*history.outcomes, fact)))]
    if isinstance(fact, Deed):
        return [(fact.at, lambda history: replace(history, deeds=(*history.deeds, fact)))]
    if isinstance(fact, Snooze):
        return [(fact.at, lambda history: replace(history, snoozes=(*history.snoozes, fact)))]
    asked = replace(fact, answered_at=None)
    known: list[tuple[dt.datetime, Change]] = [
        (fact.asked_at, lambda history: replace(history, questions=(*history.questions, asked)))
    ]
    if fact.answered_at is not None:
        known.append((fact.answered_at, lambda history: replace(history, questions=_settled(history, asked, fact))))
    return known


def _settled(history: History, asked: Question, answered: Question) -> tuple[Question, ...]:
    return tuple(answered if question == asked else question for question in history.questions)


# -- facts and rows in few words ------------------------------------------------------------------


def got_it(at: str, message: str = "one-record", kind: str = "acknowledged", **changes: object) -> Answer:
    return replace(Answer("crm", message, kind, utc(at), "link"), **changes)  # type: ignore[arg-type]


def outcome(at: str, what: str, message: str = "one-record") -> OutreachOutcome:
    return OutreachOutcome("crm", message, what, utc(at))


def did_it(at: str, what: str = "first_call") -> Deed:
    return Deed("crm", what, utc(at))


def question(asked: str, answered: str = "", message: str = "one-record") -> Question:
    return Question("crm", message, utc(asked), utc(answered) if answered else None)


def a_row(due: str, rung: int = 0, kind: str = "message", state: str = "sent", **changes: object) -> TouchRow:
    """A row of Ben's, due at an instant in UTC that lies on the same date where he is."""
    at = utc(due)
    message = str(changes.get("message", "one-record"))
    row = TouchRow(
        touch_key("crm", message, "ben", at.date(), rung),
        "crm", message, rung, kind, at.date(), at, "email", state,
    )  # fmt: skip
    return replace(row, **changes)  # type: ignore[arg-type]


# -- the story, line by line ----------------------------------------------------------------------


def lines(touches: Sequence[Touch], zone_name: str) -> list[str]:
    """``Mon 11 Jan 09:00 message email``, in the person's local time; what was skipped says why."""
    return [_line(touch, zone_name) for touch in touches]


def _line(touch: Touch, zone_name: str) -> str:
    at = touch.due_at.astimezone(zone(zone_name))
    said = f"{at:%a} {at.day} {at:%b %H:%M} {touch.kind} {touch.channel}"
    return f"{said}, skipped: {touch.skip}" if touch.skip else said


def days(touches: Sequence[Touch], kind: str = "") -> list[str]:
    """The local dates alone, of one kind or of all."""
    return [touch.local_date.isoformat() for touch in touches if kind in ("", touch.kind)]
