"""From a plan on disk to its simulation: with the people it is for, their past, and all other running campaigns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from commsengine.authoring.check import CheckResult
from commsengine.authoring.people.people_file import PeopleFile
from commsengine.cadence.calendar import DAY, last_closing
from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.cadence.history import Campaign, Campaigns, History
from commsengine.cadence.kinds_and_states import Carrier, ChannelName
from commsengine.cadence.managers_first import briefs, by_manager
from commsengine.cadence.people import Person
from commsengine.cadence.phases import opened_in_time
from commsengine.cadence.plan import Plan, Workspace
from commsengine.cadence.population import Population
from commsengine.channels.providers import ProviderProfile, SendingLimits
from commsengine.engine.decisions import Decisions
from commsengine.errors import InputError
from commsengine.planning.departures import NOTHING_LEFT, Left
from commsengine.planning.simulation import ShownBasis, Simulation, SimulationInput, running_campaign, simulate
from commsengine.recall.learning import nothing
from commsengine.reports.check_results import any_given, as_shown, check_results, shown_of
from commsengine.store.database import chunks
from commsengine.store.store import Store
from commsengine.translation import N_, _

MOST_FORECAST = 10_000
"""People, of more so many evenly out of all: each takes a millisecond and 12 kB."""

Gates = Literal["open", "shut"]
"""How the gates that are shut now are supposed to stand."""


@dataclass(frozen=True, slots=True)
class PlanningBasis:
    """``carriers`` are the channels with credentials; ``on_record`` is ``None`` before there is a database.

    ``profiles`` say what the channels may send, ``get_ready`` how many seconds one needs before its first message, by
    the number of people.
    """

    rules: Workspace
    carriers: frozenset[str]
    on_record: tuple[Store, Decisions] | None
    now: dt.datetime
    profiles: Mapping[ChannelName, ProviderProfile] = field(default_factory=dict)
    get_ready: Mapping[ChannelName, Callable[[int], float]] = field(default_factory=dict)

    @property
    def limits(self) -> dict[Carrier, SendingLimits]:
        return {name: profile.limits for name, profile in self.profiles.items()}

    def left(self, begin: dt.datetime, people: int) -> dict[Carrier, Left]:
        """How each channel was left, and what it needs before its first message to so many people."""
        found = self._left(begin)
        for name, seconds in self.get_ready.items():
            if name in self.carriers and (needed := seconds(people)):
                found[name] = replace(found.get(name, NOTHING_LEFT), ready_after=dt.timedelta(seconds=needed))
        return found

    def _left(self, begin: dt.datetime) -> dict[Carrier, Left]:
        if self.on_record is None:
            return {}
        channels, found = self.on_record[0].channels, dict[Carrier, Left]()
        rests = channels.rests()
        for name, profile in self.profiles.items():
            rest, limits = rests.get(name), profile.limits
            until = rest.until if rest and rest.open and rest.until > begin else None
            times = channels.times(name, begin - limits.day) if limits.per_day is not None else ()
            if until or times:
                found[name] = Left(times, until)
        return found


@dataclass(frozen=True, slots=True)
class CheckedPlan:
    """A plan without errors and the people it is for; ``roster`` is the plan's own people file, if it has one."""

    plan: Plan
    people: Population
    roster: PeopleFile | None = None


def checked(result: CheckResult) -> CheckedPlan:
    """Raises ``InputError`` with every error of the file, or when there are no people."""
    errors = [problem for problem in result.problems if problem.severity == "error"]
    if errors or result.plan is None:
        raise InputError.of(errors)
    if not result.people:
        raise InputError(_("There are no people yet."), _("Import people first: commsengine people import people.csv"))
    return CheckedPlan(result.plan, result.people, result.roster)


