"""Campaigns and the versions of their plans. A version, once applied, never changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from commsengine.cadence.history import Campaign, Campaigns, Standstill
from commsengine.cadence.plan import Plan, Workspace
from commsengine.errors import CommsError
from commsengine.store import bookkeeping, decrees
from commsengine.store.database import Database
from commsengine.store.records import CampaignRecord, Hold
from commsengine.store.tables import campaign, plan_version, standstill
from commsengine.text import near_names


class Plans:
    """The campaigns, by id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: dict[tuple[str, int], _Written] = {}

    def save_version(
        self,
        plan: Plan,
        templates: Mapping[str, str],
        source: str,
        *,
        introduced: Mapping[str, dt.datetime],
        by: str,
        now: dt.datetime,
    ) -> int:
        """Stores the plan as the newest version and makes everybody due; a new campaign is paused. Returns its number.

        A finished campaign is paused again, so that ``resume`` lets the new version run. Raises ``CommsError`` for the
        id of a cancelled one.
        """
        with self._database.write() as connection:
            version = _next_version(connection, plan, by, now)
            row = {
                "campaign": plan.campaign, "version": version, "plan": plan.model_dump(mode="json"),
                "templates": dict(templates), "source": source, "applied_at": now, "applied_by": by,
                "introduced": {message: at.astimezone(dt.UTC).isoformat() for message, at in introduced.items()},
            }  # fmt: skip
            connection.execute(plan_version.insert(), row)
            bookkeeping.wake_everybody(connection, now)
            bookkeeping.note(connection, "apply", plan.campaign, by=by, now=now, detail={"version": version})
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

    def campaigns(self, workspace: Workspace | None = None) -> Campaigns:
        """The running campaigns with their pauses, and the holds that are over: what decisions are made of."""
        with self._database.read() as connection:
            records = [record for record in self._all(connection) if record.state == "running"]
            past: dict[str, list[Standstill]] = {}
            for row in connection.execute(_OVER):
                past.setdefault(row.campaign, []).append(Standstill(row.since, row.until, row.backlog))
        running = tuple(_running(record, tuple(past.get(record.id, ()))) for record in records)
        return Campaigns(running, workspace or Workspace(), tuple(past.get("", ())))

    def paused_since(self, campaign_id: str) -> dt.datetime | None:
        """When the pause began that is still open; ``None`` if it runs, is over, or was never started."""
        standing = self.standing(campaign_id)
        return standing.since if standing else None

    def standing(self, campaign_id: str) -> Hold | None:
        """The pause that is still open: since when, by whom and why."""
        columns = [standstill.c[field.name] for field in fields(Hold)]
        still = (standstill.c.campaign == campaign_id, standstill.c.until.is_(None))
        with self._database.read() as connection:
            row = connection.execute(select(*columns).where(*still)).first()
            return Hold(*row) if row else None

    def near(self, name: str) -> list[str]:
        """Up to three campaign ids that look like this one; all of them, if few and none is near."""
        with self._database.read() as connection:
            known = [str(row.id) for row in connection.execute(select(campaign.c.id).order_by(campaign.c.id))]
        return near_names(name, known) or (known if len(known) <= 5 else [])

    def start(self, campaign_id: str, *, by: str, now: dt.datetime) -> CampaignRecord:
        """Lets a new campaign run. Raises ``CommsError`` if it was started before."""
        return self._decreed(campaign_id, lambda connection: decrees.start(connection, campaign_id, by=by, now=now))

    def pause(
        self, campaign_id: str, *, by: str, now: dt.datetime, reason: str = "paused",
        detail: Mapping[str, Any] | None = None,
    ) -> CampaignRecord:  # fmt: skip
        """From the return on nothing of it is claimed or marked; open ``sending`` rows are the caller's to await."""
        return self._decreed(
            campaign_id,
            lambda connection: decrees.pause(connection, campaign_id, by=by, now=now, reason=reason, detail=detail),
        )

    def resume(self, campaign_id: str, *, backlog: str, by: str, now: dt.datetime) -> CampaignRecord:
        """Lets it go on; ``backlog`` (latest, all, none) says what becomes of what fell due meanwhile."""
        return self._decreed(
            campaign_id, lambda connection: decrees.resume(connection, campaign_id, backlog=backlog, by=by, now=now)
        )

    def cancel(self, campaign_id: str, *, by: str, now: dt.datetime) -> CampaignRecord:
        """Ends it for good; waiting retries become skipped."""
        return self._decreed(campaign_id, lambda connection: decrees.cancel(connection, campaign_id, by=by, now=now))

    def finish(self, campaign_id: str, *, by: str, now: dt.datetime) -> CampaignRecord:
        """Everything is said: the campaign is finished."""
        return self._decreed(campaign_id, lambda connection: decrees.finish(connection, campaign_id, by=by, now=now))

    def _decreed(self, campaign_id: str, decree: decrees.Decree) -> CampaignRecord:
        with self._database.write() as connection:
            decree(connection)
        found = self.get(campaign_id)
        assert found is not None, "a campaign is never deleted"  # noqa: S101 - a defect of ours
        return found

    def _one(self, campaign_id: str, number: int | None) -> CampaignRecord | None:
        with self._database.read() as connection:
            row = connection.execute(_CAMPAIGN, {"the_id": campaign_id}).first()
            return self._record(connection, row, number or row.version) if row else None

    def _all(self, connection: Connection) -> list[CampaignRecord]:
        found = (self._record(connection, row, row.version) for row in connection.execute(_CAMPAIGNS).all())
        return [record for record in found if record is not None]

    def _record(self, connection: Connection, row: Row[Any], number: int) -> CampaignRecord | None:
        written = self._written(connection, row.id, number)
        if written is None:
            return None
        return CampaignRecord(
            row.id, row.state, number, row.epoch, row.started_at, written.plan, written.templates, written.source,
            written.introduced, written.applied_at, written.applied_by,
        )  # fmt: skip

    def _written(self, connection: Connection, campaign_id: str, number: int) -> _Written | None:
        """Versions never change, so each is read and validated once."""
        key = (campaign_id, number)
        if key not in self._read:
            row = connection.execute(_VERSION, {"the_id": campaign_id, "number": number}).first()
            if row is None:
                return None
            introduced = {message: dt.datetime.fromisoformat(at) for message, at in row.introduced.items()}
            self._read[key] = _Written(
                Plan.model_validate(row.plan), row.templates, row.source, introduced, row.applied_at, row.applied_by
            )
        return self._read[key]


