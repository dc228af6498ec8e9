"""What became of the claims of an engine that is gone, and what follows when it cannot be known.

A claim that was not marked never left: it is given back. A touch found ``sending`` may have left: it is ``uncertain``,
counted as an attempt. A resolver may still find out; else the plan decides: ``once`` sends it again one time, flagged
``possible_duplicate``; ``hold``, or a second uncertainty, leaves it to a person.

A resolver's word ends an uncertainty for good: what it has found absent may be tried again as often as it takes. It is
flagged all the same, because a resolver may be wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Select, Update, and_, bindparam, func, or_, select

from commsengine.cadence.kinds_and_states import AttemptVerdict, Resolution, TouchState
from commsengine.errors import InputError
from commsengine.store import bookkeeping, campaigns, moves, refusals
from commsengine.store.database import Database, many
from commsengine.store.outbox.receipts import give_back, wake
from commsengine.store.records import Reborn, TouchRecord, Uncertain
from commsengine.store.tables import attempt, campaign, person, touch
from commsengine.store.touches import records_of
from commsengine.store.workers.server_clock import lease_now
from commsengine.translation import N_, _

POISON = N_("poison: the engine crashed three times while it wrote this message")


_OPEN = and_(touch.c.state == "uncertain", touch.c.held.is_(False))
_UNSETTLED = (
    select(*(touch.c[field.name] for field in fields(Uncertain) if field.name in touch.c))
    .add_columns(person.c.email, person.c.slack_id)
    .outerjoin(person, person.c.id == touch.c.person_id)
    .where(_OPEN)
    .order_by(touch.c.uncertain_at, touch.c.key)
    .limit(bindparam("most"))
)
_OPEN_FENCE = select(func.min(touch.c.fence)).where(touch.c.state.in_(("claimed", "sending")), touch.c.fence > 0)


class Recovery:
    """Settles what an engine that died, a silent relay or a restored database leaves open."""

    def __init__(self, database: Database) -> None:
        self._database = database

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

        ``alive`` is an owner that is never silent. ``poison`` are the keys at which an engine died again and again:
        claimed by a dead owner, they fail alone.
        """
        with self._database.write() as connection:
            silence = None if silent_since is None else lease_now(connection, now) - (now - silent_since)
            forsaken = _forsaken(connection, dead_owners, silence, alive)
            poisoned = [row for row in forsaken if row.state == "claimed" and row.key in poison]
            claimed = [row for row in forsaken if row.state == "claimed" and row.key not in poison]
            sending = [row for row in forsaken if row.state == "sending"]
            give_back(connection, claimed, {}, now)
            _close(connection, poisoned, moves.POISON, ("failed", "render", POISON), {"reason": POISON}, now)
            doubt = {"uncertain_at": now, "uncertainties": touch.c.uncertainties + 1, "held": False, "refusal_id": None}
            _close(connection, sending, moves.FORSAKE, ("uncertain", "", N_("the engine stopped")), doubt, now)
            campaigns.skip_retries_of_cancelled(connection)
        return {"released": len(claimed), "uncertain": len(sending), "poison": len(poisoned)}

    def unsettled(self, limit: int = 1000) -> list[Uncertain]:
        """What is uncertain and waits for no person, the longest first."""
        return [Uncertain(*row) for row in self._database.rows(_UNSETTLED, {"most": limit})]

    def settle_uncertain(self, now: dt.datetime, keys: Collection[str] | None = None) -> dict[str, int]:
        """Applies each plan's ``on_uncertain``: to these ``keys``, by default to all that is uncertain and not held."""
        chosen = (
            select(touch, campaign.c.on_uncertain)
            .outerjoin(campaign, campaign.c.id == touch.c.campaign)
            .where(_OPEN, *([] if keys is None else [touch.c.key.in_(list(keys))]))
        )
        hold = moves.moving_each(moves.HOLD).values(held=True)
        with self._database.write() as connection:
            rows = connection.execute(_locked(chosen)).all()
            again = [row for row in rows if row.on_uncertain != "hold" and row.uncertainties < 2]
            held = [row for row in rows if row not in again]
            _send_again(connection, again, now)
            many(connection, hold, ({"the_key": row.key} for row in held))
        return {"retry": len(again), "held": len(held)}

    def sighted(
        self, found: Mapping[str, tuple[str, str]], absent: Mapping[str, str], *, by: str, now: dt.datetime
    ) -> dict[str, int]:
        """What a resolver knows: ``found`` with (remote id, evidence), provably ``absent`` with evidence, by key."""
        chosen = select(touch).where(touch.c.state == "uncertain", touch.c.key.in_([*found, *absent]))
        evidence = {key: proof for key, (_, proof) in found.items()} | dict(absent)
        with self._database.write() as connection:
            rows = connection.execute(_locked(chosen)).all()
            arrived = [row for row in rows if row.key in found]
            missing = [row for row in rows if row.key not in found]
            _arrived(connection, arrived, {key: remote for key, (remote, _) in found.items()}, now)
            _send_again(connection, missing, now, settled=True)
            for row in rows:
                verdict = "sent" if row.key in found else "resend"
                proof = evidence[row.key]
                bookkeeping.note(connection, "resolve", row.key, by=by, now=now, verdict=verdict, evidence=proof)
        return {"found": len(arrived), "absent": len(missing)}

    def resolve(self, key: str, verdict: Resolution, *, by: str, now: dt.datetime) -> TouchRecord:
        """Settles an uncertain touch: it was ``sent``, or ``resend`` it, flagged. ``sent`` twice changes nothing.

        ``resend`` also frees a touch that was refused and is held. Raises ``InputError`` for an unknown key or verdict
        and for any other touch.
        """
        with self._database.write() as connection:
            row = connection.execute(select(touch).where(touch.c.key == key).with_for_update()).first()
            if row is None:
                cause = _("There is no message '{key}'.", key=key)
                raise InputError(cause, _("Copy the key from 'commsengine touches'."))
            if verdict not in ("sent", "resend"):
                raise InputError(_("'{word}' does not settle a message.", word=verdict), _("Write sent or resend."))
            if row.state != verdict:
                _resolve(connection, row, verdict, by, now)
            return records_of(connection, [key])[0]

    def oldest_open_fence(self) -> int | None:
        """The least fence of what is under way; ``None`` if nothing is."""
        found: int | None = self._database.scalar(_OPEN_FENCE)
        return found

    def put_back(self, rows: Sequence[Reborn], *, now: dt.datetime) -> None:
        """Writes rows again that a restored database does not know, or knows from before; what is settled stays."""
        with self._database.write() as connection:
            many(connection, moves.reborn(connection), (_reborn(row, now) for row in rows))
            bookkeeping.changed(connection, (row.person_id for row in rows if row.person_id), now)
            bookkeeping.note(connection, "put back", "engine", by="engine", now=now, touches=len(rows))

    def set_back(self, now: dt.datetime) -> None:
        """What became uncertain later than ``now`` did so by a clock that has been set back: it counts as of now."""
        with self._database.write() as connection:
            connection.execute(moves.redating(now))


