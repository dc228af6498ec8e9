"""What the checks of a campaign say about groups: how many are right, week by week, and who understood alike."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from commsengine.cadence.check_questions import offered_turn
from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.cadence.history import Answer, History
from commsengine.cadence.kinds_and_states import Asked, CheckKind
from commsengine.cadence.plan import Check, Message, Plan
from commsengine.recall.small_groups import Block, GroupAnswer, blocks, enough, newest, week_of
from commsengine.recall.statistics import Alike, Share, alike
from commsengine.store.store import Store
from commsengine.translation import N_

Cell = tuple[str, str]
"""A message and a role."""

NOWHERE = N_("no department")


@dataclass(frozen=True, slots=True)
class Weeks:
    """The answers of one block: ``since`` is a Monday, ``until`` the Monday after its last week."""

    since: dt.datetime
    until: dt.datetime
    right: Share


@dataclass(frozen=True, slots=True)
class CellResult:
    """What one role answered about one message; only what counts (see ``recall.privacy``). Empty if it is hidden.

    ``right`` is of everybody's newest answers, ``weeks`` of each block's.
    """

    right: Share | None = None
    weeks: tuple[Weeks, ...] = ()


NOTHING = CellResult()


@dataclass(frozen=True, slots=True)
class CheckResults:
    """All answers of a campaign that count.

    ``counts_from`` says since when, by person, message and instant of the answer; ``alike`` is by message. ``closed``
    are the closed blocks; ``closed_at`` is, by role, the end of the last one of its answers to all messages. ``before``
    is what was right before the message said anything, ``transfer`` what was right of the question that was kept for
    the end.
    """

    cells: Mapping[Cell, CellResult] = field(default_factory=dict)
    counts_from: Mapping[tuple[str, str, dt.datetime], dt.datetime] = field(default_factory=dict)
    alike: Mapping[str, Alike] = field(default_factory=dict)
    closed: Mapping[Cell, Sequence[Block]] = field(default_factory=dict)
    closed_at: Mapping[str, dt.datetime] = field(default_factory=dict)
    before: Mapping[Cell, Share] = field(default_factory=dict)
    transfer: Mapping[Cell, Share] = field(default_factory=dict)


def check_results(
    store: Store, plan: Plan, now: dt.datetime, departments: Mapping[str, str] | None = None
) -> CheckResults:
    """``departments`` are by the ids of people; without them nothing is compared."""
    messages = {message.id: message for message in plan.messages if message.checks}
    by_role: dict[Cell, list[GroupAnswer]] = {}
    by_department: dict[str, dict[str, list[GroupAnswer]]] = {}

    @cache  # thousands of people have the same touch and give the same answer
    def question(name: str, number: int, asks: Asked | None, value: str, right: bool) -> int:
        return _question(messages[name], number, asks, value, right=right)

    for given in store.answers.to_checks(plan.campaign, before=week_of(now)):  # this week closes no block
        if given.message not in messages:
            continue
        asked = question(given.message, given.number, given.asks, given.value, given.right)
        answer = GroupAnswer(given.person_id, given.at, given.right, asked, given.value)
        by_role.setdefault((given.message, given.role), []).append(answer)
        if departments and given.person_id in departments and answer.question >= 0:
            own = by_department.setdefault(given.message, {})
            own.setdefault(departments[given.person_id] or NOWHERE, []).append(answer)
    closed = {cell: blocks(answers, now) for cell, answers in by_role.items()}
    of_role: dict[str, list[GroupAnswer]] = {}
    for (_, role), answers in by_role.items():
        of_role.setdefault(role, []).extend(answers)
    return CheckResults(
        {cell: _answered(theirs) for cell, theirs in closed.items() if theirs},
        {
            (one.person, cell[0], one.at): block.until
            for cell, theirs in closed.items()
            for block in theirs
            for one in block.given
        },
        {message: _alike(messages[message], theirs, now) for message, theirs in by_department.items()},
        closed,
        {role: last[-1].until for role, theirs in of_role.items() if (last := blocks(theirs, now))},
        _measured(store, plan, "baseline", now),
        _measured(store, plan, "transfer", now),
    )


def any_given(store: Store, plan: Plan, now: dt.datetime) -> bool:
    """Whether there is an answer to a check yet, counted or not."""
    checked = {message.id for message in plan.messages if message.checks}
    return any(one.message in checked and one.at <= now for one in store.answers.to_checks(plan.campaign))


def _measured(store: Store, plan: Plan, kind: CheckKind, now: dt.datetime) -> Mapping[Cell, Share]:
    by_cell: dict[Cell, list[GroupAnswer]] = {}
    for given in store.answers.to_checks(plan.campaign, kind, before=week_of(now)):
        one = GroupAnswer(given.person_id, given.at, given.right)
        by_cell.setdefault((given.message, given.role), []).append(one)
    closed = {cell: blocks(answers, now) for cell, answers in by_cell.items()}
    return {cell: _right(newest(theirs)) for cell, theirs in closed.items() if theirs}


def shown_of(store: Store, campaign: str, role: str, answers: CheckResults) -> LearnedRoles:
    # what was learned when the last block of the role's answers closed, so that no figure moves with one answer
    closed = answers.closed_at.get(role)
    return LearnedRoles() if closed is None else store.estimates.latest(campaign, counted=closed)


def as_shown(history: History, person: str, answers: CheckResults, plan: Plan, now: dt.datetime) -> History:
    """A person's history as figures may rest on it: an answer by ``now`` that does not count yet is a reading."""

    def shown(one: Answer) -> Answer:
        open_ = one.campaign == plan.campaign and one.kind == "check" and one.at <= now
        if not open_ or (person, one.message, one.at) in answers.counts_from:
            return one
        return one.as_others_know_it

    return replace(history, answers=tuple(map(shown, history.answers)))


def _question(message: Message, number: int, asks: Asked | None, value: str, *, right: bool) -> int:
    """The place in the pool of the question with this choice, or -1 where the plan has lost it."""
    having = [place for place, check in enumerate(message.checks) if _has(check, value, right=right)]
    turn = offered_turn(message, number, asks)
    return turn if turn is not None and turn in having else having[0] if having else -1


def _has(check: Check, value: str, *, right: bool) -> bool:
    return value in check.answers and (value == check.right) == right


def _answered(closed: list[Block]) -> CellResult:
    weeks = [Weeks(block.since, block.until, _right(block.one_each)) for block in closed]
    return CellResult(_right(newest(closed)), tuple(weeks))


def _right(answers: tuple[GroupAnswer, ...] | list[GroupAnswer]) -> Share:
    return Share(sum(one.right for one in answers), len(answers))


def _alike(message: Message, departments: Mapping[str, list[GroupAnswer]], now: dt.datetime) -> Alike:
    tables: list[dict[str, Counter[str]]] = []
    for place in range(len(message.checks)):
        rows = {
            name: Counter(one.choice for one in newest(blocks((one for one in answers if one.question == place), now)))
            for name, answers in departments.items()
        }
        tables.append({name: row for name, row in rows.items() if enough(row.total())})
    return alike(tables)
