"""The report of a campaign for its lead: what was sent, said, understood, and what may still be known, by role.

No one is named, and nothing is shown of fewer than ten people (``recall.privacy``). The database counts; what each
person had and did is read of the few hundred by whom a line over time is drawn, and of all in an experiment.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from itertools import islice
from typing import Any

from commsengine.cadence.audience import roles_of
from commsengine.cadence.calendar import Hours
from commsengine.cadence.daily_learning import messages_by_recall
from commsengine.cadence.history import History
from commsengine.cadence.kinds_and_states import RecallMode
from commsengine.cadence.people import ANYBODY, Person
from commsengine.cadence.plan import Message, Notice, Plan
from commsengine.campaigns.known_campaign import known as known_campaign
from commsengine.content.phrases import with_dates
from commsengine.engine.directory import members_of
from commsengine.recall.small_groups import enough, shown, total_of_all
from commsengine.recall.statistics import Alike, Share
from commsengine.reports.check_results import NOTHING, CheckResults, check_results, shown_of
from commsengine.reports.commitments import STATES, CommitmentState, commitments
from commsengine.reports.day_figures import got_it_only
from commsengine.reports.departments import SideBySide, by_department, without_small_ones
from commsengine.reports.experiment_arms import ArmResult, ExperimentArms
from commsengine.reports.input_answers import InputView, input_views
from commsengine.reports.outcomes.results import OutcomeResults, OutcomeView
from commsengine.reports.outcomes.trial import OutcomeTrial, TrialResult
from commsengine.reports.phases.measures import PhaseView, phases
from commsengine.reports.phases.unclear import UnclearRole, unclear_by_role
from commsengine.reports.promises import replies
from commsengine.reports.recall_by_role import RoleView, span_of, summed
from commsengine.reports.recall_curves import Group, mornings, past_of
from commsengine.store.audience.audience_counts import Days
from commsengine.store.campaign_facts.seals import Seal
from commsengine.store.records import CampaignRecord, GotItOnly, Loaded, TouchCounts
from commsengine.store.store import Store
from commsengine.translation import _

PAGE = 1000
DRAWN = 200
"""People of a role, spread over all of it, by whom its recall is estimated, at most."""

RAMP = dt.timedelta(days=7)
"""From a message's first touch of a role on: the first touches build up what a floor can then be kept of."""


@dataclass(frozen=True, slots=True)
class Total:
    """Of all roles, or where that would tell of a hidden one, of those shown. ``right`` is always of those shown."""

    people: int
    all_roles: bool
    counts: TouchCounts
    right: Share | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message. ``by`` is the instant of its target, ``outcome_title`` says what it is to bring about.

    ``guess`` is the share of right answers by guessing alone, ``None`` if it has no question. ``corrected_by`` is the
    message that puts it right, if it was wrong: its figures are those of before.
    """

    id: str
    key_point: str
    asks: str
    opens: dt.datetime
    closes: dt.datetime
    floor: float | None
    target: float | None
    by: dt.datetime | None
    guess: float | None
    roles: tuple[RoleView, ...]
    total: Total | None
    alike: Alike
    corrected_by: str = ""
    outcome_title: str = ""

    @property
    def compares(self) -> bool:
        return any(role.before or role.transfer for role in self.roles)


@dataclass(frozen=True, slots=True)
class Week:
    """What one week brought, over the roles that are shown; ``start`` is a Monday."""

    start: dt.date
    touches: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the page shows; ``arms`` are those of the plan's experiment, ``trial`` is what they did.

    ``estimates``: recall is estimated, and answers to checks are kept. ``commitments`` are people by message and state;
    of ``phases``, ``unclear`` and ``side_by_side`` small groups are hidden.
    ``got_it_only`` is by role, of those of which ten people or more were shown a check. ``inputs`` are without names,
    ``replies`` what was said to people.
    """

    record: CampaignRecord
    at: dt.datetime
    go_live: tuple[str, dt.datetime] | None
    people: int
    messages: tuple[MessageView, ...]
    weeks: tuple[Week, ...]
    arms: tuple[ArmResult, ...] = ()
    outcomes: tuple[OutcomeView, ...] = ()
    trial: TrialResult | None = None
    phases: tuple[PhaseView, ...] = ()
    commitments: Mapping[str, Mapping[CommitmentState, int]] = field(default_factory=dict)
    unclear: tuple[UnclearRole, ...] = ()
    side_by_side: tuple[SideBySide, ...] = ()
    got_it_only: tuple[GotItOnly, ...] = ()
    inputs: tuple[InputView, ...] = ()
    replies: tuple[Mapping[str, Any], ...] = ()
    estimates: bool = True


