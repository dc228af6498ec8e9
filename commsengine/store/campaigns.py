"""Campaigns and the versions of their plans. A version, once applied, never changes.

1. Start, pause, resume, cancel and finish each raise the campaign's epoch. What was claimed under an older epoch can no
   longer leave, so each of them holds from its commit on.
2. A claim and a mark read the campaigns with a shared lock: a pause that comes at the same moment waits for that
   transaction, or that transaction sees it. Nothing leaves between the two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, select, union_all, update

from commsengine.cadence.history import Campaign, Campaigns, Standstill
from commsengine.cadence.kinds_and_states import CHANNELS, CampaignState
from commsengine.cadence.people import END_OF_DAYS
from commsengine.cadence.plan import Plan, Workspace
from commsengine.errors import CommsError, InputError
from commsengine.store import bookkeeping, erasure, moves, refusals
from commsengine.store.campaign_facts import gates, manager_words, notices, seals
from commsengine.store.database import Database, columns_of
from commsengine.store.dialogue import replies
from commsengine.store.plain_sql import Prepared
from commsengine.store.records import CampaignRecord, Hold
from commsengine.store.tables import audit, campaign, plan_version, standstill, touch
from commsengine.text import near_names
from commsengine.translation import N_, _

BACKLOGS = ("latest", "all", "none")

HOLD = select(standstill.c.id).where(standstill.c.campaign == "", standstill.c.until.is_(None))
"""The hold that is open, if there is one."""

_HOLD = Prepared(HOLD.limit(1))
_RUNNING = Prepared(
    select(campaign.c.id, campaign.c.epoch)
    .where(campaign.c.state == "running")
    .order_by(campaign.c.id)
    .with_for_update(read=True)
)
_BESIDE = union_all(notices.NAMES, gates.NAMES).subquery("beside")
_STANDING = (
    select(campaign.c.id, campaign.c.state, campaign.c.version, campaign.c.epoch, campaign.c.started_at)
    .add_columns(_BESIDE.c.what, _BESIDE.c.name, _BESIDE.c.at)
    .join(_BESIDE, _BESIDE.c.campaign == campaign.c.id, isouter=True)
    .order_by(campaign.c.id, _BESIDE.c.at, _BESIDE.c.name)
)
_CAMPAIGNS = Prepared(_STANDING)
"""Rows of ``_Standing``. Every tick asks this, so it is one question."""
_CAMPAIGN = Prepared(_STANDING.where(campaign.c.id == bindparam("the_id")))
_VERSION = select(plan_version).where(
    plan_version.c.campaign == bindparam("the_id"), plan_version.c.version == bindparam("number")
)
_LAST = func.max(audit.c.id).filter(audit.c.action.in_(("finish", "cancel")))
_ENDED = (
    select(audit.c.subject)
    .join(campaign, campaign.c.id == audit.c.subject)
    .where(campaign.c.state.in_(("finished", "cancelled")), audit.c.action.in_(("finish", "cancel", "forget")))
    .group_by(audit.c.subject)
    .having(func.max(audit.c.at) < bindparam("before"), func.max(audit.c.id) == _LAST)
    .order_by(audit.c.subject)
)
"""Campaigns that ended before an instant; those that were forgotten since are left out."""

_OVER = select(standstill).where(standstill.c.until.is_not(None)).order_by(standstill.c.id)


class _Standing(NamedTuple):
    """How a campaign stands: one row for each thing that leads decided beside the plan, or one with none of these."""

    id: str
    state: CampaignState
    version: int
    epoch: int
    started_at: dt.datetime | None
    what: str
    name: str
    at: dt.datetime


class CampaignStore:
    """The campaigns, by id. What changes one raises ``CommsError`` where its state forbids it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: dict[tuple[str, int], CampaignRecord] = {}
        self._whole: dict[tuple[str, int], tuple[tuple[str, ...], CampaignRecord]] = {}

    def save_version(
        self,
        plan: Plan,
        templates: Mapping[str, str],
        source: str,
        *,
        introduced: Mapping[str, dt.datetime],
        by: str,
        now: dt.datetime,
        saved_by: str = "",
    ) -> int:
        """Stores the plan as the newest version and makes everybody due; a new campaign is paused. Returns its number.

        ``saved_by``: who saved the difference that ``by`` applies, for the record.
        A finished campaign is paused again, so that ``resume`` lets the new version run. Raises ``CommsError`` for the
        id of a cancelled one, ``InputError`` where an experiment is judged in another way than it was begun with.
        """
        since = {message: at.astimezone(dt.UTC).isoformat() for message, at in introduced.items()}
        with self._database.write() as connection:
            version = _next_version(connection, plan, by, now)
            seals.write(connection, plan, by=by, now=now)
            row = {"campaign": plan.campaign, "version": version, "applied_at": now, "applied_by": by}
            row |= {"plan": plan.model_dump(mode="json"), "templates": dict(templates), "source": source}
            connection.execute(plan_version.insert(), {**row, "introduced": since})
            bookkeeping.wake_everybody(connection, now)
            beside = {"saved_by": saved_by} if saved_by else {}
            bookkeeping.note(connection, "apply", plan.campaign, by=by, now=now, version=version, **beside)
        return version

    def get(self, campaign_id: str) -> CampaignRecord | None:
        """The campaign with the newest version of its plan."""
        return self._one(campaign_id, None)

    def version(self, campaign_id: str, number: int) -> CampaignRecord | None:
        """The campaign as it stands, with that version of its plan; ``version`` of the record is ``number``."""
        return self._one(campaign_id, number)

    def all(self) -> list[CampaignRecord]:
        with self._database.read() as connection:
            return self._all(connection)

    def running(self, workspace: Workspace | None = None, day: dt.date = END_OF_DAYS) -> Campaigns:
        """The running campaigns with their pauses, and the holds that are over: what decisions are made of.

        A manager's hold is about those who report to them on that ``day``.
        """
        with self._database.read() as connection:
            records = [record for record in self._all(connection) if record.state == "running"]
            past: dict[str, list[Standstill]] = {}
            for row in connection.execute(_OVER):
                past.setdefault(row.campaign, []).append(Standstill(row.since, row.until, row.backlog))
            holding, let_go = refusals.held_messages(connection)
            said = replies.by_campaign(connection)
            by_managers = manager_words.running_holds(connection, day)
        running = tuple(
            replace(
                _running(record, tuple(past.get(record.id, ()))),
                held_messages=frozenset(holding.get(record.id, ())),
                let_go=let_go.get(record.id, {}),
                replies=said.get(record.id, ()),
                manager_holds=by_managers.get(record.id, ()),
            )
            for record in records
        )
        return Campaigns(running, workspace or Workspace(), tuple(past.get("", ())))

    def open_pause(self, campaign_id: str) -> Hold | None:
        """The pause that is still open; ``None`` if it runs, is over, or was never started."""
        columns = columns_of(standstill, Hold)
        still = (standstill.c.campaign == campaign_id, standstill.c.until.is_(None))
        row = self._database.first(select(*columns).where(*still))
        return Hold(*row) if row else None

    def near(self, name: str) -> list[str]:
        """Up to three campaign ids that look like this one; all of them, if few and none is near."""
        known = [str(row.id) for row in self._database.rows(select(campaign.c.id).order_by(campaign.c.id))]
        return near_names(name, known) or (known if len(known) <= 5 else [])

    def start(self, campaign_id: str, *, by: str, now: dt.datetime) -> CampaignRecord:
        """Lets a new campaign run."""
        with self._database.write() as connection:
            row = _locked(connection, campaign_id)
            if row.started_at is not None:
                cause = _("'{campaign}' was started already; it is {state}.", campaign=row.id, state=row.state)
                remedy = _("Run 'commsengine resume' to let it go on.") if row.state == "paused" else ""
                raise CommsError(cause, remedy)
            if row.state == "cancelled":
                raise _cancelled(campaign_id)
            _change(connection, campaign_id, state="running", started_at=now)
            bookkeeping.wake_everybody(connection, now)
            bookkeeping.note(connection, "start", campaign_id, by=by, now=now)
        return self._known(campaign_id)

    def pause(
        self,
        campaign_id: str,
        *,
        by: str,
        now: dt.datetime,
        reason: str = N_("paused"),
        detail: Mapping[str, Any] | None = None,
    ) -> CampaignRecord:
        """From the return on nothing of it is claimed or marked; open ``sending`` rows are the caller's to await.

        Pausing what is not running changes nothing.
        """
        with self._database.write() as connection:
            if _locked(connection, campaign_id).state == "running":
                _change(connection, campaign_id, state="paused")
                stand_still(connection, campaign_id, reason, by=by, now=now)
                bookkeeping.note(connection, "pause", campaign_id, by=by, now=now, **(detail or {}))
        return self._known(campaign_id)

    def resume(self, campaign_id: str, *, backlog: str, by: str, now: dt.datetime) -> CampaignRecord:
        """Lets it go on; ``backlog`` (latest, all, none) says what becomes of what fell due meanwhile.

        Resuming what runs changes nothing.
        """
        known_backlog(backlog)
        with self._database.write() as connection:
            row = _locked(connection, campaign_id)
            if row.state != "running":
                _may_resume(row)
                _change(connection, campaign_id, state="running")
                go_on(connection, campaign_id, backlog, by=by, now=now)
                bookkeeping.note(connection, "resume", campaign_id, by=by, now=now, backlog=backlog)
        return self._known(campaign_id)

    def cancel(self, campaign_id: str, *, by: str, now: dt.datetime) -> CampaignRecord:
        """Ends it for good; waiting retries become skipped."""
        with self._database.write() as connection:
            if _locked(connection, campaign_id).state != "cancelled":
                _change(connection, campaign_id, state="cancelled")
                skip_retries_of_cancelled(connection)
                bookkeeping.note(connection, "cancel", campaign_id, by=by, now=now)
        return self._known(campaign_id)

    def finish(self, campaign_id: str, *, by: str, now: dt.datetime) -> CampaignRecord:
        """Everything is said: the campaign is finished."""
        with self._database.write() as connection:
            row = _locked(connection, campaign_id)
            if row.state != "finished":
                if row.state == "cancelled" or row.started_at is None:
                    raise CommsError(_("'{campaign}' cannot finish: it is {state}.", campaign=row.id, state=row.state))
                _change(connection, campaign_id, state="finished")
                bookkeeping.note(connection, "finish", campaign_id, by=by, now=now)
        return self._known(campaign_id)

    def forget_ended(self, before: dt.datetime, *, by: str, now: dt.datetime) -> list[str]:
        """Takes what people said from the record of each campaign that ended before that instant; returns their ids."""
        with self._database.write() as connection:
            ended = [str(row.subject) for row in connection.execute(_ENDED, {"before": before})]
            for campaign_id in ended:
                erasure.forget(connection, campaign_id, by=by, now=now)
        return ended

    def _known(self, campaign_id: str) -> CampaignRecord:
        found = self.get(campaign_id)
        assert found is not None, "a campaign is never deleted"  # noqa: S101 - a defect of ours
        return found

    def _one(self, campaign_id: str, number: int | None) -> CampaignRecord | None:
        with self._database.read() as connection:
            rows = [_Standing(*row) for row in _CAMPAIGN.rows(connection, the_id=campaign_id)]
            return self._record(connection, rows, number or rows[0].version) if rows else None

    def _all(self, connection: Connection) -> list[CampaignRecord]:
        standing = (_Standing(*row) for row in _CAMPAIGNS.rows(connection))
        each = [list(rows) for _id, rows in groupby(standing, key=lambda row: row.id)]
        found = (self._record(connection, rows, rows[0].version) for rows in each)
        return [record for record in found if record is not None]

    def _record(self, connection: Connection, rows: Sequence[_Standing], number: int) -> CampaignRecord | None:
        written = self._version(connection, row := rows[0], number)
        if written is None:
            return None
        own, opened = _beside(rows, "notice"), _beside(rows, "gate")
        whole = self._with_notices(connection, written, own)
        return replace(whole, state=row.state, epoch=row.epoch, started_at=row.started_at, opened=opened)

    def _with_notices(
        self, connection: Connection, written: CampaignRecord, own: Mapping[str, dt.datetime]
    ) -> CampaignRecord:
        # The same plan for as long as there is no new one.
        key = written.id, written.version
        if key not in self._whole or self._whole[key][0] != tuple(own):
            whole = written
            if own:
                plan = written.plan.with_notices(notices.of_campaign(connection, written.id, own))
                whole = replace(written, plan=plan, introduced={**written.introduced, **own})
            self._whole[key] = tuple(own), whole
        return self._whole[key][1]

    def _version(self, connection: Connection, row: _Standing, number: int) -> CampaignRecord | None:
        # Versions never change, so each is read and validated once.
        key = (row.id, number)
        if key not in self._read:
            version = connection.execute(_VERSION, {"the_id": row.id, "number": number}).first()
            if version is None:
                return None
            self._read[key] = _written(row, version)
        return self._read[key]


