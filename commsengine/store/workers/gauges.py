"""What a watch wants to see in numbers: counts, ages and rates; never a name or an address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, func, select

from commsengine.store import campaigns
from commsengine.store.database import Database
from commsengine.store.tables import answer, engine, person, rest, touch
from commsengine.store.workers.jobs import Jobs

LATELY = dt.timedelta(minutes=1)

_TOUCHES = select(touch.c.state, func.count()).where(touch.c.kind != "service").group_by(touch.c.state)
_ANSWERS = select(answer.c.kind, func.count()).where(answer.c.withdrawn_at.is_(None)).group_by(answer.c.kind)
_LAST_BEAT = select(func.max(engine.c.beat_at))


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number. ``labels`` are words of closed lists."""

    name: str
    says: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class Gauges:
    """Read in a handful of queries; the largest counts the touches by state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, now: dt.datetime) -> list[Gauge]:
        with self._database.read() as connection:
            found = [*_counts(connection, now), *_channels(connection, now), *_ages(connection, now)]
        return [*found, Gauge("jobs_waiting", "Jobs that no worker has begun.", Jobs(self._database).waiting())]


def _counts(connection: Connection, now: dt.datetime) -> Iterator[Gauge]:
    for state, count in connection.execute(_TOUCHES):
        yield Gauge("touches", "Touches ever made, by state.", count, {"state": state})
    for kind, count in connection.execute(_ANSWERS):
        yield Gauge("answers", "Answers that were not withdrawn, by kind.", count, {"kind": kind})
    due = select(func.count()).where(person.c.wake_at <= now)
    yield Gauge("people_due", "People to decide for now.", connection.scalar(due) or 0)
    yield Gauge("on_hold", "1 while nothing may be sent.", float(campaigns.on_hold(connection)))


def _channels(connection: Connection, now: dt.datetime) -> Iterator[Gauge]:
    lately = select(touch.c.channel, func.count()).where(touch.c.sent_at > now - LATELY).group_by(touch.c.channel)
    for channel, count in connection.execute(lately):
        yield Gauge("sent_last_minute", "Messages that left in the last minute.", count, {"channel": channel})
    resting = select(rest.c.channel, rest.c.open, rest.c.until).where(rest.c.since.is_not(None))
    for channel, is_open, until in connection.execute(resting):
        value = float(is_open and until > now)
        yield Gauge("channel_rests", "1 while a channel's breaker is open.", value, {"channel": channel})


def _ages(connection: Connection, now: dt.datetime) -> Iterator[Gauge]:
    first_due = select(func.min(person.c.wake_at)).where(person.c.wake_at <= now)
    ages: tuple[tuple[str, str, Select[Any]], ...] = (
        ("oldest_due_seconds", "How long the first of those who are due has waited.", first_due),
        ("beat_age_seconds", "How long ago an engine or a worker beat.", _LAST_BEAT),
    )
    for name, says, query in ages:
        since = connection.scalar(query)
        if since is not None:
            yield Gauge(name, says, max(0.0, (now - since).total_seconds()))
