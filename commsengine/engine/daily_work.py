"""What is due once a day: the mail of the morning, and the estimates of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from commsengine.cadence.plan import Workspace
from commsengine.engine.daily_estimates import DailyEstimates
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store

LOOKS_EVERY = dt.timedelta(minutes=5)
"""How often it is looked for."""

MorningMail = Callable[[Sequence[CampaignRecord]], object]
"""Writes down the digests and lists that are due; called with all campaigns."""


class DailyWork:
    """For an engine, or for the scheduler of several."""

    def __init__(self, store: Store, workspace: Workspace, morning_mail: MorningMail) -> None:
        self._store, self._morning_mail = store, morning_mail
        self._estimates = DailyEstimates(store, workspace.recall)

    def do(self, now: Callable[[], dt.datetime]) -> list[CampaignRecord]:
        """Does what is due; returns the campaigns that run."""
        records = self._store.campaigns.all()
        self._morning_mail(records)
        running = [record for record in records if record.state == "running"]
        self._estimates.publish([record.plan for record in running], now())
        return running
