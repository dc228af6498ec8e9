"""What each phase of a campaign was to reach, and what it has: by role, as things stand now.

Of right answers nothing is shown of fewer than ten people, nor what is not yet whole weeks of ten people's answers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from commsengine.cadence.audience import roles_of
from commsengine.cadence.forecast import ANSWER_KINDS
from commsengine.cadence.kinds_and_states import GOT_IT, AnswerKind, Measure
from commsengine.cadence.phases import ends_of, waiting_for
from commsengine.cadence.plan import Message, Phase, Plan
from commsengine.recall.small_groups import enough
from commsengine.reports.check_results import NOTHING, CheckResults, check_results
from commsengine.reports.why import iso
from commsengine.store.records import CampaignRecord, GateWord
from commsengine.store.store import Store
from commsengine.translation import N_

PhaseState = Literal["to come", "going on", "over"]
PHASE_STATES: Mapping[PhaseState, str] = {"to come": N_("to come"), "going on": N_("going on"), "over": N_("over")}


@dataclass(frozen=True, slots=True)
class RoleShare:
    """How many ``of`` so many; ``count`` is ``None`` where hidden or not known. The role has so many ``people``."""

    role: str
    people: int
    count: int | None
    of: int
    hidden: bool = False

    @property
    def share(self) -> float | None:
        return None if self.count is None or not self.of else self.count / self.of

    def as_json(self) -> dict[str, Any]:
        share = None if self.share is None else round(self.share, 3)
        shown = {"role": self.role, "people": self.people, "count": self.count, "of": self.of}
        return {**shown, "share": share, "hidden": self.hidden}


@dataclass(frozen=True, slots=True)
class PhaseMeasure:
    """One measure of a phase: the share ``wanted`` of a message, by role and of all ``total``."""

    message: str
    measure: Measure
    wanted: float
    roles: tuple[RoleShare, ...]
    total: RoleShare

    @property
    def reached(self) -> bool | None:
        """``None`` while too little is known to say."""
        return self.meets(self.total)

    def meets(self, one: RoleShare) -> bool | None:
        return None if one.share is None else one.share >= self.wanted

    def without_small_groups(self) -> PhaseMeasure:
        roles = tuple(
            role if role.hidden or enough(role.people) else replace(role, count=None, hidden=True)
            for role in self.roles
        )
        small = sum(role.people for role in self.roles if not enough(role.people))
        if not small or enough(small):
            return replace(self, roles=roles)
        known = [role for role in roles if role.count is not None]
        count = sum(role.count or 0 for role in known) if known else None
        return replace(self, roles=roles, total=replace(self.total, count=count, of=sum(role.of for role in known)))

    def as_json(self) -> dict[str, Any]:
        return {
            "message": self.message,
            "measure": self.measure,
            "wanted": self.wanted,
            "reached": self.reached,
            **{name: value for name, value in self.total.as_json().items() if name in ("count", "of", "share")},
            "roles": [{**role.as_json(), "reached": self.meets(role)} for role in self.roles],
        }


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate at the end of a phase: shut without a ``word``. The messages ``waiting`` do not begin before it."""

    word: GateWord | None
    waiting: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        word = self.word
        return {
            "open": word is not None,
            "opened_at": iso(word.opened_at) if word else None,
            "by": word.by if word else None,
            "because": word.because if word else None,
            "messages": list(self.waiting),
        }


@dataclass(frozen=True, slots=True)
class PhaseView:
    """A phase as of now; ``until`` is its end in the plan's own zone."""

    name: str
    goal: str
    until: dt.datetime
    state: PhaseState
    measures: tuple[PhaseMeasure, ...]
    gate: Gate | None = None

    @property
    def reached(self) -> bool | None:
        """Whether all of it is; ``None`` without a measure, or while one is not known and none is missed."""
        found = [measure.reached for measure in self.measures]
        if False in found:
            return False
        return None if not found or None in found else True

    @property
    def waits(self) -> bool:
        """Whether it is over and what follows waits for the lead's word."""
        return self.state == "over" and self.gate is not None and self.gate.word is None

    def without_small_groups(self) -> PhaseView:
        """The same for a page that may go from hand to hand: nothing of a role of fewer than ten people."""
        return replace(self, measures=tuple(measure.without_small_groups() for measure in self.measures))

    def as_json(self) -> dict[str, Any]:
        return {
            "phase": self.name,
            "goal": self.goal,
            "until": iso(self.until),
            "state": self.state,
            "reached": self.reached,
            "gate": self.gate.as_json() if self.gate else None,
            "measures": [measure.as_json() for measure in self.measures],
        }