def report(store: Store, campaign: str, now: dt.datetime, recall: RecallMode = "role") -> Report:
    """Raises ``InputError`` for an unknown campaign."""
    record = known_campaign(store, campaign)
    seen = _Reading(store, record, now, estimates=recall != "off")
    seen.draw()
    seen.take_everybody()
    return replace(
        seen.report(store.seals.of(record.id)),
        phases=tuple(view.without_small_groups() for view in phases(store, record, now)),
        commitments=_commitments(store, record, now),
        unclear=tuple(role for role in unclear_by_role(store, record, now) if role.talks or role.checks),
        side_by_side=tuple(map(without_small_ones, by_department(store, record, now.date()))),
        got_it_only=tuple(got_it_only(store, record, now)),
        inputs=input_views(store, record, now),
        replies=tuple(replies(store, record)),
    )


def _commitments(store: Store, record: CampaignRecord, now: dt.datetime) -> dict[str, dict[CommitmentState, int]]:
    counts: dict[str, Counter[CommitmentState]] = {}
    for one in commitments(store, record, now):
        counts.setdefault(one.message, Counter())[one.state] += 1
    return {message: {state: found[state] for state in STATES} for message, found in counts.items()}


def _key_point(plan: Plan, message: Message) -> str:
    # that of a moved date is a text of the catalogs
    if isinstance(message, Notice) and message.old_dates:
        return _("New date: {names}", names=", ".join(name.replace("_", " ") for name in message.old_dates))
    return with_dates(message.key_point, plan.milestones)


