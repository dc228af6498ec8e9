"""What waits at this moment, by asking ``decide``: for a channel that rests, or for a send window."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

from commsengine.cadence.decide import missed_window
from commsengine.engine.decisions import Decisions
from commsengine.engine.directory import EXACT_UP_TO, Sample, sample
from commsengine.store.database import chunks
from commsengine.store.store import Store

A_MINUTE = dt.timedelta(minutes=1)
"""Who met a channel that rests looks again a moment after the others."""


def count_missed_windows(store: Store, decisions: Decisions, now: dt.datetime) -> int:
    """How many people a touch was due for at that moment, with their send window closed."""
    some, campaigns, found = sample(store), decisions.campaigns(now), 0
    for ids in chunks(some.ids):
        found += sum(missed_window(one.decision) for one in decisions.of(ids, campaigns, now))
    return some.scaled(found)


def waiting(store: Store, decisions: Decisions, until: dt.datetime, now: dt.datetime) -> Mapping[str, int]:
    """How many messages are due by now, by channel: of the people whom an engine has put off until then.

    Estimated from those who wait longest where they are more than ``EXACT_UP_TO``.
    """
    until += A_MINUTE
    some = Sample(store.loading.due(until, EXACT_UP_TO), store.loading.due_count(until))
    campaigns, counted = decisions.campaigns(now), Counter[str]()
    for ids in chunks(some.ids):
        for one in decisions.of(ids, campaigns, now):
            counted.update(touch.channel for touch in one.decision.touches if not touch.skip)
    behind = store.refusals.behind(until)
    return {name: some.scaled(counted[name]) + behind.get(name, 0) for name in counted.keys() | behind.keys()}
