"""Refusals that are not known to be the person's own: their touches are held, and what the others get settles them.

Of an ``unknown`` refusal, in the transaction of its receipt
1. A word on record about an equal refusal of that channel decides at once.
2. Three people are refused alike twice, an hour or more apart, and their message reached others in between: it is
   they. Others who are refused alike later are asked about again.
3. Three people in a row are refused alike, and nothing of the channel gets through in between: it is us.
4. Else the touch is held. It is tried again after an hour, then every four; the lead's word settles it meanwhile.

A refusal of a ``message`` holds the touch likewise; from three people in a row, to whom nothing of that message got
through, the whole message waits for the lead's word or another text.

What the engine has taken for ours is open again once something gets through. Only a person's word stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Text, func, or_, select, update

from commsengine.cadence.kinds_and_states import REFUSAL_WORDS, Carrier, Fault, RefusalWord
from commsengine.errors import InputError
from commsengine.store import bookkeeping, moves
from commsengine.store.database import Database
from commsengine.store.plain_sql import Prepared, as_rows, given
from commsengine.store.records import JudgedReceipt, Receipt, RefusalRecord
from commsengine.store.tables import attempt, refusal, touch
from commsengine.translation import _

ENGINE = "engine"
PEOPLE = 3
LONGEST_RUN = 30
"""Touches of a run that are kept: more than so many to fewer than three people tell no more."""
NO_RUN: Mapping[str, Any] = {"run_since": None, "run": []}
FIRST_AGAIN, AGAIN = dt.timedelta(hours=1), dt.timedelta(hours=4)
AFTER_A_REST = dt.timedelta(minutes=11)
"""Who was refused for our sake is not the first to try the channel again: the refusal may be theirs after all."""

OPEN_FAULTS: tuple[Fault, ...] = ("unknown", "message")
_HELD = (touch.c.state == "retry", touch.c.held)
_ENDS = or_(refusal.c.run_since.is_not(None), (refusal.c.fault == "us") & (refusal.c.settled_by == ENGINE))
SOME_RUN = select(refusal.c.id).where(_ENDS).exists()
_RUNNING = Prepared(
    select(refusal.c.id, refusal.c.fault, refusal.c.channel, refusal.c.campaign, refusal.c.message).where(_ENDS)
)
_KEYS = given("keys", key=Text())
_GOT_THROUGH = Prepared(
    select(touch.c.channel, touch.c.campaign, touch.c.message)
    .join_from(_KEYS, touch, touch.c.key == _KEYS.c.key)
    .where(touch.c.kind != "service")
    .distinct()
)


class Refusals:
    """What is open, and the word about it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> list[RefusalRecord]:
        """Those with people who wait, or that hold a message, the oldest first."""
        with self._database.read() as connection:
            held = {row.refusal_id: row.people for row in connection.execute(_WAITING)}
            concerned: dict[int, list[str]] = {}
            for number, name in connection.execute(_CONCERNED):
                concerned.setdefault(number, []).append(name)
            rows = connection.execute(select(refusal).order_by(refusal.c.since, refusal.c.id)).all()
        open_rows = [row for row in rows if row.id in held or _holds(row)]
        return [_record(row, held.get(row.id, 0), concerned.get(row.id, ())) for row in open_rows]

    def people_waiting(self) -> int:
        """For whom somebody must say something; at least one where a whole message is held."""
        with self._database.read() as connection:
            people, holding = connection.execute(_HOW_MANY).one()
        return int(people or holding > 0)

    def behind(self, after: dt.datetime) -> Mapping[str, int]:
        """By channel, how many touches were refused for our sake and are tried again later than that."""
        theirs = (touch.c.state == "retry", touch.c.held.is_(False), touch.c.retry_at > after, refusal.c.fault == "us")
        query = select(touch.c.channel, func.count()).join(refusal, refusal.c.id == touch.c.refusal_id)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query.where(*theirs).group_by(touch.c.channel))}

    def settle(self, number: int, word: RefusalWord, *, by: str, now: dt.datetime) -> int:
        """How many touches the word concerned. Equal refusals of the channel are judged by it from now on.

        Raises ``InputError`` for an unknown number or word.
        """
        if word not in REFUSAL_WORDS:
            raise InputError(_("'{word}' does not settle a refusal.", word=word), ", ".join(REFUSAL_WORDS))
        with self._database.write() as connection:
            row = connection.execute(select(refusal).where(refusal.c.id == number).with_for_update()).first()
            if row is None:
                cause = _("There is no refusal {number}.", number=number)
                raise InputError(cause, _("List them: commsengine refusals"))
            concerned = _WORDS[word](connection, row, by, now)
            bookkeeping.note(connection, "settle refusal", str(number), by=by, now=now, word=word, touches=concerned)
        return concerned

    def let_messages_go(self, campaign_id: str, messages: Collection[str], *, by: str, now: dt.datetime) -> None:
        """Their texts have changed: what was refused of them is due again."""
        theirs = (refusal.c.campaign == campaign_id, refusal.c.message.in_(list(messages)))
        with self._database.write() as connection:
            for row in connection.execute(select(refusal).where(*theirs, refusal.c.settled_at.is_(None))).all():
                _again(connection, row, by, now)