def _reborn(row: Reborn, now: dt.datetime) -> dict[str, Any]:
    known = {field.name: getattr(row.marked, field.name) for field in fields(row.marked)}
    past = {"fence": row.fence, "attempts": row.tries, "uncertainties": row.doubts}
    return {
        **moves.blank(row.marked.key, cast("TouchState", row.state), row.at),
        **known,
        **past,
        "person_id": row.person_id,
        "reason": "" if row.state in ("uncertain", "retry") else N_("restored"),
        "possible_duplicate": row.possible_duplicate,
        "sending_at": row.at,
        "uncertain_at": now if row.state == "uncertain" else None,
        "sent_at": row.at if row.state == "sent" else None,
        "retry_at": now if row.state == "retry" else None,
        "named": None,  # the journal does not know
    }


def _resolve(connection: Connection, row: Row[Any], verdict: Resolution, by: str, now: dt.datetime) -> None:
    if row.state == "retry" and row.held and verdict == "resend":
        refusals.free(connection, touch.c.key == row.key, at=now, now=now)
        bookkeeping.note(connection, "resolve", row.key, by=by, now=now, verdict=verdict)
        return
    if row.state != "uncertain":
        cause = _("The message '{key}' is {state}, not uncertain.", key=row.key, state=row.state)
        raise InputError(
            cause, _("Only an uncertain message can be settled, or one that was refused and is held (--resend).")
        )
    if verdict == "sent":
        _arrived(connection, [row], {}, now)
    else:
        _send_again(connection, [row], now)
        campaigns.skip_retries_of_cancelled(connection)
    bookkeeping.note(connection, "resolve", row.key, by=by, now=now, verdict=verdict)


