"""What each role is estimated to know now; nothing is shown of a role of fewer than ten people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from commsengine.cadence.audience import roles_of
from commsengine.cadence.calendar import Hours
from commsengine.cadence.daily_learning import messages_by_recall
from commsengine.cadence.people import ANYBODY
from commsengine.cadence.plan import Message, Plan
from commsengine.recall.small_groups import enough
from commsengine.recall.statistics import Share
from commsengine.reports.check_results import NOTHING, Weeks, check_results, shown_of
from commsengine.reports.recall_curves import Group, Mean, mean_of, past_of
from commsengine.store.records import CampaignRecord, TouchCounts
from commsengine.store.store import Store

LOOKED_AT = 100
"""People of a role, spread over all of it, by whom its recall is estimated at once, at most."""


@dataclass(frozen=True, slots=True)
class RoleView:
    """One role and one message. Of a role that is not ``shown`` only the number of people is there.

    ``right`` is the share of right answers, by the newest of each person; ``recall`` the estimate now, ``line`` that
    over time (of messages by recall), both by ``drawn`` people. ``checks`` and ``tested`` are the role's
    estimate's. In the ``ramp`` of its first week no floor is promised. ``before`` and ``transfer`` are the shares of
    right answers before the message said anything, and to the question that was kept for the end. ``done`` are
    those who did what it is for.
    """

    role: str
    people: int
    shown: bool
    counts: TouchCounts | None = None
    right: Share | None = None
    weeks: tuple[Weeks, ...] = ()
    recall: Mean | None = None
    line: tuple[Mean, ...] = ()
    drawn: int = 0
    checks: int = 0
    tested: bool = False
    ramp: bool = False
    done: Share | None = None
    before: Share | None = None
    transfer: Share | None = None


def recall_by_role(store: Store, record: CampaignRecord, now: dt.datetime) -> list[RoleView]:
    """Each role's recall over the messages that count, are open and were sent to it.

    ``right`` is of all messages, as far as the report shows them.
    """
    plan = record.plan
    open_now = [
        message
        for message in messages_by_recall(plan)
        if span_of(plan, message)[0] <= now < span_of(plan, message)[1] and message.id not in plan.corrected
    ]
    answers = check_results(store, plan, now)
    views: list[RoleView] = []
    for role, drawn in store.audience.drawn(record, LOOKED_AT, now.date()).items():
        if not enough(drawn.people):
            views.append(RoleView(role, drawn.people, shown=False))
            continue
        own = [message for message in open_now if role in roles_of(plan, message)]
        known = shown_of(store, record.id, role, answers)
        groups = {message.id: Group(role, drawn.people, known) for message in own}
        for loaded in store.loading.histories(drawn.ids).values():
            for message in own:
                past = past_of(plan, message, loaded.history, loaded.person.id, answers.counts_from)
                groups[message.id].add(past)
        sent = [group for group in groups.values() if group.first is not None]
        right = summed(answers.cells.get((message.id, role), NOTHING).right for message in plan.messages)
        recall = mean_of([group.moments([now], now)[0] for group in sent]) if sent else None
        one = known.estimate_of(role)
        views.append(
            RoleView(role, drawn.people, shown=True, right=right, recall=recall, checks=one.checks, tested=one.tested)
        )
    return views


def span_of(plan: Plan, message: Message) -> tuple[dt.datetime, dt.datetime]:
    hours = Hours(plan, ANYBODY)
    return hours.opening(plan, message), hours.closing(plan, message)


def summed(shares: Iterable[Share | None]) -> Share | None:
    found = [share for share in shares if share is not None]
    return Share(sum(each.count for each in found), sum(each.of for each in found)) if found else None
