"""A campaign's report as data, by documented names (docs/commands.md)."""

from __future__ import annotations

from typing import Any

from commsengine.recall.statistics import Share
from commsengine.reports.campaign_report import MessageView, Report, RoleView
from commsengine.reports.experiment_arms import ArmView
from commsengine.reports.recall_curves import Mean
from commsengine.reports.report_html import headline


def as_data(seen: Report) -> dict[str, Any]:
    heading, lines = headline(seen)
    return {
        "campaign": seen.campaign,
        "title": seen.title,
        "state": seen.state,
        "at": seen.at,
        "started_at": seen.started_at,
        "people": seen.people,
        "headline": [heading, *lines],
        "messages": [_message(message) for message in seen.messages],
        "weeks": [{"start": w.start, "touches": w.touches, "acknowledged": w.acknowledged} for w in seen.weeks],
        "experiment": [_arm(arm) for arm in seen.arms],
    }


def _message(message: MessageView) -> dict[str, Any]:
    total, alike = message.total, message.alike
    return {
        "message": message.id,
        "key_point": message.key_point,
        "from": message.opens,
        "until": message.closes,
        "floor": message.floor,
        "target": message.target,
        "by": message.by,
        "roles": [_role(role) for role in message.roles],
        "total": None
        if total is None
        else {
            "people": total.people,
            "all_roles": total.all_roles,
            "reached": total.reached,
            "touches": total.touches,
            "by_hand": total.by_hand,
            "acknowledged": total.acknowledged,
            "understood": _share(total.right),
        },
        "alike": {
            "verdict": alike.verdict,
            "index": alike.index,
            "answers": alike.answers,
            "departments": dict(alike.groups),
            "differ": alike.differ,
        },
    }


def _role(role: RoleView) -> dict[str, Any]:
    known = role.shown
    return {
        "role": role.role,
        "hidden": not known,
        "people": role.people,
        "reached": role.reached if known else None,
        "touches": role.touches if known else None,
        "by_hand": role.by_hand if known else None,
        "acknowledged": role.acknowledged if known else None,
        "understood": _share(role.right),
        "weeks": [{"from": week.since, "until": week.until, **(_share(week.right) or {})} for week in role.weeks],
        "recall": _mean(role.recall),
        "checks": role.checks if known else None,
        "tested": role.tested if known else None,
        "ramp": role.ramp if known else None,
        "line": [_mean(point) for point in role.line],
    }


def _arm(arm: ArmView) -> dict[str, Any]:
    more = arm.more
    return {
        "arm": arm.name,
        "people": arm.people,
        "hidden": arm.messages is None,
        "messages_per_person": None if arm.messages is None else round(arm.messages, 2),
        "right": _share(arm.right),
        "difference": None
        if more is None
        else {
            "share": round(more.value, 3),
            "low": round(more.low, 3),
            "high": round(more.high, 3),
        },
    }


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {
        "right": share.count,
        "answers": share.of,
        "share": round(share.share, 3),
        "low": round(share.low, 3),
        "high": round(share.high, 3),
    }


def _mean(mean: Mean | None) -> dict[str, Any] | None:
    if mean is None:
        return None
    return {"at": mean.at, "mean": round(mean.mean, 3), "low": round(mean.low, 3), "high": round(mean.high, 3)}
