"""What starting, resuming or releasing would do at this moment, and what waits for a channel, by asking ``decide``."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from commsengine.cadence.decide import missed_window
from commsengine.cadence.forecast import forecast, nobody
from commsengine.cadence.history import Campaign, Campaigns, Standstill
from commsengine.cadence.people import Person
from commsengine.engine.decisions import Decisions
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store

EXACT_UP_TO = 2000
PAGE = 1000
BY_HAND = "personal"

A_MINUTE = dt.timedelta(minutes=1)
"""Who met a channel that rests looks again a moment after the others."""


@dataclass(frozen=True, slots=True)
class Outlook:
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


def outlook(store: Store, decisions: Decisions, campaign: CampaignRecord, backlog: str, now: dt.datetime) -> Outlook:
    """As if the campaign ran from now on: started if it never was, else resumed with that ``backlog``."""
    campaigns = with_campaign(decisions.campaigns(now), decisions.estimated(as_running(campaign, backlog, now), now))
    return _seen(store, decisions, campaigns, campaign.id, now)


def release_outlook(store: Store, decisions: Decisions, backlog: str, now: dt.datetime) -> Outlook:
    """As if the engine's hold were released now, over all running campaigns."""
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
    """What would be sent until then if nobody answered, and a hold were released now."""
    people, total = sample(store)
    scale = total / len(people) if people else 1.0
    campaigns = decisions.campaigns(now)
    campaigns = replace(campaigns, holds=(*campaigns.holds, Standstill(now, now, "latest")))
    counted = Counter[str]()
    for ids in _pages([person.id for person in people]):
        for one in store.touches.histories(ids).values():
            foreseen = forecast(campaigns, one.person, one.history, now, until, nobody).touches
            counted.update(touch.campaign for touch in foreseen if not touch.skip and touch.channel != BY_HAND)
    return Coming({name: round(count * scale) for name, count in sorted(counted.items())}, len(people) == total)


def as_running(record: CampaignRecord, backlog: str, now: dt.datetime) -> Campaign:
    """The campaign as it will be once it runs. Only the newest pause matters to a decision."""
    pauses = (Standstill(now, now, backlog),) if record.started_at else ()
    return Campaign(record.plan, record.started_at or now, record.version, record.epoch, record.introduced, pauses)


def with_campaign(campaigns: Campaigns, campaign: Campaign) -> Campaigns:
    others = tuple(other for other in campaigns.running if other.id != campaign.id)
    return replace(campaigns, running=(*others, campaign))


def count_missed_windows(store: Store, decisions: Decisions, now: dt.datetime) -> int:
    """How many people something was due for at that moment, but whose send window was closed."""
    people, total = sample(store)
    campaigns, found = decisions.campaigns(now), 0
    for ids in _pages([person.id for person in people]):
        found += sum(missed_window(one.decision) for one in decisions.of(ids, campaigns, now))
    return round(found * total / len(people)) if people else 0


def waiting(store: Store, decisions: Decisions, until: dt.datetime, now: dt.datetime) -> Mapping[str, int]:
    """How many messages are due by now, by channel: of the people whom an engine has put off until then.

    Estimated from those who wait longest where they are more than ``EXACT_UP_TO``.
    """
    until += A_MINUTE
    ids, total = store.touches.due(until, EXACT_UP_TO), store.touches.due_count(until)
    campaigns, counted = decisions.campaigns(now), Counter[str]()
    for page in _pages(ids):
        for one in decisions.of(page, campaigns, now):
            counted.update(touch.channel for touch in one.decision.touches if not touch.skip)
    return {channel: round(count * total / len(ids)) for channel, count in counted.items()}


def sample(store: Store) -> tuple[list[Person], int]:
    """Everybody, or every n-th of a directory larger than ``EXACT_UP_TO``; and how many there are."""
    total = store.people.count()
    step = -(-total // EXACT_UP_TO) or 1
    return [person for index, person in enumerate(everybody(store)) if index % step == 0], total


def everybody(store: Store) -> Iterator[Person]:
    """The directory in the order of ids, read in pages."""
    last = ""
    while page := store.people.all(after=last, limit=PAGE):
        yield from page
        last = page[-1].id


def _seen(store: Store, decisions: Decisions, campaigns: Campaigns, only: str, now: dt.datetime) -> Outlook:
    people, total = sample(store)
    scale = total / len(people) if people else 1.0
    due, by_hand, later, skipped = 0, 0, 0, Counter[str]()
    firsts: list[dt.datetime] = []
    for ids in _pages([person.id for person in people]):
        for one in decisions.of(ids, campaigns, now):
            touches = [touch for touch in one.decision.touches if not only or touch.campaign == only]
            skipped.update(touch.skip for touch in touches if touch.skip)
            by_hand += sum(touch.channel == BY_HAND for touch in touches if not touch.skip)
            sends = sum(touch.channel != BY_HAND for touch in touches if not touch.skip)
            nexts = [r.next_at for r in one.decision.reasons if r.next_at and (not only or r.campaign == only)]
            due += sends
            later += not sends and bool(nexts)
            firsts += nexts
    return Outlook(
        total,
        round(due * scale),
        round(by_hand * scale),
        {reason: round(count * scale) for reason, count in skipped.items()},
        round(later * scale),
        min(firsts, default=None),
        len(people) == total,
        len(people),
    )


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))
