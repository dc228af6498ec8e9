"""Where somebody else calls the ticks, the time between two of them is no standstill: it is learned from them.

How long the next tick may be awaited
- Twice the time between the last two, a quarter of an hour at least. The night between working hours counts like it
  once it has come twice within eight days, so that one outage makes no engine patient.
- Who calls it about once a day, or for the first time, may leave out a long weekend; who calls it once a week, a week.
What comes later is a standstill, and the brake's.
"""

from __future__ import annotations

import datetime as dt

from commsengine.store.records import HeartbeatRecord
from commsengine.store.store import Store

LONG_SILENCE = dt.timedelta(minutes=15)
CRON = 55.0  # seconds: cron calls nothing more often than every minute
SELDOM, LONG_WEEKEND = dt.timedelta(hours=12), dt.timedelta(days=4)
LATELY = dt.timedelta(days=8)

RARELY = dt.timedelta(minutes=90)
"""From here on what falls due comes hours late, or finds its send window closed. Once an hour is not rare yet."""


def awaited(store: Store, now: dt.datetime) -> bool:
    """Whether nothing has beaten for long, or ever, and the next tick is not overdue yet."""
    last = store.engine.heartbeat()
    return last is None or LONG_SILENCE < now - last.beat_at <= _patience(store, last)


def stood_still(store: Store, last: HeartbeatRecord, now: dt.datetime) -> bool:
    silent = now - last.beat_at
    return silent > LONG_SILENCE and silent > _patience(store, last)


def rarely(store: Store) -> dt.timedelta | None:
    """How long no engine had beaten before the last beat, if that is too long for messages to come in time."""
    last = store.engine.heartbeat()
    apart = dt.timedelta(seconds=last.interval) if last else dt.timedelta()
    return apart if apart > RARELY else None


def _patience(store: Store, last: HeartbeatRecord) -> dt.timedelta:
    usual = last.interval
    if usual >= CRON:
        usual = max(usual, *store.engine.longest_intervals(last.beat_at - LATELY, 2)[1:], 0.0)
    if not last.interval or usual >= SELDOM.total_seconds():
        return max(LONG_WEEKEND, 2 * dt.timedelta(seconds=usual))
    return max(LONG_SILENCE, 2 * dt.timedelta(seconds=usual))
