"""What a person has read that holds no more: the wrong message, or the dates, that a correction puts right for them.

Dates are kept as one line, ``go_live=2027-03-15 training=2027-W11``: a day, or an ISO week of which more was not said.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from commsengine.cadence.check_questions import asks_of
from commsengine.cadence.history import History, TouchRow
from commsengine.cadence.kinds_and_states import BY_HAND, TouchState
from commsengine.cadence.plan import Message, Milestone, Notice, Plan
from commsengine.cadence.standing import AWAY

ARRIVING: frozenset[TouchState] = frozenset({"sending", "sent", "uncertain"})
"""It has arrived, or may still."""


@dataclass(frozen=True, slots=True)
class Told:
    """``message`` is the wrong message that reached the person last, ``dates`` what they read of milestones."""

    message: str = ""
    dates: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.message or self.dates)

    def __str__(self) -> str:
        return " ".join([*filter(None, [self.message]), *(f"{name}={date}" for name, date in self.dates.items())])


NOTHING = Told()


def told_of(line: str) -> Told:
    """The inverse of ``str``."""
    if not line:
        return NOTHING
    words = line.split()
    dates = dict(word.split("=", 1) for word in words if "=" in word)
    return Told(next((word for word in words if "=" not in word), ""), dates)


def told(plan: Plan, message: Message, history: History) -> Told:
    """What ``message`` puts right for this person; nothing where it is an ordinary message for them."""
    if isinstance(message, Notice) and message.old_dates:
        return Told(dates=old_dates(plan, message, history))
    return _wrong_message(plan, message, history) if message.corrects else NOTHING


def _wrong_message(plan: Plan, message: Message, history: History) -> Told:
    wrong = plan.wrong_before(message)
    arrived = [row for row in _arrived(plan, history) if row.message in wrong and _says_it(plan, row, history)]
    reached = [(row.due_at, row.message, row.named) for row in arrived]
    reached += [
        (talk.at, talk.message, "")
        for talk in history.outcomes
        if talk.campaign == plan.campaign and talk.message in wrong and talk.outcome != AWAY
    ]
    if not reached:
        return NOTHING
    _at, last, named = max(reached, key=lambda one: one[0])
    return Told(last, told_of(named or "").dates)


def _says_it(plan: Plan, row: TouchRow, history: History) -> bool:
    # a touch that asks a check says the message only once it is answered
    asks = asks_of(plan.message(row.message), row.number) if row.asks is None else row.asks
    return not asks or any(answer.key == row.key for answer in history.answers)


def old_dates(plan: Plan, notice: Notice, history: History) -> dict[str, str]:
    """The dates that this person read last, of those that the notice puts right, where they hold no more."""
    names = in_force(plan, notice)
    if not names:
        return {}
    read = dates_read(plan, history)
    return {name: read[name] for name in names if name in read and not holds(read[name], plan.milestones[name])}


def in_force(plan: Plan, notice: Notice) -> list[str]:
    """The milestones whose present date this notice is the last one to tell."""
    last = {name: one.id for one in plan.notices for name in one.old_dates}
    return [
        name
        for name, new in notice.new_dates.items()
        if last.get(name) == notice.id and name in plan.milestones and plan.milestones[name].date == new
    ]


def dates_read(plan: Plan, history: History) -> dict[str, str]:
    """Each milestone that a text to this person named, as the last of those texts did."""
    read: dict[str, str] = {}
    for row in sorted(_arrived(plan, history), key=lambda row: row.sent_at or row.due_at):
        read |= told_of(row.named or "").dates
    return read


def _arrived(plan: Plan, history: History) -> list[TouchRow]:
    rows = (row for row in history.rows if row.campaign == plan.campaign and row.kind not in BY_HAND)
    return [row for row in rows if row.state in ARRIVING]


def as_told(milestone: Milestone) -> str:
    """The date of a milestone as it is kept: ``2027-03-15``, or ``2027-W11`` while it is only planned."""
    year, week, _day = milestone.date.isocalendar()
    return milestone.date.isoformat() if milestone.firm else f"{year}-W{week:02d}"


def holds(date: str, milestone: Milestone) -> bool:
    """Whether what was said of it is still true: a week holds as long as the day lies in it."""
    first = dt.date.fromisoformat(date)
    if is_week(date):
        return dt.timedelta() <= milestone.date - first < dt.timedelta(weeks=1)
    return first == milestone.date


def is_week(date: str) -> bool:
    return "W" in date


def monday_of(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())
