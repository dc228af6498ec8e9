"""What the engines leave on record: about themselves (heartbeats, fences, holds, which database it is), and about the
channels that they share (rests, pace, what has left lately, what the mail server greets with).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, or_, select, update

from commsengine.cadence.history import SILENCE
from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.store import bookkeeping, campaigns
from commsengine.store.database import Database, columns_of, insert
from commsengine.store.records import HeartbeatRecord, Hold, Rest
from commsengine.store.tables import campaign, counter, engine, instance, provider, rate, rest, standstill, touch

_FENCE = "fence"
_REHEARSED = "rehearsed"
_EPOCH, _MICROSECOND = dt.datetime.fromtimestamp(0, dt.UTC), dt.timedelta(microseconds=1)
_FORMER = "former"
_IS_NOW = instance.c.place != _FORMER
KEPT_FOR = dt.timedelta(days=10)
"""How long the last beat of an engine that is gone is kept: what is learned from ticks looks back eight days."""

_BEATS = select(*columns_of(engine, HeartbeatRecord)).order_by(engine.c.beat_at.desc(), engine.c.started_at.desc())
_LAST_BEAT = _BEATS.limit(1)
_AT_WORK = (
    select(engine.c.owner)
    .where(engine.c.beat_at >= bindparam("since"), engine.c.ended_at.is_(None))
    .order_by(engine.c.owner)
)
_INTERVALS = (
    select(engine.c.interval)
    .where(engine.c.beat_at >= bindparam("since"))
    .order_by(engine.c.interval.desc())
    .limit(bindparam("most"))
)
_ENDS = select(rest.c.channel, rest.c.until)
_RESTS = select(*columns_of(rest, Rest)).where(rest.c.since.is_not(None))
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
        awaited: bool = False,
        now: dt.datetime,
    ) -> None:
        """Writes down that this engine is alive; ``interval`` is the time to its next beat, in seconds.

        ``awaited``: the silence before this beat was no standstill, but the time between two ticks.
        """
        seen = {"pid": pid, "host": host, "boot_id": boot_id, "beat_at": now, "interval": interval, "ended_at": None}
        with self._database.write() as connection:
            new = insert(connection, engine).values({**seen, "owner": owner, "started_at": now})
            connection.execute(new.on_conflict_do_update(index_elements=["owner"], set_=seen))
            if awaited:
                _nothing_left_before(connection, {SILENCE: now})

    def end(self, owner: str, now: dt.datetime) -> None:
        """This engine has stopped. What was last heard of others long ago is forgotten."""
        with self._database.write() as connection:
            connection.execute(update(engine).where(engine.c.owner == owner).values(ended_at=now))
            connection.execute(delete(engine).where(engine.c.beat_at < now - KEPT_FOR, engine.c.owner != owner))

    def at_work(self, since: dt.datetime) -> list[str]:
        """The engines that have beaten since then and not stopped."""
        return [row.owner for row in self._database.rows(_AT_WORK, {"since": since})]

    def heartbeat(self) -> HeartbeatRecord | None:
        """The last beat of any engine."""
        row = self._database.first(_LAST_BEAT)
        return HeartbeatRecord(*row) if row else None

    def heartbeats(self, since: dt.datetime | None = None) -> list[HeartbeatRecord]:
        """The last beat of each engine, the latest first; only of those that have beaten ``since`` then."""
        lately = _BEATS if since is None else _BEATS.where(engine.c.beat_at >= since)
        return [HeartbeatRecord(*row) for row in self._database.rows(lately)]

    def longest_intervals(self, since: dt.datetime, count: int) -> list[float]:
        """The longest times between two ticks, in seconds, of those that have beaten since then."""
        return [row.interval for row in self._database.rows(_INTERVALS, {"since": since, "most": count})]

    def set_back(self, now: dt.datetime, *, ahead: dt.datetime) -> bool:
        """Beats after ``ahead`` are those of a clock that has been set back: they count as of now. Were there any?"""
        with self._database.write() as connection:
            beats = update(engine).where(engine.c.beat_at > ahead).values(beat_at=now).returning(engine.c.owner)
            if connection.execute(beats).first() is None:
                return False
            connection.execute(update(rest).where(rest.c.until > now).values(until=now))
            connection.execute(update(rate).where(rate.c.free_at > now).values(free_at=now))
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

    def rehearsed(self, until: dt.datetime) -> None:
        """A rehearsal in this database has ended then, by its own clock."""
        with self._database.write() as connection:
            instant = (until - _EPOCH) // _MICROSECOND
            connection.execute(insert(connection, counter).values(name=_REHEARSED, value=instant))

    def rehearsed_until(self) -> dt.datetime | None:
        found = self._database.scalar(select(counter.c.value).where(counter.c.name == _REHEARSED))
        return None if found is None else _EPOCH + found * _MICROSECOND

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

    def open_hold(self) -> Hold | None:
        """The one that is open; ``None`` while the engine may send."""
        return next((hold for hold in self.holds() if hold.until is None), None)


class ChannelRecord:
    """What all engines share about the channels."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- rests ------------------------------------------------------------------------------------

    def ends(self) -> dict[str, dt.datetime]:
        """Until when nothing could leave by each channel, last; under ``SILENCE``, when the last awaited silence ended.

        A rest that goes on ends in the future.
        """
        return {row.channel: row.until for row in self._database.rows(_ENDS)}

    def rests(self) -> dict[str, Rest]:
        """The last rest of each channel, over or not."""
        return {row.channel: Rest(*row) for row in self._database.rows(_RESTS)}

    def keep(self, found: Rest) -> None:
        row = asdict(found)
        with self._database.write() as connection:
            new = insert(connection, rest).values(row)
            connection.execute(new.on_conflict_do_update(index_elements=["channel"], set_=row))

    def were_full(self, until: Mapping[str, dt.datetime]) -> None:
        """People waited for a place in these channels until then."""
        with self._database.write() as connection:
            _nothing_left_before(connection, until)

    # -- pace -------------------------------------------------------------------------------------

    def reserve(self, channel: ChannelName, span: dt.timedelta, now: dt.datetime) -> dt.datetime:
        """Reserves this span of the channel's time, and returns when it begins: now, or when it is free.

        Of several engines that ask at once each gets its own.
        """

        def work(connection: Connection) -> dt.datetime:
            new = insert(connection, rate).values(channel=channel)
            connection.execute(new.on_conflict_do_nothing(index_elements=["channel"]))
            row = rate.c.channel == channel
            taken: dt.datetime | None = connection.scalar(select(rate.c.free_at).where(row).with_for_update())
            begins = now if taken is None else max(taken, now)
            connection.execute(update(rate).where(row).values(free_at=begins + span))
            return begins

        return self._database.write_again(work)

    def narrowed(self, channel: ChannelName) -> tuple[int, dt.datetime] | None:
        """How many connections the other side took last, where it took fewer than we wanted, and since when."""
        row = self._database.first(select(rate.c.connections, rate.c.narrowed_at).where(rate.c.channel == channel))
        return None if row is None or row.connections is None else (row.connections, row.narrowed_at)

    def narrow(self, channel: ChannelName, connections: int | None, now: dt.datetime) -> None:
        """``None``: it takes all of them again."""
        seen = {"connections": connections, "narrowed_at": now}
        with self._database.write() as connection:
            new = insert(connection, rate).values(channel=channel, **seen)
            connection.execute(new.on_conflict_do_update(index_elements=["channel"], set_=seen))

    # -- what has left ----------------------------------------------------------------------------

    def sent(self, channel: ChannelName, since: dt.datetime) -> int:
        """How many messages, service mail too, have left by it since then."""
        return int(self._database.scalar(select(func.count()).where(*_sent(channel, since))))

    def under_way(self, channel: ChannelName) -> int:
        """How many are claimed or leaving at this moment, by any engine."""
        states = or_(touch.c.state == "claimed", touch.c.state == "sending")
        return int(self._database.scalar(select(func.count()).where(states, touch.c.channel == channel)))

    def sent_at(self, channel: ChannelName, since: dt.datetime, place: int) -> dt.datetime | None:
        """When the one at this place (0 is the first) has left, of those since then."""
        times = select(touch.c.sent_at).where(*_sent(channel, since)).order_by(touch.c.sent_at)
        found: dt.datetime | None = self._database.scalar(times.offset(place).limit(1))
        return found

    def times(self, channel: ChannelName, since: dt.datetime) -> list[dt.datetime]:
        """When each of those has left, the first first."""
        times = select(touch.c.sent_at).where(*_sent(channel, since)).order_by(touch.c.sent_at)
        return [row.sent_at for row in self._database.rows(times)]

    # -- the mail server --------------------------------------------------------------------------

    def greeted(self, host: str, banner: str, now: dt.datetime) -> None:
        with self._database.write() as connection:
            new = insert(connection, provider).values(host=host, banner=banner, at=now)
            connection.execute(new.on_conflict_do_update(index_elements=["host"], set_={"banner": banner, "at": now}))

    def banner(self, host: str) -> str:
        """What that mail server greeted with last; empty if it was never reached."""
        return self._database.scalar(select(provider.c.banner).where(provider.c.host == host)) or ""


def _sent(channel: ChannelName, since: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return touch.c.channel == channel, touch.c.sent_at.is_not(None), touch.c.sent_at > since


def _nothing_left_before(connection: Connection, ends: Mapping[str, dt.datetime]) -> None:
    for channel, until in sorted(ends.items()):
        first = insert(connection, rest).values(channel=channel, until=until)
        later = first.excluded.until > rest.c.until
        connection.execute(first.on_conflict_do_update(index_elements=["channel"], set_={"until": until}, where=later))
