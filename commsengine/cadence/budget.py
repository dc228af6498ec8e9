"""The attention budget: how many touches one person may get per day and week, over all campaigns."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right, insort
from collections.abc import Iterable

from commsengine.cadence.calendar import MINUTE, Hours
from commsengine.cadence.history import TouchRow
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.cadence.plan import Budget, Workspace

WEEK = 7


def stricter(own: Budget, common: Workspace) -> tuple[int, int]:
    """Touches a day and a week."""
    return min(own.per_day, common.at_most.per_day), min(own.per_week, common.at_most.per_week)


class Ledger:
    """What one person has had and is about to get, by local date of ``due_at`` (as its ordinal, in order)."""

    def __init__(self, rows: Iterable[TouchRow]) -> None:
        self._days: list[int] = []
        self._dues: list[dt.datetime] = []
        for row in rows:
            self.add(row)

    def add(self, row: TouchRow) -> None:
        # What was skipped costs nothing, unless it had been tried before: it may have arrived.
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
        per_day, per_week = stricter(own, common)
        gap = common.minimum_gap * MINUTE
        while True:
            day = hours.local_date(at).toordinal()
            free = self._day_with_room(day, per_day, per_week, keep.toordinal() if keep else 0)
            if free > day:
                at = hours.midnight(dt.date.fromordinal(free))
            crowded = [due for due in self._dues if abs(due - at) < gap] if gap else []
            if not crowded:
                return at
            at = max(crowded) + gap

    def _day_with_room(self, day: int, per_day: int, per_week: int, kept: int) -> int:
        """The first day from ``day`` on with room, and with room in its week for the day ``kept`` besides."""
        had = with_kept = self._days
        if kept and not _between(had, kept - 1, kept):
            with_kept = sorted([*had, kept])
        while True:
            days = with_kept if day < kept < day + WEEK else had
            if _fullest_week(days, day) >= per_week:
                day = day + 1 if days[-1] > day else max(day + 1, days[-per_week] + WEEK)
            elif _between(days, day - 1, day) >= per_day:
                day += 1
            else:
                return day


def _fullest_week(days: list[int], day: int) -> int:
    """The most in any seven days that contain ``day``: those that end on it, or on a later one that is on record."""
    most = _between(days, day - WEEK, day)
    for end in days[bisect_right(days, day) :]:
        if end >= day + WEEK:
            break
        most = max(most, _between(days, end - WEEK, end))
    return most


def _between(days: list[int], after: int, until: int) -> int:
    return bisect_right(days, until) - bisect_right(days, after)
