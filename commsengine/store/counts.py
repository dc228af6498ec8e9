"""The books: counts per campaign that add up, and the outreach that is still open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import Connection, and_, bindparam, func, or_, select

from commsengine.cadence.people import Person
from commsengine.cadence.standing import AWAY, call_again
from commsengine.cadence.terms import STATES
from commsengine.store import audiences, inputs
from commsengine.store.bookkeeping import CHUNK
from commsengine.store.campaigns import Plans
from commsengine.store.database import Database
from commsengine.store.outbox import CARRIED_BY_HAND
from commsengine.store.person_rows import person_of
from commsengine.store.records import CampaignBooks, CampaignRecord, CheckAnswer, Drawn, OpenRung
from commsengine.store.tables import answer, outcome, person, touch

GOT_IT = ("acknowledged", "input", "commit", "check")
"""Whoever gives the answer that a message asks for has taken note of it, whatever the message asks."""

_TOUCHES = touch.c.kind != "service"
_CHECK_ANSWERS = (
    select(
        answer.c.id, answer.c.person_id, answer.c.message, touch.c.role, touch.c.number, answer.c.value, answer.c.right,
        answer.c.at,
    )
    .join(touch, touch.c.key == answer.c.key)
    .where(answer.c.campaign == bindparam("campaign"), answer.c.kind == "check", answer.c.withdrawn_at.is_(None))
    .where(answer.c.counts, answer.c.right.is_not(None), answer.c.id > bindparam("after"))
    .order_by(answer.c.id)
    .limit(CHUNK)
)  # fmt: skip


class Books:
    """Counts, made from the rows each time they are asked for."""

    def __init__(self, database: Database, plans: Plans) -> None:
        self._database = database
        self._plans = plans

    def status(self, now: dt.datetime) -> list[CampaignBooks]:
        """One entry per campaign, by id. ``now`` decides which follow-ups rest."""
        records = self._plans.all()
        with self._database.read() as connection:
            return [_books(connection, record, now) for record in records]

    def audience(self, campaign: str) -> int:
        """How many people the campaign is for, as the directory stands; 0 for an unknown campaign."""
        record = self._plans.get(campaign)
        if record is None:
            return 0
        with self._database.read() as connection:
            return sum(audiences.by_role(connection, record).values())

    def drawn(self, record: CampaignRecord, most: int) -> Mapping[str, Drawn]:
        """The size of each role as the directory stands, and at most so many of its people, evenly."""
        with self._database.read() as connection:
            return audiences.drawn(connection, record, most)

    def check_answers(self, campaign: str) -> Iterator[CheckAnswer]:
        """Every answer to a check that stands and counts, read in pages."""
        last = 0
        while True:
            with self._database.read() as connection:
                page = connection.execute(_CHECK_ANSWERS, {"campaign": campaign, "after": last}).all()
            if not page:
                return
            yield from (CheckAnswer(*row[1:]) for row in page)
            last = page[-1].id

    def inputs(
        self, campaign: str, *, since: dt.datetime | None = None, until: dt.datetime | None = None
    ) -> list[inputs.GivenInput]:
        """What people answered in words or chose, in order; after ``since``, and up to ``until``."""
        with self._database.read() as connection:
            return inputs.given(connection, campaign, since=since, until=until)

    def reached(self, campaign: str, message: str) -> Sequence[str]:
        """The ids of the people who have got a message by a channel, or perhaps have."""
        with self._database.read() as connection:
            return inputs.reached(connection, campaign, message)

    def open_rungs(self, campaign: str | None = None) -> list[OpenRung]:
        """Personal outreach and proposals to sponsors that nothing has come of, the oldest first.

        Those that found the person away are among them; they say when they are open again.
        """
        records = [record for record in self._plans.all() if campaign in (None, record.id)]
        with self._database.read() as connection:
            return _open_rungs(connection, records)


def _books(connection: Connection, record: CampaignRecord, now: dt.datetime) -> CampaignBooks:
    counted = _touches(connection, record.id)
    return CampaignBooks(
        campaign=record.id,
        title=record.plan.title,
        state=record.state,
        audience=sum(audiences.by_role(connection, record).values()),
        touches={state: sum(counted.get(state, {}).values()) for state in STATES},
        skipped=counted.get("skipped", {}),
        acknowledged=_acknowledged(connection, record.id),
        follow_ups_open=len({rung.person_id for rung in _open_rungs(connection, [record]) if rung.open_at(now)}),
        started_at=record.started_at,
    )


def _touches(connection: Connection, campaign: str) -> Mapping[str, dict[str, int]]:
    """Counts by state and reason."""
    split = (touch.c.state, touch.c.reason)
    rows = select(*split, func.count().label("n")).where(touch.c.campaign == campaign, _TOUCHES).group_by(*split)
    counted: dict[str, dict[str, int]] = {}
    for row in connection.execute(rows):
        counted.setdefault(row.state, {})[row.reason] = row.n
    return counted


def _acknowledged(connection: Connection, campaign: str) -> int:
    said = and_(answer.c.campaign == campaign, answer.c.kind.in_(GOT_IT), answer.c.withdrawn_at.is_(None))
    pairs = select(answer.c.person_id, answer.c.message).where(said).distinct().subquery()
    return connection.execute(select(func.count()).select_from(pairs)).scalar_one()


def _open_rungs(connection: Connection, records: Sequence[CampaignRecord]) -> list[OpenRung]:
    """Open is what has neither an outcome (but "away") nor an answer since, of somebody who is still there.

    What another message corrects is nothing to talk about any more.
    """
    mine = (touch.c.person_id, touch.c.campaign, touch.c.message)
    came = (
        outcome.c.person_id == mine[0], outcome.c.campaign == mine[1], outcome.c.message == mine[2],
        outcome.c.at >= touch.c.sent_at,
    )  # fmt: skip
    talked = select(outcome.c.id).where(*came, outcome.c.outcome != AWAY)
    away = select(func.max(outcome.c.at)).where(*came).correlate(touch).scalar_subquery()
    said = select(answer.c.id).where(
        answer.c.person_id == mine[0], answer.c.campaign == mine[1], answer.c.withdrawn_at.is_(None),
        answer.c.at >= touch.c.sent_at, or_(answer.c.message == mine[2], answer.c.whole_campaign),
    )  # fmt: skip
    rungs = select(touch.c.key, *mine, touch.c.rung, touch.c.kind, touch.c.sent_at, away.label("away")).join(person)
    rungs = rungs.where(touch.c.kind.in_(CARRIED_BY_HAND), touch.c.state != "skipped", person.c.left.is_(None))
    rungs = rungs.where(~talked.exists(), ~said.exists()).order_by(touch.c.sent_at, touch.c.key)
    plans = {record.id: record.plan for record in records}
    found = connection.execute(rungs.where(touch.c.campaign.in_(plans))).all()
    people = _people(connection, {row.person_id for row in found if row.away})
    return [
        OpenRung(*row[:-1], call_again(plans[row.campaign], people[row.person_id], row.away) if row.away else None)
        for row in found
        if row.message not in plans[row.campaign].corrected
    ]


def _people(connection: Connection, ids: Collection[str]) -> dict[str, Person]:
    """Those few who were away."""
    if not ids:
        return {}
    return {row.id: person_of(row) for row in connection.execute(select(person).where(person.c.id.in_(ids)))}
