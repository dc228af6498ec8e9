"""What becomes of uncertain sends: whoever can look is asked, and only then the plan's ``on_uncertain`` decides.

1. A resolver is asked once its settle time is over: before that, an absence proves nothing.
2. What it found is ``sent``; what provably did not arrive is tried again. Each is in the audit with its evidence.
3. What nobody can say anything about is asked again every minute, until the patience is over; then the plan decides:
   once more, flagged, or held for a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import structlog

from commsengine.channels.resolver import Resolver, Sending, Sighting
from commsengine.store.records import Uncertain
from commsengine.store.store import Store

ASK_AGAIN = dt.timedelta(minutes=1)
PATIENCE = dt.timedelta(minutes=5)
"""How long after its settle time a resolver is asked that cannot say anything."""

log = structlog.get_logger(__name__)


class Resolution:
    """``resolvers`` are asked in their order, for each channel its own."""

    def __init__(self, store: Store, resolvers: Mapping[str, Sequence[Resolver]]) -> None:
        self._store, self._resolvers = store, resolvers
        self._asked: dict[tuple[str, str], dt.datetime] = {}

    def settle(self, now: dt.datetime) -> dt.datetime | None:
        """Settles what can be settled now; when to look again, ``None`` if nothing is left to look for."""
        waiting = self._store.touches.unsettled()
        if not waiting:
            self._asked.clear()
            return None
        for channel, resolvers in self._resolvers.items():
            for resolver in resolvers:
                theirs = [row for row in waiting if row.channel == channel and self._is_ripe(row, resolver, now)]
                known = self._ask(resolver, theirs, now)
                waiting = [row for row in waiting if row.key not in known]
        given_up = [row.key for row in waiting if self._out_of_patience(row, now)]
        if given_up:
            self._store.touches.settle_uncertain(now, given_up)
        left = [row for row in waiting if row.key not in set(given_up)]
        return min((self._next(row, now) for row in left), default=None)

    def _ask(self, resolver: Resolver, rows: Sequence[Uncertain], now: dt.datetime) -> Mapping[str, Sighting]:
        if not rows:
            return {}
        self._asked |= {(resolver.name, row.key): now for row in rows}
        known = resolver.look([_sending(row) for row in rows])
        found = {key: (seen.remote_id, seen.evidence) for key, seen in known.items() if seen.found}
        absent = {key: seen.evidence for key, seen in known.items() if not seen.found}
        if known:
            counts = self._store.touches.sighted(found, absent, by=resolver.name, now=now)
            log.info("resolved", resolver=resolver.name, found=counts["found"], absent=counts["absent"])
        return known

    def _is_ripe(self, row: Uncertain, resolver: Resolver, now: dt.datetime) -> bool:
        asked = self._asked.get((resolver.name, row.key))
        return now >= _since(row, now) + _settle(resolver) and (asked is None or now >= asked + ASK_AGAIN)

    def _out_of_patience(self, row: Uncertain, now: dt.datetime) -> bool:
        theirs = self._resolvers.get(row.channel, ())
        return all(now >= _since(row, now) + _settle(resolver) + PATIENCE for resolver in theirs)

    def _next(self, row: Uncertain, now: dt.datetime) -> dt.datetime:
        """When the next of its resolvers may be asked."""
        asks = [
            max(_since(row, now) + _settle(resolver), asked + ASK_AGAIN if asked else now)
            for resolver in self._resolvers[row.channel]
            for asked in [self._asked.get((resolver.name, row.key))]
        ]
        return min(asks)


def _since(row: Uncertain, now: dt.datetime) -> dt.datetime:
    """A clock that went back makes nobody wait longer than from now on."""
    return min(row.uncertain_at or row.sending_at or now, now)


def _settle(resolver: Resolver) -> dt.timedelta:
    return dt.timedelta(seconds=resolver.settle)


def _sending(row: Uncertain) -> Sending:
    since = row.sending_at or row.uncertain_at
    assert since is not None, "what is uncertain was marked"  # noqa: S101 - a defect of ours
    return Sending(row.key, row.email or "", row.slack_id or "", since)
