"""What waits at this moment, by asking ``decide``: for a channel that rests, or for a send window."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

from commsengine.cadence.decide import missed_channels, missed_window
from commsengine.engine.decisions import Decisions
from commsengine.engine.directory import EXACT_UP_TO, Sample, sample
from commsengine.store.database import chunks
from commsengine.store.store import Store

A_MINUTE = dt.timedelta(minutes=1)
"""Who met a channel that rests looks again a moment after the others."""

NEXT_WINDOW = dt.timedelta(days=4)
"""A person whose send window closed while they waited has the next one within this time."""


def count_missed_windows(store: Store, decisions: Decisions, now: dt.datetime) -> int:
    """How many people a touch was due for at that moment, with their send window closed."""
    some, campaigns, found = sample(store), decisions.campaigns(now), 0
    for ids in chunks(some.ids):
        found += sum(missed_window(one.decision) for one in decisions.of(ids, campaigns, now))
    return some.scaled(found)


def waiting(store: Store, decisions: Decisions, until: dt.datetime, now: dt.datetime) -> Mapping[str, int]:
    """How many messages are due by now, by channel: of the people whom an engine has put off until then, and of those
    whose send window has closed while they waited.

    Estimated from those who wait longest where they are more than ``EXACT_UP_TO``.
    """
    until, counted = until + A_MINUTE, Counter[str]()
    counted.update(store.refusals.behind(until))
    put_off = Sample(store.loading.due(until, EXACT_UP_TO), store.loading.due_count(until))
    counted.update(_due_by_now(decisions, put_off, now))
    later = (
        store.loading.due(now + NEXT_WINDOW, EXACT_UP_TO)[len(put_off.ids) :] if len(put_off.ids) < EXACT_UP_TO else []
    )
    if later and now + NEXT_WINDOW > until:
        # all with the same next window wait alike: the last one's tells how many there are
        number = store.loading.due_count(store.loading.wake_of(later[-1]) or until) - len(put_off.ids)
        counted.update(_due_by_now(decisions, Sample(later, max(number, len(later))), now))
    return counted


def _due_by_now(decisions: Decisions, some: Sample, now: dt.datetime) -> Mapping[str, int]:
    campaigns, found = decisions.campaigns(now), Counter[str]()
    for ids in chunks(some.ids):
        for one in decisions.of(ids, campaigns, now):
            found.update(touch.channel for touch in one.decision.touches if not touch.skip)
            found.update(missed_channels(one.decision))
    return {channel: some.scaled(count) for channel, count in found.items()}
