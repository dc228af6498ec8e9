"""What people get in the morning: the owners' digest and the managers' lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from commsengine.cadence.terms import ChannelName
from commsengine.content.render import RendererFor
from commsengine.engine.decisions import Decisions
from commsengine.reports.digest import Digests
from commsengine.reports.manager_lists import ManagerLists
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store


def morning_mail(
    store: Store,
    decisions: Decisions,
    renderer: RendererFor,
    channels: Sequence[ChannelName],
    clock: Callable[[], dt.datetime],
) -> Callable[[Sequence[CampaignRecord]], None]:
    """What the engine calls at each tick, with all campaigns; due mail is written down once."""
    digests = Digests(store, decisions, renderer, channels, clock)
    lists = ManagerLists(store, decisions, renderer, channels, clock)

    def write(records: Sequence[CampaignRecord]) -> None:
        digests.send(records)
        lists.send(records)

    return write
