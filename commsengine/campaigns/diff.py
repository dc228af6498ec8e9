"""How many touches to come a new version of a plan keeps, moves, adds and cancels.

Nothing future is stored, so nothing is moved: the difference is what ``decide`` says under the old version and under
the new one, without answers.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from commsengine.cadence import managers_first
from commsengine.cadence.calendar import last_closing
from commsengine.cadence.forecast import forecast, no_answers
from commsengine.cadence.history import Campaign, Campaigns, Touch
from commsengine.cadence.phases import opened_in_time
from commsengine.cadence.plan import Plan
from commsengine.campaigns.effects import as_running, with_campaign
from commsengine.engine.decisions import Decisions
from commsengine.engine.directory import sample
from commsengine.store.database import chunks
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store


@dataclass(frozen=True, slots=True)
class TouchDiff:
    """Touches still to come under both versions, counted by person, message and rung.

    If not ``exact``, the numbers are scaled up from ``looked_at`` people.
    """

    kept: int = 0
    moved: int = 0
    added: int = 0
    cancelled: int = 0
    exact: bool = True
    looked_at: int = 0


def touch_diff(
    store: Store,
    decisions: Decisions,
    old: CampaignRecord,
    plan: Plan,
    introduced: Mapping[str, dt.datetime],
    now: dt.datetime,
) -> TouchDiff:
    before = (
        decisions.estimated(as_running(old, "latest", now), now)
        if old.state != "running"
        else next(campaign for campaign in decisions.campaigns(now).running if campaign.id == old.id)
    )
    # gates that are shut now are supposed to open in time, in both
    after = Campaign(plan, before.started_at, old.version + 1, old.epoch, introduced, before.pauses, before.recall)
    after = replace(after, opened=opened_in_time(plan, old.opened, now))
    before = replace(before, opened=opened_in_time(old.plan, old.opened, now))
    until = max(last_closing(old.plan), last_closing(plan)) + dt.timedelta(days=2)
    some = sample(store)
    counts = {"kept": 0, "moved": 0, "added": 0, "cancelled": 0}
    common = decisions.campaigns(now)
    for ids in chunks(some.ids):
        one = _to_come(store, with_campaign(common, before), ids, old.id, now, until)
        other = _to_come(store, with_campaign(common, after), ids, old.id, now, until)
        for key in one.keys() | other.keys():
            counts[_difference(one.get(key), other.get(key))] += 1
    scaled = {name: some.scaled(count) for name, count in counts.items()}
    return TouchDiff(**scaled, exact=some.exact, looked_at=len(some.ids))


def _to_come(
    store: Store, campaigns: Campaigns, ids: Sequence[str], campaign: str, now: dt.datetime, until: dt.datetime
) -> dict[tuple[str, str, int, int], Touch]:
    """Each touch to come by person, message, rung and its place among those."""
    found: dict[tuple[str, str, int, int], Touch] = {}
    led = managers_first.wanted(campaigns)
    for one in store.loading.histories(ids, reports=led).values():
        places: dict[tuple[str, int], int] = defaultdict(int)
        for touch in forecast(campaigns, one.person, one.history, now, until, no_answers).touches:
            if touch.campaign == campaign and not touch.skip:
                places[touch.message, touch.rung] += 1
                found[one.person.id, touch.message, touch.rung, places[touch.message, touch.rung]] = touch
    return found


def _difference(before: Touch | None, after: Touch | None) -> str:
    if before is None:
        return "added"
    if after is None:
        return "cancelled"
    return "kept" if before.due_at == after.due_at else "moved"
