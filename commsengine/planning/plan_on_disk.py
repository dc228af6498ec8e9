"""From a plan on disk to its simulation: with the people it is for, their past, and all other running campaigns.

Loaded only by the commands that forecast.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from commsengine.cadence.calendar import last_closing
from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.cadence.history import Campaign, Campaigns, History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.errors import InputError
from commsengine.planning.simulation import ShownBasis, Simulation, simulate
from commsengine.recall.learning import nothing
from commsengine.reports.check_results import as_shown, check_results, shown_of

if TYPE_CHECKING:
    from commsengine.authoring.people_file import PeopleFile
    from commsengine.store.store import Store
    from commsengine.wiring import Wiring

DAY = dt.timedelta(days=1)


def outlook(
    wiring: Wiring, path: Path, *, start: dt.date | None = None, until: dt.date | None = None, answers: str = "none"
) -> Simulation:
    """The simulation of a plan file. Raises ``InputError`` with all its problems when it does not pass ``check``."""
    plan, people = checked(wiring, path)
    begin = wiring.clock() if start is None else dt.datetime.combine(start, dt.time(), dt.UTC)
    end = dt.datetime.combine(until + DAY, dt.time(), dt.UTC) if until else last_closing(plan, people)
    if end <= begin:
        raise InputError(
            f"Nothing to simulate: the last message closes {end:%Y-%m-%d}, before {begin:%Y-%m-%d}.",
            "Move the milestones, or name another day with --from.",
        )
    campaigns, pasts = _with(wiring, plan, begin), _pasts(wiring, plan, people, begin)
    if not wiring.has_database:
        return simulate(campaigns, plan.campaign, pasts, begin, end, answers)
    known, told = _known(wiring.store, campaigns), tellable(wiring.store, campaigns, plan.campaign, wiring.clock())
    return simulate(campaigns, plan.campaign, pasts, begin, end, answers, known, told)


def tellable(store: Store, campaigns: Campaigns, campaign: str, now: dt.datetime) -> ShownBasis | None:
    """``None`` while nobody has answered a check: whoever simulates every day must not see what one person answered."""
    mine = next(each for each in campaigns.running if each.id == campaign)
    answers = check_results(store, mine.plan, now)
    if not answers.given:
        return None
    seen = {role: shown_of(store, campaign, role, answers) for role in mine.plan.audience.roles}
    learned = {role: known.roles.get(role) or nothing() for role, known in seen.items()}
    by_them = replace(mine, recall={role: known.estimate_of(role) for role, known in seen.items()}, news_at=None)
    return ShownBasis(
        replace(campaigns, running=tuple(by_them if each is mine else each for each in campaigns.running)),
        lambda person, history: as_shown(history, person.id, answers, mine.plan, now),
        {**_known(store, campaigns), campaign: LearnedRoles(now, now, learned)},
    )


def _known(store: Store, campaigns: Campaigns) -> dict[str, LearnedRoles]:
    """What the answers so far taught."""
    return {campaign.id: store.estimates.latest(campaign.id) for campaign in campaigns.running}


def checked(wiring: Wiring, path: Path) -> tuple[Plan, tuple[Person, ...]]:
    """The plan and the people it is for. Raises ``InputError`` with every error of the file."""
    plan, people, _ = checked_with_roster(wiring, path)
    return plan, people


def checked_with_roster(wiring: Wiring, path: Path) -> tuple[Plan, tuple[Person, ...], PeopleFile | None]:
    """The same, and the plan's own people file, if it has one."""
    result = wiring.check(path)
    errors = [problem for problem in result.problems if problem.severity == "error"]
    if errors or result.plan is None:
        raise InputError.of(errors)
    if not result.people:
        raise InputError("Nobody is known yet.", "Import people first: commsengine people import people.csv")
    return result.plan, tuple(result.people), result.roster


def _with(wiring: Wiring, plan: Plan, begin: dt.datetime) -> Campaigns:
    """All running campaigns, with this plan as one of them: where it stands if it runs, else started at ``begin``."""
    carriers = wiring.settings.credentials or None
    if not wiring.has_database:
        return Campaigns((Campaign(plan, begin),), wiring.rules, carriers=carriers)
    campaigns = replace(wiring.decisions.campaigns(begin), carriers=carriers)
    mine = next((each for each in campaigns.running if each.id == plan.campaign), Campaign(plan, begin))
    others = tuple(each for each in campaigns.running if each.id != plan.campaign)
    return replace(campaigns, running=(*others, replace(mine, plan=plan)))


def _pasts(
    wiring: Wiring, plan: Plan, people: tuple[Person, ...], begin: dt.datetime
) -> Iterator[tuple[Person, History]]:
    """Each person as the plan's file has them, with what is on record about them."""
    known: dict[str, History] = {}
    if wiring.has_database:
        ids = [person.id for person in people]
        known = {each.person.id: each.history for each in wiring.store.loading.histories(ids).values()}
    for person in people:
        past = known.get(person.id, History())
        if plan.audience.people and plan.campaign not in past.rosters:
            past = replace(past, rosters={**past.rosters, plan.campaign: begin})
        yield person, past
