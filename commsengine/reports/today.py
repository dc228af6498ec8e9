"""The day of who runs campaigns, as documented JSON: what waits for a person, bad news first, and the numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from commsengine.content.render import RendererFor
from commsengine.engine.decisions import Decisions
from commsengine.engine.directory import SignerLookup
from commsengine.reports.commitments import overdue_commitments
from commsengine.reports.day_figures import DayFigures, Leaving, day_figures, end_of_day, leaving_until
from commsengine.reports.followups import followups
from commsengine.reports.held_files import held_files
from commsengine.reports.managers_words import managers_words
from commsengine.reports.outcomes_recorded import recorded_outcomes
from commsengine.reports.phases.measures import gates_that_wait
from commsengine.reports.promises import overdue_promises
from commsengine.reports.status import channels, failed, held, paused_by_engine, questions, refusals
from commsengine.store.store import Store

RECENT = dt.timedelta(days=3)
"""So long what came of a talk stands among the day's news: over a weekend, too."""


def today(
    store: Store, decisions: Decisions, renderer: RendererFor, now: dt.datetime, *, talk: bool = True
) -> dict[str, Any]:
    """What waits for a person, bad news first, in the order of the digest; with the same numbers.

    Without ``talk`` the talking points of the follow-ups are left empty.
    """
    return {
        "promises": overdue_promises(store, now),
        "commitments": [
            one.as_json()
            for record in store.campaigns.all()
            if record.state in ("running", "paused")
            for one in overdue_commitments(store, record, now)
        ],
        "gates": [
            {"campaign": record.id, **view.as_json()}
            for record in store.campaigns.all()
            if record.state in ("running", "paused")
            for view in gates_that_wait(store, record, now)
        ],
        "paused": paused_by_engine(store),
        "channels": channels(store, decisions, now),
        "failed": failed(store),
        "held": held(store),
        "refusals": refusals(store),
        "held_files": held_files(store),
        "numbers": [one.as_json() for one in numbers(store, decisions, now)],
        "questions": questions(store, now),
        "follow_ups": [one.as_json() for one in followups(store, decisions, renderer, now, talk=talk)],
        "recorded": [one.as_json() for one in recorded_outcomes(store, since=now - RECENT)],
        "holds": holds_of_managers(store, now),
    }


def holds_of_managers(store: Store, now: dt.datetime) -> list[dict[str, Any]]:
    """What managers hold of campaigns that run."""
    running = (record.id for record in store.campaigns.all() if record.state == "running")
    return [hold for campaign in running for hold in managers_words(store, campaign, now)["holds"]]


def numbers(store: Store, decisions: Decisions, now: dt.datetime) -> list[DayFigures]:
    """The day's numbers of each campaign that runs, by the day of its first owner."""
    lookup, found = SignerLookup(store), []
    leaving: dict[dt.datetime, Leaving] = {}
    for record in store.campaigns.all():
        if record.state == "running":
            reader = lookup.named(record.plan.owner[0])
            until = end_of_day(record, reader, now)
            if until not in leaving:
                leaving[until] = leaving_until(store, decisions, until, now)
            found.append(day_figures(store, record, reader, leaving[until].get(record.id, {}), now))
    return found