@dataclass(frozen=True, slots=True)
class _Written:
    """One version of a plan as it was applied."""

    plan: Plan
    templates: Mapping[str, str]
    source: str
    introduced: Mapping[str, dt.datetime]
    applied_at: dt.datetime
    applied_by: str


_CAMPAIGNS = select(campaign).order_by(campaign.c.id)
_CAMPAIGN = select(campaign).where(campaign.c.id == bindparam("the_id"))
_VERSION = select(plan_version).where(
    plan_version.c.campaign == bindparam("the_id"), plan_version.c.version == bindparam("number")
)
_OVER = select(standstill).where(standstill.c.until.is_not(None)).order_by(standstill.c.id)


def _next_version(connection: Connection, plan: Plan, by: str, now: dt.datetime) -> int:
    row = connection.execute(select(campaign).where(campaign.c.id == plan.campaign).with_for_update()).first()
    if row is None:
        new = {"id": plan.campaign, "state": "paused", "version": 1, "epoch": 0, "started_at": None}
        connection.execute(campaign.insert(), {**new, "on_uncertain": plan.on_uncertain})
        return 1
    if row.state == "cancelled":
        raise CommsError(f"'{plan.campaign}' was cancelled for good.", "Give the plan another 'campaign' id.")
    if row.state == "finished":
        decrees.stand_still(connection, plan.campaign, "a new version", by=by, now=now)
    change = {"version": row.version + 1, "epoch": row.epoch + 1, "on_uncertain": plan.on_uncertain}
    state = "paused" if row.state == "finished" else row.state
    connection.execute(update(campaign).where(campaign.c.id == plan.campaign).values(state=state, **change))
    return int(row.version) + 1


def _running(record: CampaignRecord, pauses: tuple[Standstill, ...]) -> Campaign:
    assert record.started_at is not None, "a running campaign was started"  # noqa: S101 - a defect of ours
    return Campaign(record.plan, record.started_at, record.version, record.epoch, record.introduced, pauses)
