"""Applying a plan: what it changes for whom, shown before it is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from commsengine.cadence.audience import members
from commsengine.cadence.calendar import Hours
from commsengine.cadence.history import Campaign
from commsengine.cadence.kinds_and_states import CampaignState
from commsengine.cadence.people import ANYBODY
from commsengine.cadence.plan import Message, Notice, Plan
from commsengine.cadence.population import Population
from commsengine.campaigns.changes import PlanChange, changes_of, template_changes
from commsengine.campaigns.diff import (
    NOTHING_FORESEEN,
    Consequence,
    Foreseen,
    RoleMove,
    TouchDiff,
    foresee,
    role_moves,
    roster_moves,
)
from commsengine.campaigns.moved_dates import Moved, OldDates, correction_of, milestones_moved, proposed_text
from commsengine.engine.decisions import Decisions
from commsengine.errors import InputError
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from commsengine.translation import N_, _


@dataclass(frozen=True, slots=True)
class Diff:
    """What a plan changes when it is applied to a campaign that is in ``state`` (empty for a new one).

    ``changes`` are those of the plan and of its templates, ``roles`` those of its audience, ``foreseen`` is what comes
    of them. ``told`` are the people whose messages named an old date, ``correction`` is the text proposed for them, and
    ``notice`` the message that brings it. ``corrected`` gives each message that is no longer sent the one that corrects
    it. ``earlier_dates`` are the dates in texts that left before they were kept, by key.
    """

    campaign: str
    new: bool
    version: int
    audience: int
    state: CampaignState | Literal[""] = ""
    changes: tuple[PlanChange, ...] = ()
    roles: tuple[RoleMove, ...] = ()
    messages_added: tuple[str, ...] = ()
    messages_removed: tuple[str, ...] = ()
    messages_changed: tuple[str, ...] = ()
    milestones: tuple[Moved, ...] = ()
    foreseen: Foreseen = NOTHING_FORESEEN
    told: tuple[OldDates, ...] = ()
    correction: str = ""
    introduced: Mapping[str, dt.datetime] = field(default_factory=dict)
    corrected: Mapping[str, str] = field(default_factory=dict)
    notice: Notice | None = None
    earlier_dates: Mapping[str, str] = field(default_factory=dict)

    @property
    def to_correct(self) -> int:
        """How many of those who were told an old date a correction reaches."""
        return sum(told.reachable for told in self.told)

    @property
    def changes_nothing(self) -> bool:
        return not (self.new or self.changes or self.roles)

    @property
    def touches(self) -> TouchDiff:
        return self.foreseen.touches

    @property
    def consequences(self) -> tuple[Consequence, ...]:
        return self.foreseen.consequences

    @property
    def asks(self) -> int:
        """For so many people a running campaign sends something sooner, more often or for the first time."""
        return self.foreseen.sooner_for if self.state == "running" else 0


def compare(
    store: Store,
    decisions: Decisions,
    plan: Plan,
    people: Population,
    now: dt.datetime,
    templates: Mapping[str, str] | None = None,
    shipped: Mapping[str, str] = MappingProxyType({}),
) -> Diff:
    """``people`` are the directory or the roster, ``templates`` those to come, compared with those that the campaign
    has kept; ``shipped`` are the program's own, in use where it has kept none of that name.

    Raises ``InputError`` if the plan renumbers steps that people stand on, has the id of a notice, or changes how an
    experiment that has begun is judged.
    """
    old, audience = store.campaigns.get(plan.campaign), _size(plan, people, now.date())
    introduced = introduced_at(old, plan, now)
    if old is None:
        added = tuple(message.id for message in plan.messages)
        new = Diff(plan.campaign, True, 1, audience, messages_added=added)
        return replace(new, introduced=introduced, corrected=plan.corrected)
    _refuse_ids_of_notices(old.plan, plan)
    store.seals.allow(plan)
    plan = plan.with_notices(old.plan.notices)
    _refuse_renumbered_steps(store, old.plan, plan)
    moved = milestones_moved(old.plan, plan)
    introduced_now = {**introduced, **{notice.id: old.introduced[notice.id] for notice in old.plan.notices}}
    mine = Campaign(plan, old.started_at or now, old.version + 1, old.epoch, introduced_now)
    wrong = correction_of(store, decisions.campaigns(now), mine, now)
    listed = {person.id: person for person in people} if plan.audience.people else None
    return Diff(
        plan.campaign,
        new=False,
        version=old.version + 1,
        audience=audience,
        state=old.state,
        changes=(*changes_of(old.plan, plan), *_of_templates({**shipped, **old.templates}, templates)),
        roles=_role_moves(store, old.plan, plan, people, now.date()),
        messages_added=tuple(message.id for message in plan.messages if message.id not in _ids(old.plan)),
        messages_removed=tuple(message.id for message in old.plan.messages if message.id not in _ids(plan)),
        messages_changed=tuple(message.id for message in plan.messages if _changed(old.plan, message)),
        milestones=moved,
        foreseen=foresee(store, decisions, old, plan, introduced_now, now, listed),
        told=wrong.told,
        correction=proposed_text(plan, wrong.notice.old_dates, moved) if wrong.notice else "",
        introduced=introduced,
        corrected={wrong: right for wrong, right in plan.corrected.items() if wrong not in old.plan.corrected},
        notice=wrong.notice,
        earlier_dates=wrong.earlier_dates,
    )


def _of_templates(kept: Mapping[str, str], templates: Mapping[str, str] | None) -> Iterable[PlanChange]:
    return () if templates is None else template_changes(kept, templates)


def _role_moves(store: Store, old: Plan, new: Plan, people: Population, day: dt.date) -> tuple[RoleMove, ...]:
    if not (old.audience.people or new.audience.people):
        return role_moves(old, new, people, day)
    before = store.people.population(old.campaign if old.audience.people else "")
    return roster_moves((old, before), (new, people), day)


def apply(
    store: Store,
    plan: Plan,
    templates: Mapping[str, str],
    source: str,
    *,
    diff: Diff,
    by: str,
    now: dt.datetime,
    correct: bool = False,
    saved_by: str = "",
) -> int:
    """Stores the plan as the newest version; a new campaign is paused. Returns the version's number.

    ``saved_by`` is who saved the difference, where another applies it. With ``correct`` the people who were told an old
    date get the correction. Messages that a mail server refused for their text go on with another one.
    """
    old = store.campaigns.get(plan.campaign)
    if correct and diff.notice is not None:  # first, for until the version is there it is for nobody
        store.touches.keep_dates(diff.earlier_dates)
        store.notices.add(plan.campaign, diff.notice, by=by, now=now)
    version = store.campaigns.save_version(
        plan, templates, source, introduced=diff.introduced, by=by, now=now, saved_by=saved_by
    )
    store.outbox.release(now=now, campaign=plan.campaign)
    if old is not None and (rewritten := _rewritten(old, plan, templates)):
        store.refusals.let_messages_go(plan.campaign, rewritten, by=by, now=now)
    return version


READ_BY_PEOPLE = frozenset(
    {"key_point", "ask", "input", "checks", "commit", "sender", "template", "subject", "text", "link", "wiifm"}
)
"""What of a message stands in what people get."""


def _rewritten(old: CampaignRecord, plan: Plan, templates: Mapping[str, str]) -> list[str]:
    before = (old.plan.title, old.plan.wiifm, old.plan.translations, dict(old.templates))
    whole = before != (plan.title, plan.wiifm, plan.translations, dict(templates))
    return [
        message.id
        for message in plan.messages
        if message.id in _ids(old.plan) and (whole or _read(old.plan.message(message.id)) != _read(message))
    ]


def _read(message: Message) -> dict[str, object]:
    return message.model_dump(include=set(READ_BY_PEOPLE))


# -- messages and milestones ----------------------------------------------------------------------


def introduced_at(old: CampaignRecord | None, plan: Plan, now: dt.datetime) -> dict[str, dt.datetime]:
    """Since when each message stands as it is: now if it is new or its opening moved into the past, else as before."""
    if old is None:
        return {}
    before = {message.id: message for message in old.plan.messages}
    introduced = {}
    for message in plan.messages:
        if message.id not in before or _opened_by_moving(old.plan, before[message.id], plan, message, now):
            introduced[message.id] = now
        elif message.id in old.introduced:
            introduced[message.id] = old.introduced[message.id]
    return introduced


def _opened_by_moving(old: Plan, before: Message, plan: Plan, after: Message, now: dt.datetime) -> bool:
    # it was still to open, and would all at once have been open for a while
    opened, opens = _opening(old, before), _opening(plan, after)
    return opens < opened and opened > now


def _opening(plan: Plan, message: Message) -> dt.datetime:
    return Hours(plan, ANYBODY).instant_of(plan, message.opens)


def _size(plan: Plan, people: Population, day: dt.date) -> int:
    groups = people.groups(plan, day=day)
    placed = {person.id for person, _role in members(plan, (group.first for group in groups), day)}
    return sum(group.people for group in groups if group.first.id in placed)


def _ids(plan: Plan) -> frozenset[str]:
    return frozenset(message.id for message in plan.messages)


def _changed(old: Plan, message: Message) -> bool:
    return message.id in _ids(old) and old.message(message.id) != message


def _refuse_ids_of_notices(old: Plan, new: Plan) -> None:
    taken = sorted(_ids(new) & {notice.id for notice in old.notices})
    if taken:
        cause = _("A message sent with 'send-now' has the id '{message}' already.", message=taken[0])
        raise InputError(cause, _("Give your message another 'id'."))


def _refuse_renumbered_steps(store: Store, old: Plan, new: Plan) -> None:
    # a step that a person has had keeps its number and its kind: else they would be asked twice, or never
    had = store.touches.highest_rungs(old.campaign)
    for message in new.messages:
        if message.id not in _ids(old):
            continue
        before = [step.do for step in old.ladder(old.message(message.id))][: had.get(message.id, 0)]
        after = [step.do for step in new.ladder(message)][: len(before)]
        if before[: len(after)] != after:
            cause = N_(
                "The steps of 'follow_up' of '{message}' are renumbered, but people are on them: "
                "{before} became {after}."
            )
            steps = {"before": ", ".join(before), "after": ", ".join(after)}
            fix = _("Leave the steps that people have reached as they are, and add new ones after them.")
            raise InputError(_(cause, message=message.id, **steps), fix)
