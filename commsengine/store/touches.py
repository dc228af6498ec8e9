"""The touches: outbox and history in one table, and all that happens to a row of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from commsengine.cadence.history import Touch
from commsengine.errors import InputError
from commsengine.store import deliveries, loading, moves, outbox, recovery, service_mail
from commsengine.store.bookkeeping import CHUNK
from commsengine.store.database import Database
from commsengine.store.records import Attempt, Loaded, Marked, ReachedPerson, Reborn, Receipt, TouchRecord, Uncertain
from commsengine.store.tables import attempt, person, touch, unreachable

_COLUMNS = [touch.c[field.name] for field in fields(TouchRecord)]
_IN_ORDER = (touch.c.due_at, touch.c.key)
OPEN = ("claimed", "sending", "uncertain")
_SINCE = bindparam("since", type_=attempt.c.at.type)
_FIRST_OUTCOMES = (
    select(attempt.c.verdict, attempt.c.phase, func.coalesce(unreachable.c.reason, attempt.c.reply).label("reply"))
    .select_from(touch.join(attempt, attempt.c.key == touch.c.key).outerjoin(
        unreachable,
        (attempt.c.verdict == "retry") & (unreachable.c.person_id == touch.c.person_id)
        & (unreachable.c.channel == attempt.c.channel) & (unreachable.c.by == "channel"),
    ))
    .where(touch.c.campaign == bindparam("campaign"), touch.c.message == bindparam("message"), touch.c.rung == 0)
    .where(attempt.c.at > _SINCE)
    .where(attempt.c.verdict.in_(("sent", "failed")) | unreachable.c.id.is_not(None))
    .limit(bindparam("most"))
)  # fmt: skip


class Touches:
    """Due people, claims, receipts, and the record of every touch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: dt.datetime, limit: int = 1000) -> list[str]:
        """The ids of people to decide for, the longest due first."""
        with self._database.read() as connection:
            return loading.due(connection, now, limit)

    def due_count(self, now: dt.datetime) -> int:
        """How many people are to be decided for."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).where(person.c.wake_at <= now)).scalar_one()

    def next_wake(self) -> dt.datetime | None:
        """When the next person is due, or ``None`` if nobody ever is."""
        with self._database.read() as connection:
            found: dt.datetime | None = connection.execute(select(func.min(person.c.wake_at))).scalar()
        return found

    def set_back(self, now: dt.datetime) -> None:
        """What became uncertain later than ``now`` did so by a clock that has been set back: it counts as of now."""
        with self._database.write() as connection:
            connection.execute(moves.redating(now))

    def wipe_bookmarks(self, now: dt.datetime) -> None:
        """Makes everybody due; costs a recomputation and changes nothing that is sent."""
        epoch = min(now, dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
        with self._database.write() as connection:
            connection.execute(update(person).where(person.c.erased_at.is_(None)).values(wake_at=epoch))

    def histories(self, ids: Sequence[str]) -> dict[str, Loaded]:
        """People with everything on record about them, read at one moment."""
        with self._database.read() as connection:
            return loading.load(connection, ids)

    def claim(
        self,
        decisions: outbox.Decided,
        *,
        owner: str,
        fence: int,
        lease_until: dt.datetime,
        epochs: Mapping[str, int],
        versions: Mapping[str, int],
        now: dt.datetime,
    ) -> list[Touch]:
        """The touches that are ours to deliver. ``epochs``: of *all* running campaigns that were decided on."""
        return self._database.write_again(
            lambda connection: outbox.claim(
                connection, decisions, owner=owner, fence=fence, lease_until=lease_until, epochs=epochs,
                versions=versions, now=now,
            )
        )  # fmt: skip

    def mark(self, keys: Sequence[str], *, owner: str, fence: int, now: dt.datetime) -> set[str]:
        """Makes claims ``sending``, durably; only the keys that come back may leave."""
        return {each.key for each in self.record(keys, (), owner=owner, fence=fence, now=now)[0]}

    def settle(self, receipts: Sequence[Receipt], *, owner: str, fence: int, now: dt.datetime) -> set[str]:
        """Writes receipts; the keys that come back were still ours to settle."""
        return self._database.write_again(
            lambda connection: deliveries.settle(connection, receipts, owner=owner, fence=fence, now=now)
        )

    def record(
        self, marks: Sequence[str], receipts: Sequence[Receipt], *, owner: str, fence: int, now: dt.datetime
    ) -> tuple[list[Marked], set[str]]:
        """Receipts, then marks, of many connections in one commit; what is marked may leave.

        The keys are those of the receipts that were still ours to settle.
        """

        def both(connection: Connection) -> tuple[list[Marked], set[str]]:
            settled = deliveries.settle(connection, receipts, owner=owner, fence=fence, now=now)
            return deliveries.mark(connection, marks, owner=owner, fence=fence, now=now), settled

        return self._database.write_again(both)

    def renew(self, *, owner: str, lease_until: dt.datetime, now: dt.datetime) -> None:
        """Lengthens the leases of what this owner has claimed and not yet marked."""
        with self._database.write() as connection:
            deliveries.renew(connection, owner=owner, lease_until=lease_until, now=now)

    def release(
        self,
        *,
        now: dt.datetime,
        owner: str | None = None,
        campaign: str | None = None,
        keys: Sequence[str] | None = None,
    ) -> int:
        """Gives back claims that are not marked yet (all that match every given condition); returns how many."""
        with self._database.write() as connection:
            return recovery.release(connection, now=now, owner=owner, campaign_id=campaign, keys=keys)

    def reconcile(
        self,
        *,
        now: dt.datetime,
        dead_owners: Collection[str] = (),
        silent_since: dt.datetime | None = None,
        alive: str = "",
        poison: Collection[str] = (),
    ) -> dict[str, int]:
        """Frees the claims of dead owners and of leases over before ``silent_since``; counts by what became of them.

        The owner ``alive`` is not silent, whatever its leases say: its clock may have been set ahead while it sends.
        ``poison`` are the keys at which an engine died again and again: claimed by a dead owner, they fail.
        """
        with self._database.write() as connection:
            return recovery.reconcile(
                connection, now=now, dead_owners=dead_owners, silent_since=silent_since, alive=alive, poison=poison
            )

    def unsettled(self, limit: int = 1000) -> list[Uncertain]:
        """What is uncertain and waits for no person, the longest first."""
        with self._database.read() as connection:
            return recovery.unsettled(connection, limit)

    def settle_uncertain(self, now: dt.datetime, keys: Collection[str] | None = None) -> dict[str, int]:
        """Applies each plan's ``on_uncertain``: to these ``keys``, by default to all that is uncertain and not held."""
        with self._database.write() as connection:
            return recovery.settle_uncertain(connection, now, keys)

    def sighted(
        self, found: Mapping[str, tuple[str, str]], absent: Mapping[str, str], *, by: str, now: dt.datetime
    ) -> dict[str, int]:
        """What a resolver knows: ``found`` with (remote id, evidence), provably ``absent`` with evidence, by key."""
        with self._database.write() as connection:
            return recovery.sighted(connection, found, absent, by=by, now=now)

    def oldest_open_fence(self) -> int | None:
        """The least fence of what is under way; ``None`` if nothing is."""
        with self._database.read() as connection:
            return recovery.oldest_open_fence(connection)

    def put_back(self, rows: Sequence[Reborn], *, now: dt.datetime) -> None:
        """Writes rows anew that a restored database does not know, or knows from before; what is settled stays."""
        with self._database.write() as connection:
            recovery.put_back(connection, rows, now)

    def resolve(self, key: str, verdict: str, *, by: str, now: dt.datetime) -> TouchRecord:
        """Settles an uncertain touch as ``sent`` or ``resend``. Raises ``InputError`` for any other."""
        with self._database.write() as connection:
            recovery.resolve(connection, key, verdict, by=by, now=now)
        found = self.row(key)
        if found is None:
            raise InputError(f"There is no touch '{key}'.", "Copy the key from 'commsengine touches'.")
        return found

    def open_rows(self, campaign: str | None = None, states: Sequence[str] = OPEN) -> Sequence[TouchRecord]:
        """Rows in these states, service mail included, oldest first."""
        chosen = [touch.c.state.in_(states)] + ([touch.c.campaign == campaign] if campaign is not None else [])
        return self._records(select(*_COLUMNS).where(*chosen).order_by(*_IN_ORDER))

    def row(self, key: str) -> TouchRecord | None:
        return self.rows([key]).get(key)

    def rows(self, keys: Sequence[str]) -> dict[str, TouchRecord]:
        parts = (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
        found = (self._records(select(*_COLUMNS).where(touch.c.key.in_(part))) for part in parts)
        return {record.key: record for part in found for record in part}

    def list(self, campaign: str) -> Iterator[TouchRecord]:
        """Every touch of a campaign by ``due_at``, read in pages; service mail is not among them."""
        theirs = select(*_COLUMNS).where(touch.c.campaign == campaign, touch.c.kind != "service").order_by(*_IN_ORDER)
        page = self._records(theirs.limit(CHUNK))
        while page:
            yield from page
            last = page[-1]
            later = (touch.c.due_at > last.due_at) | ((touch.c.due_at == last.due_at) & (touch.c.key > last.key))
            page = self._records(theirs.where(later).limit(CHUNK)) if len(page) == CHUNK else []

    def of_person(self, person_id: str) -> Sequence[TouchRecord]:
        """Every touch and every service mail to this person, by ``due_at``."""
        return self._records(select(*_COLUMNS).where(touch.c.person_id == person_id).order_by(*_IN_ORDER))

    def attempts(self, key: str) -> Sequence[Attempt]:
        columns = [attempt.c[field.name] for field in fields(Attempt)]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).where(attempt.c.key == key).order_by(attempt.c.n))
            return [Attempt(*row) for row in rows]

    def first_outcomes(
        self, campaign: str, message: str, *, since: dt.datetime, most: int
    ) -> dict[tuple[str, str, str], int]:
        """How many of a message's own touches (no rung of the ladder) had which verdict, phase and reply after
        ``since``; of at most so many. A retry is among them only where the person is not to be reached there at all.
        """
        with self._database.read() as connection:
            rows = connection.execute(
                _FIRST_OUTCOMES, {"campaign": campaign, "message": message, "since": since, "most": most}
            )
            return dict(Counter((row.verdict, row.phase, row.reply) for row in rows))

    def told(self, campaign: str) -> Sequence[ReachedPerson]:
        """Who was told, or may have been, which message of which version: for a milestone that moves."""
        columns = (touch.c.person_id, touch.c.message, touch.c.version, touch.c.sent_at)
        carried = (
            touch.c.state.in_(("sending", "sent", "uncertain")), touch.c.kind.not_in(("service", "sponsor")),
            touch.c.person_id.is_not(None),
        )  # fmt: skip
        with self._database.read() as connection:
            rows = connection.execute(
                select(*columns).where(touch.c.campaign == campaign, *carried).order_by(*_IN_ORDER)
            )
            return [ReachedPerson(*row) for row in rows]

    def add_service(
        self,
        key: str,
        *,
        category: str,
        channel: str,
        payload: Mapping[str, Any],
        now: dt.datetime,
        campaign: str = "",
        person_id: str | None = None,
        due_at: dt.datetime | None = None,
    ) -> bool:
        """Writes down mail that is not a touch; false when this key is known already.

        ``category`` is digest, manager_list, answer, correction or alert; only alerts leave on hold.
        """
        with self._database.write() as connection:
            return service_mail.add(
                connection, key, category=category, channel=channel, payload=payload, now=now, campaign_id=campaign,
                person_id=person_id, due_at=due_at,
            )  # fmt: skip

    def due_service(self, now: dt.datetime, limit: int = 100) -> Sequence[TouchRecord]:
        """Service mail that may leave now."""
        with self._database.read() as connection:
            keys = service_mail.due(connection, now, limit)
        return self._in_order(keys)

    def claim_service(
        self, keys: Sequence[str], *, owner: str, fence: int, lease_until: dt.datetime, now: dt.datetime
    ) -> Sequence[TouchRecord]:
        """The service mail that is ours to deliver; then ``mark`` and ``settle`` as for touches."""
        with self._database.write() as connection:
            ours = service_mail.claim(connection, keys, owner=owner, fence=fence, lease_until=lease_until, now=now)
        return self._in_order(ours)

    def _in_order(self, keys: Sequence[str]) -> Sequence[TouchRecord]:
        found = self.rows(keys)
        return [found[key] for key in keys if key in found]

    def _records(self, query: Any) -> Sequence[TouchRecord]:
        with self._database.read() as connection:
            return [TouchRecord(*row) for row in connection.execute(query)]
