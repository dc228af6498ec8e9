"""The life of a touch: every move there is, as one table. No other file writes the table of touches.

A move says from which states it starts and in which it ends; a row that is in no such state is not moved. ``None``
stands for no row at all. Each move is performed in exactly one place, by the one who is named; a test holds both.

    None ─▶ claimed ─▶ sending ─▶ sent, failed, retry, uncertain         retry ─▶ claimed, skipped
    None ─▶ skipped                claimed, sending ─▶ given back        uncertain ─▶ sent, retry
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Subquery,
    Update,
    and_,
    bindparam,
    delete,
    false,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from commsengine.cadence.kinds_and_states import TouchState
from commsengine.store.database import insert
from commsengine.store.plain_sql import listed, only_checked
from commsengine.store.tables import person, touch


@dataclass(frozen=True, slots=True)
class Move:
    """``who`` alone performs it, ``when`` is the condition that holds in the same transaction."""

    name: str
    sources: tuple[TouchState | None, ...]
    target: TouchState | None
    who: str
    when: str

    @property
    def can_start(self) -> ColumnElement[bool]:
        """The condition that a row is in a state it starts from. Not an IN: that cannot be executed many times."""
        return self.starts(touch.c.state)

    def starts(self, state: ColumnElement[Any]) -> ColumnElement[bool]:
        return or_(false(), *(state == source for source in self.sources if source is not None))


CLAIM = Move(
    "claim", (None, "retry"), "claimed", "worker",
    "due, its campaign runs at the epoch decided on, no hold; no other engine has the key",
)  # fmt: skip
SKIP = Move("skip", (None, "retry"), "skipped", "worker", "decide says it is never sent: late, merged, superseded")
CARRY = Move("carry", (None, "retry"), "sent", "worker", "a person carries it: it is on their list from now on")
NOTE = Move("note", (None,), "retry", "engine", "service mail: it waits until its instant")
CLAIM_NOTE = Move("claim note", ("retry",), "claimed", "worker", "service mail that is due; on hold only alerts")

MARK = Move(
    "mark", ("claimed",), "sending", "the worker that claimed it",
    "fence and epoch as at the claim, lease not over, no hold, nothing new about the person; right before it leaves",
)  # fmt: skip
RENEW = Move("renew", ("claimed",), "claimed", "the worker that claimed it", "it beats, and the lease is not over")
ARRIVE = Move("arrive", ("sending",), "sent", "the worker that marked it", "the other side said yes")
FAIL = Move(
    "fail", ("claimed", "sending"), "failed", "the worker that claimed it", "no for good, or it cannot be written"
)
PUT_OFF = Move("put off", ("claimed", "sending"), "retry", "the worker that claimed it", "no for now")
DOUBT = Move("doubt", ("sending",), "uncertain", "the worker that marked it", "no answer after the point of no return")

DROP = Move("drop", ("claimed", "sending"), None, "its worker or the reconciler", "nothing was offered, ever")
GIVE_BACK = Move(
    "give back", ("claimed", "sending"), "retry", "its worker or the reconciler", "nothing was offered this time"
)
FORSAKE = Move(
    "forsake", ("sending",), "uncertain", "reconciler", "its owner is dead, or silent for longer than a relay waits"
)
POISON = Move("poison", ("claimed",), "failed", "reconciler", "the engine died three times while it wrote this message")

FIND = Move("find", ("uncertain",), "sent", "resolver or operator", "it is known to have arrived")
SEND_AGAIN = Move(
    "send again", ("uncertain",), "retry", "resolver, policy or operator", "not there, or it cannot be known; flagged"
)  # fmt: skip
HOLD = Move("hold", ("uncertain",), "uncertain", "policy", "the plan holds it, or it is uncertain for the second time")

FREE = Move(
    "free", ("retry",), "retry", "lead or engine", "it was held, and its refusal is not the person's, or is tried anew"
)  # fmt: skip
GIVE_UP = Move("give up", ("retry",), "failed", "lead or engine", "it was held, and its refusal is the person's own")

CLOSE = Move("close", ("retry",), "skipped", "the one who cancels", "it is not decided on any more")
ERASE = Move("erase", ("retry", "claimed"), "skipped", "the one who erases", "the person it was for is gone")

MOVES = (
    CLAIM, SKIP, CARRY, NOTE, CLAIM_NOTE, MARK, RENEW, ARRIVE, FAIL, PUT_OFF, DOUBT, DROP, GIVE_BACK, FORSAKE, POISON,
    FIND, SEND_AGAIN, HOLD, FREE, GIVE_UP, CLOSE, ERASE,
)  # fmt: skip
"""The whole state machine."""

FINAL: tuple[TouchState, ...] = ("sent", "failed", "skipped")
"""States that no move leaves."""

RESTORED: tuple[TouchState, ...] = ("sent", "failed", "retry", "uncertain")
"""The states in which a row comes back that a restored database does not know: no move, but a repair."""


_BLANK: Mapping[str, Any] = {
    **dict.fromkeys(("campaign", "message", "role", "channel", "reason", "owner", "remote_id"), ""),
    **dict.fromkeys(("number", "version", "epoch", "facts_seq", "fence", "attempts", "uncertainties", "uncounted"), 0),
    **dict.fromkeys(("person_id", "local_date", "rung", "not_after", "again_at", "asks", "payload", "refusal_id")),
    **dict.fromkeys(("corrects", "named"), ""),
    **dict.fromkeys(("lease_until", "sending_at", "uncertain_at", "sent_at", "retry_at")),
    **dict.fromkeys(("possible_duplicate", "held"), False),
}


def blank(key: str, state: TouchState | None, now: dt.datetime) -> dict[str, Any]:
    """A row with every column but ``kind`` and ``due_at``: what is born sets the columns that it knows."""
    return {**_BLANK, "key": key, "state": state, "created_at": now}


def moving(move: Move) -> Update:
    """The UPDATE of this move, to be narrowed to the rows that are meant."""
    assert move.target is not None  # noqa: S101 - a defect of ours
    return update(touch).where(move.can_start).values(state=move.target)


def moving_each(move: Move) -> Update:
    """The same for one row at a time: that of the parameter ``the_key``."""
    return moving(move).where(touch.c.key == bindparam("the_key"))


def moving_listed(move: Move, keys: Subquery) -> Update:
    """The UPDATE of this move for the rows with a ``key`` of that table."""
    return (
        update(touch)
        .where(listed(touch.c.key, keys.c.key), move.starts(only_checked(touch.c.state)))
        .values(state=move.target)
    )


def removing(move: Move) -> Delete:
    """The DELETE of a move that ends in no row."""
    assert move.target is None  # noqa: S101 - a defect of ours
    return delete(touch).where(move.can_start)


def bearing(connection: Connection, taken_over: Sequence[str] = ()) -> sqlite.Insert | postgresql.Insert:
    """The INSERT by which a row is born; its ``state`` is the target of a move that starts from ``None``.

    With ``taken_over``, a row of that key that waits takes these columns over instead: claim, skip and carry start from
    either.
    """
    new = insert(connection, touch)
    if not taken_over:
        return new.on_conflict_do_nothing(index_elements=["key"])
    values = {name: new.excluded[name] for name in taken_over}
    return new.on_conflict_do_update(index_elements=["key"], set_=values, where=CLAIM.can_start)


def blanking() -> Update:
    """What erasing a person takes from their rows, whatever state they are in: no move."""
    return update(touch).values(remote_id="", payload=None)


def rejudging() -> Update:
    """A held row belongs to another refusal from now on: no move."""
    return update(touch)


def naming() -> Update:
    """The dates in the text of a row: no move."""
    return update(touch)


def adopting() -> Update:
    """A row without a person, or of an erased one, goes to the person with that key who is back: no move."""
    gone = select(person.c.id).where(person.c.erased_at.is_not(None))
    ownerless = or_(touch.c.person_id.is_(None), touch.c.person_id.in_(gone))
    return update(touch).where(touch.c.key == bindparam("the_key"), ownerless).values(person_id=bindparam("the_person"))


def redating(now: dt.datetime) -> Update:
    """What became uncertain by a clock that was ahead did so now: no move."""
    return update(touch).where(touch.c.state == "uncertain", touch.c.uncertain_at > now).values(uncertain_at=now)


def reborn(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    """The repair of a restored database: the row as the sent-journal has it, whatever an older record said.

    What the record has in a final state stays. Attempts and uncertainties are those since, and come on top.
    """
    new = insert(connection, touch)
    later = ("state", "reason", "owner", "fence", "lease_until", "held", "refusal_id", "named")
    times = ("uncertain_at", "sending_at", "sent_at", "retry_at")
    since = ("attempts", "uncertainties")
    return new.on_conflict_do_update(
        index_elements=["key"],
        set_={
            **{name: new.excluded[name] for name in (*later, *times)},
            **{name: touch.c[name] + new.excluded[name] for name in since},
            "possible_duplicate": or_(touch.c.possible_duplicate, new.excluded.possible_duplicate),
        },
        where=and_(*(touch.c.state != state for state in FINAL)),
    )