def outlook(
    basis: PlanningBasis,
    checked_plan: CheckedPlan,
    *,
    start: dt.date | None = None,
    until: dt.date | None = None,
    answers: str = "none",
    gates: Gates = "open",
    done: float = 0.0,
    most: int = MOST_FORECAST,
    progress: Callable[[float], object] = bool,
) -> Simulation:
    """By at most so many of the people, evenly out of all; the share ``done`` of them does what is asked. Gates that
    are shut open in time, or with ``gates`` "shut" never. ``progress`` hears how much is done, from 0 to 1.

    Raises ``InputError`` when the last message closes before ``start``.
    """
    plan = checked_plan.plan
    begin = basis.now if start is None else dt.datetime.combine(start, dt.time(), dt.UTC)
    end = dt.datetime.combine(until + DAY, dt.time(), dt.UTC) if until else last_closing(plan, _clocks(checked_plan))
    if end <= begin:
        cause = N_("Nothing to simulate: the last message closes {last:%Y-%m-%d}, before {first:%Y-%m-%d}.")
        fix = _("Move the milestones, or name another day with --from.")
        raise InputError(_(cause, last=end, first=begin), fix)
    people = len(checked_plan.people)
    step = -(-people // most) or 1
    campaigns, pasts = _with(basis, plan, begin), _pasts(basis, checked_plan, begin, step)
    if gates == "open":
        running = (replace(one, opened=opened_in_time(one.plan, one.opened, begin)) for one in campaigns.running)
        campaigns = replace(campaigns, running=tuple(running))
    asked = SimulationInput(campaigns, plan.campaign, begin, end, answers, done=done)
    asked = replace(
        asked,
        on_record=_opened(basis, plan.campaign),
        limits=basis.limits,
        left=basis.left(begin, people),
        each=people / len(range(0, people, step)) if people else 1.0,
        progress=progress,
    )
    if basis.on_record:
        store, _decisions = basis.on_record
        shown = shown_basis(store, campaigns, plan.campaign, basis.now)
        asked = replace(asked, known=_known(store, campaigns), shown=shown)
    return simulate(asked, pasts)


def _clocks(checked_plan: CheckedPlan) -> list[Person]:
    return [group.first for group in checked_plan.people.groups(checked_plan.plan)]


def _opened(basis: PlanningBasis, campaign: str) -> Mapping[str, dt.datetime]:
    record = basis.on_record[0].campaigns.get(campaign) if basis.on_record else None
    return record.opened if record else {}


def shown_basis(store: Store, campaigns: Campaigns, campaign: str, now: dt.datetime) -> ShownBasis | None:
    """``None`` before the first answer to a check."""
    # Two simulations a day apart must not show what one person answered in between.
    mine = running_campaign(campaigns, campaign)
    if not any_given(store, mine.plan, now):
        return None
    answers = check_results(store, mine.plan, now)
    seen = {role: shown_of(store, campaign, role, answers) for role in mine.plan.audience.roles}
    learned = {role: known.roles.get(role) or nothing() for role, known in seen.items()}
    by_them = replace(mine, recall={role: known.estimate_of(role) for role, known in seen.items()}, news_at=None)
    return ShownBasis(
        replace(campaigns, running=tuple(by_them if each is mine else each for each in campaigns.running)),
        lambda person, history: as_shown(history, person.id, answers, mine.plan, now),
        {**_known(store, campaigns), campaign: LearnedRoles(now, now, learned)},
    )


def _known(store: Store, campaigns: Campaigns) -> dict[str, LearnedRoles]:
    return {campaign.id: store.estimates.latest(campaign.id) for campaign in campaigns.running}


def corrected_texts(corrected: Mapping[str, str]) -> Iterator[str]:
    return (
        _("'{wrong}' is corrected by '{right}': it is not sent any more.", wrong=wrong, right=right)
        for wrong, right in corrected.items()
    )


def _with(basis: PlanningBasis, plan: Plan, begin: dt.datetime) -> Campaigns:
    # This plan is one of the running campaigns: where it stands if it runs, else started at ``begin``.
    carriers = basis.carriers or None
    if basis.on_record is None:
        return Campaigns((Campaign(plan, begin),), basis.rules, carriers=carriers)
    _store, decisions = basis.on_record
    campaigns = replace(decisions.campaigns(begin), carriers=carriers)
    new = Campaign(plan, begin, opened=_opened(basis, plan.campaign))
    mine = next((each for each in campaigns.running if each.id == plan.campaign), new)
    others = tuple(each for each in campaigns.running if each.id != plan.campaign)
    return replace(campaigns, running=(*others, replace(mine, plan=plan.with_notices(mine.plan.notices))))


def _pasts(
    basis: PlanningBasis, checked_plan: CheckedPlan, begin: dt.datetime, step: int
) -> Iterator[tuple[Person, History]]:
    if checked_plan.plan.audience.people:
        return _pasts_of_roster(basis, checked_plan, begin, step)
    return _pasts_of_all(basis, checked_plan, step)


def _pasts_of_all(basis: PlanningBasis, checked_plan: CheckedPlan, step: int) -> Iterator[tuple[Person, History]]:
    plan, everybody = checked_plan.plan, checked_plan.people
    for some in chunks(everybody.every(step)):
        known = _known_histories(basis, some)
        for person in some:
            reports = everybody.reports(person) if person.is_manager and briefs(plan) else ()
            yield person, replace(known.get(person.id, History()), reports=reports)


def _known_histories(basis: PlanningBasis, people: Sequence[Person]) -> dict[str, History]:
    if basis.on_record is None:
        return {}
    store, _decisions = basis.on_record
    return {one.person.id: one.history for one in store.loading.histories([each.id for each in people]).values()}


def _pasts_of_roster(
    basis: PlanningBasis, checked_plan: CheckedPlan, begin: dt.datetime, step: int
) -> Iterator[tuple[Person, History]]:
    # People are as the plan's file has them, not as they are on record.
    plan, listed = checked_plan.plan, tuple(checked_plan.people)
    beside = _managers_beside(basis, listed) if briefs(plan) else ()
    people = [*listed[::step], *beside]
    known = _known_histories(basis, people)
    rosters = {person: frozenset(history.rosters) for person, history in known.items()}
    rosters |= {person.id: rosters.get(person.id, frozenset()) | {plan.campaign} for person in listed}
    led, members = by_manager([*listed, *beside], rosters), frozenset(person.id for person in listed)
    for person in people:
        past = replace(known.get(person.id, History()), reports=led.get(person.id, ()))
        if person.id in members and plan.campaign not in past.rosters:
            past = replace(past, rosters={**past.rosters, plan.campaign: begin})
        yield person, past


def _managers_beside(basis: PlanningBasis, people: Sequence[Person]) -> list[Person]:
    # the managers of a roster need not stand in it
    here, found = {person.email.lower() for person in people}, list[Person]()
    newest = [person.manager for person in people if person.manager.lower() not in here]
    while newest and basis.on_record:
        managers = basis.on_record[0].people.by_emails(newest)
        found += managers.values()
        here |= managers.keys()
        above = {one.manager for one in managers.values() if one.left is not None and one.manager}
        newest = [email for email in above if email.lower() not in here]
    return found
