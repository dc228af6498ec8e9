"""The gates before a claim and before a mark: no hold, and the campaigns running at the epoch that was decided on.

The rows of the campaigns are read with a shared lock: a pause that comes at the same moment waits for this transaction,
or this transaction sees it. Nothing leaves between the two.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from commsengine.store.tables import campaign, standstill

_HOLD = select(standstill.c.id).where(standstill.c.campaign == "", standstill.c.until.is_(None)).limit(1)
_RUNNING = (
    select(campaign.c.id, campaign.c.epoch)
    .where(campaign.c.state == "running")
    .order_by(campaign.c.id)
    .with_for_update(read=True)
)


def on_hold(connection: Connection) -> bool:
    return connection.execute(_HOLD).first() is not None


def running_epochs(connection: Connection) -> dict[str, int]:
    """The running campaigns and their epochs, held still until this transaction ends."""
    return {row.id: row.epoch for row in connection.execute(_RUNNING)}


def unchanged(now_running: Mapping[str, int], decided_on: Mapping[str, int]) -> set[str]:
    """The campaigns that may still be claimed for."""
    return {each for each, epoch in decided_on.items() if now_running.get(each) == epoch}
