"""How things stand, as documented JSON: the engine and its campaigns, every row of one, and what waits for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from commsengine.cadence.calendar import Hours
from commsengine.cadence.kinds_and_states import TouchState
from commsengine.cadence.plan import Plan
from commsengine.campaigns.known_campaign import known
from commsengine.engine.decisions import Decisions
from commsengine.engine.waiting_messages import waiting
from commsengine.reports.held_files import held_files
from commsengine.reports.managers_words import managers_words
from commsengine.reports.phases.measures import phases
from commsengine.reports.recall_by_role import RoleView, recall_by_role
from commsengine.reports.why import iso, touch_json
from commsengine.store.dialogue.replies import alike
from commsengine.store.records import CampaignCounts, CampaignRecord, QuestionRecord, TouchRecord
from commsengine.store.store import Store
from commsengine.translation import N_

ALIVE = dt.timedelta(seconds=90)
"""An engine keeps its beat twice a minute; after this long without one it does not run."""

NOT_REACHED = N_("no channel reaches them")

QUESTION_WAITS = 2
"""Working days after which an open question heads the list."""


def status(
    store: Store,
    now: dt.datetime,
    *,
    stop_file: bool = False,
    recall: bool = False,
    decisions: Decisions | None = None,
    only: str = "",
) -> dict[str, Any]:
    """The engine's state and the record of each campaign; the touches ever made are the sum of their states.

    ``stop_file``: the file STOP is there. With ``recall`` that of each role is estimated too, and its phases measured;
    with ``decisions`` how many messages wait for a channel that rests. ``only`` is the id of one campaign; raises
    ``InputError`` for one that is not there.
    """
    if only:
        known(store, only)
    recall = recall and (decisions is None or decisions.workspace.recall != "off")
    campaigns = [
        {**_campaign(books, store, now), **(_measured(store, books.campaign, now) if recall else {})}
        for books in store.counts.status(now)
        if only in ("", books.campaign)
    ]
    engine = engine_state(store, now, stop_file=stop_file)
    if decisions is not None:
        engine["resting"] = channels(store, decisions, now)
    held = held_files(store)
    return {"engine": engine, "campaigns": campaigns, "refusals": refusals(store), "held_files": held}


def engine_state(store: Store, now: dt.datetime, *, stop_file: bool = False) -> dict[str, Any]:
    """``running`` if one has beaten lately and not ended, ``hold`` if it must not send, else ``stopped``."""
    beats = store.engine.heartbeats(now - ALIVE)
    hold = store.engine.open_hold()
    working = [beat for beat in beats if beat.ended_at is None and abs(now - beat.beat_at) <= ALIVE]
    last = working[0] if working else store.engine.heartbeat()  # a beat from the future says nothing about now
    return {
        "state": "hold" if hold or stop_file else "running" if working else "stopped",
        "hold": {"reason": hold.reason, "since": iso(hold.since)} if hold else None,
        "stop_file": stop_file,
        "beat_at": iso(last.beat_at) if last else None,
        "ended_at": iso(last.ended_at) if last else None,
        "pid": last.pid if last else None,
        "host": last.host if last else None,
        "resting": resting(store, now),
    }


def resting(store: Store, now: dt.datetime) -> list[dict[str, str]]:
    # Where cron calls the ticks, what the last one left resting rests until the next, however short it meant to wait.
    last = store.engine.heartbeat()
    return [
        {"channel": name, "until": rest.until.isoformat(), "because": rest.because, "fault": rest.fault}
        for name, rest in sorted(store.channels.rests().items())
        if rest.open and (rest.until > now or (rest.next_tick and last is not None and last.beat_at <= rest.until))
    ]


def channels(store: Store, decisions: Decisions, now: dt.datetime) -> list[dict[str, Any]]:
    """The channels that rest, with how many messages wait for each."""
    return [{**rest, "waiting": _waiting(store, decisions, rest, now)} for rest in resting(store, now)]


def _waiting(store: Store, decisions: Decisions, rest: Mapping[str, str], now: dt.datetime) -> int:
    until = max(now, dt.datetime.fromisoformat(rest["until"]))
    return waiting(store, decisions, until, now).get(rest["channel"], 0)


def touches(store: Store, campaign: str, state: TouchState | None = None) -> Iterator[dict[str, Any]]:
    """Every row of a campaign, or those in a ``state``, by ``due_at``."""
    for row in store.touches.listed(campaign, state):
        yield {**touch_json(row), "person": row.person, "held": row.held, "corrects": row.corrects}


def questions(store: Store, now: dt.datetime) -> list[dict[str, Any]]:
    """Open questions; those that wait for more than two working days first, then the oldest.

    ``group`` is the number of the first that asks nearly the same: one answer ends them all.
    """
    asked = store.questions.all(open_only=True)
    first = {ask.id.number: group[0].id.number for group in alike(each.ask for each in asked) for ask in group}
    people = store.people.by_ids(sorted({question.person_id for question in asked}))
    plans = {record.id: record.plan for record in store.campaigns.all()}
    leads = store.people.by_emails([plan.owner[0] for plan in plans.values()])

    def waits_too_long(question: QuestionRecord) -> bool:
        plan = plans[question.campaign]
        hours = Hours(plan, leads.get(plan.owner[0].lower(), people[question.person_id]))
        return hours.local_date(now) > hours.after_working_days(hours.local_date(question.asked_at), QUESTION_WAITS)

    found = [
        {
            "id": question.id,
            "group": first[question.id],
            "person": people[question.person_id].email,
            "name": people[question.person_id].name,
            "campaign": question.campaign,
            "message": question.message,
            "text": question.text,
            "objection": question.objection,
            "asked_at": iso(question.asked_at),
            "overdue": waits_too_long(question),
        }
        for question in asked
        if question.person_id in people
    ]
    return sorted(found, key=lambda question: (not question["overdue"], question["asked_at"]))


def held(store: Store) -> list[dict[str, Any]]:
    open_ = store.touches.open_rows(states=("uncertain", "retry"))
    rows = [row for row in open_ if row.held and row.local_date is not None]
    people = store.people.by_ids(sorted({row.person_id or "" for row in rows}))

    def email(person_id: str) -> str:
        return people[person_id].email if person_id in people else person_id

    return [{**touch_json(row.row), "person": email(row.person_id or ""), "campaign": row.campaign} for row in rows]


def refusals(store: Store) -> list[dict[str, Any]]:
    """What servers refused and is not settled: ``people`` wait for a word, or for another try."""
    return [
        {
            "id": each.id,
            "channel": each.channel,
            "words": each.words,
            "fault": each.fault,
            "people": each.people,
            "campaigns": list(each.campaigns),
            "message": each.message,
            "holds": each.holds,
            "since": iso(each.since),
        }
        for each in store.refusals.open()
    ]


def paused_by_engine(store: Store) -> list[dict[str, str]]:
    """The campaigns that the engine has paused, and why: they wait for a person."""
    pauses = {each.id: store.campaigns.open_pause(each.id) for each in store.campaigns.all() if each.state == "paused"}
    return [
        {"campaign": name, "since": iso(pause.since) or "", "reason": pause.reason}
        for name, pause in pauses.items()
        if pause and pause.since_by == "engine"
    ]


def failed(store: Store) -> list[dict[str, Any]]:
    """What never arrives: refused for good, or to people whom no channel reaches and the plan lets no person call."""
    going_on = {record.id: record.plan for record in store.campaigns.all() if record.state in ("running", "paused")}
    lost = store.touches.open_rows(states=("skipped",), reason="unreachable")
    rows = [
        row
        for row in (
            *(each for each in lost if not _is_called(each, going_on)),
            *store.touches.open_rows(states=("failed",)),
        )
        if row.campaign in going_on and row.local_date is not None
    ]
    people = store.people.by_ids(sorted({row.person_id for row in rows if row.person_id}))
    said = store.touches.last_replies([row.key for row in rows if row.state == "skipped"])
    return [
        {
            "key": row.key,
            "person": people[row.person_id].email,
            "campaign": row.campaign,
            "message": row.message,
            "channel": row.channel,
            "at": iso(row.due_at),
            "reason": row.reason if row.state == "failed" else said.get(row.key) or NOT_REACHED,
        }
        for row in reversed(rows)
        if row.person_id in people
    ]


def _is_called(row: TouchRecord, plans: Mapping[str, Plan]) -> bool:
    plan = plans.get(row.campaign)
    found = next((each for each in plan.messages if each.id == row.message), None) if plan else None
    return bool(plan and found and any(rung.do != "remind" for rung in plan.ladder(found)))


def _campaign(books: CampaignCounts, store: Store, now: dt.datetime) -> dict[str, Any]:
    counts: dict[str, Any] = dict(books.touches)
    pause = store.campaigns.open_pause(books.campaign) if books.state == "paused" else None
    return {
        "campaign": books.campaign,
        "title": books.title,
        "state": books.state,
        "audience": books.audience,
        "touches": {**counts, "skipped": dict(books.skipped)},
        "acknowledged": books.acknowledged,
        "follow_ups_open": books.follow_ups_open,
        "started_at": iso(books.started_at),
        "held_by_managers": managers_words(store, books.campaign, now)["holds"] if books.state == "running" else [],
        "paused": {"since": iso(pause.since), "by": pause.since_by, "reason": pause.reason} if pause else None,
    }


def _measured(store: Store, campaign: str, now: dt.datetime) -> dict[str, Any]:
    record = store.campaigns.get(campaign)
    if record is None or record.started_at is None or record.state not in ("running", "paused"):
        return {"recall": [], "phases": []}
    return {
        "recall": _recall(store, record, now),
        "phases": [view.as_json() for view in phases(store, record, now)],
    }


def _recall(store: Store, record: CampaignRecord, now: dt.datetime) -> list[dict[str, Any]]:
    # by role; a role of too few people has no figures
    return [_recall_json(role) for role in recall_by_role(store, record, now)]


def _recall_json(role: RoleView) -> dict[str, Any]:
    recall, right = role.recall, role.right
    return {
        "role": role.role,
        "hidden": not role.shown,
        "people": role.people,
        "mean": round(recall.mean, 3) if recall else None,
        "low": round(recall.low, 3) if recall else None,
        "high": round(recall.high, 3) if recall else None,
        "checks": right.of if right else None,
        "right": right.count if right else None,
        "tested": role.tested if role.shown else None,
    }