# -- receipts -------------------------------------------------------------------------------------


def judged(
    connection: Connection, receipts: Sequence[Receipt], rows: Mapping[str, Row[Any]], fence: int, now: dt.datetime
) -> tuple[list[Receipt], list[JudgedReceipt]]:
    """The receipts as they are to be kept, and those of them whose refusal was judged; these have their attempt row."""
    kept: list[Receipt] = []
    found: dict[str, JudgedReceipt] = {}
    for each in receipts:
        row = rows[each.key]
        if row.kind == "service" or each.state != "retry" or each.fault not in OPEN_FAULTS:
            kept.append(each)
        else:
            found[each.key] = _judge(connection, each, row, fence, now)
    late = _settled_since(connection, found, rows, now)
    return [*kept, *(one.receipt for one in late)], late


def _settled_since(
    connection: Connection, found: Mapping[str, JudgedReceipt], rows: Mapping[str, Row[Any]], now: dt.datetime
) -> list[JudgedReceipt]:
    # what a later receipt of the same commit has settled
    held = sorted({one.receipt.refusal_id or 0 for one in found.values() if one.receipt.held})
    settled = (refusal.c.id.in_(held), refusal.c.settled_at.is_not(None))
    faults = {row.id: row.fault for row in connection.execute(select(refusal).where(*settled))} if held else {}
    return [
        replace(one, receipt=_final(connection, one.receipt, faults[one.receipt.refusal_id], rows[key], now))
        if one.receipt.held and one.receipt.refusal_id in faults
        else one
        for key, one in found.items()
    ]


def held_messages(connection: Connection) -> tuple[dict[str, set[str]], dict[str, dict[str, dt.datetime]]]:
    """By campaign, the messages of which nothing is sent, and since when others are let go again."""
    holding: dict[str, set[str]] = {}
    let_go: dict[str, dict[str, dt.datetime]] = {}
    for row in connection.execute(_HOLDING):
        if row.settled_at is None:
            holding.setdefault(row.campaign, set()).add(row.message)
        else:
            let_go.setdefault(row.campaign, {})[row.message] = row.settled_at
    return holding, let_go


def free(connection: Connection, *chosen: ColumnElement[bool], at: dt.datetime, now: dt.datetime) -> int:
    """Held touches go on at that instant, and none of their attempts so far counts. Returns how many."""
    change = moves.moving(moves.FREE).where(touch.c.held, *chosen)
    change = change.values(held=False, retry_at=at, uncounted=touch.c.attempts)
    freed = connection.execute(change.returning(touch.c.person_id)).all()
    if at > now:
        bookkeeping.again_at(connection, {row.person_id: at for row in freed if row.person_id})
    else:
        bookkeeping.changed(connection, (row.person_id for row in freed if row.person_id), now)
    return len(freed)


