"""What starting, resuming or releasing would do at this moment, by asking ``decide``."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from commsengine.cadence import managers_first
from commsengine.cadence.forecast import forecast_each, no_answers
from commsengine.cadence.history import Campaign, Campaigns, Standstill
from commsengine.cadence.kinds_and_states import HUMAN
from commsengine.engine.decisions import Decisions
from commsengine.engine.directory import sample
from commsengine.store.database import chunks
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store


@dataclass(frozen=True, slots=True)
class Effects:
    """``now_due`` messages would leave at once, ``by_hand`` become follow-ups, ``skipped`` (by reason) never leave.

    ``later`` people get their next message another time. If not ``exact``, the numbers are scaled up from
    ``looked_at`` people out of all.
    """

    people: int
    now_due: int = 0
    by_hand: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    later: int = 0
    first_at: dt.datetime | None = None
    exact: bool = True
    looked_at: int = 0


def effects(store: Store, decisions: Decisions, campaign: CampaignRecord, backlog: str, now: dt.datetime) -> Effects:
    """As if the campaign ran from now on: started if it never was, else resumed with that ``backlog``."""
    campaigns = with_campaign(decisions.campaigns(now), decisions.estimated(as_running(campaign, backlog, now), now))
    return _seen(store, decisions, campaigns, campaign.id, now)


def release_effects(store: Store, decisions: Decisions, backlog: str, now: dt.datetime) -> Effects:
    campaigns = decisions.campaigns(now)
    released = replace(campaigns, holds=(*campaigns.holds, Standstill(now, now, backlog)))
    return _seen(store, decisions, released, "", now)


@dataclass(frozen=True, slots=True)
class Coming:
    """The messages that channels will carry until some instant, by campaign; estimated if not ``exact``."""

    messages: Mapping[str, int] = field(default_factory=dict)
    exact: bool = True

    @property
    def total(self) -> int:
        return sum(self.messages.values())


def coming(store: Store, decisions: Decisions, now: dt.datetime, until: dt.datetime) -> Coming:
    # as if no person answered, and a hold were released now
    some = sample(store)
    campaigns = decisions.campaigns(now)
    campaigns = replace(campaigns, holds=(*campaigns.holds, Standstill(now, now, "latest")))
    counted = Counter[str]()
    led = managers_first.wanted(campaigns)
    for ids in chunks(some.ids):
        people = ((one.person, one.history) for one in store.loading.histories(ids, reports=led).values())
        for seen in forecast_each(campaigns, people, now, until, no_answers):
            counted.update(touch.campaign for touch in seen.touches if not touch.skip and touch.channel != HUMAN)
    return Coming({name: some.scaled(count) for name, count in sorted(counted.items())}, some.exact)


def as_running(record: CampaignRecord, backlog: str, now: dt.datetime) -> Campaign:
    # only the newest pause matters to a decision
    pauses = (Standstill(now, now, backlog),) if record.started_at else ()
    about = (record.started_at or now, record.version, record.epoch, record.introduced)
    return Campaign(record.plan, *about, pauses, opened=record.opened)


def with_campaign(campaigns: Campaigns, campaign: Campaign) -> Campaigns:
    others = tuple(other for other in campaigns.running if other.id != campaign.id)
    return replace(campaigns, running=(*others, campaign))


def _seen(store: Store, decisions: Decisions, campaigns: Campaigns, only: str, now: dt.datetime) -> Effects:
    some = sample(store)
    counts, skipped = Counter[str](), Counter[str]()
    firsts: list[dt.datetime] = []
    for ids in chunks(some.ids):
        for one in decisions.of(ids, campaigns, now):
            touches = [touch for touch in one.decision.touches if not only or touch.campaign == only]
            skipped.update(touch.skip for touch in touches if touch.skip)
            kept = [touch for touch in touches if not touch.skip]
            sends = sum(touch.channel != HUMAN for touch in kept)
            nexts = [r.next_at for r in one.decision.reasons if r.next_at and (not only or r.campaign == only)]
            counts.update(now_due=sends, by_hand=len(kept) - sends, later=bool(nexts) and not sends)
            firsts += nexts
    scaled = {name: some.scaled(count) for name, count in counts.items()}
    never = {reason: some.scaled(count) for reason, count in skipped.items()}
    first = min(firsts, default=None)
    return Effects(some.total, **scaled, skipped=never, first_at=first, exact=some.exact, looked_at=len(some.ids))
