"""What people get in the morning: the owners' digest and reviews of phases, and the managers' lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from commsengine.reports.morning.digest import Digests
from commsengine.reports.morning.manager_lists import ManagerLists
from commsengine.reports.morning.morning_time import MorningBasis
from commsengine.reports.phases.phase_review import PhaseReviews
from commsengine.store.records import CampaignRecord


def morning_mail(basis: MorningBasis, clock: Callable[[], dt.datetime]) -> Callable[[Sequence[CampaignRecord]], None]:
    """What the engine calls at each tick, with all campaigns; due mail is written down once."""
    digests, reviews, lists = Digests(basis), PhaseReviews(basis), ManagerLists(basis)

    def write(records: Sequence[CampaignRecord]) -> None:
        digests.send(records, clock())
        reviews.send(records, clock())
        lists.send(records, clock())

    return write
