"""What ``decide`` says about people on record: the one way from store to decision, for the engine and all who ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from commsengine.cadence import managers_first
from commsengine.cadence.history import SILENCE, Campaign, Campaigns, Decision, History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Workspace
from commsengine.cadence.shape import SharedDecisions
from commsengine.engine.daily_estimates import EstimatesInUse
from commsengine.engine.tick_gaps import awaited
from commsengine.store.store import Store


@dataclass(frozen=True, slots=True)
class Decided:
    """One person's decision, with what it was made of."""

    person: Person
    history: History
    facts_seq: int
    decision: Decision

    def attempts(self, key: str) -> int:
        """Those that count."""
        return next((row.attempts - row.uncounted for row in self.history.rows if row.key == key), 0)


class Decisions:
    """``carriers`` are the channels set up here; ``None`` supposes all."""

    def __init__(self, store: Store, workspace: Workspace, carriers: frozenset[str] | None = None) -> None:
        self._store, self.workspace, self._carriers = store, workspace, carriers
        self._estimates = EstimatesInUse(store)

    def campaigns(self, now: dt.datetime) -> Campaigns:
        found = self._store.campaigns.running(self.workspace, now.date())
        running = tuple(self.estimated(campaign, now) for campaign in found.running)
        return replace(found, running=running, carriers=self._carriers, rests=self._rests(now))

    def _rests(self, now: dt.datetime) -> Mapping[str, dt.datetime]:
        # a silence between two ticks goes on now
        ends = self._store.channels.ends()
        return {**ends, SILENCE: now} if awaited(self._store, now) else ends

    def estimated(self, campaign: Campaign, now: dt.datetime) -> Campaign:
        if self.workspace.recall == "off":
            return campaign
        recall, news_at = self._estimates.of(campaign.plan, now)
        return replace(campaign, recall=recall, news_at=news_at) if recall or news_at else campaign

    def of(self, ids: Sequence[str], campaigns: Campaigns, now: dt.datetime) -> list[Decided]:
        loaded = self._store.loading.histories(ids, reports=managers_first.wanted(campaigns))
        shared = SharedDecisions(campaigns, now)
        return [
            Decided(one.person, one.history, one.facts_seq, shared.of(one.person, one.history))
            for one in (loaded[person] for person in ids if person in loaded)
        ]
