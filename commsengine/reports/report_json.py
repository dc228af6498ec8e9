"""A campaign's report as data, by documented names (docs/commands.md)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from commsengine.recall.statistics import Interval, Share
from commsengine.reports.campaign_report import MessageView, Report, Total
from commsengine.reports.departments import SideBySide
from commsengine.reports.experiment_arms import ArmResult
from commsengine.reports.input_answers import InputView
from commsengine.reports.outcomes.results import OutcomeView, RoleOutcome
from commsengine.reports.outcomes.trial import TrialResult
from commsengine.reports.recall_by_role import RoleView
from commsengine.reports.recall_curves import Mean
from commsengine.reports.report_html import headline
from commsengine.store.records import TouchCounts


def as_data(seen: Report) -> dict[str, Any]:
    record, (heading, lines) = seen.record, headline(seen)
    return {
        "campaign": record.id,
        "title": record.plan.title,
        "state": record.state,
        "at": seen.at,
        "started_at": record.started_at,
        "people": seen.people,
        "headline": [heading, *lines],
        "messages": [_message(message) for message in seen.messages],
        "weeks": [{"start": w.start, "touches": w.touches, "acknowledged": w.acknowledged} for w in seen.weeks],
        "inputs": [_input(each) for each in seen.inputs],
        "replies": [dict(each) for each in seen.replies],
        "experiment": [_arm(arm) for arm in seen.arms],
        "outcomes": [_outcome(outcome) for outcome in seen.outcomes],
        "trial": _trial(seen.trial) if seen.trial else None,
        "got_it_only": [
            {"role": each.role, "people": each.people, "only": each.only, "share": round(each.only / each.people, 3)}
            for each in seen.got_it_only
        ],
        "phases": [view.as_json() for view in seen.phases],
        "commitments": [{"message": message, **states} for message, states in seen.commitments.items()],
        "unclear": [role.as_json() for role in seen.unclear],
        "departments": [_departments(each) for each in seen.side_by_side],
    }


def _departments(each: SideBySide) -> dict[str, Any]:
    # without names: a report goes from hand to hand
    return {
        "message": each.message,
        "question": each.question,
        "departments": [
            {"department": one.department, "people": one.people, "answers": [said.text for said in one.given]}
            for one in each.departments
        ],
    }


def _message(message: MessageView) -> dict[str, Any]:
    alike = message.alike
    return {
        "message": message.id,
        "key_point": message.key_point,
        "corrected_by": message.corrected_by,
        "from": message.opens,
        "until": message.closes,
        "floor": message.floor,
        "target": message.target,
        "by": message.by,
        "outcome": message.outcome_title or None,
        "roles": [_role(role) for role in message.roles],
        "total": _total(message.total) if message.total else None,
        "alike": {
            "verdict": alike.verdict,
            "index": alike.index,
            "answers": alike.answers,
            "departments": dict(alike.groups),
            "differ": alike.differ,
        },
    }


def _total(total: Total) -> dict[str, Any]:
    counts = {"people": total.people, "all_roles": total.all_roles, **_counts(total.counts)}
    return {**counts, "understood": _share(total.right)}


def _role(role: RoleView) -> dict[str, Any]:
    known = role.shown
    return {
        "role": role.role,
        "hidden": not known,
        "people": role.people,
        **_counts(role.counts),
        "understood": _share(role.right),
        "before": _share(role.before),
        "transfer": _share(role.transfer),
        "weeks": [{"from": week.since, "until": week.until, **(_share(week.right) or {})} for week in role.weeks],
        "recall": _mean(role.recall),
        "done": _people(role.done),
        "checks": role.checks if known else None,
        "tested": role.tested if known else None,
        "ramp": role.ramp if known else None,
        "line": [_mean(point) for point in role.line],
    }


def _counts(counts: TouchCounts | None) -> dict[str, int | None]:
    return {each.name: getattr(counts, each.name, None) for each in fields(TouchCounts)}


def _input(asked: InputView) -> dict[str, Any]:
    counted = {"answered": asked.answered, "silent": asked.silent, "hidden": not asked.shown}
    about = {"message": asked.message, "question": asked.question, "kind": asked.kind}
    told = {"tally": dict(asked.tally), "places": dict(asked.places), "texts": list(asked.texts)}
    return {**about, **counted, **(told if asked.shown else dict.fromkeys(told))}


def _arm(arm: ArmResult) -> dict[str, Any]:
    more = arm.more
    return {
        "arm": arm.name,
        "people": arm.people,
        "hidden": arm.messages is None,
        "messages_per_person": None if arm.messages is None else round(arm.messages, 2),
        "right": _share(arm.right),
        "difference": {"share": round(more.value, 3), **_bounds(more)} if more else None,
    }


def _outcome(outcome: OutcomeView) -> dict[str, Any]:
    return {
        "outcome": outcome.name,
        "title": outcome.title,
        "by": outcome.by,
        "messages": outcome.messages,
        "roles": [_role_outcome(role) for role in outcome.roles],
    }


def _role_outcome(role: RoleOutcome) -> dict[str, Any]:
    stages = role.stages
    return {
        "role": role.role,
        "hidden": not role.shown,
        "people": role.people,
        "reached": _people(stages.reached) if stages else None,
        "knows_why": _share(stages.why) if stages else None,
        "knows_how": _share(stages.how) if stages else None,
        "done": _people(role.done),
        "keeps_doing": _people(stages.kept) if stages else None,
        "transfer": _share(stages.transfer) if stages else None,
        "days": [{"day": day, "done": number} for day, number in role.line],
    }


def _trial(trial: TrialResult) -> dict[str, Any]:
    return {
        "outcome": trial.outcome,
        "title": trial.title,
        "day": trial.day,
        "over": trial.over,
        "method": trial.method,
        "roles": trial.roles,
        "arms": [
            {
                "arm": arm.name,
                "people": arm.people,
                "hidden": arm.done is None,
                "done": _people(arm.done),
                "difference": {"share": round(arm.more.value, 3), **_bounds(arm.more)} if arm.more else None,
            }
            for arm in trial.arms
        ],
        "seal": {"sha256": trial.digest, "sealed_at": trial.sealed_at, "analysis": trial.analysis}
        if trial.analysis
        else None,
        "broken": [*trial.broken, *(["sha256"] if trial.forged else [])],
    }


def _people(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {"people": share.count, "of": share.of, "share": round(share.share, 3), **_bounds(share)}


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {"right": share.count, "answers": share.of, "share": round(share.share, 3), **_bounds(share)}


def _mean(mean: Mean | None) -> dict[str, Any] | None:
    if mean is None:
        return None
    return {"at": mean.at, "mean": round(mean.mean, 3), **_bounds(mean)}


def _bounds(seen: Share | Mean | Interval) -> dict[str, float]:
    return {"low": round(seen.low, 3), "high": round(seen.high, 3)}