def _forsaken(
    connection: Connection, dead_owners: Collection[str], silent_since: dt.datetime | None, alive: str
) -> Sequence[Row[Any]]:
    theirs: list[ColumnElement[bool]] = [touch.c.owner.in_(list(dead_owners))]
    if silent_since is not None:
        theirs.append(
            and_(touch.c.owner != alive, touch.c.lease_until.is_not(None), touch.c.lease_until < silent_since)
        )
    forsaken = select(touch).where(touch.c.state.in_(("claimed", "sending")), or_(*theirs))
    return connection.execute(_locked(forsaken)).all()


def _locked(chosen: Select[Any]) -> Select[Any]:
    # In the order of the keys, so that two never wait for each other crosswise.
    return chosen.order_by(touch.c.key).with_for_update(of=touch)


def _close(
    connection: Connection,
    rows: Sequence[Row[Any]],
    move: moves.Move,
    said: tuple[AttemptVerdict, str, str],
    values: Mapping[str, Any],
    now: dt.datetime,
) -> None:
    """Ends claims with an attempt, which has this verdict, phase and reply."""
    verdict, phase, reply = said
    tried = {"at": now, "verdict": verdict, "phase": phase, "reply": reply, "remote_id": ""}
    lost = (
        {**tried, "key": row.key, "n": row.attempts + 1, "owner": row.owner, "fence": row.fence, "channel": row.channel}
        for row in rows
    )
    many(connection, attempt.insert(), lost)
    _move(connection, rows, moves.moving_each(move).values(owner="", attempts=touch.c.attempts + 1, **values), now)


def _move(connection: Connection, rows: Sequence[Row[Any]], change: Update, now: dt.datetime) -> None:
    many(connection, change, ({"the_key": row.key} for row in rows))
    wake(connection, rows, {}, now)


def _arrived(connection: Connection, rows: Sequence[Row[Any]], remote_ids: Mapping[str, str], now: dt.datetime) -> None:
    arrived = moves.moving_each(moves.FIND).values(
        sent_at=bindparam("then"), remote_id=bindparam("remote"), held=False, uncertain_at=None, reason=""
    )
    known = (
        {"the_key": row.key, "then": row.sending_at or now, "remote": remote_ids.get(row.key) or row.remote_id}
        for row in rows
    )
    many(connection, arrived, known)
    wake(connection, rows, {}, now)


def _send_again(connection: Connection, rows: Sequence[Row[Any]], now: dt.datetime, *, settled: bool = False) -> None:
    # Settled: a resolver knows that it did not arrive, so the next uncertainty is a first one again.
    again = moves.moving_each(moves.SEND_AGAIN)
    again = again.values(retry_at=now, possible_duplicate=True, held=False, uncertain_at=None)
    _move(connection, rows, again.values(uncertainties=0) if settled else again, now)
