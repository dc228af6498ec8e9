"""Counts per campaign that add up, and the outreach that is still open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, case, false, func, or_, select

from commsengine.cadence.check_questions import check_of
from commsengine.cadence.kinds_and_states import ASKED_FOR, BY_HAND, ENOUGH, GOT_IT, STATES
from commsengine.cadence.people import Person
from commsengine.cadence.standing import AWAY, call_again
from commsengine.store.audience.audience_counts import placed, sizes_of
from commsengine.store.campaigns import CampaignStore
from commsengine.store.database import Database
from commsengine.store.person_rows import person_of
from commsengine.store.records import CampaignCounts, CampaignRecord, GotItOnly, Happened, OpenRung
from commsengine.store.tables import answer, deed, outcome, person, question, touch


class Counts:
    """Made from the rows each time they are asked for."""

    def __init__(self, database: Database, campaigns: CampaignStore) -> None:
        self._database = database
        self._campaigns = campaigns

    def status(self, now: dt.datetime) -> list[CampaignCounts]:
        """One entry per campaign, by id. ``now`` decides which follow-ups rest."""
        records = self._campaigns.all()
        with self._database.read() as connection:
            return [_counts(connection, record, now) for record in records]

    def happened(self, campaign: str, since: dt.datetime, until: dt.datetime) -> Happened:
        """From ``since`` up to, without, ``until``. An answer is one in words or by choice, also to a check."""
        with self._database.read() as connection:
            return _happened(connection, campaign, since, until)

    def got_it_only(self, record: CampaignRecord, often: int, day: dt.date) -> list[GotItOnly]:
        """By role: who pressed "Got it" so ``often`` or more, and answered none of the checks that they were shown."""
        with self._database.read() as connection:
            return _got_it_only(connection, record, often, day)

    def open_rungs(self, campaign: str | None = None) -> list[OpenRung]:
        """Personal outreach and proposals to sponsors that nothing has come of, the oldest first.

        Those that found the person away, and those of people who have left, are among them: ``open_at`` knows.
        """
        records = [record for record in self._campaigns.all() if campaign in (None, record.id)]
        with self._database.read() as connection:
            return _open_rungs(connection, records)


def _counts(connection: Connection, record: CampaignRecord, now: dt.datetime) -> CampaignCounts:
    touches, skipped = _touches(connection, record.id)
    return CampaignCounts(
        campaign=record.id,
        title=record.plan.title,
        state=record.state,
        audience=sum(sizes_of(connection, record, now.date()).values()),
        touches=touches,
        skipped=skipped,
        acknowledged=_acknowledged(connection, record.id),
        follow_ups_open=len({rung.person_id for rung in _open_rungs(connection, [record]) if rung.open_at(now)}),
        started_at=record.started_at,
    )


def _touches(connection: Connection, campaign: str) -> tuple[dict[str, int], dict[str, int]]:
    """Numbers by state, and of those skipped by reason."""
    mine, service = touch.c.campaign == campaign, touch.c.kind == "service"
    every = _numbers(connection, touch.c.state, mine)  # of the index alone, which knows no kind
    no_touches = _numbers(connection, touch.c.state, mine, service)
    skipped = _numbers(connection, touch.c.reason, mine, touch.c.state == "skipped", ~service)
    return {state: every.get(state, 0) - no_touches.get(state, 0) for state in STATES}, skipped


def _numbers(connection: Connection, by: ColumnElement[str], *of: ColumnElement[bool]) -> dict[str, int]:
    rows = connection.execute(select(by.label("name"), func.count().label("n")).where(*of).group_by(by))
    return {row.name: row.n for row in rows}


def _acknowledged(connection: Connection, campaign: str) -> int:
    said = and_(answer.c.campaign == campaign, answer.c.kind.in_(GOT_IT), answer.c.withdrawn_at.is_(None))
    pairs = select(answer.c.person_id, answer.c.message).where(said).distinct().subquery()
    return connection.execute(select(func.count()).select_from(pairs)).scalar_one()


def _open_rungs(connection: Connection, records: Sequence[CampaignRecord]) -> list[OpenRung]:
    awaited = [(record.id, message, name) for record in records for message, name in record.plan.until_done.items()]
    plans = {record.id: record.plan for record in records}
    found = connection.execute(_rungs(tuple(awaited)), {"campaigns": list(plans)}).all()
    people = _people(connection, {row.person_id for row in found if row.away})

    def rests(row: Row[Any]) -> dt.datetime | None:
        return call_again(plans[row.campaign], people[row.person_id], row.away) if row.away else None

    return [OpenRung(*(*row[:-1], rests(row))) for row in found if row.message not in plans[row.campaign].corrected]


@lru_cache(maxsize=16)  # each engine asks at every heartbeat, and writing the query takes longer than its answer
def _rungs(awaited: tuple[tuple[str, str, str], ...]) -> Select[Any]:
    # Open is what has neither an outcome (but "away") nor an answer since. What another
    # message corrects is nothing to talk about any more. Where a deed is awaited, no other answer than "heard enough"
    # closes it.
    mine = (touch.c.person_id, touch.c.campaign, touch.c.message)
    about = (outcome.c.person_id == mine[0], outcome.c.campaign == mine[1], outcome.c.message == mine[2])
    came = (*about, outcome.c.at >= touch.c.sent_at)
    talked = select(outcome.c.id).where(*came, outcome.c.outcome != AWAY)
    away = select(func.max(outcome.c.at)).where(*came).correlate(touch).scalar_subquery()
    since = (answer.c.withdrawn_at.is_(None), answer.c.at >= touch.c.sent_at)
    said = (
        select(answer.c.id)
        .where(answer.c.person_id == mine[0], answer.c.campaign == mine[1], *since)
        .where(or_(answer.c.message == mine[2], answer.c.whole_campaign))
        .where(or_(answer.c.kind.in_(ENOUGH), ~_one_of(awaited)))
    )
    rungs = select(touch.c.key, *mine, touch.c.rung, touch.c.kind, touch.c.sent_at, person.c.left, away.label("away"))
    rungs = rungs.join(person)
    rungs = rungs.where(touch.c.kind.in_(tuple(BY_HAND)), touch.c.state != "skipped")
    rungs = rungs.where(~talked.exists(), ~said.exists(), ~_one_of(awaited, done=True))
    return rungs.where(touch.c.campaign.in_(bindparam("campaigns", expanding=True))).order_by(
        touch.c.sent_at, touch.c.key
    )


def _one_of(awaited: Sequence[tuple[str, str, str]], *, done: bool = False) -> ColumnElement[bool]:
    """Whether the touch is of a message that awaits a deed; with ``done``, of one that awaits no more."""
    each = []
    for campaign, message, name in awaited:
        about = [touch.c.campaign == campaign, touch.c.message == message]
        theirs = select(deed.c.id).where(
            deed.c.person_id == touch.c.person_id, deed.c.campaign == campaign, deed.c.outcome == name
        )
        each.append(and_(*about, theirs.exists()) if done else and_(*about))
    return or_(false(), *each)


def _people(connection: Connection, ids: Collection[str]) -> dict[str, Person]:
    if not ids:
        return {}
    return {row.id: person_of(row) for row in connection.execute(select(person).where(person.c.id.in_(ids)))}


def _happened(connection: Connection, campaign: str, since: dt.datetime, until: dt.datetime) -> Happened:
    carried = (touch.c.campaign == campaign, touch.c.kind.not_in(("service", *BY_HAND)), touch.c.state == "sent")
    sent = select(func.count()).select_from(touch).where(*carried, _within(touch.c.sent_at, since, until))
    said = (answer.c.campaign == campaign, answer.c.withdrawn_at.is_(None), answer.c.evidence != "manager")
    kinds = select(answer.c.kind, func.count().label("n")).where(*said, _within(answer.c.at, since, until))
    asked = select(func.count()).select_from(question).where(question.c.campaign == campaign)
    counted = {row.kind: row.n for row in connection.execute(kinds.group_by(answer.c.kind))}
    return Happened(
        connection.execute(sent).scalar_one(),
        counted.get("acknowledged", 0),
        sum(counted.get(kind, 0) for kind in (*ASKED_FOR, "check")),
        connection.execute(asked.where(_within(question.c.asked_at, since, until))).scalar_one(),
    )


def _within(column: Any, since: dt.datetime, until: dt.datetime) -> ColumnElement[bool]:
    return and_(column >= since, column < until)


def _got_it_only(connection: Connection, record: CampaignRecord, often: int, day: dt.date) -> list[GotItOnly]:
    sent = (touch.c.campaign == record.id, touch.c.state == "sent", touch.c.kind.in_(("message", "remind")))
    messages = {message.id: message for message in record.plan.messages if message.checks}
    asks = (touch.c.message, touch.c.number, touch.c.asks)
    made = select(*asks).where(*sent, touch.c.message.in_(messages)).distinct()
    asking = [row for row in connection.execute(made) if check_of(messages[row.message], row.number, row.asks)]
    if not asking:
        return []
    these = or_(*(and_(*(c.is_not_distinct_from(row._mapping[c]) for c in asks)) for row in asking))
    shown = select(touch.c.person_id).where(*sent, these).distinct().subquery()
    own = (answer.c.campaign == record.id, answer.c.withdrawn_at.is_(None))
    presses = select(answer.c.person_id).where(*own, answer.c.kind == "acknowledged", answer.c.evidence != "manager")
    pressed = presses.group_by(answer.c.person_id).having(func.count() >= often)
    checked = select(answer.c.person_id).where(*own, answer.c.kind == "check")
    people = placed(connection, record, day)
    only = case((and_(people.c.id.in_(pressed), people.c.id.not_in(checked)), 1), else_=0)
    found = select(people.c.role, func.count().label("people"), func.sum(only).label("only"))
    found = found.join(shown, shown.c.person_id == people.c.id)
    rows = {row.role: row for row in connection.execute(found.group_by(people.c.role))}
    return [GotItOnly(role, rows[role].people, rows[role].only) for role in record.plan.audience.roles if role in rows]