def phases(
    store: Store, record: CampaignRecord, now: dt.datetime, only: Collection[str] = (), *, measured: bool = True
) -> list[PhaseView]:
    """All phases of the plan in their order, or only those named."""
    plan, ends, words = record.plan, ends_of(record.plan), store.gates.of(record.id)
    wanted = {name: phase for name, phase in plan.phases.items() if not only or name in only}
    if not wanted:
        return []
    reading = _Reading(store, record, now) if measured and any(phase.reach for phase in wanted.values()) else None
    states = _states(ends, record, now)
    return [
        PhaseView(
            name,
            phase.goal,
            ends[name],
            states[name],
            reading.measures(phase) if reading else (),
            Gate(words.get(name), tuple(waiting_for(plan, name))) if phase.gate else None,
        )
        for name, phase in wanted.items()
    ]


def gates_that_wait(store: Store, record: CampaignRecord, now: dt.datetime) -> list[PhaseView]:
    """The phases that are over and whose gate is shut; their measures are left out."""
    gated = [name for name, phase in record.plan.phases.items() if phase.gate and name not in record.opened]
    views = phases(store, record, now, only=gated, measured=False) if gated else []
    return [view for view in views if view.waits]


def _states(ends: Mapping[str, dt.datetime], record: CampaignRecord, now: dt.datetime) -> dict[str, PhaseState]:
    states: dict[str, PhaseState] = {}
    begun = record.started_at is not None
    for name, end in ends.items():
        going = begun and "going on" not in states.values()
        states[name] = "over" if end <= now and begun else "going on" if going else "to come"
    return states


class _Reading:
    """What is read of a campaign for all its measures."""

    def __init__(self, store: Store, record: CampaignRecord, now: dt.datetime) -> None:
        self._store, self._record, self._now = store, record, now
        self._sizes = store.audience.sizes(record, now.date())
        self._checks: CheckResults | None = None

    def measures(self, phase: Phase) -> tuple[PhaseMeasure, ...]:
        messages = {message.id: message for message in self._record.plan.messages}
        return tuple(
            self._reach(messages[name], measure, wanted)
            for name, shares in phase.reach.items()
            if name in messages
            for measure, wanted in shares.items()
        )

    def _reach(self, message: Message, measure: Measure, wanted: float) -> PhaseMeasure:
        roles = roles_of(self._record.plan, message)
        if measure == "right":
            shares = [self._right(message, role) for role in roles]
        else:
            counted = self._counted(message, measure)
            shares = [self._share(role, counted, measure) for role in roles]
        known = [share for share in shares if share.count is not None]
        count = sum(share.count or 0 for share in known) if known else None
        people = sum(share.people for share in shares)
        total = RoleShare("", people, count, sum(share.of for share in known))
        return PhaseMeasure(message.id, measure, wanted, tuple(shares), total)

    def _share(self, role: str, counted: Mapping[str, int] | None, measure: Measure) -> RoleShare:
        people = self._sizes.get(role, 0)
        if measure == "done" and not enough(people):
            return RoleShare(role, people, None, 0, hidden=True)
        return RoleShare(role, people, None if counted is None else counted.get(role, 0), people)

    def _right(self, message: Message, role: str) -> RoleShare:
        if self._checks is None:
            self._checks = check_results(self._store, self._record.plan, self._now)
        people = self._sizes.get(role, 0)
        if not enough(people):
            return RoleShare(role, people, None, 0, hidden=True)
        right = self._checks.cells.get((message.id, role), NOTHING).right
        return RoleShare(role, people, right.count, right.of) if right else RoleShare(role, people, None, 0)

    def _counted(self, message: Message, measure: Measure) -> Mapping[str, int] | None:
        audience, record, day = self._store.audience, self._record, self._now.date()
        if measure == "done":
            outcome = outcome_measured(record.plan, message)
            return None if outcome is None else audience.done(record, outcome, day)
        if measure == "reached":
            return audience.reached(record, message.id, day)
        return audience.answered(record, message.id, _kinds(message, measure), day)


def outcome_measured(plan: Plan, message: Message) -> str | None:
    """The outcome that "done" is about: the message's own, else the plan's only one."""
    return plan.outcome_of(message) or (next(iter(plan.outcomes)) if len(plan.outcomes) == 1 else None)


def _kinds(message: Message, measure: Measure) -> Sequence[AnswerKind]:
    """The answers that count; "answered" is the one that the message asks for."""
    if measure == "acknowledged" or message.ask == "acknowledge":
        return GOT_IT
    return ("check",) if message.ask == "check" else (ANSWER_KINDS.get(message.ask, "acknowledged"),)
