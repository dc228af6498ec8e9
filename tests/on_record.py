"""A campaign of weeks, put on record at once: people of four roles who read some messages, forgot, and answered."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commsengine.cadence.history import touch_key
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.engine.daily_estimates import DailyEstimates
from commsengine.engine.decisions import Decisions
from commsengine.recall.memory import HALF_LIFE, SPREAD, growth, retention, right_chance
from commsengine.recall.memory import PASS as PASS_GROWTH
from commsengine.recall.memory import RIGHT as RIGHT_GROWTH
from commsengine.store import moves
from commsengine.store.store import Store
from commsengine.store.tables import answer, touch
from tests import fresh
from tests.builders import a_message, a_plan, someone, utc

NINE = dt.timedelta(hours=9)
DAY = dt.timedelta(days=1)

STARTED = utc("2027-01-11 06:00")
"""Monday."""

DAYS = (0, 1, 4, 8, 11, 16, 22, 28)
"""After the start: when everybody gets each message."""

NOW = STARTED + 21 * DAY + dt.timedelta(hours=8)
"""A Monday, three weeks later."""

RIGHT, WRONG = "The customer record", "My notebook"
CHECKS = (
    {"question": "Where do you log a call?", "answers": [WRONG, "The shared inbox", RIGHT, "Nowhere"], "right": RIGHT,
     "because": "Your colleague sees it there."},
)  # fmt: skip
ROLES = {"managers": "Management", "sales": "Sales", "service": "Support", "office": "Finance"}


@dataclass(frozen=True)
class Given:
    """What is put on record: by role how many people, how strong their memory is (added to the log half-life), and the
    share of readers who answer a check."""

    people: Mapping[str, int]
    strength: Mapping[str, float]
    answers: Mapping[str, float]
    days: Sequence[int] = DAYS
    start: dt.datetime = STARTED
    unsent: str = ""  # a message that waits


TYPICAL = Given(
    {"managers": 32, "sales": 120, "service": 90, "office": 58},
    {"managers": 4, "sales": 2, "service": -5, "office": 0},
    {"managers": 0.7, "sales": 0.5, "service": 0.5, "office": 0.4},
)
OPENED = 0.64


def a_recalled_plan(*messages: Mapping[str, Any], start: dt.datetime = STARTED, **changes: Any) -> Plan:
    roles = {name: {"department": [department]} for name, department in ROLES.items()}
    by_recall = a_message(
        cadence={"recall_floor": "0.35", "target": "0.6", "by": "go_live"}, until="go_live + 14d", checks=list(CHECKS)
    )
    milestones = {"kickoff": str(start.date()), "go_live": str(start.date() + 36 * DAY)}
    given = {"audience": {"roles": roles}, "milestones": milestones}
    return a_plan(*(messages or (by_recall,)), **{**given, **changes})


def put_on_record(
    folder: Path, given: Given = TYPICAL, plan: Plan | None = None, *, until: dt.datetime = NOW, seed: int = 1,
    file: str = "record.db",
) -> Store:  # fmt: skip
    """The campaign ``crm`` as it stands at ``until``. Nothing is learned yet."""
    plan, before = plan or a_recalled_plan(start=given.start), given.start - DAY
    store = fresh.a_store(folder / file)
    people = people_of(given)
    store.people.save([person for person, _ in people], by="dana", now=before)
    store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=before)
    store.campaigns.start(plan.campaign, by="dana", now=before)
    touches, answers = rows_of(plan, people, given, until, random.Random(seed))  # noqa: S311 - dice
    with store.database.write() as connection:
        for table, rows in ((touch, touches), (answer, answers)):
            if rows:
                connection.execute(table.insert(), rows)
    return store


def learn(store: Store, until: dt.datetime) -> None:
    """Teaches the roles once a week, as an engine would have done each day."""
    decisions, at = Decisions(store, Workspace()), STARTED
    while at <= until:
        DailyEstimates(store).publish([campaign.plan for campaign in decisions.campaigns(at).running], at)
        at += 7 * DAY


def people_of(given: Given) -> list[tuple[Person, str]]:
    roles = [role for role, size in given.people.items() for _ in range(size)]
    return [(someone(n, department=ROLES[role], since=given.start - DAY), role) for n, role in enumerate(roles)]


def rows_of(
    plan: Plan, people: Sequence[tuple[Person, str]], given: Given, until: dt.datetime, dice: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    touches: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for person, role in people:
        for message in (each for each in plan.messages if (not each.to or role in each.to) and each.id != given.unsent):
            mind = Mind(dice, given.strength[role], given.answers[role] if message.checks else 0)
            for number, day in enumerate(given.days, 1):
                due = given.start.replace(hour=0) + day * DAY + NINE
                key = touch_key(plan.campaign, message.id, person.id, due.date(), 0)
                said, at = mind.reads(number, day), due + dt.timedelta(minutes=dice.randrange(10, 400))
                if due <= until:
                    touches.append(a_row(plan.campaign, message.id, person.id, role, number, due, key))
                if said and at <= until:
                    told = {"campaign": plan.campaign, "message": message.id, "person_id": person.id, "key": key}
                    answers.append({**EMPTY, **told, **said, "at": at, "by": person.id})
    return touches, answers


EMPTY = {"value": "", "right": None, "evidence": "link", "detail": {}, "whole_campaign": False, "withdrawn_at": None}


class Mind:
    """Somebody who reads some messages, forgets, and answers some checks; a guess is right one time in four."""

    def __init__(self, dice: random.Random, strength: float, answers: float) -> None:
        self._dice, self._answers = dice, answers
        self._half_life = math.exp(math.log(HALF_LIFE) + strength + dice.gauss(0, SPREAD))
        self._read: int | None = None

    def reads(self, number: int, day: int) -> dict[str, Any] | None:
        if self._dice.random() > OPENED:
            return None
        known = 0.0 if self._read is None else retention(24 * (day - self._read), self._half_life)
        asked = number % 2 == 0 and self._dice.random() < self._answers
        right = self._dice.random() < right_chance(known, 4)
        if self._read is not None:
            self._half_life = growth(self._half_life, known, RIGHT_GROWTH if asked and right else PASS_GROWTH)
        self._read = day
        if asked:
            return {"kind": "check", "right": right, "value": RIGHT if right else WRONG}
        return {"kind": "acknowledged"} if self._dice.random() < 0.45 else None


def a_row(
    campaign: str, message: str, person: str, role: str, number: int, due: dt.datetime, key: str
) -> dict[str, Any]:
    about = {"campaign": campaign, "message": message, "person_id": person, "role": role, "number": number}
    sent = {"due_at": due, "local_date": due.date(), "rung": 0, "sending_at": due, "sent_at": due, "attempts": 1}
    claimed = {"kind": "message", "channel": "email", "version": 1, "owner": "e1", "fence": 1}
    return {**moves.blank(key, "sent", due), **about, **sent, **claimed}
