"""What a rehearsal as if by a certain provider found out: when the waves have left, and what stands in their way."""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from commsengine.cadence.calendar import zone_of
from commsengine.cadence.kinds_and_states import Carrier
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.channels.providers import SendingLimits
from commsengine.sandbox.as_if import AsIf
from commsengine.sandbox.relay import RelayStandIn
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.store.records import TouchRecord

MOST_WAVES = 3
Announced = Mapping[str, dt.datetime | None]
"""When each touch should leave, by its key."""

LATE = dt.timedelta(hours=1)
"""What leaves so long after it was due counts as late."""


@dataclass(frozen=True, slots=True)
class SentWave:
    """The messages of one channel that were due at one instant; when the last of them left, and should have left."""

    channel: Carrier
    at: dt.datetime
    messages: int
    last_sent_at: dt.datetime
    announced_at: dt.datetime

    @property
    def took(self) -> dt.timedelta:
        return self.last_sent_at - self.at

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class FullestDay:
    """Most messages that left by mail within the span that the provider counts; ``full`` are the days with no room."""

    until: dt.datetime
    messages: int
    full: tuple[dt.date, ...]


@dataclass(frozen=True, slots=True)
class AsIfReport:
    """Facts of one rehearsal; ``outside`` are addresses that the mail provider does not carry to.

    ``next_day`` are people who heard on a later date of theirs than they should have, ``late`` the messages that left
    more than an hour after they were due. ``refused`` are the replies of the server, with their numbers. Slack's list
    of users was read in so many calls.
    """

    as_if: AsIf
    waves: Sequence[SentWave]
    day: FullestDay | None
    late: int
    next_day: Sequence[str]
    outside: Sequence[str]
    refused: Mapping[str, int]
    delayed: int
    connections: int
    slack_rate: float | None
    user_list_calls: int

    @property
    def held_up(self) -> bool:
        """Whether people heard on a later day, so that they could not answer when they were supposed to."""
        return bool(self.next_day)

    def as_json(self) -> dict[str, Any]:
        profile = self.as_if.mail
        return {
            "mail": profile.name if profile else None,
            "slack_cold": self.as_if.slack_cold,
            "limits": _limits(profile.limits) if profile else None,
            "waves": [wave.as_json() for wave in self.waves],
            "fullest_day": {"until": self.day.until, "messages": self.day.messages} if self.day else None,
            "full_days": self.day.full if self.day else (),
            "late": self.late,
            "next_day": list(self.next_day),
            "outside": list(self.outside),
            "refused": dict(self.refused),
            "delayed": self.delayed,
            "connections": self.connections,
            "slack_rate": self.slack_rate,
            "user_list_calls": self.user_list_calls,
            "to_set": self.as_if.to_set,
        }


class Rehearsed(Protocol):
    """What of a script the report is about."""

    @property
    def as_if(self) -> AsIf: ...

    @property
    def plan(self) -> Plan: ...

    @property
    def people(self) -> Sequence[Person]: ...


def report_of(
    script: Rehearsed,
    announced: Announced,
    relay: RelayStandIn | None,
    slack: SlackStandIn,
    slack_rate: float | None,
    records: Sequence[TouchRecord],
) -> AsIfReport:
    """``records`` are those of the touches; ``relay`` is where the mail went, if it went by a provider."""
    as_if = script.as_if
    turned_away = Counter(f"{method}: ratelimited" for method in slack.turned_away) if as_if.slack_cold else {}
    by_id = {person.id: person for person in script.people}
    sent = [record for record in records if record.channel in as_if.channels and record.sent_at is not None]
    return AsIfReport(
        as_if,
        busiest(sent, announced),
        fullest_day(relay.instants, relay.limits) if relay else None,
        sum(_waited(record) > LATE for record in sent),
        sorted(
            {by_id[record.person_id or ""].email for record in sent if _on_a_later_date(record, by_id, script.plan)}
        ),
        sorted(person.email for person in by_id.values() if relay and relay.is_outside(person.email)),
        {**(relay.refused if relay else {}), **turned_away},
        relay.delayed if relay else 0,
        relay.most_at_once if relay else 0,
        slack_rate if as_if.slack_cold else None,
        slack.calls.count("users.list") if as_if.slack_cold else 0,
    )


def busiest(sent: Iterable[TouchRecord], announced: Announced) -> list[SentWave]:
    """The largest first; of equal ones the earlier."""
    waves: dict[tuple[Carrier, dt.datetime], list[TouchRecord]] = {}
    for record in sent:
        waves.setdefault((record.channel, record.due_at), []).append(record)
    largest = sorted(waves, key=lambda wave: (-len(waves[wave]), wave[1]))[:MOST_WAVES]
    return [_wave(waves[wave], announced) for wave in largest]


def _wave(records: Sequence[TouchRecord], announced: Announced) -> SentWave:
    first = records[0]
    last = max(record.sent_at or record.due_at for record in records)
    expected = max(announced.get(record.key) or record.due_at for record in records)
    return SentWave(first.channel, first.due_at, len(records), last, expected)


def fullest_day(instants: Sequence[dt.datetime], limits: SendingLimits) -> FullestDay | None:
    """``None`` where nothing left."""
    within: deque[dt.datetime] = deque()
    until, most, full = None, 0, Counter[dt.date]()
    for at in instants:
        within.append(at)
        while within[0] <= at - limits.day:
            within.popleft()
        if len(within) > most:
            until, most = at, len(within)
        full[at.date()] += limits.per_day is not None and len(within) >= limits.per_day
    return FullestDay(until, most, tuple(sorted(+full))) if until else None


def _waited(record: TouchRecord) -> dt.timedelta:
    return (record.sent_at or record.due_at) - record.due_at


def _on_a_later_date(record: TouchRecord, people: Mapping[str, Person], plan: Plan) -> bool:
    if record.sent_at is None or record.local_date is None:
        return False
    return record.sent_at.astimezone(zone_of(people[record.person_id or ""], plan)).date() > record.local_date


def _limits(limits: SendingLimits) -> dict[str, Any]:
    return {
        "connections": limits.connections,
        "per_minute": limits.per_minute,
        "per_day": limits.per_day,
        "day_seconds": limits.day.total_seconds(),
        "per_connection": limits.per_connection,
    }
