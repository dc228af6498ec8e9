"""What the engines leave on record about themselves: heartbeats, fences, holds, and which database it is."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, select, update

from commsengine.cadence.history import SILENCE
from commsengine.store import bookkeeping, campaigns
from commsengine.store.database import Database, columns_of, insert
from commsengine.store.records import HeartbeatRecord, Hold
from commsengine.store.tables import campaign, counter, engine, instance, rest, standstill

_FENCE = "fence"
_FORMER = "former"
_IS_NOW = instance.c.place != _FORMER
NONE_RESTS: Mapping[str, Mapping[str, str]] = {}


_BEATS = select(*columns_of(engine, HeartbeatRecord)).order_by(engine.c.beat_at.desc(), engine.c.started_at.desc())
_HOLDS = select(*columns_of(standstill, Hold)).where(standstill.c.campaign == "").order_by(standstill.c.id)


class EngineRecord:
    """The engines' own entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(
        self,
        owner: str,
        *,
        pid: int,
        host: str,
        boot_id: str = "",
        interval: float = 0.0,
        resting: Mapping[str, Mapping[str, str]] = NONE_RESTS,
        awaited: bool = False,
        now: dt.datetime,
    ) -> None:
        """Writes down that this engine is alive; ``interval`` is the time to its next beat, in seconds.

        ``resting`` are the channels it keeps still, by name, with ``until`` and ``because``. ``awaited``: the silence
        before this beat was no standstill, but the time between two ticks.
        """
        still = {name: dict(rest) for name, rest in resting.items()}
        seen = {"pid": pid, "host": host, "boot_id": boot_id, "beat_at": now, "interval": interval, "resting": still}
        with self._database.write() as connection:
            new = insert(connection, engine).values({**seen, "owner": owner, "started_at": now})
            connection.execute(new.on_conflict_do_update(index_elements=["owner"], set_=seen))
            ends = {name: dt.datetime.fromisoformat(each["until"]) for name, each in resting.items()}
            for channel, until in sorted({**ends, **({SILENCE: now} if awaited else {})}.items()):
                first = insert(connection, rest).values(channel=channel, until=until)
                later = first.excluded.until > rest.c.until
                connection.execute(
                    first.on_conflict_do_update(index_elements=["channel"], set_={"until": until}, where=later)
                )

    def rests(self) -> dict[str, dt.datetime]:
        """Until when each channel rested last, or rests; under ``SILENCE``, when the last awaited silence ended."""
        return {row.channel: row.until for row in self._database.rows(select(rest))}

    def heartbeat(self) -> HeartbeatRecord | None:
        """The last beat of any engine."""
        row = self._database.first(_BEATS.limit(1))
        return HeartbeatRecord(*row) if row else None

    def heartbeats(self) -> list[HeartbeatRecord]:
        """The last beat of each engine, the latest first."""
        return [HeartbeatRecord(*row) for row in self._database.rows(_BEATS)]

    def longest_intervals(self, since: dt.datetime, count: int) -> list[float]:
        """The longest times between two ticks, in seconds, of those that have beaten since then."""
        lately = select(engine.c.interval).where(engine.c.beat_at >= since).order_by(engine.c.interval.desc())
        return [row.interval for row in self._database.rows(lately.limit(count))]

    def set_back(self, now: dt.datetime, *, ahead: dt.datetime) -> bool:
        """Beats after ``ahead`` are those of a clock that has been set back: they count as of now. Were there any?"""
        with self._database.write() as connection:
            beats = update(engine).where(engine.c.beat_at > ahead).values(beat_at=now).returning(engine.c.owner)
            if connection.execute(beats).first() is None:
                return False
            connection.execute(update(rest).where(rest.c.until > now).values(until=now))
            return True

    def next_fence(self) -> int:
        """A number greater than all before it, also after a crash."""
        with self._database.write() as connection:
            first = insert(connection, counter).values(name=_FENCE, value=1)
            grown = first.on_conflict_do_update(index_elements=["name"], set_={"value": counter.c.value + 1})
            return int(connection.execute(grown.returning(counter.c.value)).scalar_one())

    def fence(self) -> int:
        """The last fence that was given out."""
        return self._database.scalar(select(counter.c.value).where(counter.c.name == _FENCE)) or 0

    def raise_fence(self, least: int) -> None:
        """Fences go on from there: a restored database must not give out what was given out before."""
        if self.fence() >= least:
            return
        with self._database.write() as connection:
            first = insert(connection, counter).values(name=_FENCE, value=least)
            connection.execute(first.on_conflict_do_update(index_elements=["name"], set_={"value": least}))

    def database_id(self) -> str:
        """Which database this is; a copy of it has the same id until it gets its own."""
        found: str | None = self._database.scalar(select(instance.c.database).where(_IS_NOW))
        return found or self.become(str(uuid.uuid4()))

    def former_ids(self) -> list[str]:
        """What this database was called before: the one it was copied from, and so on."""
        return [row.database for row in self._database.rows(select(instance.c.database).where(~_IS_NOW))]

    def become(self, database: str, former: Sequence[str] = ()) -> str:
        """Gives this database another id. What it was called before is remembered, and so are the ids in ``former``."""
        before = {*self.former_ids(), *former}
        with self._database.write() as connection:
            before |= {row.database for row in connection.execute(select(instance.c.database))}
            connection.execute(delete(instance))
            rows = [{"database": each, "place": _FORMER} for each in sorted(before - {database})]
            connection.execute(instance.insert(), [{"database": database, "place": ""}, *rows])
        return database

    def place(self) -> str:
        """The state folder it was last sent from; empty if never."""
        return self._database.scalar(select(instance.c.place).where(_IS_NOW)) or ""

    def be_at(self, place: str) -> None:
        """It is sent from this state folder from now on."""
        if self.place() != place:
            with self._database.write() as connection:
                connection.execute(update(instance).where(_IS_NOW).values(place=place))

    def epochs(self) -> int:
        """How often any campaign was started, paused and so on, or the engine held: it only grows."""
        return self._database.scalar(select(func.sum(campaign.c.epoch))) or 0

    def hold(self, reason: str, *, now: dt.datetime, by: str = "engine") -> bool:
        """From the return on nothing is claimed or marked; false if the engine was on hold already."""
        with self._database.write() as connection:
            if campaigns.on_hold(connection):
                return False
            bookkeeping.raise_epochs(connection)
            campaigns.stand_still(connection, "", reason, by=by, now=now)
            bookkeeping.note(connection, "hold", "engine", by=by, now=now, reason=reason)
            return True

    def release(self, backlog: str, *, by: str, now: dt.datetime) -> bool:
        """Ends the hold and makes everybody due; ``backlog`` is latest, all or none. False if there was no hold."""
        campaigns.known_backlog(backlog)
        with self._database.write() as connection:
            bookkeeping.raise_epochs(connection)
            if not campaigns.go_on(connection, "", backlog, by=by, now=now):
                return False
            bookkeeping.note(connection, "release", "engine", by=by, now=now, backlog=backlog)
            return True

    def holds(self) -> list[Hold]:
        """Every hold there was, the first first; open is the one without ``until``."""
        return [Hold(*row) for row in self._database.rows(_HOLDS)]
