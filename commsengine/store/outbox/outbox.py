"""The outbox: claims, marks and receipts of touches. Only the owner under its fence moves what it has claimed.

A claim is an INSERT under the touch's key, durable before anything leaves (``claims``). Right before it leaves it is
marked (``marks``), and what became of it is its receipt (``receipts``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, select

from commsengine.cadence.history import Touch
from commsengine.spool import batches
from commsengine.store import campaigns, moves
from commsengine.store.database import Database, many
from commsengine.store.outbox import claims
from commsengine.store.outbox.claims import Decided
from commsengine.store.outbox.marks import held, mark
from commsengine.store.outbox.receipts import give_back, settle
from commsengine.store.records import Commit, Lease, ToRecord
from commsengine.store.tables import touch
from commsengine.store.workers.server_clock import lease_now, leased

CLAIMED_AT_ONCE = 200
"""Decisions in one transaction: marks and answers wait for it."""


def _adopt(connection: Connection, lost: Mapping[str, str]) -> None:
    many(connection, moves.adopting(), ({"the_key": key, "the_person": each} for each, key in lost.items()))


class Outbox:
    """What is ours to deliver, and what became of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self,
        decisions: Decided,
        lease: Lease,
        *,
        epochs: Mapping[str, int],
        versions: Mapping[str, int],
        now: dt.datetime,
    ) -> list[Touch]:
        """The touches that are ours to render and deliver, in the order of the decisions.

        ``epochs`` are those of *all* running campaigns that were decided on. Some may be ours when it raises.
        """

        def claimed(some: Decided, connection: Connection) -> list[Touch]:
            if campaigns.on_hold(connection):
                return []
            running = campaigns.running_epochs(connection)
            known = claims.known_now(connection, some)
            wanted = claims.claimable(connection, some, campaigns.unchanged(running, epochs), known)
            kept = leased(connection, lease, now)
            rows = [claims.row_of(each, seq, epochs, versions, kept, now) for each, seq in wanted]
            won = claims.insert_all(connection, rows)
            lost = {row["person_id"]: row["key"] for row in rows if row["key"] not in won}
            if lost:
                _adopt(connection, lost)
            if running == dict(epochs):
                claims.set_bookmarks(connection, some, lost, known)
            return [each for (each, _), row in zip(wanted, rows, strict=True) if won.get(row["key"]) == "claimed"]

        at_once = batches(decisions, CLAIMED_AT_ONCE)
        return [each for some in at_once for each in self._database.write_again(partial(claimed, some))]

    def record(self, work: Mapping[Lease, ToRecord], now: dt.datetime) -> dict[Lease, Commit]:
        """Receipts, then marks, of many claims and connections in one commit; what is marked may leave.

        Settled are the receipts that were still ours to settle.
        """

        def kept(connection: Connection) -> dict[Lease, Commit]:
            settled = {lease: settle(connection, each.receipts, lease, now) for lease, each in work.items()}
            return {
                lease: replace(commit, marked=mark(connection, work[lease], lease, now))
                for lease, commit in settled.items()
            }

        return self._database.write_again(kept)

    def still_ours(self, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]:
        """Those of these claims that are neither marked, given back nor over."""
        with self._database.read() as connection:
            return held(connection, keys, lease, now)

    def renew(self, owner: str, until: dt.datetime, now: dt.datetime) -> None:
        """Lengthens the leases of what this owner has claimed and not yet marked; a lease that is over stays over."""
        with self._database.write() as connection:
            clock = lease_now(connection, now)
            theirs = (touch.c.owner == owner, touch.c.lease_until > clock)
            connection.execute(moves.moving(moves.RENEW).where(*theirs).values(lease_until=clock + (until - now)))

    def release(self, *, now: dt.datetime, owner: str | None = None, campaign: str | None = None) -> int:
        """Gives back claims that are not marked yet, all or those of an owner or campaign; returns how many."""
        chosen = [touch.c.state == "claimed"]
        chosen += [touch.c.owner == owner] if owner is not None else []
        chosen += [touch.c.campaign == campaign] if campaign is not None else []
        with self._database.write() as connection:
            rows = connection.execute(select(touch).where(*chosen).order_by(touch.c.key).with_for_update()).all()
            give_back(connection, rows, {}, now)
            campaigns.skip_retries_of_cancelled(connection)
        return len(rows)