def end_runs(connection: Connection, sent: Iterable[str]) -> None:
    """Something got through: not everything of the channel is refused alike, or of the message."""
    running = _RUNNING.rows(connection)
    through = set(_GOT_THROUGH.rows(connection, keys=as_rows((key,) for key in sent)))
    through |= {(channel, "", "") for channel, *_ in through}
    for number, fault, *about in running:
        if tuple(about) in through:
            opened = {"settled_at": None, "settled_by": "", "fault": "unknown"} if fault == "us" else {}
            connection.execute(update(refusal).where(refusal.c.id == number).values({**NO_RUN, **opened}))


def _judge(connection: Connection, receipt: Receipt, row: Row[Any], fence: int, now: dt.datetime) -> JudgedReceipt:
    word = _word(connection, row.channel, receipt.alike)
    fault: Fault = word.fault if word else receipt.fault
    if word and word.fault in ("person", "us"):
        known, rests = word, word.words if word.fault == "us" else ""
    else:
        known, rests = _open_one(connection, receipt, row, fault, now), ""
    receipt = receipt._replace(refusal_id=known.id, fault=fault, held=True, counted=False)
    _note_attempt(connection, receipt, row, fence)
    if fault == "unknown":
        fault = _settled_by_others(connection, known, receipt, row, now)
        rests = known.words if fault == "us" else ""
    elif fault == "message" and _in_a_row(connection, known, receipt) >= PEOPLE and known.holds_since is None:
        _change(connection, known, holds_since=now)
    final = _final(connection, receipt, fault, row, now)
    return JudgedReceipt(final, row.channel, row.campaign, row.message, row.rung or 0, rests)


def _final(connection: Connection, receipt: Receipt, fault: Fault, row: Row[Any], now: dt.datetime) -> Receipt:
    if fault == "person":
        noted = update(attempt).where(attempt.c.key == receipt.key, attempt.c.n == row.attempts + 1)
        connection.execute(noted.values(verdict="failed", fault=fault))
        return receipt._replace(state="failed", fault=fault, held=False, counted=True, retry_at=None)
    if fault == "us":
        return receipt._replace(fault=fault, held=False, retry_at=now + AFTER_A_REST)
    tried = select(func.count()).where(attempt.c.refusal_id == receipt.refusal_id, attempt.c.key == receipt.key)
    again = connection.execute(tried).scalar_one() > 1
    return receipt._replace(fault=fault, retry_at=now + (AGAIN if again else FIRST_AGAIN))


def _word(connection: Connection, channel: Carrier, alike: str) -> Row[Any] | None:
    """What was settled last about equal refusals of the channel; that it is they, the engine says of those alone."""
    stays = (refusal.c.settled_by != ENGINE) | (refusal.c.fault != "person")
    settled = (refusal.c.settled_at.is_not(None), refusal.c.holds_since.is_(None) | (refusal.c.fault != "message"))
    equal = (refusal.c.channel == channel, refusal.c.alike == alike)
    latest = select(refusal).where(*equal, *settled, stays).order_by(refusal.c.settled_at.desc(), refusal.c.id.desc())
    return connection.execute(latest.limit(1)).first()


def _open_one(connection: Connection, receipt: Receipt, row: Row[Any], fault: Fault, now: dt.datetime) -> Row[Any]:
    """The open refusal of that kind, made if there is none; a row that others write at the same time is waited for."""
    about = (row.campaign, row.message) if fault == "message" else ("", "")
    values = {"channel": row.channel, "alike": receipt.alike, "campaign": about[0], "message": about[1]}
    same = [refusal.c[name] == value for name, value in values.items()]
    query = select(refusal).where(*same, refusal.c.settled_at.is_(None)).order_by(refusal.c.id).limit(1)
    found = connection.execute(query.with_for_update()).first()
    if found is not None:
        return found
    new = {**values, "fault": fault, "words": receipt.reply, "since": now, "settled_by": ""}
    connection.execute(refusal.insert(), {**new, **NO_RUN, "holds_since": None, "settled_at": None})
    return connection.execute(query).one()


