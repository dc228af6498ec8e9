"""What becomes of uncertain sends: what can look is asked, and only then the plan's ``on_uncertain`` decides.

1. A resolver is asked once its settle time is over: before that, an absence proves nothing.
2. What it found is ``sent``; what provably did not arrive is tried again. Each is in the audit with its evidence.
3. What no resolver knows anything about is asked again every minute, until the patience is over; then the plan
   decides: once more, flagged, or held for a person.

Each resolver looks in a thread of its own: an archive that does not answer must not keep messages from leaving.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait

import structlog

from commsengine.resolvers.resolver import Resolver, Sending, Sighting
from commsengine.store.records import Uncertain
from commsengine.store.store import Store

ASK_AGAIN = dt.timedelta(minutes=1)
WAITED_FOR = 2.0  # real seconds

PATIENCE = dt.timedelta(minutes=5)
"""How long after its settle time a resolver is asked that cannot say anything."""

log = structlog.get_logger(__name__)


class Resolution:
    """``resolvers`` are asked in their order, for each channel its own; a look is waited for so many real seconds.

    What it finds later is heard the next time.
    """

    def __init__(
        self, store: Store, resolvers: Mapping[str, Sequence[Resolver]], waited_for: float = WAITED_FOR
    ) -> None:
        self._store, self._resolvers, self._waited_for = store, resolvers, waited_for
        self._asked: dict[tuple[str, str], dt.datetime] = {}
        self._looks: dict[str, Future[Mapping[str, Sighting]]] = {}

    def settle(self, now: dt.datetime) -> dt.datetime | None:
        """Settles what can be settled now; when to look again, ``None`` if nothing is left to look for."""
        waiting = self._store.recovery.unsettled()
        if not waiting:
            self._asked.clear()
            return None
        for channel, resolvers in self._resolvers.items():
            for resolver in resolvers:
                theirs = [
                    row for row in waiting if row.channel == channel and self._may_ask_at(row, resolver, now) <= now
                ]
                known = self._ask(resolver, theirs, self._newer(waiting, resolver, now), now)
                waiting = [row for row in waiting if row.key not in known]
        given_up = [row.key for row in waiting if self._out_of_patience(row, now)]
        if given_up:
            self._store.recovery.settle_uncertain(now, given_up)
        left = [row for row in waiting if row.key not in set(given_up)]
        asks = (self._may_ask_at(row, resolver, now) for row in left for resolver in self._resolvers[row.channel])
        return min(asks, default=None)

    def _newer(self, rows: Sequence[Uncertain], resolver: Resolver, now: dt.datetime) -> set[str]:
        # of what became uncertain again after the look began, it can prove no absence
        began = {row.key: self._asked.get((resolver.name, row.key)) for row in rows}
        return {row.key for row in rows if (at := began[row.key]) is not None and at < _since(row, now)}

    def _ask(
        self, resolver: Resolver, rows: Sequence[Uncertain], newer: set[str], now: dt.datetime
    ) -> Mapping[str, Sighting]:
        if rows and resolver.name not in self._looks:
            self._asked |= {(resolver.name, row.key): now for row in rows}
            self._looks[resolver.name] = _begun(resolver, [_sending(row) for row in rows], now)
            newer = set()
        known = {key: seen for key, seen in self._found(resolver.name).items() if seen.found or key not in newer}
        found = {key: (seen.remote_id, seen.evidence) for key, seen in known.items() if seen.found}
        absent = {key: seen.evidence for key, seen in known.items() if not seen.found}
        if known:
            counts = self._store.recovery.sighted(found, absent, by=resolver.name, now=now)
            log.info("resolved", resolver=resolver.name, found=counts["found"], absent=counts["absent"])
        return known

    def _found(self, resolver: str) -> Mapping[str, Sighting]:
        if resolver not in self._looks:
            return {}
        if not wait([self._looks[resolver]], self._waited_for).done:
            log.warning("resolver_is_slow", resolver=resolver)
            return {}
        try:
            return self._looks.pop(resolver).result()
        except Exception as failure:  # a defect of ours: the plan decides as if there were no resolver
            log.error("resolver_broke", resolver=resolver, error=type(failure).__name__)
            return {}

    def _may_ask_at(self, row: Uncertain, resolver: Resolver, now: dt.datetime) -> dt.datetime:
        asked = self._asked.get((resolver.name, row.key))
        return max(_since(row, now) + _settle(resolver), _again(asked, now))

    def _out_of_patience(self, row: Uncertain, now: dt.datetime) -> bool:
        theirs = self._resolvers.get(row.channel, ())
        return all(now >= _since(row, now) + _settle(resolver) + PATIENCE for resolver in theirs)


def _begun(resolver: Resolver, sendings: Sequence[Sending], now: dt.datetime) -> Future[Mapping[str, Sighting]]:
    # Of what was marked by a clock that was ahead no absence is believed: a look from that time on is too late.
    found: Future[Mapping[str, Sighting]] = Future()
    ahead = {sending.key for sending in sendings if sending.since > now}

    def look() -> None:
        try:
            seen = resolver.look(sendings)
            found.set_result({key: one for key, one in seen.items() if one.found or key not in ahead})
        except BaseException as failure:
            found.set_exception(failure)

    threading.Thread(target=look, name=resolver.name, daemon=True).start()
    return found


def _since(row: Uncertain, now: dt.datetime) -> dt.datetime:
    # never later than now: the clock may have been set back a little
    return min(row.uncertain_at or row.sending_at or now, now)


def _again(asked: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    # a clock that was set back is no reason to wait
    return now if asked is None or asked > now else asked + ASK_AGAIN


def _settle(resolver: Resolver) -> dt.timedelta:
    return dt.timedelta(seconds=resolver.settle)


def _sending(row: Uncertain) -> Sending:
    since = row.sending_at or row.uncertain_at
    assert since is not None, "what is uncertain was marked"  # noqa: S101 - a defect of ours
    return Sending(row.key, row.email or "", row.slack_id or "", since)
