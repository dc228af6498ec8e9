"""Learns from the answers, once a day: counted at midnight UTC, published at once, in use three hours later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import structlog

from commsengine.cadence.daily_learning import count_at, has_checks, learn_day
from commsengine.cadence.history import History
from commsengine.cadence.kinds_and_states import RecallMode
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.recall.memory import Estimate
from commsengine.store.database import chunks
from commsengine.store.store import Store

log = structlog.get_logger(__name__)


class DailyEstimates:
    """Belongs to one engine. Two engines may publish the same: the first one's is kept, and both are equal."""

    def __init__(self, store: Store, recall: RecallMode = "role") -> None:
        self._store, self._recall = store, recall
        self._counted: dict[str, dt.datetime] = {}

    def publish(self, running: Iterable[Plan], now: dt.datetime) -> None:
        count = count_at(now)
        for plan in running if self._recall != "off" else ():
            if has_checks(plan) and self._counted.get(plan.campaign) != count:
                self._publish(plan, count, now)
                self._counted[plan.campaign] = count

    def _publish(self, plan: Plan, count: dt.datetime, now: dt.datetime) -> None:
        estimates = self._store.estimates
        known = estimates.latest(plan.campaign)
        if known.counted_at >= count or not estimates.answered_since(plan.campaign, known.counted_at, count):
            return
        who, one_by_one = self._who_answered(plan.campaign, count), self._recall == "person"
        learned = learn_day(plan, known, who, count, one_by_one=one_by_one)
        if learned is not None:
            # what has passed stays as it was decided
            estimates.publish(plan.campaign, replace(learned, effective_at=max(learned.effective_at, now)))
            log.info("learned", campaign=plan.campaign, checks=sum(one.checks for one in learned.roles.values()))

    def _who_answered(self, campaign: str, until: dt.datetime) -> Iterator[tuple[Person, History]]:
        ids = self._store.estimates.who_answered(campaign, until)
        for page in chunks(ids):
            for one in self._store.loading.histories(page).values():
                yield one.person, one.history


class EstimatesInUse:
    """The estimates in use, read again when others take effect: the same value all day, so that what is worked out
    under it can be kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._made: dict[str, tuple[dt.datetime, Mapping[str, Estimate]]] = {}

    def of(self, plan: Plan, now: dt.datetime) -> tuple[Mapping[str, Estimate], dt.datetime | None]:
        """The estimates by role, and when others take effect that are published already."""
        if not has_checks(plan):
            return {}, None
        stamps = self._store.estimates.stamps(plan.campaign)
        coming = [effective for _, effective in stamps if effective > now]
        in_use = [counted for counted, effective in stamps if effective <= now]
        return self._made_of(plan, in_use[0], now) if in_use else {}, min(coming, default=None)

    def _made_of(self, plan: Plan, counted: dt.datetime, now: dt.datetime) -> Mapping[str, Estimate]:
        # read and made once a day; every beat asks
        made = self._made.get(plan.campaign)
        if made is None or made[0] != counted:
            known = self._store.estimates.latest(plan.campaign, effective=now)
            made = self._made[plan.campaign] = (counted, known.estimates)
        return made[1]