def _note_attempt(connection: Connection, receipt: Receipt, row: Row[Any], fence: int) -> None:
    tried = {"key": receipt.key, "n": row.attempts + 1, "at": receipt.at, "owner": row.owner, "fence": fence}
    said = {"verdict": receipt.state, "phase": receipt.phase, "reply": receipt.reply, "remote_id": ""}
    about = {"channel": row.channel, "fault": receipt.fault, "refusal_id": receipt.refusal_id}
    connection.execute(attempt.insert(), {**tried, **said, **about})


def _settled_by_others(
    connection: Connection, known: Row[Any], receipt: Receipt, row: Row[Any], now: dt.datetime
) -> Fault:
    in_a_row = _in_a_row(connection, known, receipt)
    if len(_refused_twice(connection, known, row)) >= PEOPLE:
        _settle(connection, known, "person", ENGINE, now)
        _give_up(connection, known.id, now)
        return "person"
    if in_a_row >= PEOPLE:
        _settle(connection, known, "us", ENGINE, now)
        free(connection, touch.c.refusal_id == known.id, at=now + AFTER_A_REST, now=now)
        return "us"
    return "unknown"


def _in_a_row(connection: Connection, known: Row[Any], receipt: Receipt) -> int:
    """How many people were refused alike since something got through last."""
    keys = list(dict.fromkeys([*known.run, receipt.key]))[-LONGEST_RUN:]
    _change(connection, known, run_since=known.run_since or receipt.at, run=keys)
    people = select(func.count(touch.c.person_id.distinct())).where(touch.c.key.in_(keys))
    return int(connection.execute(people).scalar_one())


def _refused_twice(connection: Connection, known: Row[Any], row: Row[Any]) -> set[str]:
    """The people who were refused alike twice, an hour apart, while the same message reached others in between."""
    span = (func.min(attempt.c.at).label("first"), func.max(attempt.c.at).label("last"))
    mine = (touch.c.key, touch.c.person_id, touch.c.campaign, touch.c.message)
    twice = select(*mine, *span).join(attempt, attempt.c.key == touch.c.key)
    twice = twice.where(attempt.c.refusal_id == known.id, touch.c.refusal_id == known.id).group_by(*mine)
    rows = connection.execute(twice.having(func.count() > 1)).all()
    found: Sequence[Any] = [each for each in rows if each.last - each.first >= FIRST_AGAIN]
    if len({each.person_id for each in found}) < PEOPLE:
        return set()
    return {each.person_id for each in found if _reached_others(connection, each, row.channel)}


def _reached_others(connection: Connection, each: Any, channel: Carrier) -> bool:
    sent = select(touch.c.key).where(touch.c.campaign == each.campaign, touch.c.state == "sent")
    sent = sent.where(touch.c.message == each.message, touch.c.channel == channel)
    between = sent.where(touch.c.sent_at > each.first, touch.c.sent_at < each.last)
    return connection.execute(between.limit(1)).first() is not None


# -- words ----------------------------------------------------------------------------------------


def _is_theirs(connection: Connection, row: Row[Any], by: str, now: dt.datetime) -> int:
    _settle(connection, row, "person", by, now)
    return _give_up(connection, row.id, now)


def _is_ours(connection: Connection, row: Row[Any], by: str, now: dt.datetime) -> int:
    _settle(connection, row, "us", by, now)
    return free(connection, touch.c.refusal_id == row.id, at=now, now=now)


