"""The attention budget: how many touches one person may get per day and week, over all campaigns."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from commsengine.cadence.calendar import DAY, MINUTE, Hours
from commsengine.cadence.history import TouchRow
from commsengine.cadence.plan import Budget, Workspace

BY_HAND = frozenset({"personal", "sponsor"})
"""Kinds that a human carries: they cost no attention budget."""

WEEK = 7


class Ledger:
    """What one person has had and is about to get, by local date of ``due_at``."""

    def __init__(self, rows: Iterable[TouchRow]) -> None:
        self._per_day: Counter[dt.date] = Counter()
        self._dues: list[dt.datetime] = []
        self._last = dt.date.min
        for row in rows:
            self.add(row)

    def add(self, row: TouchRow) -> None:
        """Counts a row. What was skipped costs nothing, unless it had been tried before: who knows what arrived."""
        if row.kind in BY_HAND or (row.state == "skipped" and not row.attempts):
            return
        self._per_day[row.local_date] += 1
        self._dues.append(row.due_at)
        self._last = max(self._last, row.local_date)

    def next_free(
        self, at: dt.datetime, hours: Hours, own: Budget, common: Workspace, keep: dt.date | None = None
    ) -> dt.datetime:
        """The first instant from ``at`` on at which neither the plan's nor the workspace's limit is used up.

        A touch before the date ``keep`` leaves a place in its week for the touch of that day.
        """
        per_day = min(own.per_day, common.at_most.per_day)
        per_week = min(own.per_week, common.at_most.per_week)
        gap = common.minimum_gap * MINUTE
        while True:
            day = hours.local_date(at)
            if self._per_day[day] >= per_day or self._fullest_week(day, keep) >= per_week:
                at = hours.next_day(at)
                continue
            crowded = [due for due in self._dues if abs(due - at) < gap] if gap else []
            if not crowded:
                return at
            at = max(crowded) + gap

    def _fullest_week(self, day: dt.date, keep: dt.date | None) -> int:
        """The most touches in any seven days that end on ``day`` or, where later ones are on record, contain it."""
        kept = keep if keep is not None and day < keep < day + WEEK * DAY and not self._per_day[keep] else None
        later = min(WEEK - 1, max(0, (max(self._last, kept or self._last) - day).days))
        return max(self._in_week(day + ahead * DAY, kept) for ahead in range(later + 1))

    def _in_week(self, last: dt.date, kept: dt.date | None) -> int:
        place = kept is not None and last - WEEK * DAY < kept <= last
        return place + sum(self._per_day[last - back * DAY] for back in range(WEEK))
