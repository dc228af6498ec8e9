"""What people are to do in the end, and how an experiment is judged by it: written down before the first message."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from commsengine.cadence.audience import roles_of
from commsengine.cadence.calendar import DAY, Hours
from commsengine.cadence.people import ANYBODY, Person
from commsengine.cadence.plan import Plan
from commsengine.cadence.time_notation import Moment
from commsengine.recall.small_groups import FEWEST
from commsengine.recall.two_arms import METHOD

CHOSEN = ("arms", "share", "seed", "outcome", "day")
"""What of an analysis the plan says itself: it stays as it was sealed. The rest may move with the world, and shows."""


def ends(plan: Plan, moment: Moment, person: Person = ANYBODY) -> dt.datetime:
    """The end of that day of the person's, or that instant where it has a time."""
    hours = Hours(plan, person)
    at = hours.instant_of(plan, moment)
    return at if moment.time else hours.midnight(hours.local_date(at) + DAY)


def tried_roles(plan: Plan) -> tuple[str, ...]:
    """The roles in which an experiment makes a difference: those that get a message by recall."""
    by_recall = [message for message in plan.messages if message.cadence.recall_floor is not None]
    return tuple(role for role in plan.audience.roles if any(role in roles_of(plan, each) for each in by_recall))


def analysis(plan: Plan) -> Mapping[str, Any] | None:
    """How the experiment is judged, as plain data; ``None`` for a plan without an outcome of an experiment.

    ``date`` is the day by the milestones as they stand.
    """
    experiment = plan.experiment
    if experiment is None or experiment.outcome is None or experiment.day is None:
        return None
    hours = Hours(plan, ANYBODY)
    audience = plan.audience.model_dump(mode="json", exclude_defaults=True)["roles"]
    return {
        "campaign": plan.campaign,
        "arms": [arm.name for arm in experiment.arms],
        "share": experiment.share,
        "seed": experiment.seed,
        "outcome": experiment.outcome,
        "day": str(experiment.day),
        "date": hours.local_date(hours.instant_of(plan, experiment.day)).isoformat(),
        "roles": {role: audience[role] for role in tried_roles(plan)},
        "fewest": FEWEST,
        "method": METHOD,
    }


def digest_of(sealed: Mapping[str, Any]) -> str:
    """SHA-256, 64 hexadecimal digits, of the analysis as JSON with sorted keys and no blanks."""
    written = json.dumps(sealed, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(written.encode()).hexdigest()


def changed(sealed: Mapping[str, Any], now: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What of a sealed analysis is not so any more, by its keys."""
    if now is None:
        return ("experiment",)
    return tuple(key for key in sealed if sealed[key] != now.get(key))