def _is_the_message(connection: Connection, row: Row[Any], by: str, now: dt.datetime) -> int:
    """Each message of which a touch is held waits as a whole from now on."""
    theirs = select(touch).where(*_HELD, touch.c.refusal_id == row.id)
    held = connection.execute(theirs.order_by(touch.c.key)).all()
    about = sorted({(each.campaign, each.message) for each in held})
    if (row.campaign, row.message) in about:
        _change(connection, row, holds_since=row.holds_since or now)
        return len(held)
    for each in about:
        values = {"channel": row.channel, "alike": row.alike, "words": row.words, "fault": "message"}
        named = {"campaign": each[0], "message": each[1], "since": row.since, "holds_since": now}
        new = {**values, **named, **NO_RUN, "settled_at": None, "settled_by": ""}
        number = connection.execute(refusal.insert().returning(refusal.c.id), new).scalar_one()
        moved = moves.rejudging().where(*_HELD, touch.c.refusal_id == row.id)
        mine = (touch.c.campaign == each[0], touch.c.message == each[1])
        connection.execute(moved.where(*mine).values(refusal_id=number))
    _settle(connection, row, "message", by, now)
    return len(held)


def _again(connection: Connection, row: Row[Any], by: str, now: dt.datetime) -> int:
    if row.holds_since is not None:
        _settle(connection, row, "message", by, now)
    else:
        fault = "message" if row.campaign else "unknown"
        _change(connection, row, fault=fault, settled_at=None, settled_by="", **NO_RUN)
    return free(connection, touch.c.refusal_id == row.id, at=now, now=now)


_WORDS = {"person": _is_theirs, "us": _is_ours, "message": _is_the_message, "again": _again}


def _settle(connection: Connection, row: Row[Any], fault: Fault, by: str, now: dt.datetime) -> None:
    _change(connection, row, fault=fault, settled_at=now, settled_by=by, **NO_RUN)
    connection.execute(update(attempt).where(attempt.c.refusal_id == row.id).values(fault=fault))
    if row.holds_since is not None:
        bookkeeping.wake_everybody(connection, now)


def _give_up(connection: Connection, number: int, now: dt.datetime) -> int:
    change = moves.moving(moves.GIVE_UP).where(touch.c.held, touch.c.refusal_id == number)
    lost = connection.execute(change.values(held=False, retry_at=None).returning(touch.c.person_id)).all()
    bookkeeping.changed(connection, (row.person_id for row in lost if row.person_id), now)
    return len(lost)


def _change(connection: Connection, row: Row[Any], **values: Any) -> None:
    connection.execute(update(refusal).where(refusal.c.id == row.id).values(values))


# -- what is open ---------------------------------------------------------------------------------

_THEIRS = (*_HELD, touch.c.refusal_id.is_not(None))
_WAITING = (
    select(touch.c.refusal_id, func.count(touch.c.person_id.distinct()).label("people"))
    .where(*_THEIRS)
    .group_by(touch.c.refusal_id)
)
_HOW_MANY = select(
    select(func.count(touch.c.person_id.distinct())).where(*_THEIRS).scalar_subquery(),
    select(func.count()).where(refusal.c.holds_since.is_not(None), refusal.c.settled_at.is_(None)).scalar_subquery(),
)
_CONCERNED = select(touch.c.refusal_id, touch.c.campaign).where(*_THEIRS).distinct().order_by(touch.c.campaign)
_HOLDING = select(refusal).where(refusal.c.holds_since.is_not(None)).order_by(refusal.c.id)


def _holds(row: Row[Any]) -> bool:
    return row.holds_since is not None and row.settled_at is None


def _record(row: Row[Any], people: int, campaigns: Iterable[str]) -> RefusalRecord:
    known = (row.id, row.channel, row.words, row.fault, row.campaign, row.message, row.since)
    return RefusalRecord(*known, _holds(row), people, tuple(campaigns) or (row.campaign,))
