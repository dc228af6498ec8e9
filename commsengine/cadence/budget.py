"""The attention budget: how many touches one person may get per day and week, over all campaigns."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right, insort
from collections.abc import Iterable

from commsengine.cadence.calendar import MINUTE, Hours
from commsengine.cadence.history import TouchRow
from commsengine.cadence.plan import Budget, Workspace

BY_HAND = frozenset({"personal", "sponsor"})
"""Kinds that a human carries: they cost no attention budget."""

WEEK = 7


class Ledger:
    """What one person has had and is about to get, by local date of ``due_at`` (as its ordinal, in order)."""

    def __init__(self, rows: Iterable[TouchRow]) -> None:
        self._days: list[int] = []
        self._dues: list[dt.datetime] = []
        for row in rows:
            self.add(row)

    def add(self, row: TouchRow) -> None:
        """Counts a row. What was skipped costs nothing, unless it had been tried before: who knows what arrived."""
        if row.kind in BY_HAND or (row.state == "skipped" and not row.attempts):
            return
        insort(self._days, row.local_date.toordinal())
        self._dues.append(row.due_at)

    def next_free(
        self, at: dt.datetime, hours: Hours, own: Budget, common: Workspace, keep: dt.date | None = None
    ) -> dt.datetime:
        """The first instant from ``at`` on at which neither the plan's nor the workspace's limit is used up.

        A touch before the date ``keep`` leaves a place in its week for the touch of that day.
        """
        per_day = min(own.per_day, common.at_most.per_day)
        per_week = min(own.per_week, common.at_most.per_week)
        gap = common.minimum_gap * MINUTE
        days, kept = self._days, keep.toordinal() if keep else 0
        if kept and not _between(days, kept - 1, kept):
            days = sorted([*days, kept])
        while True:
            day = hours.local_date(at).toordinal()
            theirs = days if day < kept < day + WEEK else self._days
            if _fullest_week(theirs, day) >= per_week:
                at = max(hours.next_day(at), _week_has_room(theirs, day, per_week, hours))
                continue
            if _between(theirs, day - 1, day) >= per_day:
                at = hours.next_day(at)
                continue
            crowded = [due for due in self._dues if abs(due - at) < gap] if gap else []
            if not crowded:
                return at
            at = max(crowded) + gap


def _week_has_room(days: list[int], day: int, per_week: int, hours: Hours) -> dt.datetime:
    """When the week may have room again: a week after the first of the touches that fill it, if none is later."""
    if days[-1] > day:
        return hours.midnight(dt.date.fromordinal(day))
    return hours.midnight(dt.date.fromordinal(days[-per_week] + WEEK))


def _fullest_week(days: list[int], day: int) -> int:
    """The most in any seven days that end on ``day`` or, where later ones are on record, contain it."""
    if not days or days[-1] <= day:
        return _between(days, day - WEEK, day)
    later = min(WEEK - 1, days[-1] - day)
    return max([_between(days, end - WEEK, end) for end in range(day, day + max(later, 0) + 1)])


def _between(days: list[int], after: int, until: int) -> int:
    """How many are later than ``after`` and not later than ``until``."""
    return bisect_right(days, until) - bisect_right(days, after)