class _Reading:
    """What has been read so far of one campaign."""

    def __init__(self, store: Store, record: CampaignRecord, now: dt.datetime, *, estimates: bool) -> None:
        self._estimates, self._store = estimates, store
        self._record, self._plan, self._now = record, record.plan, now
        self._drawn = store.audience.drawn(record, DRAWN, now.date())
        self._sizes = {role: drawn.people for role, drawn in self._drawn.items()}
        self._answers = (
            check_results(store, record.plan, now, _departments(store, record, now)) if estimates else CheckResults()
        )
        self._shown = shown(self._sizes)
        known = {role: shown_of(store, record.id, role, self._answers) for role in self._sizes}
        counts = store.audience.messages(record, now.date())
        self._cells = {
            (message.id, role): _Cell(
                Group(role, self._sizes[role], known[role]), counts.get((message.id, role), TouchCounts())
            )
            for message in record.plan.messages
            for role in roles_of(record.plan, message)
        }
        self._experiment, self._trial = ExperimentArms(record.plan), OutcomeTrial(record.plan)
        self._outcomes = OutcomeResults(record.plan, now)
        self._done: dict[tuple[str, str], Share | None] = {}

    def draw(self) -> None:
        """Reads those of whom the recall of each role is estimated."""
        for role in self._shown:
            for loaded in self._store.loading.histories(self._drawn[role].ids).values():
                self._draw_one(role, loaded)

    def _draw_one(self, role: str, loaded: Loaded) -> None:
        for message in self._plan.messages:
            if cell := self._cells.get((message.id, role)):
                past = past_of(self._plan, message, loaded.history, loaded.person.id, self._answers.counts_from)
                cell.group.add(past)

    def take_everybody(self) -> None:
        """Reads everybody, page by page, where an experiment or an outcome asks for what each person did."""
        if not (self._plan.experiment or self._plan.outcomes):
            return
        for page in _pages(members_of(self._store, self._plan, self._now.date())):
            loaded = self._store.loading.histories([person.id for person, _ in page])
            for person, role in page:
                if person.id in loaded:
                    self._take(person, role, loaded[person.id].history)

    def _take(self, person: Person, role: str, history: History) -> None:
        self._experiment.take(person, history)
        self._trial.take(person, role, history)
        self._outcomes.take(role, history)

    def _weeks(self) -> tuple[Week, ...]:
        """What the roles that are shown had and acknowledged, by week."""
        audience, day = self._store.audience, self._now.date()
        carried = self._by_week(audience.carried_by_day(self._record, day))
        acknowledged = self._by_week(audience.acknowledged_by_day(self._record, day))
        return tuple(Week(start, carried[start], acknowledged[start]) for start in sorted({*carried, *acknowledged}))

    def _by_week(self, days: Days) -> Counter[dt.date]:
        weeks: Counter[dt.date] = Counter()
        for (message, role, day), number in days.items():
            if role in self._shown and (message, role) in self._cells:
                weeks[day - dt.timedelta(days=day.weekday())] += number
        return weeks

    def report(self, seal: Seal | None) -> Report:
        plan, people = self._plan, sum(self._sizes.values())
        of_shown_roles = {cell: blocks for cell, blocks in self._answers.closed.items() if cell[1] in self._shown}
        outcomes = self._outcomes.views(self._sizes, self._shown, self._answers)
        self._done = {(one.name, role.role): role.done for one in outcomes for role in one.roles}
        messages = tuple(self._message(message) for message in plan.messages)
        arms = self._experiment.arms(of_shown_roles)
        trial = self._trial.result(self._sizes, seal, self._now)
        about = (self._record, self._now, _go_live(plan), people)
        return Report(*about, messages, self._weeks(), arms, outcomes, trial, estimates=self._estimates)

    def _message(self, message: Message) -> MessageView:
        plan, cadence = self._plan, message.cadence
        opens, closes = span_of(plan, message)
        by = Hours(plan, ANYBODY).instant_of(plan, cadence.by) if cadence.by else None
        roles = tuple(self._role(message, role, closes, by) for role in roles_of(plan, message))
        options = [len(check.answers) for check in message.checks]
        guess = sum(1 / n for n in options) / len(options) if options and self._estimates else None
        floor, target, total = cadence.recall_floor, cadence.target, self._total(message, roles)
        alike = self._answers.alike.get(message.id, Alike())
        about = (message.id, _key_point(plan, message), message.ask, opens, closes)
        by_whom = plan.corrected.get(message.id, "")
        return MessageView(*about, floor, target, by, guess, roles, total, alike, by_whom, self._outcome(message))

    def _outcome(self, message: Message) -> str:
        planned = self._plan.outcomes.get(self._plan.outcome_of(message) or "")
        return planned.title if planned else ""

    def _role(self, message: Message, role: str, closes: dt.datetime, by: dt.datetime | None) -> RoleView:
        people = self._sizes[role]
        if role not in self._shown:
            return RoleView(role, people, shown=False)
        cell, answered = self._cells[message.id, role], self._answers.cells.get((message.id, role), NOTHING)
        group, first = cell.group, cell.group.first
        end = max(self._now, closes)
        drawn = message in messages_by_recall(self._plan)
        instants = mornings(first, end, self._now, *([by] if by else [])) if first and drawn else [self._now]
        line = group.line(instants, self._now) if first and self._estimates else ()
        recall = next((point for point in line if point.at == self._now), None)
        return RoleView(
            role,
            people,
            True,
            cell.counts,
            answered.right,
            answered.weeks,
            recall,
            line if drawn else (),
            group.drawn,
            group.estimate.checks,
            group.estimate.tested,
            ramp=first is not None and self._now < first + RAMP,
            before=self._answers.before.get((message.id, role)),
            transfer=self._answers.transfer.get((message.id, role)),
            done=self._done.get((self._plan.outcome_of(message) or "", role)),
        )

    def _total(self, message: Message, roles: Sequence[RoleView]) -> Total | None:
        all_roles = total_of_all({role.role: role.people for role in roles})
        cells = {r.role: self._cells[message.id, r.role] for r in roles if all_roles or r.shown}
        people = sum(self._sizes[role] for role in cells)
        if not enough(people):
            return None
        counts = TouchCounts(*map(sum, zip(*(astuple(cell.counts) for cell in cells.values()), strict=True)))
        return Total(people, all_roles, counts, summed(role.right for role in roles))


@dataclass(frozen=True, slots=True)
class _Cell:
    """One role and message."""

    group: Group
    counts: TouchCounts


def _departments(store: Store, record: CampaignRecord, now: dt.datetime) -> dict[str, str]:
    """By the id of each person of the audience who has answered a check."""
    answered = {given.person_id for given in store.answers.to_checks(record.id)}
    places = store.audience.places(record, now.date(), sorted(answered))
    return {name: place.department for name, place in places.items()}


def _go_live(plan: Plan) -> tuple[str, dt.datetime] | None:
    if "go_live" not in plan.milestones:
        return None
    return "go-live", Hours(plan, ANYBODY).midnight(plan.milestones["go_live"].date)


def _pages(people: Iterator[tuple[Person, str]]) -> Iterator[list[tuple[Person, str]]]:
    while page := list(islice(people, PAGE)):
        yield page