def _beside(rows: Iterable[_Standing], what: str) -> dict[str, dt.datetime]:
    return {row.name: row.at for row in rows if row.what == what}


def _without_dead_channels(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    # 0.1.0 took the names of two channels that nothing opened
    send = dict(plan.get("send", {}))
    kept = [name for name in send.get("channels", ()) if name in CHANNELS]
    if len(kept) == len(send.get("channels", ())):
        return plan
    send.pop("channels")
    return {**plan, "send": {**send, "channels": kept} if kept else send}


def _written(row: _Standing, version: Row[Any]) -> CampaignRecord:
    return CampaignRecord(
        id=row.id,
        state=row.state,
        version=version.version,
        epoch=row.epoch,
        started_at=row.started_at,
        plan=Plan.model_validate(_without_dead_channels(version.plan)),
        templates=version.templates,
        source=version.source,
        introduced={message: dt.datetime.fromisoformat(at) for message, at in version.introduced.items()},
        applied_at=version.applied_at,
        applied_by=version.applied_by,
    )


def _next_version(connection: Connection, plan: Plan, by: str, now: dt.datetime) -> int:
    row = connection.execute(select(campaign).where(campaign.c.id == plan.campaign).with_for_update()).first()
    if row is None:
        new = {"id": plan.campaign, "state": "paused", "version": 1, "epoch": 0, "started_at": None}
        connection.execute(campaign.insert(), {**new, "on_uncertain": plan.on_uncertain})
        return 1
    if row.state == "cancelled":
        raise _cancelled(plan.campaign)
    if row.state == "finished":
        stand_still(connection, plan.campaign, N_("a new version"), by=by, now=now)
    state: CampaignState = "paused" if row.state == "finished" else row.state
    version = int(row.version) + 1
    _change(connection, plan.campaign, state=state, version=version, on_uncertain=plan.on_uncertain)
    return version


def _running(record: CampaignRecord, pauses: tuple[Standstill, ...]) -> Campaign:
    assert record.started_at is not None, "a running campaign was started"  # noqa: S101 - a defect of ours
    about = (record.started_at, record.version, record.epoch, record.introduced)
    return Campaign(record.plan, *about, pauses, opened=record.opened)


def _locked(connection: Connection, campaign_id: str) -> Row[Any]:
    row = connection.execute(select(campaign).where(campaign.c.id == campaign_id).with_for_update()).first()
    if row is None:
        cause = _("There is no campaign '{campaign}'.", campaign=campaign_id)
        raise InputError(cause, _("Run 'commsengine status' to see them all."))
    return row


def _change(connection: Connection, campaign_id: str, *, state: CampaignState, **values: Any) -> None:
    change = update(campaign).where(campaign.c.id == campaign_id)
    connection.execute(change.values(epoch=campaign.c.epoch + 1, state=state, **values))


def _may_resume(row: Row[Any]) -> None:
    if row.state != "paused":
        cause = _("'{campaign}' is {state} and cannot go on.", campaign=row.id, state=row.state)
        raise CommsError(cause, _("Apply the plan again to reopen it."))
    if row.started_at is None:
        cause = _("'{campaign}' was never started.", campaign=row.id)
        raise CommsError(cause, _("Run 'commsengine start {campaign}'.", campaign=row.id))


def _cancelled(campaign_id: str) -> CommsError:
    cause = _("'{campaign}' was cancelled for good.", campaign=campaign_id)
    return CommsError(cause, _("Give the plan another 'campaign' id."))


# -- pauses and holds, in the transaction of their caller -----------------------------------------


def stand_still(connection: Connection, campaign_id: str, reason: str, *, by: str, now: dt.datetime) -> None:
    """Opens a pause, or with an empty ``campaign_id`` a hold."""
    row = {"campaign": campaign_id, "reason": reason, "since": now, "since_by": by, "until": None, "until_by": ""}
    connection.execute(standstill.insert(), {**row, "backlog": ""})


def go_on(connection: Connection, campaign_id: str, backlog: str, *, by: str, now: dt.datetime) -> bool:
    """Closes what stands open; false if nothing did."""
    still = (standstill.c.campaign == campaign_id, standstill.c.until.is_(None))
    close = update(standstill).where(*still).values(until=now, until_by=by, backlog=backlog)
    closed = connection.execute(close.returning(standstill.c.id)).all()
    bookkeeping.wake_everybody(connection, now)
    return bool(closed)


def known_backlog(backlog: str) -> None:
    """Raises ``InputError`` for any other word."""
    if backlog not in BACKLOGS:
        cause = _("'{word}' is not a way to treat a backlog.", word=backlog)
        raise InputError(cause, _("Write latest, all or none."))


def skip_retries_of_cancelled(connection: Connection) -> None:
    # No decision is made for a cancelled campaign any more, so its retries are closed here.
    over = select(campaign.c.id).where(campaign.c.state == "cancelled")
    waiting = moves.moving(moves.CLOSE).where(touch.c.campaign.in_(over))
    connection.execute(waiting.values(reason=N_("cancelled"), retry_at=None, held=False))


# -- what may leave -------------------------------------------------------------------------------


def on_hold(connection: Connection) -> bool:
    return bool(_HOLD.rows(connection))


def running_epochs(connection: Connection) -> dict[str, int]:
    """The running campaigns and their epochs, held still until this transaction ends."""
    return dict(_RUNNING.rows(connection))


def unchanged(now_running: Mapping[str, int], decided_on: Mapping[str, int]) -> set[str]:
    """The campaigns that may still be claimed for."""
    return {each for each, epoch in decided_on.items() if now_running.get(each) == epoch}
